/** The lower panels: how many calls each worker had under way, one band of rows for each policy, dark is much. */
import type { Compared } from '../report/compare.ts';
import { FAINT_INK, FRAME, INK, lineLook, PLOT_WIDTH, shade } from './looks.ts';
import { linearScale } from './scale.ts';
import { element, label, line } from './svg.ts';
import { type Panel, shortName } from './waiting-panel.ts';

/** More rows than that say nothing to the eye: neighbours share one, which shows the busiest of them. */
const MOST_ROWS = 32;
const BAND_HEIGHT = 104;

/** `most` is the load that has the darkest shade, the same in all panels of a picture. */
export function loadPanel(
  row: Compared,
  loads: readonly Float64Array[],
  at: { readonly top: number; readonly index: number; readonly most: number },
): Panel {
  const rows = merge(loads);
  const rowHeight = Math.max(4, Math.min(16, Math.floor(BAND_HEIGHT / rows.length)));
  const height = rows.length * rowHeight;
  const cells = rows.flatMap((load, worker) =>
    cellsOf(load, { y: at.top + worker * rowHeight, rowHeight, most: at.most }),
  );
  const parts = [...cells, ...rowLabels(loads.length, { top: at.top, height, rowHeight }), ...facts(row, at)];
  return { parts, height: Math.max(height, 62) };
}

function merge(loads: readonly Float64Array[]): readonly Float64Array[] {
  const each = Math.ceil(loads.length / MOST_ROWS);
  if (each === 1) return loads;
  return Array.from({ length: Math.ceil(loads.length / each) }, (_, group) => {
    const members = loads.slice(group * each, (group + 1) * each);
    return (members[0] as Float64Array).map((_load, step) => Math.max(...members.map((load) => load[step] as number)));
  });
}

/** Steps of one shade beside each other become one rectangle. */
function cellsOf(load: Float64Array, at: { y: number; rowHeight: number; most: number }): string[] {
  const x = linearScale(load.length, [FRAME.left, FRAME.left + PLOT_WIDTH]);
  const shades = Array.from(load, (value) => shade(Math.sqrt(value / at.most)));
  const starts = shades.flatMap((fill, step) => (fill === shades[step - 1] ? [] : [step]));
  return starts.map((start, index) => {
    const width = x(starts[index + 1] ?? load.length) - x(start);
    // The gap between rows is part of the paper.
    return element('rect', { x: x(start), y: at.y, width, height: at.rowHeight - 1, fill: shades[start] ?? INK });
  });
}

function rowLabels(workers: number, at: { top: number; height: number; rowHeight: number }): string[] {
  const look = { 'text-anchor': 'end', fill: FAINT_INK, 'font-size': 11 };
  const first = label('worker 1', { x: FRAME.left - 8, y: at.top + at.rowHeight / 2 + 4 }, look);
  if (workers === 1) return [first];
  const y = Math.max(at.top + at.height - at.rowHeight / 2 + 3, at.top + at.rowHeight / 2 + 16);
  return [first, label(String(workers), { x: FRAME.left - 8, y }, look)];
}

function facts({ name, measures, shareOfBound }: Compared, { top, index }: { top: number; index: number }): string[] {
  const left = FRAME.left + PLOT_WIDTH + FRAME.gap;
  const look = { fill: FAINT_INK, 'font-size': 11 };
  const ofBound = Number.isFinite(shareOfBound) ? ` (${(shareOfBound * 100).toFixed(0)}% of bound)` : '';
  const kept = Number.isNaN(measures.sessionsKept) ? '' : `turns kept ${(measures.sessionsKept * 100).toFixed(0)}%`;
  return [
    line([left, top + 6], [left + 22, top + 6], { ...lineLook(index), 'stroke-width': 3 }),
    label(shortName(name), { x: left + 30, y: top + 10 }, { fill: INK }),
    label(`hit rate ${(measures.hitRate * 100).toFixed(1)}%${ofBound}`, { x: left + 30, y: top + 26 }, look),
    label(`busiest/mean worker ${measures.busiestByWork.toFixed(2)}`, { x: left + 30, y: top + 41 }, look),
    ...(kept === '' ? [] : [label(kept, { x: left + 30, y: top + 56 }, look)]),
  ];
}
