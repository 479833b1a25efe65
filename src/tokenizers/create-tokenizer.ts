/**
 * From files to a tokenizer: our own engine, with the library to encode where the engine only decodes. One function for
 * the loop, which runs its steps in slices, and for the threads, which do nothing else meanwhile.
 */
import { createTokenizerInSteps } from '../pipeline/tokenizer/create-tokenizer.ts';
import type { MadeTokenizer } from '../pipeline/tokenizer/create-tokenizer.ts';
import type { TokenizerFiles } from '../pipeline/tokenizer/files.ts';
import { UnusableTokenizer } from '../pipeline/tokenizer/unusable.ts';
import { libraryEncoder } from './library-encoder.ts';
import { requireTokenizer, SourceError, textOf } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';
import type { RunSteps } from './slices.ts';

/** Rejects with a SourceError. */
export async function createTokenizer(files: ModelFiles, run: RunSteps): Promise<MadeTokenizer> {
  const form = formOf(files);
  try {
    return await run(createTokenizerInSteps(form));
  } catch (thrown) {
    if (!(thrown instanceof UnusableTokenizer)) throw thrown;
    if (form.kind !== 'tokenizer_json') throw refused(thrown);
    return createWithLibrary(form, thrown, run);
  }
}

/**
 * As `createTokenizer`, and then warmed up in the background, which is no reason to let anybody wait. Rejects with a
 * SourceError.
 */
export async function createWarmTokenizer(files: ModelFiles, run: RunSteps): Promise<MadeTokenizer> {
  const tokenizer = await createTokenizer(files, run);
  // Only the first prompts would be slower; whatever is wrong with the tokenizer shows where it is used.
  run(tokenizer.warmUp()).catch(() => undefined);
  return tokenizer;
}

async function createWithLibrary(
  form: Extract<TokenizerFiles, { kind: 'tokenizer_json' }>,
  why: UnusableTokenizer,
  run: RunSteps,
): Promise<MadeTokenizer> {
  const { tokenizerJson: json } = form;
  const encode = await libraryEncoder(typeof json === 'string' ? json : textOf(Buffer.from(json))).catch(
    (thrown: unknown) => {
      const reason = thrown instanceof SourceError ? thrown.message : 'the package `tokenizers` failed';
      throw new SourceError(`${refused(why).message}, and ${reason}`, thrown);
    },
  );
  try {
    return await run(createTokenizerInSteps(form, encode));
  } catch (thrown) {
    throw thrown instanceof UnusableTokenizer ? refused(thrown) : thrown;
  }
}

const MAX_REASON_CHARS = 200;

function refused({ message }: UnusableTokenizer): SourceError {
  return new SourceError(`the tokenizer has ${message.slice(0, MAX_REASON_CHARS)}`);
}

/** tokenizer.json before the vocabulary's own files before tiktoken's. Throws a SourceError. */
function formOf(files: ModelFiles): TokenizerFiles {
  requireTokenizer(files);
  const text = (name: string) => {
    const bytes = files.get(name);
    return bytes && textOf(bytes);
  };
  const configJson = text('tokenizer_config.json');
  const tokenizerJson = files.get('tokenizer.json');
  if (tokenizerJson !== undefined) return { kind: 'tokenizer_json', tokenizerJson, configJson };
  const [vocabularyJson, mergesText] = [text('vocab.json'), text('merges.txt')];
  if (vocabularyJson !== undefined && mergesText !== undefined)
    return { kind: 'vocabulary', vocabularyJson, mergesText, configJson };
  const ranks = [...files].find(([name]) => name.endsWith('.tiktoken'))?.[1] ?? files.get('tiktoken.model');
  if (!ranks) throw new SourceError('there is no tokenizer among the files');
  return { kind: 'tiktoken', ranks, configJson };
}
