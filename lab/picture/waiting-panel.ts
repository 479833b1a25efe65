/** The upper panel: how long calls waited for their first token, one line for each policy. */
import type { Compared } from '../report/compare.ts';
import { FAINT_INK, FRAME, GRID, INK, lineLook, PLOT_WIDTH } from './looks.ts';
import { duration, linearScale, logMarks, logScale, type Scale, seconds, timeMarks } from './scale.ts';
import type { Steps } from './series.ts';
import { heading, label, line, polyline } from './svg.ts';

const HEIGHT = 240;
const LEGEND_ROW = 34;

export interface Panel {
  readonly parts: readonly string[];
  readonly height: number;
}

/** `waits` are those of the rows, in their order. */
export function waitingPanel(
  rows: readonly Compared[],
  waits: readonly (readonly (number | undefined)[])[],
  at: { readonly top: number; readonly steps: Steps },
): Panel {
  const { top, steps } = at;
  const height = Math.max(HEIGHT, rows.length * LEGEND_ROW);
  const marks = logMarks(waits.flat().filter((wait) => wait !== undefined));
  const y = logScale(marks[0] ?? 1, marks.at(-1) ?? 10, [top + height, top]);
  const x = linearScale(steps.count, [FRAME.left, FRAME.left + PLOT_WIDTH]);
  const lines = waits.map((wait, index) =>
    polyline(
      wait.map((ms, step) => (ms === undefined ? undefined : [x(step + 0.5), y(ms)])),
      { ...lineLook(index), 'stroke-linejoin': 'round' },
    ),
  );
  const note = { text: 'mean of the calls that arrived in each step, log scale', fill: FAINT_INK };
  const title = heading('Time to first token', note, { x: FRAME.left, y: top - 12, fill: INK });
  const parts = [title, ...grid(marks, y), ...timeAxis(steps, top + height), ...lines, ...legend(rows, top)];
  return { parts, height: height + 24 };
}

function grid(marks: readonly number[], y: Scale): string[] {
  const right = FRAME.left + PLOT_WIDTH;
  return marks.flatMap((mark) => [
    line([FRAME.left, y(mark)], [right, y(mark)], { stroke: GRID }),
    label(seconds(mark), { x: FRAME.left - 8, y: y(mark) + 4 }, { 'text-anchor': 'end', fill: FAINT_INK }),
  ]);
}

/** Marks and times under a panel that ends at `y`. */
export function timeAxis({ count, stepMs }: Steps, y: number): string[] {
  const x = linearScale(count * stepMs, [FRAME.left, FRAME.left + PLOT_WIDTH]);
  return timeMarks(count * stepMs).flatMap((ms) => [
    line([x(ms), y], [x(ms), y + 4], { stroke: FAINT_INK }),
    label(ms === 0 ? '0' : duration(ms), { x: x(ms), y: y + 17 }, { 'text-anchor': 'middle', fill: FAINT_INK }),
  ]);
}

function legend(rows: readonly Compared[], top: number): string[] {
  const left = FRAME.left + PLOT_WIDTH + FRAME.gap;
  return rows.flatMap(({ name, measures }, index) => {
    const y = top + 12 + index * LEGEND_ROW;
    const facts = `mean ${duration(measures.ttftMean)}, p99 ${duration(measures.ttftP99)}`;
    return [
      line([left, y - 4], [left + 22, y - 4], { ...lineLook(index), 'stroke-width': 3 }),
      label(shortName(name), { x: left + 30, y }, { fill: INK }),
      label(facts, { x: left + 30, y: y + 14 }, { fill: FAINT_INK, 'font-size': 11 }),
    ];
  });
}

const LONGEST_NAME = 28;

export function shortName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
