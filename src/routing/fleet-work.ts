/**
 * The work of all workers that a policy knows: what waits at each, how fast each computes, what each was given lately.
 * Units  milliseconds, prompt tokens; workers by slot. Plain arrays, for a loop over thousands of them
 * Owner  one policy
 */
import type { Prefill } from './work-ledger.ts';
import { isOverdue, WorkLedger } from './work-ledger.ts';

/** Recent work is kept in a unit that rises with time; the sums are brought down before it overflows. */
const MOST_RISEN = 100;
const FIRST_SLOTS = 64;

/** A prompt and the ledger that it was written into: perhaps that of a worker that has left. */
interface Entry {
  readonly ledger: WorkLedger;
  readonly prefill: Prefill;
}

export class FleetWork {
  /** Prompts that wait or are being computed. All arrays are others when a slot beyond them was opened. */
  waiting = new Uint32Array(FIRST_SLOTS);
  /** 0 for a worker that is not known. */
  msPerToken = new Float64Array(FIRST_SLOTS);
  /** Milliseconds of work given to the worker, in a unit that rises with time (`risen`), so that older work fades. */
  recent = new Float64Array(FIRST_SLOTS);
  /** What is usual of `recent`: a new worker begins with it, so that it gets its turn and not all calls. */
  usual = 0;
  readonly #ledgers: (WorkLedger | undefined)[] = [];
  readonly #firstTokensPerMs: number;
  readonly #fadeMs: number;
  #risenFrom = 0;

  constructor(firstTokensPerMs: number, fadeMs: number) {
    this.#firstTokensPerMs = firstTokensPerMs;
    this.#fadeMs = fadeMs;
  }

  open(slot: number): WorkLedger {
    const known = this.#ledgers[slot];
    if (known) return known;
    if (slot >= this.waiting.length) this.#reach(slot);
    const ledger = new WorkLedger(this.#usualTokensPerMs());
    this.#ledgers[slot] = ledger;
    this.recent[slot] = this.usual;
    this.#show(slot, ledger);
    return ledger;
  }

  forget(slot: number): void {
    this.#ledgers[slot] = undefined;
    if (slot < this.msPerToken.length) this.msPerToken[slot] = 0;
  }

  /** Tokens still to be computed before a prompt that is sent now. */
  queued(slot: number, nowMs: number): number {
    const ledger = this.#ledgers[slot];
    if (!ledger) return 0;
    const tokens = ledger.queued(nowMs);
    this.waiting[slot] = ledger.waiting;
    return tokens;
  }

  begin(slot: number, prefill: Prefill, nowMs: number): WorkLedger {
    const ledger = this.open(slot);
    ledger.begin(prefill, nowMs);
    this.#show(slot, ledger);
    this.#addRecent(slot, prefill.tokens, nowMs);
    return ledger;
  }

  /** The first content of a prompt has come. */
  computed(slot: number, { ledger, prefill }: Entry, nowMs: number): void {
    ledger.computed(prefill, nowMs);
    if (this.#ledgers[slot] !== ledger) return;
    this.#show(slot, ledger);
    const { measured } = prefill;
    if (measured === undefined || !isOverdue(prefill, measured)) return;
    this.#addRecent(slot, measured - prefill.tokens, nowMs);
  }

  /** The call has ended, computed or not. */
  leave(slot: number, { ledger, prefill }: Entry, nowMs: number): void {
    ledger.leave(prefill, nowMs);
    if (this.#ledgers[slot] === ledger) this.#show(slot, ledger);
  }

  /** How far the unit of `recent` has risen since it was last brought down. */
  risen(nowMs: number): number {
    const risen = (nowMs - this.#risenFrom) / this.#fadeMs;
    if (risen < MOST_RISEN) return Math.exp(risen);
    const factor = Math.exp(-risen);
    for (let slot = 0; slot < this.recent.length; slot += 1) this.recent[slot] = (this.recent[slot] as number) * factor;
    this.usual *= factor;
    this.#risenFrom = nowMs;
    return 1;
  }

  /** How fast those are that are known: the best guess for a new one. */
  #usualTokensPerMs(): number {
    let sum = 0;
    let known = 0;
    for (const ledger of this.#ledgers) {
      if (!ledger) continue;
      sum += ledger.tokensPerMs;
      known += 1;
    }
    return known === 0 ? this.#firstTokensPerMs : sum / known;
  }

  #addRecent(slot: number, tokens: number, nowMs: number): void {
    const risen = this.risen(nowMs);
    this.recent[slot] = (this.recent[slot] as number) + tokens * (this.msPerToken[slot] as number) * risen;
  }

  #show(slot: number, ledger: WorkLedger): void {
    this.waiting[slot] = ledger.waiting;
    this.msPerToken[slot] = 1 / ledger.tokensPerMs;
  }

  #reach(slot: number): void {
    const length = 2 ** Math.ceil(Math.log2(slot + 1));
    this.waiting = grown(this.waiting, new Uint32Array(length));
    this.msPerToken = grown(this.msPerToken, new Float64Array(length));
    this.recent = grown(this.recent, new Float64Array(length));
  }
}

function grown<Numbers extends Uint32Array | Float64Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old);
  return larger;
}
