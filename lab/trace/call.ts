/**
 * What a trace is, however it was written or made: calls in the order of their arrival. Immutable once made.
 *
 * A block is named by two 32-bit words that stand for itself and everything before it, so that equal words mean equal
 * beginnings: what the simulated engines share, and what policies remember, both come from the same words.
 */

/** One call of a trace. Times in ms from the trace's start, sizes in tokens. */
export interface TraceCall {
  readonly arrivedMs: number;
  /** At least 1. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Two words for each complete block, first to last: those of the prompt, then those that the answer completes. */
  readonly words: Uint32Array;
  /** How many of the blocks lie wholly in the prompt. */
  readonly promptBlocks: number;
  /** Calls of one conversation share a number; undefined when the trace does not tell. */
  readonly session: number | undefined;
}

export interface Trace {
  /** For people: a file's name, or what the load is. */
  readonly name: string;
  /** In the order of arrival. */
  readonly calls: readonly TraceCall[];
  /** Tokens of one block: the grain in which engines share prefixes. */
  readonly blockSize: number;
  /** How many blocks of the engine make one block of the gateway. */
  readonly blocksPerHint: number;
}

/** Sums over a trace. */
export interface TraceTotals {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** From the first arrival to the last. */
  readonly durationMs: number;
}

export function totalsOf(calls: readonly TraceCall[]): TraceTotals {
  let inputTokens = 0;
  let outputTokens = 0;
  for (const call of calls) {
    inputTokens += call.inputTokens;
    outputTokens += call.outputTokens;
  }
  const durationMs = (calls.at(-1)?.arrivedMs ?? 0) - (calls[0]?.arrivedMs ?? 0);
  return { inputTokens, outputTokens, durationMs };
}

/** Makes arrivals come `speed` times as fast as the trace has them. */
export function accelerate(trace: Trace, speed: number): Trace {
  if (speed === 1) return trace;
  const calls = trace.calls.map((call) => ({ ...call, arrivedMs: call.arrivedMs / speed }));
  return { ...trace, name: `${trace.name} at ${speed} times its speed`, calls };
}
