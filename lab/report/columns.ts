/** The figures as people read them: one row of text for each policy. */
import type { Compared } from './compare.ts';

export const COLUMNS = [
  'policy',
  'hit rate',
  'of bound',
  'TTFT mean',
  'p50',
  'p99',
  'end p99',
  'busiest/mean work',
  'by calls',
  'by time',
  'turns kept',
  'decisions/s',
  'bytes held',
] as const;

/** Cells in the order of COLUMNS; times in ms. */
export function cellsOf({ name, measures, shareOfBound }: Compared): string[] {
  return [
    name,
    share(measures.hitRate),
    share(shareOfBound),
    whole(measures.ttftMean),
    whole(measures.ttftP50),
    whole(measures.ttftP99),
    whole(measures.endToEndP99),
    ratio(measures.busiestByWork),
    ratio(measures.busiestByCalls),
    ratio(measures.busiestByTime),
    share(measures.sessionsKept),
    whole(Number(measures.decisionsPerSecond.toPrecision(2))),
    whole(measures.bytesHeld),
  ];
}

function share(value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(1)}%` : '–';
}

function ratio(value: number): string {
  return value.toFixed(3);
}

function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}
