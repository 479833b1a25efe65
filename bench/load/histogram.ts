/**
 * Counts durations in log-linear buckets, so that percentiles of millions of samples cost a few kilobytes.
 * Shapes  record(ms) · percentile(0..100) → ms · count
 * Units   milliseconds in and out; inside, whole steps of 0.1 µs up to 214 s (longer counts as that)
 * Cost    record: one clz32 and one increment, allocates nothing; relative error < 0.8 %
 * Errors  none; an empty histogram answers 0          Owner  one load job
 * Source  the bucket layout of HdrHistogram with 128 steps per power of two
 */
const STEPS_PER_MS = 10_000;
const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
const MAX_STEPS = 2 ** 31 - 1;
const BUCKETS = (31 - STEP_BITS + 1) * STEPS;

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const steps = Math.min(MAX_STEPS, Math.max(0, Math.round(ms * STEPS_PER_MS)));
    const index = bucketOf(steps);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
  }

  percentile(percent: number): number {
    if (this.#count === 0) return 0;
    let left = Math.max(1, Math.ceil((this.#count * percent) / 100));
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index] ?? 0;
      if (left <= 0) return middleOf(index) / STEPS_PER_MS;
    }
    return MAX_STEPS / STEPS_PER_MS;
  }
}

function bucketOf(steps: number): number {
  if (steps < STEPS) return steps;
  const shift = 31 - Math.clz32(steps) - STEP_BITS;
  return shift * STEPS + (steps >>> shift);
}

function middleOf(index: number): number {
  if (index < 2 * STEPS) return index;
  const shift = (index >> STEP_BITS) - 1;
  return (index - shift * STEPS + 0.5) * 2 ** shift;
}
