/**
 * The split patterns of the common models as scanners: the same cuts as their regular expressions, 1.3 to 1.7
 * times as fast on English and 3 to 4 times on Cyrillic. Which pattern is whose stands in known-patterns.ts;
 * test/contracts/tokenizer-parts.test.ts holds each against its expression.
 */

import { classOf, LETTER, LOWER, MARK, NUMBER, OTHER_LETTER, SPACE, SYMBOL, UPPER } from './unicode-tables.ts';
import { codePointAt, type Scan, type WordSink } from './words.ts';

const APOSTROPHE = 0x27;
const BLANK = 0x20;
const SLASH = 0x2f;
/** Long s: folds to `s` where case is ignored. */
const LONG_S = 0x17f;

function isNewline(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d;
}

function width(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

/** The class of the character at `at`; 0 at the end. */
function classAt(text: string, at: number, to: number): number {
  return at < to ? classOf(codePointAt(text, at)) : 0;
}

function widthAt(text: string, at: number): number {
  return width(codePointAt(text, at));
}

/** The end of the characters that have one of `bits`. */
function runOf(text: string, from: number, to: number, bits: number): number {
  let at = from;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    if ((classOf(codePoint) & bits) === 0) return at;
    at += width(codePoint);
  }
  return at;
}

/** The end of the characters that have none of `bits`. */
function runWithout(text: string, from: number, to: number, bits: number): number {
  let at = from;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    if ((classOf(codePoint) & bits) !== 0) return at;
    at += width(codePoint);
  }
  return at;
}

function newlines(text: string, from: number, to: number, withSlash: boolean): number {
  let at = from;
  while (at < to) {
    const unit = text.charCodeAt(at);
    if (!isNewline(unit) && !(withSlash && unit === SLASH)) return at;
    at++;
  }
  return at;
}

/** `\p{N}{1,most}` */
function digits(text: string, from: number, to: number, most: number): number {
  let at = from;
  for (let count = 0; count < most && at < to; count++) {
    const codePoint = codePointAt(text, at);
    if ((classOf(codePoint) & NUMBER) === 0) break;
    at += width(codePoint);
  }
  return at;
}

