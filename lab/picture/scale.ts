/** Axes: where a value lies, which values get a mark, and how times are written. Pure. */

/** From values to pixels. */
export type Scale = (value: number) => number;

/** Values below `low` lie on the lower edge. */
export function logScale(low: number, high: number, pixels: readonly [number, number]): Scale {
  const span = Math.log10(high) - Math.log10(low);
  return (value) => pixels[0] + ((Math.log10(Math.max(value, low)) - Math.log10(low)) / span) * (pixels[1] - pixels[0]);
}

export function linearScale(high: number, pixels: readonly [number, number]): Scale {
  return (value) => pixels[0] + (value / high) * (pixels[1] - pixels[0]);
}

/** Marks of a log axis around all values: 1 and 3 times the powers of ten. */
export function logMarks(values: readonly number[]): readonly number[] {
  const positive = values.filter((value) => value > 0);
  const least = positive.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = positive.reduce((high, value) => Math.max(high, value), 0);
  if (most === 0) return [1, 3];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    marks.push(10 ** power, 3 * 10 ** power);
  }
  const first = marks.findLastIndex((mark) => mark <= least);
  const last = marks.findIndex((mark) => mark >= most);
  return marks.slice(first, Math.max(first + 2, last + 1));
}

const NICE_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400].map((secs) => secs * 1000),
);

/** About six to twelve marks, at round times. */
export function timeMarks(endMs: number): readonly number[] {
  const stepMs = NICE_MS.find((step) => endMs / step <= 12) ?? Math.ceil(endMs / 8.64e8) * 8.64e7;
  return Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, index) => index * stepMs);
}

/** 0.5 → '0.5 ms', 7619 → '7.6 s', 1022025 → '17 min'. */
export function duration(ms: number): string {
  if (!(ms >= 1000)) return `${shown(ms)} ms`;
  return ms < 60_000 ? `${shown(ms / 1000)} s` : `${shown(ms / 60_000)} min`;
}

/** As `duration`, but seconds stay seconds: for axes, whose marks are round numbers of them. */
export function seconds(ms: number): string {
  return ms < 1000 ? `${shown(ms)} ms` : `${shown(ms / 1000)} s`;
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value < 100 ? String(Number(value.toPrecision(2))) : Math.round(value).toLocaleString('en-US');
}
