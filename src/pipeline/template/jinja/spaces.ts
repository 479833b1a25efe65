/** What Python takes for whitespace and for ends of lines; JavaScript's own sets differ. */

/** The same as a part of a class in a regular expression. */
export const SPACES = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

export function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 9 && unit <= 13) || (unit >= 0x1c && unit <= 0x1f);
  if (unit < 0x80) return false;
  if (unit === 0x85 || unit === 0xa0 || unit === 0x1680 || unit === 0x202f || unit === 0x205f || unit === 0x3000)
    return true;
  return (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029;
}

/** Cuts units off both ends while `isCut` holds. */
export function strip(
  text: string,
  sides: { left: boolean; right: boolean },
  isCut: (unit: number) => boolean,
): string {
  let start = 0;
  let end = text.length;
  if (sides.left) while (start < end && isCut(text.charCodeAt(start))) start += 1;
  if (sides.right) while (end > start && isCut(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Its words, as `split()` without a separator gives them; at most `most` cuts from the left. */
export function words(text: string, most: number): string[] {
  const found: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
    if (at === text.length) return found;
    if (found.length === most) {
      found.push(text.slice(at));
      return found;
    }
    const start = at;
    while (at < text.length && !isSpace(text.charCodeAt(at))) at += 1;
    found.push(text.slice(start, at));
  }
}

/** The same from the right. */
export function wordsFromRight(text: string, most: number): string[] {
  const found: string[] = [];
  let end = text.length;
  for (;;) {
    while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
    if (end === 0) return found.reverse();
    if (found.length === most) {
      found.push(text.slice(0, end));
      return found.reverse();
    }
    const stop = end;
    while (end > 0 && !isSpace(text.charCodeAt(end - 1))) end -= 1;
    found.push(text.slice(end, stop));
  }
}

const SEPARATORS = '\\x1c-\\x1e\\x85\\u2028\\u2029';
const LINE_END = new RegExp(`\\r\\n|[\\n\\r\\v\\f${SEPARATORS}]`, 'g');

export function splitLines(text: string, keepsEnds: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const match of text.matchAll(LINE_END)) {
    const end = match.index + match[0].length;
    lines.push(text.slice(start, keepsEnds ? end : match.index));
    start = end;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}
