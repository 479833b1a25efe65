/** Colours and measures that the panels share. */

export const INK = '#1f2933';
export const FAINT_INK = '#616e7c';
export const GRID = '#e4e7eb';
export const PAPER = '#ffffff';

/** Left: axis labels. Right: names and scales. In pixels. */
export const FRAME = { width: 1060, left: 78, right: 256, gap: 26 } as const;
export const PLOT_WIDTH = FRAME.width - FRAME.left - FRAME.right;

/** Told apart by people who do not see red or green alike. Source: the palette of Okabe and Ito, without its yellow. */
const HUES = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#3d3d3d'];
const DASHES = ['none', '6 3', '2 3'];

/** How the line of the n-th policy looks. */
export function lineLook(index: number): { stroke: string; 'stroke-width': number; 'stroke-dasharray': string } {
  const stroke = HUES[index % HUES.length] ?? INK;
  const dash = DASHES[Math.floor(index / HUES.length) % DASHES.length] ?? 'none';
  return { stroke, 'stroke-width': 1.8, 'stroke-dasharray': dash };
}

/** From nothing to the most: light to dark, so that it is read without the legend. */
const SHADES = [
  '#f3f5f7',
  '#dcebf7',
  '#bcd9ee',
  '#93c3e2',
  '#64a8d3',
  '#3b8bc2',
  '#2070ad',
  '#0f5592',
  '#0a3d70',
  '#072749',
];

/** `part` from 0 to 1. Only an idle worker has the first shade. */
export function shade(part: number): string {
  const index = part <= 0 ? 0 : 1 + Math.min(SHADES.length - 2, Math.floor(part * (SHADES.length - 1)));
  return SHADES[index] ?? INK;
}
