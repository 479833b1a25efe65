import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spellBytes } from './byte-alphabet.ts';
import { createTokenizer } from './create-tokenizer.ts';
import { UnusableTokenizer } from './unusable.ts';

const bytes = Array.from({ length: 256 }, (_, byte) => spellBytes(Uint8Array.of(byte)));
const vocab = { ...Object.fromEntries(bytes.map((name, id) => [name, id])), th: 256, the: 257, Ġthe: 258 };
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const SPECIAL = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

function byteLevelJson(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    added_tokens: [
      { id: 300, content: '<|bos|>', ...SPECIAL },
      { id: 301, content: '<|eos|>', ...SPECIAL },
      { id: 302, content: '<tool>', ...SPECIAL, special: false },
    ],
    normalizer: null,
    pre_tokenizer: { ...BYTE_LEVEL, use_regex: true },
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: { type: 'BPE', vocab, merges: ['t h', ['th', 'e'], 'Ġ the'] },
    ...more,
  });
}

function ids(encoded: Uint32Array | Promise<Uint32Array>): number[] {
  if (encoded instanceof Promise) throw new Error('a promise where none was expected');
  return [...encoded];
}

test('merges by rank, takes special tokens out of the text and gives both back', () => {
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson() });
  const encoded = ids(tokenizer.encode('the the<|eos|>', false));
  assert.deepEqual(encoded, [257, 258, 301]);
  assert.equal(tokenizer.decode(encoded), 'the the');
  assert.equal(tokenizer.decode(encoded, { skipSpecialTokens: false }), 'the the<|eos|>');
  assert.equal(tokenizer.vocabularySize, 303);
  assert.deepEqual(
    [...tokenizer.specialTokens],
    [
      ['<|bos|>', 300],
      ['<|eos|>', 301],
    ],
  );
});

test('knows tokens by name, by id and by their bytes', () => {
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson() });
  assert.equal(tokenizer.idOf('Ġthe'), 258);
  assert.equal(tokenizer.tokenOf(258), 'Ġthe');
  assert.equal(Buffer.from(tokenizer.bytesOf(258)).toString(), ' the');
  assert.equal(tokenizer.idOf('<tool>'), 302);
  assert.equal(Buffer.from(tokenizer.bytesOf(301)).toString(), '<|eos|>');
  assert.equal(tokenizer.tokenOf(280), undefined);
  assert.equal(tokenizer.idOf('nothing'), undefined);
  assert.equal(tokenizer.bytesOf(9_999_999).length, 0);
  assert.equal(tokenizer.decode([280, 9_999_999, 257]), 'the');
});

test('emits a character with its last byte and holds nothing else back', () => {
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson() });
  const decoder = tokenizer.createDecoder();
  assert.deepEqual(
    ids(tokenizer.encode('a👍é', false)).map((id) => decoder.push(id)),
    ['a', '', '', '', '👍', '', 'é'],
  );
  assert.equal(decoder.push(0xf0), '');
  assert.equal(decoder.push(257), '\uFFFDthe');
  assert.equal(decoder.push(0xe2), '');
  assert.equal(decoder.push(0x82), '');
  assert.equal(decoder.end(), '\uFFFD');
  assert.equal(decoder.push(257), 'the');
});

test('puts BOS and EOS around a text as tokenizer_config.json wishes', () => {
  const wishes = { bos_token: '<|bos|>', eos_token: { content: '<|eos|>' }, add_bos_token: true, add_eos_token: true };
  const made = (config: object, more = {}) =>
    createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson(more), configJson: JSON.stringify(config) });
  assert.deepEqual(ids(made(wishes).encode('the', true)), [300, 257, 301]);
  assert.deepEqual(ids(made(wishes).encode('the', false)), [257]);
  const template = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|bos|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: { '<|bos|>': { id: '<|bos|>', ids: [300], tokens: ['<|bos|>'] } },
  };
  assert.deepEqual(ids(made({}, { post_processor: template }).encode('the', true)), [300, 257]);
  assert.deepEqual(ids(made(wishes, { post_processor: template }).encode('the', true)), [300, 257, 301]);
  const none = { ...wishes, add_bos_token: false };
  assert.deepEqual(ids(made(none, { post_processor: template }).encode('the', true)), [257, 301]);
});

test('adds tokens that only tokenizer_config.json has', () => {
  const config = { added_tokens_decoder: { '310': { content: '<|more|>', special: true } } };
  const files = { kind: 'tokenizer_json', tokenizerJson: byteLevelJson(), configJson: JSON.stringify(config) } as const;
  const tokenizer = createTokenizer(files);
  assert.deepEqual(ids(tokenizer.encode('the<|more|>', false)), [257, 310]);
  assert.equal(tokenizer.decode([257, 310]), 'the');
});

test('encodes elsewhere what it does not know, says why, and decodes by itself', async () => {
  const model = { type: 'WordPiece', vocab: { '[UNK]': 0, play: 1, '##ing': 2 }, unk_token: '[UNK]' };
  const tokenizerJson = byteLevelJson({ model, decoder: { type: 'WordPiece', prefix: '##', cleanup: true } });
  const asked: unknown[] = [];
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson }, (text, addSpecialTokens) => {
    asked.push([text, addSpecialTokens]);
    return Promise.resolve(Uint32Array.of(1, 2));
  });
  assert.match(tokenizer.encodesElsewhere ?? '', /WordPiece/);
  assert.equal(tokenizer.decode(await tokenizer.encode('playing', true)), 'playing');
  assert.deepEqual(asked, [['playing', true]]);
  assert.throws(() => createTokenizer({ kind: 'tokenizer_json', tokenizerJson }), UnusableTokenizer);
});

