/**
 * Work of some 100 ms in small steps, so that whoever runs it on the loop can let others go first between them. Each step
 * is a millisecond or so; when to pause, and for how long, is the caller's business.
 */

/** Gives its result at the end. Left where it stands, nothing is lost but the work. */
export type Steps<Result> = Generator<void, Result, void>;

/** All steps at once. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
