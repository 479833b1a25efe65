/**
 * The work that one worker has before it, as its gateway knows it: prompts sent whose first content has not come, and
 * how fast the worker gets through such prompts.
 * Units  prompt tokens that no cache holds, milliseconds of the Clock. Owner: one policy
 */

/** A prompt that a worker is to compute. */
export class Prefill {
  /** Those that the cache is expected to lack, and all of them: what it is if the cache has lost the rest. */
  readonly tokens: number;
  readonly most: number;
  /** False: its first content will tell nothing of when it was computed; elapsed time has to do. */
  readonly isStream: boolean;
  /** How many tokens it was by the time that it took; undefined while, or if, nobody knows. */
  measured: number | undefined = undefined;

  constructor(tokens: number, most: number, isStream: boolean) {
    this.tokens = tokens;
    this.most = most;
    this.isStream = isStream;
  }
}

/** A prompt whose first content has not come is never counted as computed by more than this. */
const MOST_COMPUTED = 0.9;
/** A prompt that takes longer than this many times what was expected, and some, was not cached as expected. */
const OVERDUE = 1.25;
const OVERDUE_TOKENS = 512;
/** How much of what was known of a worker's speed stays with each new prompt; about the last 50 count. */
const MEMORY = 0.98;
/** How many times slower than before one prompt may show a worker to be. */
const MOST_SLOWER = 3;
/** The weight of the first guess of a worker's speed, in tokens. */
const PRIOR_TOKENS = 32_768;
/** Shorter ones show how long a step of the engine takes, not how fast it computes. */
const TELLING_TOKENS = 256;
/** What comes together with the one before it was computed with it. */
const TELLING_MS = 1;

export class WorkLedger {
  /** Oldest first, the order in which engines compute. */
  readonly #waiting: Prefill[] = [];
  #tokens = 0;
  /** Since when the oldest one is being computed. */
  #since = 0;
  #knownTokens = PRIOR_TOKENS;
  #knownMs: number;

  /** `tokensPerMs`: what other workers do. */
  constructor(tokensPerMs: number) {
    this.#knownMs = PRIOR_TOKENS / tokensPerMs;
  }

  get tokensPerMs(): number {
    return this.#knownTokens / this.#knownMs;
  }

  /** Prompts that wait or are being computed. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tokens still to be computed before a prompt that is sent now. */
  queued(nowMs: number): number {
    let oldest = this.#waiting[0];
    if (oldest === undefined) return 0;
    const speed = this.tokensPerMs;
    while (oldest && !oldest.isStream && (nowMs - this.#since) * speed >= oldest.tokens) {
      this.#since += oldest.tokens / speed;
      this.#take(0);
      oldest = this.#waiting[0];
    }
    if (oldest === undefined) return 0;
    return this.#tokens - oldest.tokens + left(oldest, (nowMs - this.#since) * speed);
  }

  begin(prefill: Prefill, nowMs: number): void {
    if (this.#waiting.length === 0) this.#since = nowMs;
    this.#waiting.push(prefill);
    this.#tokens += prefill.tokens;
  }

  /** Its first content has come. */
  computed(prefill: Prefill, nowMs: number): void {
    const place = this.#waiting.indexOf(prefill);
    if (place < 0) return;
    this.#take(place);
    // Out of order: it says nothing of the oldest one.
    if (place > 0) return;
    const tookMs = nowMs - this.#since;
    prefill.measured = Math.min(prefill.most, tookMs * this.tokensPerMs);
    // One that was perhaps not cached as expected would show a speed that is too low.
    const isAsExpected = prefill.tokens === prefill.most || !isOverdue(prefill, prefill.measured);
    if (prefill.tokens >= TELLING_TOKENS && tookMs >= TELLING_MS && isAsExpected) {
      // One that was stuck for a while is no slow worker: who is slow shows it again and again.
      const usualMs = prefill.tokens / this.tokensPerMs;
      this.#knownMs = this.#knownMs * MEMORY + Math.min(tookMs, MOST_SLOWER * usualMs);
      this.#knownTokens = this.#knownTokens * MEMORY + prefill.tokens;
    }
    this.#since = nowMs;
  }

  /** It has ended without being computed, or nobody knows when it was. Idempotent. */
  leave(prefill: Prefill, nowMs: number): void {
    const place = this.#waiting.indexOf(prefill);
    if (place < 0) return;
    this.#take(place);
    if (place === 0) this.#since = nowMs;
  }

  #take(place: number): void {
    this.#tokens -= this.#waiting[place]?.tokens ?? 0;
    this.#waiting.splice(place, 1);
    if (this.#waiting.length === 0) this.#tokens = 0;
  }
}

/** Tokens of a prompt that are left after so many were computed; when it takes too long, the cache had less of it. */
function left(prefill: Prefill, computed: number): number {
  const { tokens, most } = prefill;
  return Math.max(tokens * (1 - MOST_COMPUTED), (isOverdue(prefill, computed) ? most : tokens) - computed);
}

/** True when so many tokens could have been computed that the cache cannot have had what was expected. */
export function isOverdue({ tokens }: Prefill, computed: number): boolean {
  return computed > tokens * OVERDUE + OVERDUE_TOKENS;
}
