/** A tokenizer that gives long texts away, and does all else itself. */
import type { DecodeOptions, TokenDecoder, TokenIds, Tokenizer } from '../domain/tokenizer.ts';

/** Up to this length (UTF-16 units) a text is encoded where it is: some 10 ms at the slowest. */
export const LONG_TEXT_CHARS = 64 * 1024;

export type EncodeElsewhere = (text: string, addSpecialTokens: boolean) => Promise<TokenIds>;

export class OffloadingTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #inner: Tokenizer;
  readonly #elsewhere: EncodeElsewhere;
  readonly #longChars: number;

  constructor(inner: Tokenizer, elsewhere: EncodeElsewhere, longChars = LONG_TEXT_CHARS) {
    this.#inner = inner;
    this.#elsewhere = elsewhere;
    this.#longChars = longChars;
    this.vocabularySize = inner.vocabularySize;
    this.specialTokens = inner.specialTokens;
  }

  encode(text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds> {
    if (text.length > this.#longChars) return this.#elsewhere(text, addSpecialTokens);
    return this.#inner.encode(text, addSpecialTokens);
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    return this.#inner.decode(ids, options);
  }

  createDecoder(options?: DecodeOptions): TokenDecoder {
    return this.#inner.createDecoder(options);
  }

  bytesOf(id: number): Uint8Array {
    return this.#inner.bytesOf(id);
  }

  idOf(token: string): number | undefined {
    return this.#inner.idOf(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#inner.tokenOf(id);
  }
}
