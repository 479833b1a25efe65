/** A tokenizer.json without its vocabulary, which is nearly all of it and takes the longest to parse. */
import { isObject, jsonOf } from './model-files.ts';
import type { JsonObject, ModelFiles } from './model-files.ts';

const MODEL_KEY = '"model"';
/** What must have come before the model, so that nothing of it can come behind it. */
const NEEDED = ['truncation', 'added_tokens', 'pre_tokenizer'];
/** Added tokens may have the word in them. */
const MAX_TRIES = 4;

/**
 * The object with at least those members that say how texts are cut; empty where there is no such file. Of files as they
 * are written today only the part before the model is parsed, of others all. Throws a SourceError.
 */
export function outlineOf(files: ModelFiles): JsonObject {
  const bytes = files.get('tokenizer.json');
  if (!bytes) return {};
  let at = bytes.indexOf(MODEL_KEY);
  for (let tries = 0; at > 0 && tries < MAX_TRIES; tries += 1) {
    const head = headOf(bytes.subarray(0, at));
    if (head) return head;
    at = bytes.indexOf(MODEL_KEY, at + 1);
  }
  return jsonOf(files, 'tokenizer.json') ?? {};
}

/** It parses with a closing brace only where the word is a name at the top. */
function headOf(bytes: Buffer): JsonObject | undefined {
  try {
    const head: unknown = JSON.parse(`${bytes.toString('utf8').trimEnd().replace(/,$/, '')}}`);
    return isObject(head) && NEEDED.every((name) => Object.hasOwn(head, name)) ? head : undefined;
  } catch {
    // Not there, then.
    return undefined;
  }
}
