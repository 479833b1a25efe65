/** The client's side of a running call: whoever works for it now hears when the client leaves or can take more. */
import type { Clock } from '../base/clock.ts';
import type { ReplyWriter } from '../domain/ports.ts';

export interface ClientListener {
  clientGone(): void;
  drained(): void;
}

export class ClientSide {
  /** The attempt under way, if any. */
  current: ClientListener | undefined = undefined;
  readonly #writer: ReplyWriter;
  #wake: (() => void) | undefined = undefined;

  constructor(writer: ReplyWriter) {
    this.#writer = writer;
    writer.onGone(() => {
      this.current?.clientGone();
      this.#wake?.();
    });
    writer.onDrain(() => this.current?.drained());
  }

  get isGone(): boolean {
    return this.#writer.isGone;
  }

  /** Waits; false as soon as the client has left. */
  wait(delayMs: number, clock: Clock): Promise<boolean> | boolean {
    if (this.isGone) return false;
    if (delayMs <= 0) return true;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => this.#wake?.(), delayMs);
      this.#wake = () => {
        this.#wake = undefined;
        clock.clearTimer(timer);
        resolve(!this.isGone);
      };
    });
  }
}
