/** A tokenizer of single bytes and a few longer tokens, which may begin and end inside of characters. */
import type { DecodeOptions, TokenDecoder, TokenIds, Tokenizer } from '../../src/domain/tokenizer.ts';

export interface TinyOptions {
  /** Tokens beside the 256 bytes, from id 256 on; texts or bytes. */
  readonly tokens?: readonly (string | Uint8Array)[];
  /** Behind those. */
  readonly specials?: readonly string[];
}

export class TinyTokenizer implements Tokenizer {
  readonly #bytes: Uint8Array[];
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #specialIds: ReadonlySet<number>;

  constructor({ tokens = [], specials = [] }: TinyOptions = {}) {
    const encoder = new TextEncoder();
    const plain = tokens.map((token) => (typeof token === 'string' ? encoder.encode(token) : token));
    const marked = specials.map((special) => encoder.encode(special));
    this.#bytes = [...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ...plain, ...marked];
    this.specialTokens = new Map(specials.map((special, i) => [special, 256 + tokens.length + i]));
    this.#specialIds = new Set(this.specialTokens.values());
  }

  get vocabularySize(): number {
    return this.#bytes.length;
  }

  /** The longest token that fits, from left to right. */
  encode(text: string): TokenIds {
    const bytes = new TextEncoder().encode(text);
    const ids: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      let best = bytes[at] ?? 0;
      for (const [id, token] of this.#bytes.entries())
        if (token.length > this.bytesOf(best).length && token.every((byte, i) => bytes[at + i] === byte)) best = id;
      ids.push(best);
      at += this.bytesOf(best).length;
    }
    return Uint32Array.from(ids);
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const decoder = this.createDecoder(options);
    const text = Array.from(ids, (id) => decoder.push(id)).join('');
    return text + decoder.end();
  }

  createDecoder({ skipSpecialTokens = true }: DecodeOptions = {}): TokenDecoder {
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    return {
      push: (id) =>
        skipSpecialTokens && this.#specialIds.has(id) ? '' : utf8.decode(this.bytesOf(id), { stream: true }),
      end: () => utf8.decode(),
    };
  }

  bytesOf(id: number): Uint8Array {
    return this.#bytes[id] ?? new Uint8Array();
  }

  idOf(token: string): number | undefined {
    return this.specialTokens.get(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#bytes[id] && Buffer.from(this.bytesOf(id)).toString('latin1');
  }
}
