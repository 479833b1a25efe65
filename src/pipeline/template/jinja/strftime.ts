/** Python's `strftime`, in English and in UTC. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAY_MS = 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

/** The year and week of ISO 8601: that of the week's Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const weekday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - weekday) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

type Code = (date: Date) => string;

const hour12 = (date: Date): number => date.getUTCHours() % 12 || 12;

const CODES: Readonly<Record<string, Code>> = {
  a: (date) => (DAYS[date.getUTCDay()] ?? '').slice(0, 3),
  A: (date) => DAYS[date.getUTCDay()] ?? '',
  b: (date) => (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3),
  B: (date) => MONTHS[date.getUTCMonth()] ?? '',
  c: (date) => formatTime('%a %b %e %H:%M:%S %Y', date.getTime()),
  C: (date) => two(Math.floor(date.getUTCFullYear() / 100)),
  d: (date) => two(date.getUTCDate()),
  D: (date) => formatTime('%m/%d/%y', date.getTime()),
  e: (date) => String(date.getUTCDate()).padStart(2, ' '),
  f: (date) => String(date.getUTCMilliseconds() * 1000).padStart(6, '0'),
  F: (date) => formatTime('%Y-%m-%d', date.getTime()),
  g: (date) => two(isoWeek(date).year % 100),
  G: (date) => String(isoWeek(date).year),
  h: (date) => (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(hour12(date)),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
  k: (date) => String(date.getUTCHours()).padStart(2, ' '),
  l: (date) => String(hour12(date)).padStart(2, ' '),
  m: (date) => two(date.getUTCMonth() + 1),
  M: (date) => two(date.getUTCMinutes()),
  n: () => '\n',
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  r: (date) => formatTime('%I:%M:%S %p', date.getTime()),
  R: (date) => formatTime('%H:%M', date.getTime()),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => two(date.getUTCSeconds()),
  t: () => '\t',
  T: (date) => formatTime('%H:%M:%S', date.getTime()),
  u: (date) => String(date.getUTCDay() || 7),
  U: (date) => two(Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7)),
  V: (date) => two(isoWeek(date).week),
  w: (date) => String(date.getUTCDay()),
  W: (date) => two(Math.floor((dayOfYear(date) + 6 - ((date.getUTCDay() + 6) % 7)) / 7)),
  x: (date) => formatTime('%m/%d/%y', date.getTime()),
  X: (date) => formatTime('%H:%M:%S', date.getTime()),
  y: (date) => two(date.getUTCFullYear() % 100),
  Y: (date) => String(date.getUTCFullYear()),
  // A time without a zone, as transformers takes it, prints none.
  z: () => '',
  Z: () => '',
  '%': () => '%',
};

/** `%-d` and its like, as the C library of Linux has them: without padding, with spaces, in upper case. */
export function formatTime(format: string, wallTimeMs: number): string {
  const date = new Date(wallTimeMs);
  return format.replace(/%([-_0^#]?)([EO]?)([^])/g, (whole: string, flag: string, _era: string, letter: string) => {
    const text = CODES[letter]?.(date);
    if (text === undefined) return whole;
    if (flag === '-') return text.replace(/^[0 ]+(?=.)/, '');
    if (flag === '_') return text.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length));
    return flag === '^' || flag === '#' ? text.toUpperCase() : text;
  });
}
