/**
 * CPU time and resident memory of processes, from Linux's /proc.
 * Shapes  cpuTime(pids) → { userMs, totalMs } · memory(pids) → { rss, peak } · resetPeak(pids) · processTree(pid) → pids
 * Units   ms of all threads (10 ms steps; the split into user and system is the kernel's estimate); bytes
 * Errors  a process that has ended counts as 0: its death shows up as failed requests
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux Node supports. */
const TICK_MS = 10;

export interface CpuTime {
  /** Spent in the program itself, which is what its authors can change; the rest is the kernel's. */
  readonly userMs: number;
  readonly totalMs: number;
}

export interface Memory {
  readonly rssBytes: number;
  readonly peakBytes: number;
}

export function cpuTime(pids: readonly number[]): CpuTime {
  let user = 0;
  let system = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    user += Number(fields[11] ?? 0);
    system += Number(fields[12] ?? 0);
  }
  return { userMs: user * TICK_MS, totalMs: (user + system) * TICK_MS };
}

export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { userMs: after.userMs - before.userMs, totalMs: after.totalMs - before.totalMs };
}

/** Of all processes on all cores, and what the host took away; interrupts are left out, they belong to nobody. */
export function machineCpuMs(): number {
  const [, user, nice, system, , , , , steal] = readProc('/proc/stat').split(/\s+/, 10).map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0)) * TICK_MS;
}

export function memory(pids: readonly number[]): Memory {
  let rssBytes = 0;
  let peakBytes = 0;
  for (const pid of pids) {
    const status = readProc(`/proc/${pid}/status`);
    rssBytes += kilobytes(status, 'VmRSS') * 1024;
    peakBytes += kilobytes(status, 'VmHWM') * 1024;
  }
  return { rssBytes, peakBytes };
}

/** Starts VmHWM anew. Without the right to do so the peak stays that of the whole life. */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Only allowed to the owner; a peak that is too high is stated, never one that is too low.
    }
  }
}

/** The process and everything it started. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid)) parents.set(pid, Number(statFields(pid)[1] ?? 0));
  }
  const tree = [root];
  for (let index = 0; index < tree.length; index++) {
    for (const [pid, parent] of parents) if (parent === tree[index]) tree.push(pid);
  }
  return tree;
}

/** Fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets. */
function statFields(pid: number): string[] {
  const text = readProc(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
