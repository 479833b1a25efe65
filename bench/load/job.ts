/**
 * What the harness asks of the load client over IPC, and what comes back.
 * Units   ms for latencies and CPU, bytes for sizes, seconds for durations asked by a person
 */
import type { CpuTime } from '../rig/proc.ts';

export interface Job {
  readonly ports: readonly number[];
  readonly connections: number;
  readonly bodyBytes: number;
  readonly stream: boolean;
  /** Content chunks expected in each streamed answer. */
  readonly tokens: number;
  /** `tokens`: the proxy writes the answer itself, out of tokens: no bytes are known beforehand, its frames are. */
  readonly answer?: 'bytes' | 'tokens';
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** One request per connection and everything counts, instead of a loop and a window. */
  readonly once: boolean;
  /** How long the last answers may take after the window. */
  readonly drainSeconds: number;
  /** The window grows until this many answers are in it (to at most 10 times `seconds`). */
  readonly minSamples: number;
  /** Process groups whose CPU time is read at both ends of the window. */
  readonly watch: Readonly<Record<string, readonly number[]>>;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface JobResult {
  readonly answers: number;
  readonly seconds: number;
  readonly latency: Latency;
  /** Request written → first body byte; zeros for unary jobs. */
  readonly firstByte: Latency;
  /** Busy time of the whole machine, to tell how much of it was somebody else's. */
  readonly machineMs: number;
  readonly cpu: Readonly<Record<string, CpuTime>>;
  readonly failures: number;
  readonly failureSamples: readonly string[];
}
