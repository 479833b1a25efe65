/**
 * Text that comes in pieces, to be read by a grammar as if all of it were there: a grammar is a generator that waits
 * where the text ends for now. Since it sees characters and never pieces, it tells the same whatever the cuts.
 *
 * What is read goes where the reader's mode says: `drop` marks and white space that mean nothing outside of a call,
 * `hold` what is a call only if more follows, `tell` plain text.
 */
import type { Transform } from '../../base/transform.ts';
import type { TextAutomaton } from '../text-automaton.ts';
import { JsonScan } from './json-scan.ts';

export type Reading<Result = void> = Generator<undefined, Result, undefined>;

/** Longest text that is held back until it is known to be a call. */
export const MAX_HELD_CHARS = 262_144;

/** Finds where a value ends, in text that comes in pieces. */
export interface Scan {
  readonly isDone: boolean;
  /** It ends with the text too. */
  readonly isScalar: boolean;
  /** Reads `text` from `from` to `to`; returns where the value ends, or `to`. */
  advance(text: string, from: number, to: number): number;
}

type TellText = (text: string, from: number) => void;

const SPACE = new Set([0x20, 0x0a, 0x0d, 0x09]);

export class TextReader {
  readonly #tell: TellText;
  #buffer = '';
  #at = 0;
  /** Where the buffer begins in all text. */
  #base = 0;
  #mode: 'drop' | 'hold' | 'tell' = 'tell';
  #held: string[] = [];
  #heldFrom = 0;
  #hasEnded = false;

  constructor(tell: TellText) {
    this.#tell = tell;
  }

  push(text: string): void {
    this.#base += this.#at;
    this.#buffer = this.#at < this.#buffer.length ? this.#buffer.slice(this.#at) + text : text;
    this.#at = 0;
  }

  end(): void {
    this.#hasEnded = true;
  }

  /** Of the next character in all text. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** What is read from now on may be a call. */
  hold(): void {
    this.#mode = 'hold';
    this.#held = [];
    this.#heldFrom = this.offset;
  }

  /** It is a call: what was held is told otherwise, and so is what follows. */
  drop(): void {
    this.#mode = 'drop';
    this.#held = [];
  }

  /** It is text, what was held and what follows. */
  tell(): void {
    const held = this.#held.join('');
    this.#mode = 'tell';
    this.#held = [];
    if (held !== '') this.#tell(held, this.#heldFrom);
  }

