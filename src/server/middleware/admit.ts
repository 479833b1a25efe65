/**
 * Admission at the edge: what the gate decides, with time and with clients that leave.
 *
 *   headers -> expect (turned away here, nothing of the body is read) -> body -> enter -> run, or wait and run -> release
 *
 * The body is read before the call takes a place: a client that sends slowly holds no place, and one that leaves while
 * it waits is noticed at once, because its socket is being read. Bodies of waiting calls are bounded by the gate.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { AdmissionGate, AdmissionRequest, AdmissionTicket } from '../../domain/ports.ts';
import type { HttpReply } from '../write-reply.ts';

export class Admission {
  readonly #gate: AdmissionGate;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #timerAt = 0;

  constructor(gate: AdmissionGate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  /** The class of a call; throws when it is turned away at once. */
  expect(request: AdmissionRequest): number {
    return this.#gate.expect(request);
  }

  /** A ticket that is admitted, or one to wait on with `turn`. Throws `queue_full`. */
  enter(classIndex: number, call: Call, reply: HttpReply): AdmissionTicket {
    const ticket = this.#gate.enter(classIndex, call.record, call.body.length);
    reply.onHead(ticket);
    this.#arm();
    return ticket;
  }

  /** Resolves when it is the ticket's turn; rejects when it will not be, also because the client has left. */
  turn(ticket: AdmissionTicket, reply: HttpReply): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (ticket.isAdmitted) return;
        ticket.release();
        reject(new GatewayError('client_closed_request', 'The client left while its call waited.'));
      };
      ticket.onTurn((refusal) => (refusal ? reject(refusal) : resolve()));
      reply.onGone(leave);
      if (reply.isGone) leave();
    });
  }

  release(ticket: AdmissionTicket): void {
    ticket.release();
    this.#arm();
  }

  resize(capacity: number): void {
    this.#gate.resize(capacity);
    this.#arm();
  }

  /** The gateway ends: whoever still waits is told so. */
  refuseAll(error: GatewayError): void {
    this.#gate.refuseAll(error);
  }

  /** One timer for the earliest moment at which time alone changes something. */
  #arm(): void {
    if (this.#gate.waiting === 0) return;
    const at = this.#gate.nextLookAt;
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#clock.setTimer(() => this.#look(), Math.max(0, at - this.#clock.now()));
  }

  #look(): void {
    this.#timer = undefined;
    this.#gate.look();
    this.#arm();
  }
}
