/**
 * Encodes with the optional package `tokenizers`, for the kinds of tokenizer that our own engine only decodes (Unigram,
 * WordPiece …). It works on threads of its own, so that ids come as a promise.
 */
import type { TokenIds } from '../domain/tokenizer.ts';
import { SourceError } from './model-files.ts';

type Library = typeof import('tokenizers');

/** Rejects with a SourceError. Blocks while the package reads the vocabulary. */
export async function libraryEncoder(
  tokenizerJson: string,
): Promise<(text: string, addSpecialTokens: boolean) => Promise<TokenIds>> {
  const library = await loadLibrary();
  const tokenizer = read(library, tokenizerJson);
  return async (text, addSpecialTokens) => {
    const encoding = await tokenizer.encode(text, null, { addSpecialTokens });
    return Uint32Array.from(encoding.getIds());
  };
}

async function loadLibrary(): Promise<Library> {
  try {
    return await import('tokenizers');
  } catch (thrown) {
    throw new SourceError('it needs the optional package `tokenizers`, which is not installed', thrown);
  }
}

function read({ Tokenizer }: Library, json: string): InstanceType<Library['Tokenizer']> {
  try {
    const tokenizer = Tokenizer.fromString(json);
    // What a prompt is cut to is nobody's business here.
    tokenizer.disableTruncation();
    tokenizer.disablePadding();
    return tokenizer;
  } catch (thrown) {
    throw new SourceError('the package `tokenizers` does not read its tokenizer.json', thrown);
  }
}
