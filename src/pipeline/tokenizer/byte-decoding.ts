/** Tokens to text for byte-level vocabularies: the bytes of all tokens in a row, read as UTF-8. */

import type { DecodeOptions, TokenDecoder } from '../../domain/tokenizer.ts';
import type { Decoding } from './decoding.ts';
import type { TokenTable } from './token-table.ts';
import { textOfBytes, unfinishedBytes } from './utf8.ts';

export class ByteDecoding implements Decoding {
  readonly #table: TokenTable;
  readonly #isSpecial: Uint8Array;
  /** Text of tokens that end no character in the middle, as they come; at most one string per token. */
  readonly #texts: (string | undefined)[];

  constructor(table: TokenTable, isSpecial: Uint8Array) {
    this.#table = table;
    this.#isSpecial = isSpecial;
    // oxlint-disable-next-line unicorn/no-new-array -- Array.from takes 10 ms for 262,000 of them
    this.#texts = new Array<string | undefined>(table.size).fill(undefined);
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const skips = options?.skipSpecialTokens !== false;
    let length = 0;
    for (let at = 0; at < ids.length; at++) length += this.#table.bytesOf(ids[at] ?? -1).length;
    const bytes = new Uint8Array(length);
    let end = 0;
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at] ?? -1;
      if (skips && this.#isSpecial[id] === 1) continue;
      const token = this.#table.bytesOf(id);
      bytes.set(token, end);
      end += token.length;
    }
    return textOfBytes(bytes.subarray(0, end));
  }

  createDecoder(options?: DecodeOptions): TokenDecoder {
    const table = this.#table;
    const texts = this.#texts;
    const isSpecial = options?.skipSpecialTokens === false ? undefined : this.#isSpecial;
    let waiting = new Uint8Array(0);
    return {
      push(id) {
        if (isSpecial !== undefined && isSpecial[id] === 1) return '';
        const known = texts[id];
        if (waiting.length === 0 && known !== undefined) return known;
        const token = table.bytesOf(id);
        const bytes = waiting.length === 0 ? token : joined(waiting, token);
        const tail = unfinishedBytes(bytes, bytes.length);
        const text = textOfBytes(bytes.subarray(0, bytes.length - tail));
        if (waiting.length === 0 && tail === 0 && table.has(id)) texts[id] = text;
        waiting = bytes.slice(bytes.length - tail);
        return text;
      },
      end() {
        const text = textOfBytes(waiting);
        waiting = new Uint8Array(0);
        return text;
      },
    };
  }

  bytesOf(id: number): Uint8Array {
    return this.#table.bytesOf(id);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
