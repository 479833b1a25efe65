/** The figures as people read them: one row of text for each policy. */
import type { Compared } from './compare.ts';

interface Column {
  readonly title: string;
  readonly cell: (row: Compared) => string;
  /** Left out where there is little room. */
  readonly isDetail?: true;
}

/** Times in ms. */
const columns: readonly Column[] = [
  { title: 'policy', cell: ({ name }) => name },
  { title: 'hit rate', cell: ({ measures }) => share(measures.hitRate) },
  { title: 'of bound', cell: ({ shareOfBound }) => share(shareOfBound) },
  { title: 'TTFT mean', cell: ({ measures }) => whole(measures.ttftMean) },
  { title: 'p50', cell: ({ measures }) => whole(measures.ttftP50) },
  { title: 'p99', cell: ({ measures }) => whole(measures.ttftP99) },
  { title: 'end p99', cell: ({ measures }) => whole(measures.endToEndP99) },
  { title: 'busiest/mean', cell: ({ measures }) => ratio(measures.busiestByWork) },
  { title: 'by calls', cell: ({ measures }) => ratio(measures.busiestByCalls), isDetail: true },
  { title: 'by time', cell: ({ measures }) => ratio(measures.busiestByTime), isDetail: true },
  { title: 'turns kept', cell: ({ measures }) => share(measures.sessionsKept) },
  { title: 'decisions/s', cell: ({ measures }) => whole(Number(measures.decisionsPerSecond.toPrecision(2))) },
  { title: 'bytes held', cell: ({ measures }) => whole(measures.bytesHeld) },
];

/** Title first, then one row for each policy. */
export function tableOf(rows: readonly Compared[], detail: 'all' | 'brief'): readonly (readonly string[])[] {
  const shown = columns.filter(({ isDetail }) => detail === 'all' || isDetail !== true);
  return [shown.map(({ title }) => title), ...rows.map((row) => shown.map(({ cell }) => cell(row)))];
}

/** Cells beside each other in even columns: the first to the left, figures to the right. */
export function alignTable(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, index) => Math.max(...lines.map((cells) => (cells[index] ?? '').length)));
  const pad = (cell: string, index: number) =>
    index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
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
