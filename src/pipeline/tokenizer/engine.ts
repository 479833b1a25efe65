/** A tokenizer of its parts: what stands behind the contract once the files are read. */

import type { DecodeOptions, TokenDecoder, TokenIds, Tokenizer } from '../../domain/tokenizer.ts';
import { type AddedToken, AddedTokenFinder } from './added-tokens.ts';
import type { Decoding } from './decoding.ts';
import type { Normalize } from './normalizers.ts';
import type { Surroundings } from './post-processors.ts';
import type { TokenTable } from './token-table.ts';
import { type BpeModel, WordEncoder } from './word-encoder.ts';
import type { Cutter } from './words.ts';

/** Ids of a text by somebody else, for models that this engine only decodes. */
export type EncodeElsewhere = (text: string, addSpecialTokens: boolean) => Promise<TokenIds>;

export interface Encode {
  (text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds>;
}

export interface EncoderParts {
  readonly model: BpeModel;
  readonly added: readonly AddedToken[];
  readonly normalize: Normalize | undefined;
  readonly cut: Cutter;
  readonly surroundings: Surroundings;
}

/** Text to ids: added tokens out of the raw text, the rest normalized, added tokens out of that, the rest cut and merged. */
export class TextEncoding {
  readonly #words: WordEncoder;
  readonly #parts: EncoderParts;
  readonly #raw: AddedTokenFinder;
  readonly #normalized: AddedTokenFinder;

  constructor(parts: EncoderParts) {
    const { added, normalize } = parts;
    this.#parts = parts;
    this.#words = new WordEncoder(parts.model);
    // The reference looks at special tokens first, so they win where two have one text.
    const inOrder = [...added.filter((token) => token.isSpecial), ...added.filter((token) => !token.isSpecial)];
    this.#raw = new AddedTokenFinder(
      inOrder.filter((token) => !token.isNormalized),
      (token) => token.content,
    );
    this.#normalized = new AddedTokenFinder(
      inOrder.filter((token) => token.isNormalized),
      (token) => normalize?.(token.content) ?? token.content,
    );
  }

  clearCache(): void {
    this.#words.clearCache();
  }

  encode(text: string, addSpecialTokens: boolean): TokenIds {
    const { out } = this.#words;
    out.length = 0;
    const { before, after } = this.#parts.surroundings;
    if (addSpecialTokens) for (const id of before) out.push(id);
    const whole = text.isWellFormed() ? text : text.toWellFormed();
    if (this.#raw.isEmpty) this.#segment(whole, true);
    else {
      this.#raw.find(whole, {
        token: (id) => out.push(id),
        text: (from, start, end) =>
          this.#segment(start === 0 && end === from.length ? from : from.slice(start, end), start === 0),
      });
    }
    if (addSpecialTokens) for (const id of after) out.push(id);
    return out.take();
  }

  #segment(text: string, isFirst: boolean): void {
    if (text === '') return;
    const { normalize, cut } = this.#parts;
    const normalized = normalize === undefined ? text : normalize(text);
    if (normalized === '') return;
    if (this.#normalized.isEmpty) {
      cut(normalized, isFirst, this.#words);
      return;
    }
    this.#normalized.find(normalized, {
      token: (id) => this.#words.out.push(id),
      text: (from, start, end) =>
        cut(start === 0 && end === from.length ? from : from.slice(start, end), isFirst && start === 0, this.#words),
    });
  }
}

export interface EngineParts {
  readonly table: TokenTable;
  readonly added: readonly AddedToken[];
  readonly encode: Encode;
  readonly decoding: Decoding;
}

export class EngineTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.vocabularySize = parts.table.size;
    this.specialTokens = new Map(
      parts.added.filter((token) => token.isSpecial).map((token) => [token.content, token.id]),
    );
  }

  encode(text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds> {
    return this.#parts.encode(text, addSpecialTokens);
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    return this.#parts.decoding.decode(ids, options);
  }

  createDecoder(options?: DecodeOptions): TokenDecoder {
    return this.#parts.decoding.createDecoder(options);
  }

  bytesOf(id: number): Uint8Array {
    return this.#parts.decoding.bytesOf(id);
  }

  idOf(token: string): number | undefined {
    return this.#parts.table.idOf(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#parts.table.nameOf(id);
  }
}
