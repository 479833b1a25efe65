/** What came of each call of a replay, in columns by the call's place in the trace. Written by the replay only. */
import type { Trace } from '../trace/call.ts';

/** Times are virtual ms from the start of the trace; NaN until they happen. */
export class Outcomes {
  /** Index of the worker; -1: the call can never fit into an engine's memory and was refused. */
  readonly worker: Int32Array;
  readonly firstTokenMs: Float64Array;
  readonly finishedMs: Float64Array;
  readonly cachedTokens: Float64Array;
  readonly generatedTokens: Float64Array;

  constructor(trace: Trace) {
    const count = trace.calls.length;
    this.worker = new Int32Array(count).fill(-1);
    this.firstTokenMs = new Float64Array(count).fill(Number.NaN);
    this.finishedMs = new Float64Array(count).fill(Number.NaN);
    this.cachedTokens = new Float64Array(count);
    this.generatedTokens = new Float64Array(count);
  }
}