test('leaves expressions that it cannot translate to elsewhere', () => {
  const split = { type: 'Split', pattern: { Regex: '\\X\\b' }, behavior: 'Isolated', invert: false };
  const parts = { pre_tokenizer: { type: 'Sequence', pretokenizers: [split, BYTE_LEVEL] } };
  const files = { kind: 'tokenizer_json', tokenizerJson: byteLevelJson(parts) } as const;
  assert.throws(() => createTokenizer(files), /regular expression/);
  assert.match(createTokenizer(files, () => Promise.resolve(new Uint32Array())).encodesElsewhere ?? '', /\\X/);
});

test('reads merges that stand before the vocabulary, and refuses those that it does not explain', () => {
  const model = { merges: ['t h', 'th e'], type: 'BPE', vocab };
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson({ model }) });
  assert.deepEqual(ids(tokenizer.encode('the', false)), [257]);
  const unexplained = byteLevelJson({ model: { type: 'BPE', vocab, merges: ['q q'] } });
  assert.throws(() => createTokenizer({ kind: 'tokenizer_json', tokenizerJson: unexplained }), UnusableTokenizer);
});

test('refuses broken files with words about them', () => {
  const broken = (tokenizerJson: string) => () => createTokenizer({ kind: 'tokenizer_json', tokenizerJson });
  assert.throws(broken('{"model"'), /not JSON/);
  assert.throws(broken('[]'), UnusableTokenizer);
  assert.throws(broken('{"decoder":null,"model":{"type":"BPE","vocab":{"a":99999999999},"merges":[]}}'), /the id/);
});

test('builds the class of Qwen 2 from vocabulary and merges', () => {
  const config = {
    tokenizer_class: 'Qwen2Tokenizer',
    added_tokens_decoder: { '300': { content: '<|im_end|>', special: true } },
  };
  const files = {
    kind: 'vocabulary',
    vocabularyJson: JSON.stringify(vocab),
    mergesText: '#version: 0.2\nt h\r\nth e\nĠ the\n',
  } as const;
  const tokenizer = createTokenizer({ ...files, configJson: JSON.stringify(config) });
  assert.deepEqual(ids(tokenizer.encode('the the<|im_end|>', true)), [257, 258, 300]);
  const other = JSON.stringify({ tokenizer_class: 'Other' });
  assert.throws(() => createTokenizer({ ...files, configJson: other }), /Other/);
});

function rankFile(tokens: readonly (string | number)[]): Uint8Array {
  const lines = tokens.map((token, rank) => {
    const content = typeof token === 'number' ? Buffer.of(token) : Buffer.from(token);
    return `${content.toString('base64')} ${rank}`;
  });
  return Buffer.from(`${lines.join('\n')}\n`);
}

test('builds a tokenizer of ranks: the lowest rank merges first, whole words are taken at once', () => {
  const single = Array.from({ length: 256 }, (_, byte) => byte);
  const ranks = rankFile([...single, 'ab', 'bc', ' the', 'abcd', 'cd']);
  const config = JSON.stringify({ added_tokens_decoder: { '261': { content: '<|end|>', special: true } } });
  const tokenizer = createTokenizer({ kind: 'tiktoken', ranks, configJson: config });
  assert.deepEqual(ids(tokenizer.encode('abc the abcd<|end|>', false)), [256, 0x63, 258, 0x20, 259, 261]);
  assert.equal(tokenizer.decode(ids(tokenizer.encode('日本 👍', false))), '日本 👍');
  assert.throws(() => createTokenizer({ kind: 'tiktoken', ranks: Buffer.from('???') }), UnusableTokenizer);
});

test('gives Kimi its pattern and its 256 reserved tokens', () => {
  const single = Array.from({ length: 256 }, (_, byte) => byte);
  const config = {
    tokenizer_class: 'TikTokenTokenizer',
    added_tokens_decoder: {
      '256': { content: '[BOS]', special: true },
      '257': { content: '<|tool|>', special: false },
    },
  };
  const files = { kind: 'tiktoken', ranks: rankFile(single), configJson: JSON.stringify(config) } as const;
  const tokenizer = createTokenizer(files);
  assert.equal(tokenizer.vocabularySize, 512);
  assert.deepEqual(ids(tokenizer.encode('[BOS]a<|reserved_token_300|>', false)), [256, 0x61, 300]);
  assert.equal(tokenizer.decode([256, 257, 300]), '<|tool|>');
});

test('answers for a million equal letters, blanks or characters without growing beyond n log n', () => {
  const merges = ['t h', 'h t', 'tt tt', 't t'];
  const more = { tt: 259, tttt: 260, ht: 261 };
  const model = { type: 'BPE', vocab: { ...vocab, ...more }, merges: [merges[0], merges[1], merges[3], merges[2]] };
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson({ model }) });
  const encoded = ids(tokenizer.encode('t'.repeat(1_000_001), false));
  assert.equal(encoded.length, 250_001);
  assert.deepEqual(encoded.slice(-2), [260, 0x74]);
  assert.equal(ids(tokenizer.encode('汉'.repeat(100_000), false)).length, 300_000);
});

test('takes half characters of the text for U+FFFD', () => {
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson: byteLevelJson() });
  assert.equal(tokenizer.decode(ids(tokenizer.encode('a\ud800b', false))), 'a\uFFFDb');
});
