/**
 * Faults of gRPC calls: what the faults of `../faults` do on this wire. "Events" are messages.
 *
 *   strikeBefore: the engine never sees the request;  spoil: between the engine's messages and the wire
 */

import type { Fault, FaultKind } from '../faults/fault.ts';
import type { MessageSink, RpcCall } from './call.ts';
import { RpcRefusal, STATUS, statusOfHttp } from './status.ts';

/** What a fault may do to the engine that commits it. */
export interface FaultHost {
  fired(kind: FaultKind): void;
  refuse(): void;
  kill(): void;
}

/** HTTP/2 error codes. Source: RFC 9113, 7. */
const HTTP2 = { noError: 0, internal: 2, refusedStream: 7 } as const;

/** Commits the fault when it replaces the answer altogether; false when the request should go on. */
export function strikeBefore(call: RpcCall, fault: Fault, host: FaultHost): boolean {
  switch (fault.kind) {
    case 'refuse':
      host.fired(fault.kind);
      host.refuse();
      call.cut();
      return true;
    case 'reset_before_headers':
      host.fired(fault.kind);
      call.reset(HTTP2.internal);
      return true;
    case 'refused_stream':
      host.fired(fault.kind);
      call.reset(HTTP2.refusedStream);
      return true;
    case 'hang_before_headers':
      host.fired(fault.kind);
      return true;
    case 'status':
      host.fired(fault.kind);
      call.fail(refusalOf(fault));
      return true;
    case 'empty':
      host.fired(fault.kind);
      call.end();
      return true;
    case 'reset_before_first_byte':
    case 'hang_before_first_byte':
      host.fired(fault.kind);
      call.sendHeaders();
      if (fault.kind === 'reset_before_first_byte') call.afterFlush(() => call.reset(HTTP2.internal));
      return true;
    default:
      return false;
  }
}

/** The way of the engine's messages to the wire. */
export function spoil(call: RpcCall, fault: Fault, host: FaultHost): MessageSink {
  if (fault.kind === 'slow') {
    host.fired(fault.kind);
    return new SlowSink(call, fault);
  }
  if (fault.kind === 'close_idle') {
    host.fired(fault.kind);
    call.onEnd(() => call.goAway(HTTP2.noError, undefined));
    return call;
  }
  const strike = strikeOf(call, fault, host);
  return strike === undefined ? call : new CutSink(call, strike);
}

function refusalOf(fault: Extract<Fault, { kind: 'status' }>): RpcRefusal {
  const message = typeof fault.body === 'string' ? fault.body : `This answers ${fault.status} on purpose.`;
  return new RpcRefusal(fault.grpcStatus ?? statusOfHttp(fault.status), message);
}

interface Strike {
  /** Messages let through first. */
  readonly after: number;
  act(): void;
  /** The answer goes on behind it. */
  readonly goesOn: boolean;
}

function strikeOf(call: RpcCall, fault: Fault, host: FaultHost): Strike | undefined {
  const over = (after: number, act: () => void, goesOn = false): Strike => ({
    after,
    act: () => {
      host.fired(fault.kind);
      act();
    },
    goesOn,
  });
  switch (fault.kind) {
    case 'reset_after':
      if (fault.clean) return over(fault.events, () => call.end());
      return over(fault.events, () => call.afterFlush(() => (fault.fin ? call.cut() : call.reset(HTTP2.internal))));
    case 'kill_after':
      return over(fault.events, () => call.afterFlush(() => host.kill()));
    case 'hang_after':
      return over(fault.events, () => undefined);
    case 'goaway_after':
      return over(fault.events, () => goAway(call, fault.drops), !fault.drops);
    case 'error_event':
      return over(fault.events, () => call.fail(new RpcRefusal(errorCode(fault.code), fault.message)));
    default:
      return undefined;
  }
}

/** With `drops`, a peer has to take this call for one that was never looked at. */
function goAway(call: RpcCall, drops: boolean): void {
  call.afterFlush(() => {
    call.goAway(HTTP2.noError, drops ? 0 : undefined);
    if (drops) call.afterFlush(() => call.cut());
  });
}

function errorCode(code: number): number {
  const status = statusOfHttp(code);
  return status === STATUS.ok ? STATUS.internal : status;
}

/** Lets `after` messages through, then strikes once. */
class CutSink implements MessageSink {
  readonly #call: RpcCall;
  readonly #strike: Strike;
  #sent = 0;
  #state: 'before' | 'struck' | 'over' = 'before';

  constructor(call: RpcCall, strike: Strike) {
    this.#call = call;
    this.#strike = strike;
    if (strike.after === 0) this.#act();
  }

  message(value: object): void {
    if (this.#state === 'over') return;
    this.#call.message(value);
    this.#sent++;
    if (this.#state === 'before' && this.#sent === this.#strike.after) this.#act();
  }

  end(): void {
    if (this.#state !== 'over') this.#call.end();
  }

  fail(refusal: RpcRefusal): void {
    if (this.#state !== 'over') this.#call.fail(refusal);
  }

  #act(): void {
    this.#state = this.#strike.goesOn ? 'struck' : 'over';
    this.#strike.act();
  }
}

/** Holds messages back in order and lets them out by the clock. Real ms, whatever the engine's speed. */
class SlowSink implements MessageSink {
  readonly #call: RpcCall;
  readonly #gapMs: number;
  readonly #queue: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #nextMs: number;

  constructor(call: RpcCall, fault: Extract<Fault, { kind: 'slow' }>) {
    this.#call = call;
    this.#nextMs = fault.firstByteMs;
    this.#gapMs = fault.interEventMs;
    call.onEnd(() => clearTimeout(this.#timer));
  }

  message(value: object): void {
    this.#push(() => this.#call.message(value));
  }

  end(): void {
    this.#push(() => this.#call.end());
  }

  fail(refusal: RpcRefusal): void {
    this.#push(() => this.#call.fail(refusal));
  }

  #push(act: () => void): void {
    this.#queue.push(act);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#queue.length === 0 || !this.#call.isOpen) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#nextMs = this.#gapMs;
      this.#queue.shift()?.();
      this.#arm();
    }, this.#nextMs);
  }
}
