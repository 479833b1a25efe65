/**
 * Rests after a 429: one worker, one key, until a moment. Bounded: the memory of keys cannot be filled by a client
 * that invents them. Cost O(1) to ask when nothing cools down, else one map lookup.
 */
const MAX_KEYS = 1_024;

export class CoolDown {
  readonly #until = new Map<number, number>();

  /** The end of the rest for this key, or 0. */
  endsAt(keyDigest: number, nowMs: number): number {
    if (this.#until.size === 0) return 0;
    const until = this.#until.get(keyDigest);
    if (until === undefined) return 0;
    if (until > nowMs) return until;
    this.#until.delete(keyDigest);
    return 0;
  }

  start(keyDigest: number, untilMs: number): void {
    const known = this.#until.get(keyDigest) ?? 0;
    if (known >= untilMs) return;
    if (this.#until.size >= MAX_KEYS && !this.#until.has(keyDigest)) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(keyDigest, untilMs);
  }
}
