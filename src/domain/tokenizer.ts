/**
 * The Tokenizer contract: text to token ids and back. Everybody who needs tokens gets one of these; how it is made of a
 * model's files is for `pipeline/tokenizer`, where it comes from for `tokenizers`.
 */

/** Ids of tokens, in order. Never written to after it was handed out. */
export type TokenIds = Uint32Array;

export interface Tokenizer {
  /** Ids that exist: all are below this, though not each of them need be a token. */
  readonly vocabularySize: number;
  /** Added tokens with a meaning of their own (`<|im_end|>`), by their text. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /**
   * Special tokens that stand in the text are taken for what they are. `addSpecialTokens`: what the model's own
   * post-processor puts around a text (BOS, EOS) as well; a rendered chat template has them already.
   * A promise where the work is done elsewhere (long texts, kinds that only a library knows): then it never blocks.
   */
  encode(text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds>;
  /** The whole text of these ids; bytes that are no character become U+FFFD. Unknown ids have no text. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** For one stream of output tokens. */
  createDecoder(options?: DecodeOptions): TokenDecoder;
  /** The bytes that a token stands for where it does not begin a text; none for an unknown id. Of special tokens: their text. */
  bytesOf(id: number): Uint8Array;
  /** Of a token exactly as the vocabulary has it. */
  idOf(token: string): number | undefined;
  /** As the vocabulary has it, e.g. `Ġthe`. */
  tokenOf(id: number): string | undefined;
}

export interface DecodeOptions {
  /** Left out where true, which it is unless said. */
  readonly skipSpecialTokens?: boolean;
}

/**
 * Tokens to text, one by one. Whatever comes out stays true: no half characters, and nothing held back that later tokens
 * cannot change. All that comes out, joined, is `decode` of all ids. Cost per token: that of its bytes.
 */
export interface TokenDecoder {
  /** The text that is certain now; often that of this token, sometimes none, sometimes that of several. */
  push(id: number): string;
  /** What is left at the end: half characters as U+FFFD. Afterwards it begins anew. */
  end(): string;
}
