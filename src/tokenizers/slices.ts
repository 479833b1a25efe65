/**
 * Runs long work on the loop in slices, with the loop's other work between them. What loads at the same time takes turns:
 * a slice belongs to one of them, so that two models that load stall nobody longer than one does.
 */
import type { Clock } from '../base/clock.ts';
import type { Steps } from '../pipeline/tokenizer/steps.ts';

/** A stream's chunk waits no longer for a slice than for some other prompts to be encoded. */
const SLICE_MS = 5;

export type RunSteps = <Result>(steps: Steps<Result>) => Promise<Result>;

export interface SliceParts {
  readonly clock: Pick<Clock, 'now'>;
  /** Lets the loop do what it has to do. */
  readonly pause: () => Promise<void>;
}

/** Rejects with what a step throws. */
export function inSlices({ clock, pause }: SliceParts): RunSteps {
  /** One slice in each turn of the loop, whoever it belongs to. */
  let turn: Promise<void> = Promise.resolve();
  return async (steps) => {
    for (;;) {
      turn = turn.then(pause);
      await turn;
      const end = clock.now() + SLICE_MS;
      do {
        const step = steps.next();
        if (step.done) return step.value;
      } while (clock.now() < end);
    }
  };
}
