/**
 * The client's side of a running call: whoever works for it now hears when the client leaves, can take more, or when
 * the call's place has been given to another.
 */
import type { Clock } from '../base/clock.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { ReplyWriter, TicketHolder } from '../domain/ports.ts';

export interface ClientListener {
  clientGone(): void;
  drained(): void;
  /** The call is ended from above; called only while nothing has been written. */
  cancel(error: GatewayError): void;
}

export class ClientSide implements TicketHolder {
  /** The attempt under way, if any. */
  current: ClientListener | undefined = undefined;
  /** Why the call was ended from above; nothing may be begun for it any more. */
  cancelled: GatewayError | undefined = undefined;
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

  get #isOver(): boolean {
    return this.isGone || this.cancelled !== undefined;
  }

  preempted(error: GatewayError): void {
    this.cancelled = error;
    this.current?.cancel(error);
    this.#wake?.();
  }

  /** Ends a wait before its time. */
  wake(): void {
    this.#wake?.();
  }

  /** Waits; false as soon as the client has left or the call was ended from above. */
  wait(delayMs: number, clock: Clock): Promise<boolean> | boolean {
    if (this.#isOver) return false;
    if (delayMs <= 0) return true;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => this.#wake?.(), delayMs);
      this.#wake = () => {
        this.#wake = undefined;
        clock.clearTimer(timer);
        resolve(!this.#isOver);
      };
    });
  }
}
