/**
 * Rests after a 429 or a spent quota: one worker, one key, until a moment. Bounded: the memory of keys cannot be filled
 * by a client that invents them. Cost O(1) to ask when nothing cools down, else one map lookup.
 */
const MAX_KEYS = 1_024;

interface Rest {
  readonly untilMs: number;
  readonly isQuota: boolean;
}

export class CoolDown {
  readonly #rests = new Map<number, Rest>();

  /** The end of the rest for this key, or 0. */
  endsAt(keyDigest: number, nowMs: number): number {
    return this.#restOf(keyDigest, nowMs)?.untilMs ?? 0;
  }

  /** The key rests because its quota is spent. */
  isOutOfQuota(keyDigest: number, nowMs: number): boolean {
    return this.#restOf(keyDigest, nowMs)?.isQuota ?? false;
  }

  start(keyDigest: number, untilMs: number, isQuota = false): void {
    const known = this.#rests.get(keyDigest)?.untilMs ?? 0;
    if (known >= untilMs) return;
    if (this.#rests.size >= MAX_KEYS && !this.#rests.has(keyDigest)) {
      const [oldest] = this.#rests.keys();
      if (oldest !== undefined) this.#rests.delete(oldest);
    }
    this.#rests.set(keyDigest, { untilMs, isQuota });
  }

  #restOf(keyDigest: number, nowMs: number): Rest | undefined {
    if (this.#rests.size === 0) return undefined;
    const rest = this.#rests.get(keyDigest);
    if (rest === undefined || rest.untilMs > nowMs) return rest;
    this.#rests.delete(keyDigest);
    return undefined;
  }
}
