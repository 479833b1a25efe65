/**
 * Tokens that are found in the text before the model sees it. One pass: at each place the longest token that begins
 * there, then on behind it.
 */

import { WORD_CLASS } from './unicode-tables.ts';

/** As `added_tokens` of tokenizer.json has it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of decoded text. */
  readonly isSpecial: boolean;
  /** Looked for in the normalized text, in its normalized form. */
  readonly isNormalized: boolean;
  /** Only where no letter or digit touches it. */
  readonly isSingleWord: boolean;
  /** Takes the white space before it along. */
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
}

/** Who hears of the parts of a text, in order. */
export interface PartSink {
  token(id: number): void;
  /** Never empty. */
  text(text: string, from: number, to: number): void;
}

const WORD_END = new RegExp(`[${WORD_CLASS}]$`, 'v');
const WORD_START = new RegExp(`^[${WORD_CLASS}]`, 'v');
const BLANK = /\p{White_Space}/v;
/** Code units in a key of the trie. */
const UNITS = 0x10000;

export class AddedTokenFinder {
  /** By node * 65536 + code unit: the next node. */
  readonly #edges = new Map<number, number>();
  /** By node: the token that ends there. */
  readonly #ends: (AddedToken | undefined)[] = [undefined];
  readonly #starts = new Uint8Array(UNITS);
  readonly #startUnits: string[] = [];

  /** `contentOf`: the form in which a token is looked for. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string) {
    for (const token of tokens) this.#add(token, contentOf(token));
  }

  get isEmpty(): boolean {
    return this.#startUnits.length === 0;
  }

  #add(token: AddedToken, content: string): void {
    if (content === '') return;
    let node = 0;
    for (let at = 0; at < content.length; at++) {
      const key = node * UNITS + content.charCodeAt(at);
      let next = this.#edges.get(key);
      if (next === undefined) {
        next = this.#ends.length;
        this.#ends.push(undefined);
        this.#edges.set(key, next);
      }
      node = next;
    }
    // Of two with one content the first holds.
    this.#ends[node] ??= token;
    const unit = content.charCodeAt(0);
    if (this.#starts[unit] === 0) this.#startUnits.push(content.charAt(0));
    this.#starts[unit] = 1;
  }

  /** Cost: one look at each code unit, and a walk of the trie where a token may begin. */
  find(text: string, sink: PartSink): void {
    let from = 0;
    for (let at = this.#candidate(text, 0); at >= 0; ) {
      const token = this.#tokenAt(text, at);
      if (token === undefined) {
        at = this.#candidate(text, at + 1);
        continue;
      }
      const end = at + this.#length;
      // One that begins in white space which the token before took along is passed over whole.
      if (at < from || (token.isSingleWord && !standsAlone(text, at, end))) {
        at = this.#candidate(text, end);
        continue;
      }
      const start = token.stripsLeft ? Math.max(blanksBefore(text, at), from) : at;
      if (start > from) sink.text(text, from, start);
      sink.token(token.id);
      from = token.stripsRight ? blanksAfter(text, end) : end;
      at = this.#candidate(text, end);
    }
    if (from < text.length) sink.text(text, from, text.length);
  }

  #length = 0;

  #tokenAt(text: string, at: number): AddedToken | undefined {
    let node: number | undefined = 0;
    let found: AddedToken | undefined;
    for (let end = at; end < text.length; end++) {
      node = this.#edges.get(node * UNITS + text.charCodeAt(end));
      if (node === undefined) break;
      const token = this.#ends[node];
      if (token === undefined) continue;
      found = token;
      this.#length = end + 1 - at;
    }
    return found;
  }

  #candidate(text: string, from: number): number {
    const [only] = this.#startUnits;
    if (only === undefined) return -1;
    if (this.#startUnits.length === 1) return text.indexOf(only, from);
    const starts = this.#starts;
    for (let at = from; at < text.length; at++) if (starts[text.charCodeAt(at)] === 1) return at;
    return -1;
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  return !WORD_END.test(text.slice(Math.max(0, start - 2), start)) && !WORD_START.test(text.slice(end, end + 2));
}

function blanksBefore(text: string, at: number): number {
  let start = at;
  while (start > 0 && BLANK.test(text.charAt(start - 1))) start--;
  return start;
}

function blanksAfter(text: string, at: number): number {
  let end = at;
  while (end < text.length && BLANK.test(text.charAt(end))) end++;
  return end;
}
