/** What the picture draws: the outcomes of a replay as even steps of time. Pure. */
import type { Outcomes } from '../replay/outcome.ts';
import type { Trace } from '../trace/call.ts';

/** The time axis of a picture: `count` steps of `stepMs`. */
export interface Steps {
  readonly count: number;
  readonly stepMs: number;
}

/** Steps that cover every run, from the first arrival to the last end. */
export function stepsOver(runs: readonly Outcomes[], count: number): Steps {
  let endMs = 1;
  for (const { finishedMs } of runs) {
    for (const time of finishedMs) if (time > endMs) endMs = time;
  }
  return { count, stepMs: endMs / count };
}

/** Mean wait for the first token of the calls that arrived in each step; undefined where none did. */
export function waitingOver(trace: Trace, outcomes: Outcomes, steps: Steps): (number | undefined)[] {
  const sums = new Float64Array(steps.count);
  const counts = new Float64Array(steps.count);
  trace.calls.forEach(({ arrivedMs }, index) => {
    const waited = (outcomes.firstTokenMs[index] as number) - arrivedMs;
    if (Number.isNaN(waited)) return;
    const step = stepAt(arrivedMs, steps);
    sums[step] = (sums[step] as number) + waited;
    counts[step] = (counts[step] as number) + 1;
  });
  return Array.from(sums, (sum, step) => (counts[step] === 0 ? undefined : sum / (counts[step] as number)));
}

/** Calls that each worker had under way, on average over each step. */
export function loadsOver(trace: Trace, outcomes: Outcomes, on: { steps: Steps; workers: number }): Float64Array[] {
  const { steps, workers } = on;
  const loads = Array.from({ length: workers }, () => new Float64Array(steps.count));
  trace.calls.forEach(({ arrivedMs }, index) => {
    const load = loads[outcomes.worker[index] as number];
    const endMs = outcomes.finishedMs[index] as number;
    if (load === undefined) return;
    for (let step = stepAt(arrivedMs, steps); step <= stepAt(endMs, steps); step++) {
      const overlap = Math.min(endMs, (step + 1) * steps.stepMs) - Math.max(arrivedMs, step * steps.stepMs);
      load[step] = (load[step] as number) + Math.max(0, overlap) / steps.stepMs;
    }
  });
  return loads;
}

function stepAt(timeMs: number, { count, stepMs }: Steps): number {
  return Math.min(count - 1, Math.floor(timeMs / stepMs));
}