  /** The next character; undefined at the end. */
  *peek(): Reading<string | undefined> {
    while (this.#at >= this.#visibleEnd) {
      if (this.#isOut) return undefined;
      yield;
    }
    return this.#buffer[this.#at];
  }

  *skipSpace(): Reading {
    for (;;) {
      let end = this.#at;
      while (end < this.#visibleEnd && SPACE.has(this.#buffer.charCodeAt(end))) end += 1;
      this.#take(end);
      if (end < this.#visibleEnd || this.#isOut) return;
      yield;
    }
  }

  /** Reads the text if it stands here, else nothing. */
  *literal(text: string): Reading<boolean> {
    let isSame = 0;
    for (;;) {
      while (isSame < text.length && this.#at + isSame < this.#visibleEnd) {
        if (this.#buffer[this.#at + isSame] !== text[isSame]) return false;
        isSame += 1;
      }
      if (isSame === text.length) break;
      if (this.#isOut) return false;
      yield;
    }
    this.#take(this.#at + text.length);
    return true;
  }

  /** Reads the characters that belong to `set`, at most `limit`. */
  *word(set: RegExp, limit: number): Reading<string> {
    const parts: string[] = [];
    for (let left = limit; ; ) {
      let end = this.#at;
      const last = Math.min(this.#visibleEnd, this.#at + left);
      while (end < last && set.test(this.#buffer[end] ?? '')) end += 1;
      left -= end - this.#at;
      parts.push(this.#take(end));
      if (left === 0 || end < this.#visibleEnd || this.#isOut) return parts.join('');
      yield;
    }
  }

  /**
   * Text up to the first of the marks, which begins to be held and is read. Returns which, or -1 at the end. The text is
   * told as it comes, but for what may be the beginning of a mark.
   */
  *textUntil(marks: TextAutomaton): Reading<number> {
    this.#mode = 'tell';
    const found = yield* this.#search(marks, Infinity, () => undefined);
    if (found < 0) return -1;
    this.hold();
    this.#take(this.#at + (marks.texts[found]?.length ?? 0));
    return found;
  }

  /** Reads up to the first of the marks and the mark; `found` is -1 at the end of the text, or of `limit` characters. */
  *until(marks: TextAutomaton, limit: number): Reading<{ readonly text: string; readonly found: number }> {
    const parts: string[] = [];
    const found = yield* this.#search(marks, limit, (piece) => parts.push(piece));
    if (found >= 0) this.#take(this.#at + (marks.texts[found]?.length ?? 0));
    return { text: parts.join(''), found };
  }

  /** Reads one JSON value, each piece as it comes. False: the text ended inside of it. */
  jsonValue(take: (piece: string) => void): Reading<boolean> {
    return this.scanned(new JsonScan(), take);
  }

  /** The same for what another scan finds the end of. */
  *scanned(scan: Scan, take: (piece: string) => void): Reading<boolean> {
    for (;;) {
      const end = scan.advance(this.#buffer, this.#at, this.#visibleEnd);
      if (end > this.#at) take(this.#take(end));
      if (scan.isDone) return true;
      if (this.#isOut) return scan.isScalar;
      yield;
    }
  }

  /** All that is left, as text. */
  *rest(): Reading {
    this.tell();
    for (;;) {
      this.#take(this.#visibleEnd);
      if (this.#isOut) return;
      yield;
    }
  }

  /** Reads up to a mark, leaves it unread and says which; -1: the end. */
  *#search(marks: TextAutomaton, limit: number, take: (piece: string) => void): Reading<number> {
    let node = 0;
    let seen = this.#at;
    for (let left = limit; ; ) {
      const end = this.#visibleEnd;
      for (; seen < end; seen += 1) {
        node = marks.next(node, this.#buffer.charCodeAt(seen));
        const found = marks.hitOf(node);
        if (found < 0) continue;
        const start = seen + 1 - (marks.texts[found]?.length ?? 0);
        if (start - this.#at > left) break;
        take(this.#take(start));
        return found;
      }
      const certain = Math.min(seen - marks.depthOf(node), this.#at + left);
      left -= Math.max(0, certain - this.#at);
      if (certain > this.#at) take(this.#take(certain));
      if (left <= 0) return -1;
      const unread = seen - this.#at;
      if (this.#isOut) {
        take(this.#take(Math.min(this.#visibleEnd, this.#at + left)));
        return -1;
      }
      yield;
      seen = this.#at + unread;
    }
  }

  /** What is held is bounded: beyond that a grammar finds the text at its end and gives up. */
  get #visibleEnd(): number {
    if (this.#mode !== 'hold') return this.#buffer.length;
    return Math.min(this.#buffer.length, this.#heldFrom + MAX_HELD_CHARS - this.#base);
  }

  /** No more text will be seen. Grammars wait by a bare `yield` here: a generator for each wait took a third of the time. */
  get #isOut(): boolean {
    if (this.#visibleEnd < this.#buffer.length || this.#hasEnded) return true;
    return this.#mode === 'hold' && this.offset - this.#heldFrom >= MAX_HELD_CHARS;
  }

  #take(end: number): string {
    const from = this.offset;
    const text = this.#buffer.slice(this.#at, end);
    this.#at = end;
    if (text === '' || this.#mode === 'drop') return text;
    if (this.#mode === 'hold') this.#held.push(text);
    else this.#tell(text, from);
    return text;
  }
}

/** A grammar as a transform. It has to end when the text does. */
export class GrammarParser<Event> implements Transform<string, Event> {
  readonly #reader: TextReader;
  readonly #reading: Reading;
  #emit: (event: Event) => void = () => undefined;

  constructor(create: (tell: (event: Event) => void) => { readonly reader: TextReader; readonly reading: Reading }) {
    const { reader, reading } = create((event) => this.#emit(event));
    this.#reader = reader;
    this.#reading = reading;
  }

  push(text: string, emit: (event: Event) => void): void {
    if (text === '') return;
    this.#emit = emit;
    this.#reader.push(text);
    this.#reading.next();
  }

  end(emit: (event: Event) => void): void {
    this.#emit = emit;
    this.#reader.end();
    this.#reading.next();
  }
}
