/**
 * Calls that found every worker of their model out of service while one of them was being tried again. Instead of
 * failing they wait for the outcome, first come first served and not for long, and are let go slowly: two for each
 * success, so that what a fleet that comes back must take doubles with every round of answers, and no worker gets it
 * all because its breaker was the first to close.
 *
 * A call that is let go looks for a worker again; one that finds none keeps its place in the line. While anybody waits
 * for a model, new calls for it stand behind them. Nobody waits longer than HOLD_MS: then a call tries for itself.
 *
 * Cost   nothing while nobody waits; else O(calls let go)      Bound  MAX_HELD calls, one timer
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { CallRecord } from '../domain/record.ts';

/** Long enough for the first calls of a slow engine; short for a client. */
export const HOLD_MS = 5_000;
export const MAX_HELD = 1_024;
/** Time alone lets one call go this often: a breaker may have become ready to be tried with nobody to tell. */
const BEAT_MS = 100;
const LET_GO_AFTER_SUCCESS = 2;

/** Whoever waits. */
export interface HeldClient {
  /** Ends its wait: it may look for a worker. */
  wake(): void;
  /** Ends its wait and its call. */
  preempted(error: GatewayError): void;
}

export class Held {
  readonly model: string;
  readonly client: HeldClient;
  readonly since: number;
  /** It has been let go and has not yet said what came of it. */
  isCalled = false;

  constructor(model: string, client: HeldClient, since: number) {
    this.model = model;
    this.client = client;
    this.since = since;
  }
}

export class RecoveryLine {
  readonly #clock: Clock;
  /** A set keeps the order of arrival. */
  readonly #lines = new Map<string, Set<Held>>();
  #count = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody waits for the model, and there is room behind them. */
  hasLine(model: string): boolean {
    return this.#count > 0 && this.#count < MAX_HELD && this.#lines.has(model);
  }

  /** Undefined when too many wait already. */
  join(model: string, client: HeldClient): Held | undefined {
    if (this.#count >= MAX_HELD) return undefined;
    const held = new Held(model, client, this.#clock.now());
    const line = this.#lines.get(model) ?? new Set();
    this.#lines.set(model, line.add(held));
    this.#count += 1;
    if (this.#timer === undefined) this.#timer = this.#clock.setTimer(() => this.#beat(), BEAT_MS);
    return held;
  }

  /** What is left of its wait, in ms; 0 when it is over. */
  remaining({ since }: Held): number {
    return Math.max(0, since + HOLD_MS - this.#clock.now());
  }

  /** It was let go in vain and waits on. */
  stay(held: Held): Held {
    held.isCalled = false;
    return held;
  }

  /** It has found a worker. */
  placed(held: Held, record: CallRecord): undefined {
    this.#delete(held, record);
  }

  /** Its call ends without one. If it was its turn, another goes in its place. */
  left(held: Held, record: CallRecord): void {
    if (!this.#delete(held, record) || !held.isCalled) return;
    const line = this.#lines.get(held.model);
    if (line) letGo(line, 1);
  }

  /** An attempt has ended. */
  settled(isSuccess: boolean): void {
    if (this.#count === 0) return;
    for (const line of this.#lines.values()) letGo(line, isSuccess ? LET_GO_AFTER_SUCCESS : 1);
  }

  cancelAll(error: GatewayError): void {
    for (const line of this.#lines.values()) for (const held of line) held.client.preempted(error);
  }

  #beat(): void {
    this.#timer = undefined;
    this.settled(false);
    if (this.#count > 0) this.#timer = this.#clock.setTimer(() => this.#beat(), BEAT_MS);
  }

  #delete(held: Held, record: CallRecord): boolean {
    const line = this.#lines.get(held.model);
    if (!line?.delete(held)) return false;
    record.heldMs = this.#clock.now() - held.since;
    this.#count -= 1;
    if (line.size === 0) this.#lines.delete(held.model);
    return true;
  }
}

function letGo(line: ReadonlySet<Held>, count: number): void {
  let left = count;
  for (const held of line) {
    if (left === 0) return;
    // Those that were called and have not answered yet are few: they answer within the same turn of the event loop.
    if (held.isCalled) continue;
    held.isCalled = true;
    held.client.wake();
    left -= 1;
  }
}
