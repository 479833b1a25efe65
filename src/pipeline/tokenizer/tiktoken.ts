/**
 * Tokenizers of `*.tiktoken` files: ranks of byte strings, the pattern of cl100k; Kimi has its own pattern and 256
 * reserved special tokens behind its ranks (tokenization_kimi.py of the model).
 */

import type { AddedToken } from './added-tokens.ts';
import type { Assembled } from './assembled.ts';
import { mergesOfRanks } from './bpe-merges.ts';
import { ByteDecoding } from './byte-decoding.ts';
import { TextEncoding } from './engine.ts';
import { addedTokensOfConfig } from './files.ts';
import { isObject, type JsonObject } from './json-shape.ts';
import { CL100K_PATTERN, KIMI_PATTERN } from './known-patterns.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import type { Steps } from './steps.ts';
import { TokenTable } from './token-table.ts';
import { UnusableTokenizer } from './unusable.ts';

const KIMI_RESERVED = 256;
/** Lines that are read in one step. */
const LINES_AT_ONCE = 1024;

export function* tiktokenTokenizer(ranks: Uint8Array, config: JsonObject | undefined): Steps<Assembled> {
  const tokens = yield* parseRanks(ranks);
  const base = tokens.reduce((highest, [, rank]) => Math.max(highest, rank), -1) + 1;
  const isKimi = namesKimi(config);
  const added = isKimi ? kimiTokens(config, base) : addedTokensOfConfig(config);
  const table = new TokenTable(true);
  for (const [at, [bytes, rank]] of tokens.entries()) {
    table.addBytes(bytes, bytes.length, rank);
    if (at % LINES_AT_ONCE === 0) yield;
  }
  for (const token of added) if (!table.has(token.id)) table.addApart(token.content, token.id);
  const isSpecial = new Uint8Array(table.size);
  for (const token of added) if (token.isSpecial) isSpecial[token.id] = 1;
  const split = { type: 'Split', pattern: { Regex: isKimi ? KIMI_PATTERN : CL100K_PATTERN }, behavior: 'Isolated' };
  const merges = yield* mergesOfRanks(table, base);
  const encoding = new TextEncoding({
    model: {
      table,
      merges,
      isByteLevel: true,
      ignoresMerges: true,
      unknown: { unknownId: undefined, fuseUnknown: false, byteFallback: false },
    },
    added,
    normalize: undefined,
    cut: preTokenizerOf(split).cut,
    surroundings: { before: [], after: [] },
  });
  return { table, added, decoding: new ByteDecoding(table, isSpecial), encoding, elsewhere: undefined };
}

function* parseRanks(file: Uint8Array): Steps<[Uint8Array, number][]> {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1');
  const tokens: [Uint8Array, number][] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const blank = trimmed.indexOf(' ');
    const rank = Number(trimmed.slice(blank + 1));
    const bytes = Buffer.from(trimmed.slice(0, Math.max(blank, 0)), 'base64');
    if (blank < 0 || !Number.isInteger(rank) || rank < 0 || bytes.length === 0) {
      throw new UnusableTokenizer(`line ${tokens.length + 1} of its ranks in no known form`);
    }
    tokens.push([bytes, rank]);
    if (tokens.length % LINES_AT_ONCE === 0) yield;
  }
  if (tokens.length === 0) throw new UnusableTokenizer('no ranks');
  return tokens;
}

function namesKimi(config: JsonObject | undefined): boolean {
  const map = config?.['auto_map'];
  const classes = isObject(map) ? Object.values(map).flat() : [];
  return config?.['tokenizer_class'] === 'TikTokenTokenizer' || classes.some((name) => String(name).includes('kimi'));
}

/** The ids behind the ranks all exist; those without a name are `<|reserved_token_N|>`. */
function kimiTokens(config: JsonObject | undefined, base: number): AddedToken[] {
  const named = new Map(addedTokensOfConfig(config).map((token) => [token.id, token]));
  return Array.from({ length: KIMI_RESERVED }, (_, offset) => {
    const id = base + offset;
    const token = named.get(id);
    const content = token?.content ?? `<|reserved_token_${id}|>`;
    return {
      id,
      content,
      isSpecial: token?.isSpecial ?? true,
      isNormalized: false,
      isSingleWord: false,
      stripsLeft: false,
      stripsRight: false,
    };
  });
}
