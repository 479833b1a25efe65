/**
 * One sequence in the scheduler: what was asked, how far it is, and who wants to know.
 * Changed only by the scheduler; everybody else reads.
 */

import type { Hold } from './prefix-cache.ts';
import type { TokenCount } from './tokens.ts';

/** What a caller asks of the scheduler. */
export interface SequenceRequest extends TokenCount {
  /** Tokens to generate; 0 for work that only reads (embeddings, scores). */
  readonly outputTokens: number;
  /** Told of progress at the virtual time it happens; may submit and abort from inside. */
  readonly listener: SequenceListener;
}

/** Progress of one sequence, in virtual time. */
export interface SequenceListener {
  /** One more token was generated (`sequence.generated` counts it already). */
  onToken(sequence: Sequence, atMs: number): void;
  /** All tokens were generated; the slot and the memory are free again. Not called after an abort. */
  onFinish(sequence: Sequence, atMs: number): void;
}

/** waiting → running → finished; `aborted` is reachable from the first two. */
export type SequenceState = 'waiting' | 'running' | 'finished' | 'aborted';

/** A submitted sequence. Times are virtual ms, -1 until they happen. */
export class Sequence {
  readonly request: SequenceRequest;
  readonly arrivedMs: number;
  state: SequenceState = 'waiting';
  admittedMs = -1;
  firstTokenMs = -1;
  finishedMs = -1;
  /** Prompt tokens found in the prefix cache when admitted. */
  cachedTokens = 0;
  /** Prompt tokens present in memory: cached plus computed. */
  computedTokens = 0;
  /** Prompt tokens the current step computes. */
  chunkTokens = 0;
  /** Tokens generated so far. */
  generated = 0;
  /** Memory held while running. Owned by the scheduler. */
  hold: Hold | undefined = undefined;

  constructor(request: SequenceRequest, arrivedMs: number) {
    this.request = request;
    this.arrivedMs = arrivedMs;
  }

  /** True while prompt tokens remain to be computed. */
  get isPrefilling(): boolean {
    return this.computedTokens < this.request.promptTokens;
  }
}