/** The end of `'s 't 're 've 'm 'll 'd` at an apostrophe; `from` where there is none. */
function contraction(text: string, from: number, to: number, anyCase: boolean): number {
  if (from + 1 >= to || text.charCodeAt(from) !== APOSTROPHE) return from;
  const fold = anyCase ? 0x20 : 0;
  const first = text.charCodeAt(from + 1);
  if (anyCase && first === LONG_S) return from + 2;
  const letter = first < 0x80 ? first | fold : 0;
  if (letter === 0x73 || letter === 0x74 || letter === 0x6d || letter === 0x64) return from + 2;
  if (from + 2 >= to) return from;
  const second = text.charCodeAt(from + 2);
  const other = second < 0x80 ? second | fold : 0;
  if ((letter === 0x72 || letter === 0x76) && other === 0x65) return from + 3;
  return letter === 0x6c && other === 0x6c ? from + 3 : from;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+` at white space. */
function space(text: string, from: number, to: number): number {
  let at = from;
  let afterNewline = from;
  while (at < to) {
    const unit = text.charCodeAt(at);
    if ((classOf(unit) & SPACE) === 0) break;
    at++;
    if (isNewline(unit)) afterNewline = at;
  }
  return afterNewline > from ? afterNewline : beforeWord(from, at, to);
}

/** `\s+(?!\S)|\s+`: the last blank goes to the word behind it. */
function beforeWord(from: number, at: number, to: number): number {
  return at === to || at - from < 2 ? at : at - 1;
}

/** The pattern of GPT-2, also where `ByteLevel` cuts by itself. */
export const scanGpt2: Scan = (text, from, to, sink) => {
  let at = from;
  while (at < to) {
    const end = nextOfGpt2(text, at, to);
    sink.word(text, at, end);
    at = end;
  }
};

function nextOfGpt2(text: string, at: number, to: number): number {
  const short = contraction(text, at, to, false);
  if (short > at) return short;
  const start = text.charCodeAt(at) === BLANK ? at + 1 : at;
  const bits = classAt(text, start, to);
  if (start < to) {
    if ((bits & LETTER) !== 0) return runOf(text, start, to, LETTER);
    if ((bits & NUMBER) !== 0) return runOf(text, start, to, NUMBER);
    if ((bits & SPACE) === 0) return runWithout(text, start, to, LETTER | NUMBER | SPACE);
  }
  return beforeWord(at, runOf(text, at, to, SPACE), to);
}

/** The pattern of cl100k: Llama 3, Qwen and many more; `most` digits together. */
export function scanCl100k(most: number): Scan {
  return (text, from, to, sink) => {
    let at = from;
    while (at < to) {
      const end = nextOfCl100k(text, at, to, most);
      sink.word(text, at, end);
      at = end;
    }
  };
}

function nextOfCl100k(text: string, at: number, to: number, most: number): number {
  const codePoint = codePointAt(text, at);
  const bits = classOf(codePoint);
  if ((bits & LETTER) !== 0) return runOf(text, at + width(codePoint), to, LETTER);
  if ((bits & NUMBER) !== 0) return digits(text, at, to, most);
  if (codePoint === APOSTROPHE) {
    const short = contraction(text, at, to, true);
    if (short > at) return short;
  }
  const after = at + width(codePoint);
  if (!isNewline(codePoint) && (classAt(text, after, to) & LETTER) !== 0) return runOf(text, after, to, LETTER);
  return signs(text, at, to, false);
}

/** ` ?[^\s\p{L}\p{N}]+[\r\n]*`, with `/` among the line ends where asked, else white space. */
function signs(text: string, at: number, to: number, withSlash: boolean): number {
  const start = text.charCodeAt(at) === BLANK ? at + 1 : at;
  const end = runWithout(text, start, to, LETTER | NUMBER | SPACE);
  return end > start ? newlines(text, end, to, withSlash) : space(text, at, to);
}

const HEAD = UPPER | OTHER_LETTER | MARK;
const TAIL = LOWER | OTHER_LETTER | MARK;

export interface CasedOptions {
  readonly digits: number;
  /** `'s` and its like go with the word before them. */
  readonly contractions: boolean;
}

/** The pattern of o200k (gpt-oss) and of Mistral's tekken: words end where lower case turns to upper. */
export function scanCased(options: CasedOptions): Scan {
  return (text, from, to, sink) => {
    let at = from;
    while (at < to) {
      const end = nextCased(text, at, to, options);
      sink.word(text, at, end);
      at = end;
    }
  };
}

function nextCased(text: string, at: number, to: number, options: CasedOptions): number {
  const codePoint = codePointAt(text, at);
  const bits = classOf(codePoint);
  if ((bits & NUMBER) !== 0) return digits(text, at, to, options.digits);
  let end = -1;
  if ((bits & LETTER) !== 0) {
    end = casedWord(text, at, to);
  } else if (!isNewline(codePoint)) {
    const after = at + width(codePoint);
    end = (classAt(text, after, to) & (LETTER | MARK)) === 0 ? -1 : casedWord(text, after, to);
    // A mark may stand before a word or be one; the expression takes what ends in lower case first.
    if ((bits & MARK) !== 0 && (end < 0 || !endsAsTail(text, after, end))) end = casedWord(text, at, to);
  }
  if (end < 0) return signs(text, at, to, true);
  return options.contractions ? contraction(text, end, to, true) : end;
}

/** Whether `[Lu Lt Lm Lo M]*[Ll Lm Lo M]+` and not only the upper-case form matched. */
function endsAsTail(text: string, from: number, end: number): boolean {
  let at = from;
  let bits = 0;
  while (at < end) {
    bits = classAt(text, at, end);
    at += widthAt(text, at);
  }
  return (bits & TAIL) !== 0;
}

