/** Waiting for a tokenizer that is being loaded, or for tokens that are being made elsewhere; bounded, and left early with the call. */
import type { Clock } from '../../base/clock.ts';
import type { Wait } from '../translation/outbound.ts';

export interface WaitParts {
  /** Never rejects. */
  readonly settled: Promise<void>;
  readonly clock: Clock;
  /** Of the clock; Infinity for as long as it takes. */
  readonly endsAt: number;
}

export class TokenWait implements Wait {
  readonly done: Promise<void>;
  readonly #leave: () => void;

  constructor({ settled, clock, endsAt }: WaitParts) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const leftMs = endsAt - clock.now();
    const timer = Number.isFinite(leftMs) ? clock.setTimer(() => resolve(), Math.max(0, leftMs)) : undefined;
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
