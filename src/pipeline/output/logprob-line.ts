/**
 * Log probabilities of tokens on their way through parsers, which hold text back and leave some of it out: each goes out
 * with the first text that shows a part of its token. Those of thoughts, calls and marks go with them.
 */
import type { TokenLogprob } from '../../domain/generation-event.ts';

interface Placed {
  readonly logprob: TokenLogprob;
  readonly start: number;
  readonly end: number;
}

export class LogprobLine {
  #placed: Placed[] = [];

  get isEmpty(): boolean {
    return this.#placed.length === 0;
  }

  /** Of tokens whose text stands between the two places. */
  add(logprobs: readonly TokenLogprob[], start: number, end: number): void {
    for (const logprob of logprobs) this.#placed.push({ logprob, start, end });
  }

  /** Text between the two places is shown; nothing before it will be any more. */
  take(start: number, end: number): TokenLogprob[] {
    const shown: TokenLogprob[] = [];
    let count = 0;
    for (const placed of this.#placed) {
      if (placed.start >= end) break;
      count += 1;
      const isBefore = placed.end < start || (placed.end === start && placed.start < start);
      if (!isBefore) shown.push(placed.logprob);
    }
    this.#placed.splice(0, count);
    return shown;
  }
}