/**
 * `[Lu Lt Lm Lo M]*[Ll Lm Lo M]+|[Lu Lt Lm Lo M]+[Ll Lm Lo M]*` at `from`, without the backtracking: the head runs as far
 * as it can; without a tail behind it, it gives back down to its own last character that may be a tail.
 */
function casedWord(text: string, from: number, to: number): number {
  let at = from;
  let lastTail = -1;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    const bits = classOf(codePoint);
    if ((bits & HEAD) === 0) {
      if ((bits & LOWER) !== 0) return runOf(text, at, to, TAIL);
      break;
    }
    at += width(codePoint);
    if ((bits & TAIL) !== 0) lastTail = at;
  }
  if (lastTail >= 0) return lastTail;
  return at > from ? at : -1;
}

/** The three patterns of DeepSeek V3 in a row: numbers by three, Chinese and Japanese runs, then words. */
export const scanDeepSeek: Scan = (text, from, to, sink) => {
  let at = from;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    if ((classOf(codePoint) & NUMBER) !== 0) {
      const end = digits(text, at, to, 3);
      sink.word(text, at, end);
      at = end;
    } else if (isEastAsian(codePoint)) {
      const end = eastAsianRun(text, at, to);
      // Their sound marks are signs to the third pattern, which looks at these runs too.
      scanDeepSeekWords(text, at, end, sink);
      at = end;
    } else {
      const end = plainRun(text, at, to);
      scanDeepSeekWords(text, at, end, sink);
      at = end;
    }
  }
};

function isEastAsian(codePoint: number): boolean {
  return (codePoint >= 0x4e00 && codePoint <= 0x9fa5) || (codePoint >= 0x3040 && codePoint <= 0x30ff);
}

function eastAsianRun(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isEastAsian(text.charCodeAt(at))) at++;
  return at;
}

function plainRun(text: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    if (isEastAsian(codePoint) || (classOf(codePoint) & NUMBER) !== 0) return at;
    at += width(codePoint);
  }
  return at;
}

function scanDeepSeekWords(text: string, from: number, to: number, sink: WordSink): void {
  let at = from;
  let gap = from;
  while (at < to) {
    const end = nextOfDeepSeek(text, at, to);
    if (end < 0) {
      at += widthAt(text, at);
      continue;
    }
    // What no alternative takes (controls, unassigned) is one word together.
    if (gap < at) sink.word(text, gap, at);
    sink.word(text, at, end);
    at = end;
    gap = end;
  }
  if (gap < to) sink.word(text, gap, to);
}

function nextOfDeepSeek(text: string, at: number, to: number): number {
  const codePoint = codePointAt(text, at);
  const bits = classOf(codePoint);
  if ((bits & LETTER) !== 0) return runOf(text, at, to, LETTER | MARK);
  const after = at + width(codePoint);
  if ((bits & SYMBOL) !== 0) {
    if (codePoint < 0x80) {
      const end = asciiLetters(text, after, to);
      if (end > after) return end;
    }
    return newlines(text, runOf(text, at, to, SYMBOL), to, false);
  }
  if (!isNewline(codePoint)) {
    const end = runOf(text, after, to, LETTER | MARK);
    if (end > after) return end;
    if ((bits & MARK) !== 0) return after;
    if (codePoint === BLANK) {
      const signsEnd = runOf(text, after, to, SYMBOL);
      if (signsEnd > after) return newlines(text, signsEnd, to, false);
    }
  }
  return (bits & SPACE) === 0 ? -1 : space(text, at, to);
}

function asciiLetters(text: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const letter = text.charCodeAt(at) | 0x20;
    if (letter < 0x61 || letter > 0x7a) return at;
    at++;
  }
  return at;
}
