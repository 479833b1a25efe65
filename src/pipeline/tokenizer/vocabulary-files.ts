/**
 * `vocab.json` with `merges.txt`, as the classes of Qwen 2 read them, brought to the form of tokenizer.json, which is then
 * read in steps.
 */

import type { TokenizerFiles } from './files.ts';
import { addedTokensOfConfig } from './files.ts';
import type { JsonObject } from './json-shape.ts';
import { QWEN_PATTERN } from './known-patterns.ts';
import { UnusableTokenizer } from './unusable.ts';

const CLASSES: readonly unknown[] = ['Qwen2Tokenizer', 'Qwen2TokenizerFast'];
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };

/** Errors: `UnusableTokenizer` for other classes, whose patterns these files do not tell. */
export function vocabularyAsTokenizerJson(
  files: Extract<TokenizerFiles, { kind: 'vocabulary' }>,
  config: JsonObject | undefined,
): string {
  const name = config?.['tokenizer_class'];
  if (!CLASSES.includes(name)) throw new UnusableTokenizer(`vocabulary files of the class ${String(name)}`);
  const merges = files.mergesText.split('\n').map((line) => line.replace(/\r$/, ''));
  const split = { type: 'Split', pattern: { Regex: QWEN_PATTERN }, behavior: 'Isolated', invert: false };
  const json = JSON.stringify({
    added_tokens: addedTokensOfConfig(config).map((token) => ({
      id: token.id,
      content: token.content,
      special: token.isSpecial,
      normalized: token.isNormalized,
      single_word: token.isSingleWord,
      lstrip: token.stripsLeft,
      rstrip: token.stripsRight,
    })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, BYTE_LEVEL] },
    post_processor: BYTE_LEVEL,
    decoder: BYTE_LEVEL,
  });
  const rows = JSON.stringify(merges.filter((line) => line !== '' && !line.startsWith('#version')));
  return `${json.slice(0, -1)},"model":{"type":"BPE","vocab":${files.vocabularyJson},"merges":${rows}}}`;
}
