/** Each part of tokenizer.json by itself against the reference: pre-tokenizers, normalizers, decoders, added tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { spellBytes } from '../../src/pipeline/tokenizer/byte-alphabet.ts';
import { createTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { DEEPSEEK_PATTERNS, KIMI_PATTERN, scannersByPattern } from '../../src/pipeline/tokenizer/known-patterns.ts';
import { normalizerOf } from '../../src/pipeline/tokenizer/normalizers.ts';
import { preTokenizerOf } from '../../src/pipeline/tokenizer/pre-tokenizers.ts';
import { oddText } from '../support/odd-texts.ts';
import { loadReference } from '../support/vocabularies.ts';

const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 150);
const reference = await loadReference();
const skip = reference === undefined ? 'the package tokenizers is not installed' : false;

function texts(): string[] {
  const random = seededRandom(77);
  return Array.from({ length: RUNS }, () => oddText(random, ['<s>', '[MASK]', 'MASK']).toWellFormed());
}

const BYTES = Object.fromEntries(
  Array.from({ length: 256 }, (_, byte) => [spellBytes(Uint8Array.of(byte)), byte] as const),
);
const BPE = { type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false };

function description(parts: Record<string, unknown>): string {
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { ...BPE, vocab: BYTES, merges: [] },
    ...parts,
  });
}

function referenceOf(parts: Record<string, unknown>) {
  if (reference === undefined) throw new Error('not installed');
  return reference.Tokenizer.fromString(description(parts));
}

function cuts(parts: unknown, text: string): string[] {
  const pieces: string[] = [];
  preTokenizerOf(parts).cut(text, true, {
    word: (from, start, end) => {
      pieces.push(from.slice(start, end));
    },
  });
  return pieces;
}

const split = (pattern: unknown, behavior = 'Isolated', invert = false) => ({
  type: 'Split',
  pattern,
  behavior,
  invert,
});

const PRE_TOKENIZERS: Record<string, unknown> = {
  ...Object.fromEntries([...scannersByPattern.keys()].map((Regex) => [Regex.slice(0, 60), split({ Regex })])),
  deepseek: { type: 'Sequence', pretokenizers: DEEPSEEK_PATTERNS.map((Regex) => split({ Regex })) },
  kimi: split({ Regex: KIMI_PATTERN }),
  // The same expressions with an empty group behind: no scanner has that, so the translated expression runs.
  ...Object.fromEntries(
    [...scannersByPattern.keys(), ...DEEPSEEK_PATTERNS].map((Regex) => [
      `translated ${Regex.slice(0, 50)}`,
      split({ Regex: `(?:${Regex})` }),
    ]),
  ),
  possessive: split({ Regex: '\\p{L}++|[^\\s\\p{L}]{1,3}+|(?>\\s+)' }),
  looks: split({ Regex: '(?<=\\p{Lu})\\p{Ll}+(?=\\s|$)|^\\s|\\d+(?!\\d)' }),
  ...Object.fromEntries(
    ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'].flatMap((behavior) => [
      [`${behavior} of blanks`, split({ String: ' ' }, behavior)],
      [`${behavior} of an expression`, split({ Regex: '[aeiou\\s]' }, behavior)],
      [`${behavior} inverted`, split({ Regex: '\\p{L}+' }, behavior, true)],
    ]),
  ),
  digits: { type: 'Digits', individual_digits: true },
  'digits together': { type: 'Digits', individual_digits: false },
  'white space split': { type: 'WhitespaceSplit' },
  'white space': { type: 'Whitespace' },
  'metaspace always': { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  'metaspace first': { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
  'metaspace unsplit': { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
  sequence: {
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Digits', individual_digits: true }],
  },
};

for (const [name, parts] of Object.entries(PRE_TOKENIZERS)) {
  test(`cuts as the reference does: ${name}`, { skip }, () => {
    const theirs = referenceOf({ pre_tokenizer: parts }).getPreTokenizer();
    for (const text of texts()) {
      const expected = theirs?.preTokenizeString(text).map(([piece]) => piece);
      assert.deepEqual(cuts(parts, text), expected, JSON.stringify(text));
    }
  });
}

const NORMALIZERS: Record<string, unknown> = {
  NFC: { type: 'NFC' },
  NFD: { type: 'NFD' },
  NFKC: { type: 'NFKC' },
  NFKD: { type: 'NFKD' },
  'lower case': { type: 'Lowercase' },
  strip: { type: 'Strip', strip_left: true, strip_right: true },
  replace: { type: 'Replace', pattern: { Regex: '\\s+' }, content: '$1_' },
  prepend: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
};

for (const [name, parts] of Object.entries(NORMALIZERS)) {
  test(`normalizes as the reference does: ${name}`, { skip }, () => {
    const theirs = referenceOf({ normalizer: parts }).getNormalizer();
    const ours = normalizerOf(parts);
    for (const text of texts()) assert.equal(ours?.(text), theirs?.normalizeString(text), JSON.stringify(text));
  });
}

const NAMES = [
  '▁',
  '▁Hey',
  'friend',
  '##ing',
  ' .',
  "n't",
  '<0xE4>',
  '<0xBD>',
  '<0xA0>',
  '<0xFF>',
  '<0x41>',
  'lo</w>',
  '<pad>',
  '|',
  '  x  ',
  'é',
];
const DECODERS: Record<string, unknown> = {
  none: null,
  metaspace: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  'metaspace never': { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true },
  'word pieces': { type: 'WordPiece', prefix: '##', cleanup: true },
  'word pieces as they are': { type: 'WordPiece', prefix: '##', cleanup: false },
  suffix: { type: 'BPEDecoder', suffix: '</w>' },
  ctc: { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true },
  bytes: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
  // The reference falls over names shorter than what it may strip, so none of them is all blanks.
  'strip of each': {
    type: 'Sequence',
    decoders: [{ type: 'ByteFallback' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }],
  },
  'strip of all': {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
};

for (const [name, decoder] of Object.entries(DECODERS)) {
  test(`decodes as the reference does, token by token: ${name}`, { skip }, async () => {
    const vocab = Object.fromEntries(NAMES.map((token, id) => [token, id]));
    const parts = { decoder, model: { ...BPE, vocab, merges: [] } };
    const theirs = referenceOf(parts);
    const ours = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: description(parts) });
    const random = seededRandom(3);
    for (let run = 0; run < 200; run++) {
      const ids = Array.from({ length: 1 + Math.floor(random.next() * 8) }, () =>
        Math.floor(random.next() * NAMES.length),
      );
      const expected = await theirs.decode(ids, true);
      const stream = ours.createDecoder();
      const pushed = ids.map((id) => stream.push(id)).join('') + stream.end();
      assert.equal(ours.decode(ids), expected, JSON.stringify(ids.map((id) => NAMES[id])));
      assert.equal(pushed, expected, JSON.stringify(ids.map((id) => NAMES[id])));
    }
  });
}

test('finds added tokens with all their flags as the reference does', { skip }, async () => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const parts = {
    normalizer: { type: 'Lowercase' },
    added_tokens: [
      { ...flags, id: 300, content: '<s>', special: true },
      { ...flags, id: 301, content: '[MASK]', lstrip: true, special: true },
      { ...flags, id: 302, content: 'the', single_word: true, rstrip: true, normalized: true },
      { ...flags, id: 303, content: 'MASK', normalized: true },
      { ...flags, id: 304, content: ' \n', rstrip: true, lstrip: true },
      { ...flags, id: 305, content: '<s>x' },
    ],
    model: {
      ...BPE,
      vocab: { ...BYTES, ...Object.fromEntries(Array.from({ length: 44 }, (_, at) => [`unused${at}`, 256 + at])) },
      merges: [],
    },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  };
  const theirs = referenceOf(parts);
  const ours = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: description(parts) });
  for (const text of [...texts(), 'The the, bathe  [MASK] <s>x<s> mask  \n\n x']) {
    const expected = (await theirs.encode(text, null, { addSpecialTokens: false })).getIds();
    assert.deepEqual([...(await ours.encode(text, false))], expected, JSON.stringify(text));
  }
});
