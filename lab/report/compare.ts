/** Several policies over one trace under one setting, with the bound that they are compared to. */
import { type Replayed, replay } from '../replay/replay.ts';
import type { Setting } from '../replay/setting.ts';
import type { Subject } from '../replay/subject.ts';
import { hitBound } from '../trace/bound.ts';
import type { Trace } from '../trace/call.ts';
import { type Measures, measure } from './measures.ts';

export interface Compared {
  readonly name: string;
  readonly measures: Measures;
  /** Hit rate / bound; NaN when nothing could be shared. */
  readonly shareOfBound: number;
  readonly replayed: Replayed;
}

export interface Comparison {
  readonly trace: Trace;
  readonly setting: Setting;
  /** Hit rate of one cache as large as all engines' caches together; infinite when theirs are unbounded. */
  readonly bound: number;
  readonly rows: readonly Compared[];
}

export function compare(
  trace: Trace,
  setting: Setting,
  given: { readonly subjects: readonly Subject[]; readonly stopwatch: () => number },
): Comparison {
  const bound = hitBound(trace, (setting.kvTokens ?? Number.POSITIVE_INFINITY) * setting.workers);
  const rows = given.subjects.map((subject) => {
    const replayed = replay(trace, setting, { subject, stopwatch: given.stopwatch });
    const measures = measure(trace, replayed);
    return { name: subject.name, measures, shareOfBound: measures.hitRate / bound, replayed };
  });
  return { trace, setting, bound, rows };
}
