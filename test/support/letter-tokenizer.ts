/** A tokenizer small enough to be checked by eye: letters are tokens, `<…>` are special tokens where they are known. */
import type { TokenDecoder, TokenIds, Tokenizer } from '../../src/domain/tokenizer.ts';

const SPECIAL_BASE = 0x110000;

export class LetterTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Every text that it was asked to encode. */
  readonly asked: string[] = [];

  constructor(specials: readonly string[] = ['<s>', '<e>']) {
    this.specialTokens = new Map(specials.map((text, i) => [text, SPECIAL_BASE + i]));
    this.vocabularySize = SPECIAL_BASE + specials.length;
  }

  encode(text: string, addSpecialTokens: boolean): TokenIds {
    this.asked.push(text);
    const ids: number[] = addSpecialTokens ? [SPECIAL_BASE] : [];
    for (let at = 0; at < text.length; ) {
      const special = [...this.specialTokens].find(([each]) => text.startsWith(each, at));
      if (special) ids.push(special[1]);
      else ids.push(text.charCodeAt(at));
      at += special ? special[0].length : 1;
    }
    return Uint32Array.from(ids);
  }

  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id) => this.tokenOf(id) ?? '').join('');
  }

  createDecoder(): TokenDecoder {
    return { push: (id) => this.tokenOf(id) ?? '', end: () => '' };
  }

  bytesOf(id: number): Uint8Array {
    return Buffer.from(this.tokenOf(id) ?? '');
  }

  idOf(token: string): number | undefined {
    return this.specialTokens.get(token) ?? (token.length === 1 ? token.charCodeAt(0) : undefined);
  }

  tokenOf(id: number): string | undefined {
    const special = [...this.specialTokens].find(([, each]) => each === id);
    return special ? special[0] : id < SPECIAL_BASE ? String.fromCharCode(id) : undefined;
  }
}
