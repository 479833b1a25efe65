/**
 * Which process runs on which core: the proxy under test alone on one, client and engine on the other.
 * Shapes  planCores() → { proxy, load, engine, note } · pinned(command, core) → command
 * Units   CPU numbers as the kernel counts them
 * Errors  none: without taskset, or with a single core, nothing is pinned and the note says so
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cores {
  readonly proxy: number | undefined;
  readonly load: number | undefined;
  readonly engine: number | undefined;
  readonly note: string;
}

export function planCores(): Cores {
  const [proxy, load, engine] = allowedCores();
  if (spawnSync('taskset', ['--version']).status !== 0) return unpinned('taskset is absent: nothing is pinned');
  if (proxy === undefined || load === undefined) return unpinned('only one core: nothing is pinned');
  const shared = `core ${proxy} = proxy, core ${load} = client`;
  if (engine === undefined) return { proxy, load, engine: load, note: `${shared} + engine` };
  return { proxy, load, engine, note: `${shared}, core ${engine} = engine` };
}

export function pinned(command: readonly string[], core: number | undefined): string[] {
  return core === undefined ? [...command] : ['taskset', '-c', String(core), ...command];
}

/** '0-2,5' → [0, 1, 2, 5] */
export function parseCoreList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = '', last = first] = part.trim().split('-');
    const length = Number(last) - Number(first) + 1;
    return first === '' ? [] : Array.from({ length }, (_, index) => Number(first) + index);
  });
}

function allowedCores(): number[] {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return parseCoreList(/^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

function unpinned(note: string): Cores {
  return { proxy: undefined, load: undefined, engine: undefined, note };
}
