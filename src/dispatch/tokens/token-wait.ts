/** Waiting for a tokenizer that is being loaded, or for tokens that are being made elsewhere; bounded, and left early with the call. */
import type { Clock } from '../../base/clock.ts';
import type { Wait } from '../translation/outbound.ts';

export interface WaitParts {
  /** Never rejects. */
  readonly settled: Promise<void>;
  readonly clock: Clock;
  /** Of the clock; Infinity for tokens that are being made, which takes as long as it takes. */
  readonly endsAt: number;
}

export class TokenWait implements Wait {
  /** For a tokenizer, not for tokens: it may last, and whoever needs none can be asked meanwhile. */
  readonly isForTokenizer: boolean;
  readonly done: Promise<void>;
  readonly #leave: () => void;

  constructor({ settled, clock, endsAt }: WaitParts) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const leftMs = endsAt - clock.now();
    this.isForTokenizer = Number.isFinite(endsAt);
    const timer = this.isForTokenizer ? clock.setTimer(() => resolve(), Math.max(0, leftMs)) : undefined;
    void settled.then(resolve);
    this.#leave = resolve;
    this.done = promise.finally(() => {
      if (timer) clock.clearTimer(timer);
    });
  }

  clientGone(): void {
    this.#leave();
  }

  drained(): void {}

  cancel(): void {
    this.#leave();
  }
}
