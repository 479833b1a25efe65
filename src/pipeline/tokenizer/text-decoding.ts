/** Tokens to text for vocabularies of text: metaspace with byte fallback, WordPiece, Unigram and the rest. */

import type { DecodeOptions, TokenDecoder } from '../../domain/tokenizer.ts';
import type { Decoding } from './decoding.ts';
import { byteOfName } from './symbols.ts';
import type { TextRules } from './text-rules.ts';
import type { TokenTable } from './token-table.ts';
import { RunCheck, textOfBytes } from './utf8.ts';

const encoder = new TextEncoder();
const REPLACEMENT = '\uFFFD';

export class TextDecoding implements Decoding {
  readonly #table: TokenTable;
  readonly #rules: TextRules;
  readonly #isSpecial: Uint8Array;
  /** By id: its text where others are before it. At most one string per token. */
  readonly #texts: (string | undefined)[];
  /** By id: 256 for "not looked at", -1 for no byte. */
  readonly #bytes: Int16Array;

  constructor(table: TokenTable, rules: TextRules, isSpecial: Uint8Array) {
    this.#table = table;
    this.#rules = rules;
    this.#isSpecial = isSpecial;
    // oxlint-disable-next-line unicorn/no-new-array -- Array.from takes 10 ms for 262,000 of them
    this.#texts = new Array<string | undefined>(table.size).fill(undefined);
    this.#bytes = new Int16Array(table.size).fill(rules.byteFallback ? 256 : -1);
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const decoder = this.createDecoder(options);
    let text = '';
    for (let at = 0; at < ids.length; at++) text += decoder.push(ids[at] ?? -1);
    return text + decoder.end();
  }

  createDecoder(options?: DecodeOptions): TokenDecoder {
    const isSpecial = options?.skipSpecialTokens === false ? undefined : this.#isSpecial;
    const rules = this.#rules;
    const run = new ByteRun();
    let edges = rules.createEdges?.();
    let isFirst = true;
    let previous: string | undefined;
    return {
      push: (id) => {
        if (isSpecial !== undefined && isSpecial[id] === 1) return '';
        if (!this.#table.has(id)) return '';
        const byte = this.#byteOf(id);
        let text: string;
        if (byte >= 0) text = run.push(byte);
        else {
          text = run.end();
          if (text !== '') isFirst = false;
          text += rules.dependsOnPrevious || isFirst ? this.#fresh(id, isFirst, previous) : this.#textOf(id);
        }
        if (rules.dependsOnPrevious) previous = this.#table.nameOf(id);
        isFirst = false;
        return edges === undefined ? text : edges.push(text);
      },
      end: () => {
        const text = run.end();
        const all = edges === undefined ? text : edges.push(text) + edges.end();
        isFirst = true;
        previous = undefined;
        edges = rules.createEdges?.();
        return all;
      },
    };
  }

  bytesOf(id: number): Uint8Array {
    if (!this.#table.has(id)) return new Uint8Array(0);
    if (this.#isSpecial[id] === 1) return encoder.encode(this.#table.nameOf(id) ?? '');
    const byte = this.#byteOf(id);
    return byte >= 0 ? Uint8Array.of(byte) : encoder.encode(this.#textOf(id));
  }

  #fresh(id: number, isFirst: boolean, previous: string | undefined): string {
    return this.#rules.textOf(this.#table.nameOf(id) ?? '', isFirst, previous);
  }

  #textOf(id: number): string {
    const known = this.#texts[id];
    if (known !== undefined) return known;
    const text = this.#fresh(id, false, undefined);
    this.#texts[id] = text;
    return text;
  }

  #byteOf(id: number): number {
    const known = this.#bytes[id] ?? -1;
    if (known !== 256) return known;
    const byte = byteOfName(this.#table.nameOf(id) ?? '');
    this.#bytes[id] = byte;
    return byte;
  }
}

/**
 * Byte tokens in a row. The reference reads all of a row as one text or none of it: each byte of a bad row is U+FFFD. So a
 * row waits while it may still be good, and comes out byte by byte once it cannot.
 */
class ByteRun {
  #bytes: number[] = [];
  #check = new RunCheck();
  #isBad = false;

  push(byte: number): string {
    if (this.#isBad) return REPLACEMENT;
    this.#bytes.push(byte);
    if (this.#check.push(byte)) return '';
    this.#isBad = true;
    return this.#replaced();
  }

  end(): string {
    if (this.#bytes.length === 0 && !this.#isBad) return '';
    const text = this.#check.isWhole && !this.#isBad ? textOfBytes(Uint8Array.from(this.#bytes)) : this.#replaced();
    this.#bytes = [];
    this.#check = new RunCheck();
    this.#isBad = false;
    return text;
  }

  #replaced(): string {
    const text = REPLACEMENT.repeat(this.#bytes.length);
    this.#bytes = [];
    return text;
  }
}
