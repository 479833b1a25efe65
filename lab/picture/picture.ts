/** The picture of a comparison: waiting times of all policies above, the load of each worker below. Pure. */
import type { Comparison } from '../report/compare.ts';
import { totalsOf } from '../trace/call.ts';
import { loadPanel } from './load-panel.ts';
import { FAINT_INK, FRAME, INK, PAPER, PLOT_WIDTH, shade } from './looks.ts';
import { duration } from './scale.ts';
import { loadsOver, type Steps, stepsOver, waitingOver } from './series.ts';
import { document, element, heading, label } from './svg.ts';
import { timeAxis, waitingPanel } from './waiting-panel.ts';

/** Steps of time: a few pixels each. */
const STEPS = 144;
const HEAD = 116;

/** An SVG file as text. */
export function drawComparison(comparison: Comparison): string {
  const { rows, trace, setting } = comparison;
  const runs = rows.map(({ replayed }) => replayed.outcomes);
  const steps = stepsOver(runs, STEPS);
  const waits = runs.map((outcomes) => waitingOver(trace, outcomes, steps));
  const waiting = waitingPanel(rows, waits, { top: HEAD, steps });
  const loads = runs.map((outcomes) => loadsOver(trace, outcomes, { steps, workers: setting.workers }));
  const bands = loadBands(comparison, loads, { top: HEAD + waiting.height + 58, steps });
  const size = { width: FRAME.width, height: bands.bottom + 34 };
  const paper = element('rect', { width: size.width, height: size.height, fill: PAPER });
  return document(size, [paper, ...head(comparison), ...waiting.parts, ...bands.parts]);
}

function head({ trace, setting, bound }: Comparison): string[] {
  const { durationMs, inputTokens } = totalsOf(trace.calls);
  const calls = `${trace.calls.length.toLocaleString('en-US')} calls in ${duration(durationMs)}`;
  const size = `${Math.round(inputTokens / trace.calls.length).toLocaleString('en-US')} prompt tokens on average`;
  const cache =
    setting.kvTokens === undefined
      ? 'caches without bound'
      : `caches of ${setting.kvTokens.toLocaleString('en-US')} tokens`;
  const engines = `${setting.workers} engines, ${setting.prefillTokensPerSecond.toLocaleString('en-US')} prompt tokens/s each, ${cache}`;
  const best = `one shared cache would find ${(bound * 100).toFixed(1)}%`;
  const x = FRAME.left;
  return [
    label(trace.name, { x, y: 30 }, { 'font-size': 18, 'font-weight': 600, fill: INK }),
    label(`${calls}, ${size}; ${best}`, { x, y: 50 }, { fill: FAINT_INK }),
    label(engines, { x, y: 68 }, { fill: FAINT_INK }),
  ];
}

function loadBands(
  { rows }: Comparison,
  loads: readonly (readonly Float64Array[])[],
  at: { readonly top: number; readonly steps: Steps },
): { readonly parts: readonly string[]; readonly bottom: number } {
  const most = Math.max(1, mostOf(loads));
  const parts = [
    heading(
      'Calls under way',
      { text: 'on each worker', fill: FAINT_INK },
      { x: FRAME.left, y: at.top - 12, fill: INK },
    ),
    ...shadeKey(most, at.top - 22),
  ];
  let top = at.top;
  rows.forEach((row, index) => {
    const panel = loadPanel(row, loads[index] ?? [], { top, index, most });
    parts.push(...panel.parts);
    top += panel.height + FRAME.gap;
  });
  const bottom = top - FRAME.gap + 6;
  return { parts: [...parts, ...timeAxis(at.steps, bottom)], bottom };
}

function mostOf(loads: readonly (readonly Float64Array[])[]): number {
  let most = 0;
  for (const load of loads.flat()) for (const value of load) if (value > most) most = value;
  return most;
}

/** Squares from none to the most, right of the heading; the scale is that of the square root. */
function shadeKey(most: number, y: number): string[] {
  const parts = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1];
  const left = FRAME.left + PLOT_WIDTH - parts.length * 40;
  return parts.flatMap((part, index) => {
    const x = left + index * 40;
    const calls = part * part * most;
    return [
      element('rect', { x, y, width: 12, height: 12, fill: shade(part), stroke: FAINT_INK, 'stroke-width': 0.4 }),
      label(
        calls < 10 && calls > 0 ? calls.toFixed(1) : calls.toFixed(0),
        { x: x + 15, y: y + 10 },
        { fill: FAINT_INK, 'font-size': 10 },
      ),
    ];
  });
}
