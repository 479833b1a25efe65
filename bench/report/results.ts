/**
 * bench/results.json and bench/RESULTS.md: the latest kept run of each kind, the second made from the first.
 * Shapes  keep(folder, kind, section, raw) · provenance(root, cores) → Provenance
 * Errors  throws when results.json is not readable JSON: old figures are never dropped in silence
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Provenance, renderSection, type Section } from './section.ts';

/** What `npm run bench` runs. */
export const SCENARIOS = [
  'matrix',
  'memory',
  'streams',
  'aborts',
  'slow-clients',
  'overload',
  'micro',
  'decisions',
  'grpc',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** In the order of RESULTS.md; `bench/tokenizer.ts` and `npm run bench:routing` write the last ones. */
const KINDS = [...SCENARIOS, 'tokenizer', 'routing', 'routing-tokens'] as const;
export type Kind = (typeof KINDS)[number];

interface Kept {
  readonly section: Section;
  /** Everything measured, round by round. */
  readonly raw: unknown;
}

const BIOME = join(import.meta.dirname, '../../node_modules/.bin/biome');

const PREAMBLE = `# Benchmark results

Written by \`npm run bench\` from bench/results.json; not edited by hand. Losing rows stay in.

Latencies are ms of a closed loop (each connection sends its next request when its answer is complete), best of the
rounds; "+" columns are less the direct row. CPU µs/req is the proxy's user + system time. "load core" is client and
engine together: where it is full and the proxy core is not, rates are the client's limit. TTFT ends at the first body
byte. A streamed answer is 64 chat chunks, a usage chunk and [DONE], each in a write of its own.
`;

export function keep(folder: string, kind: Kind, section: Section, raw: unknown): void {
  const path = join(folder, 'results.json');
  const kept: Partial<Record<Kind, Kept>> = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<Kind, Kept>>)
    : {};
  kept[kind] = { section, raw };
  writeFileSync(path, `${JSON.stringify(kept, rounded, 2)}\n`);
  // The repository's own format, so that kept results do not fail its check; without biome they are JSON all the same.
  spawnSync(process.execPath, [BIOME, 'format', '--write', path], { stdio: 'ignore' });
  const sections = KINDS.flatMap((each) => (kept[each] === undefined ? [] : [renderSection(kept[each].section)]));
  writeFileSync(join(folder, 'RESULTS.md'), [PREAMBLE, ...sections].join('\n'));
}

/** Five significant digits: more is noise, and makes every diff a wall. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}

export function provenance(root: string, cores: string): Provenance {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const head = git('rev-parse', '--short', 'HEAD');
  const isDirty = git('status', '--porcelain', '--untracked-files=no').stdout.trim() !== '';
  const models = cpus();
  return {
    commit: head.status === 0 ? head.stdout.trim() + (isDirty ? ' + uncommitted changes' : '') : 'none yet',
    node: process.version,
    cpu: `${models.length} × ${models[0]?.model ?? 'unknown CPU'}`,
    cores,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  };
}
