/** What a tokenizer is made of, read by somebody else, and the common form that all kinds are brought to. */

import type { AddedToken } from './added-tokens.ts';
import { flagOf, idOf, isObject, type JsonObject, listOf, textOf } from './json-shape.ts';

export type TokenizerFiles =
  /** `tokenizer.json`, best as the bytes of the file, with or without `tokenizer_config.json`. */
  | {
      readonly kind: 'tokenizer_json';
      readonly tokenizerJson: string | Uint8Array;
      readonly configJson?: string | undefined;
    }
  /** `vocab.json` and `merges.txt` of the Qwen 2 classes. */
  | {
      readonly kind: 'vocabulary';
      readonly vocabularyJson: string;
      readonly mergesText: string;
      readonly configJson?: string | undefined;
    }
  /** `*.tiktoken` and `tiktoken.model`: a line for each token, its bytes in base64 and its rank. */
  | { readonly kind: 'tiktoken'; readonly ranks: Uint8Array; readonly configJson?: string | undefined };

/** `added_tokens` of tokenizer.json. */
export function addedTokensOf(list: unknown): AddedToken[] {
  return listOf(list, 'list of added tokens').map((entry) => {
    const token = isObject(entry) ? entry : {};
    return addedToken(idOf(token['id'], 'id of an added token'), token);
  });
}

/** `added_tokens_decoder` of tokenizer_config.json: by id. */
export function addedTokensOfConfig(config: JsonObject | undefined): AddedToken[] {
  const byId = config?.['added_tokens_decoder'];
  if (!isObject(byId)) return [];
  return Object.entries(byId).map(([id, entry]) =>
    addedToken(idOf(Number(id), 'id of an added token'), isObject(entry) ? entry : {}),
  );
}

function addedToken(id: number, token: JsonObject): AddedToken {
  return {
    id,
    content: textOf(token['content'], 'content of an added token'),
    isSpecial: flagOf(token['special'], false),
    isNormalized: flagOf(token['normalized'], !flagOf(token['special'], false)),
    isSingleWord: flagOf(token['single_word'], false),
    stripsLeft: flagOf(token['lstrip'], false),
    stripsRight: flagOf(token['rstrip'], false),
  };
}

/** `bos_token` and its like: a text, or an object with one. */
export function tokenTextOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value['content'] === 'string' ? value['content'] : undefined;
}
