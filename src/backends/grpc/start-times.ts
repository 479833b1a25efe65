/**
 * When engines were started, of those that only tell for how long they have been running: what is computed from that
 * differs a little each time, and the first value stands as long as later ones are near it.
 */
const TOLERANCE_SECONDS = 30;
/** The oldest go first; a worker that is asked again then has another start, within the tolerance. */
const MAX_WORKERS = 10_000;

export class StartTimes {
  readonly #known = new Map<string, number>();

  /** Whole seconds since 1970. */
  of(url: string, startSeconds: number): number {
    const known = this.#known.get(url);
    if (known !== undefined && Math.abs(known - startSeconds) <= TOLERANCE_SECONDS) return known;
    const start = Math.round(startSeconds);
    this.#known.delete(url);
    this.#known.set(url, start);
    const oldest = this.#known.size > MAX_WORKERS ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    return start;
  }
}
