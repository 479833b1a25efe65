/** A tokenizer that remembers says what it would say without memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LetterTokenizer } from '../../../test/support/letter-tokenizer.ts';
import { boundaryTokens } from './boundaries.ts';
import { CachedTokenizer } from './cached-tokenizer.ts';
import type { TokenizerCacheOptions } from './cached-tokenizer.ts';
import { Generations } from './generations.ts';

const LIMITS = { maxEntries: 100, maxBytes: 1_000_000 };

function cached(options: Partial<TokenizerCacheOptions> = {}) {
  const inner = new LetterTokenizer();
  const all = { l0: undefined, l1: undefined, boundaries: ['<s>', '<e>'], maxFreshChars: 1_000, ...options };
  return { inner, tokenizer: new CachedTokenizer(inner, all) };
}

const texts = fc.array(fc.constantFrom('<s>', '<e>', '<', 's>', 'a', 'long text ', '\ud800', '😀', '\u0000'), {
  maxLength: 30,
});

test('whatever is asked, in whatever order, the ids are those of the tokenizer itself', async () => {
  const levels = [
    { l0: LIMITS },
    { l1: LIMITS },
    { l0: LIMITS, l1: LIMITS },
    { l1: { maxEntries: 4, maxBytes: 2_000 } },
  ];
  for (const options of levels) {
    const { tokenizer } = cached({ ...options, maxFreshChars: 40 });
    const plain = new LetterTokenizer();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(texts, fc.boolean()), { maxLength: 8 }), async (calls) => {
        for (const [parts, added] of calls) {
          const text = parts.join('');
          assert.deepEqual(await tokenizer.encode(text, added), plain.encode(text, added));
        }
      }),
    );
  }
});

test('L0 knows a whole text again, with and without special tokens apart', () => {
  const { tokenizer, inner } = cached({ l0: LIMITS });
  for (const added of [false, true, false, true])
    assert.equal((tokenizer.encode('ab', added) as Uint32Array).length, added ? 3 : 2);
  assert.deepEqual(inner.asked, ['ab', 'ab']);
  const { l0, l1 } = tokenizer.view();
  assert.deepEqual([l0?.hits, l0?.misses, l0?.entries, l1], [2, 2, 2, undefined]);
});

test('L1 tokenizes a conversation that grows from its newest part on', () => {
  const { tokenizer, inner } = cached({ l1: LIMITS });
  void tokenizer.encode('sys<e>one<e>open', false);
  inner.asked.length = 0;
  void tokenizer.encode('sys<e>one<e>two<e>open', false);
  assert.deepEqual(inner.asked, ['two<e>', 'open']);
  const { l1 } = tokenizer.view();
  assert.deepEqual([l1?.hits, l1?.misses, l1?.entries], [2, 3, 3]);
});

test('L1 knows a part wherever it stands', () => {
  const { tokenizer, inner } = cached({ l1: LIMITS });
  void tokenizer.encode('one<e>two<e>', false);
  inner.asked.length = 0;
  void tokenizer.encode('two<e>one<e>', false);
  assert.deepEqual(inner.asked, []);
});

test('texts that get special tokens added are not cut', () => {
  const { tokenizer, inner } = cached({ l1: LIMITS });
  void tokenizer.encode('one<e>two', true);
  assert.deepEqual(inner.asked, ['one<e>two']);
});

test('no more than it may is encoded part by part; the rest goes on whole', () => {
  const { tokenizer, inner } = cached({ l1: LIMITS, maxFreshChars: 10 });
  void tokenizer.encode('aaaa<e>bbbb<e>cccc<e>', false);
  assert.deepEqual(inner.asked, ['aaaa<e>', 'bbbb<e>cccc<e>']);
});

test('a tokenizer that answers later is remembered as soon as it has', async () => {
  const inner = new LetterTokenizer();
  const later = Object.assign(Object.create(inner) as LetterTokenizer, {
    encode: (text: string, added: boolean) => Promise.resolve(inner.encode(text, added)),
  });
  const tokenizer = new CachedTokenizer(later, {
    l0: undefined,
    l1: LIMITS,
    boundaries: ['<e>'],
    maxFreshChars: 1_000,
  });
  const expected = new LetterTokenizer().encode('a<e>b<e>c', false);
  assert.deepEqual(await tokenizer.encode('a<e>b<e>c', false), expected);
  assert.deepEqual(await tokenizer.encode('a<e>b<e>c', false), expected);
  assert.deepEqual(inner.asked, ['a<e>', 'b<e>', 'c', 'c']);
});

test('memory stays within its limits, counts what it holds, and keeps what is used', () => {
  const memory = new Generations({ maxEntries: 20, maxBytes: 100_000 });
  const ids = (length: number) => new Uint32Array(length);
  memory.set('kept', ids(4));
  for (let i = 0; i < 1_000; i += 1) {
    assert.ok(memory.get('kept'));
    memory.set(`text ${i}`, ids(10));
    assert.ok(memory.size <= 20 && memory.bytes <= 100_000);
  }
  assert.equal(memory.get('text 0'), undefined);
  const wide = new Generations({ maxEntries: 20, maxBytes: 100_000 });
  wide.set('aé', ids(3));
  const narrow = wide.bytes;
  wide.set('a語', ids(3));
  assert.deepEqual([narrow, wide.bytes - narrow], [256 + 2 + 12, 256 + 4 + 12]);
});

test('memory is bounded by bytes too, and an entry beyond its share is not taken', () => {
  const memory = new Generations({ maxEntries: 1_000_000, maxBytes: 10_000 });
  for (let i = 0; i < 1_000; i += 1) {
    memory.set(`text ${i}`, new Uint32Array(50));
    assert.ok(memory.bytes <= 10_000);
  }
  assert.ok(memory.size > 5);
  memory.set('x'.repeat(3_000), new Uint32Array(1));
  assert.equal(memory.get('x'.repeat(3_000)), undefined);
});

const token = (content: string, flags: Record<string, unknown> = {}) => ({
  content,
  special: true,
  normalized: false,
  ...flags,
});

test('boundaries are special tokens that nothing overlaps and that take nothing with them', () => {
  const of = (...added_tokens: object[]) => boundaryTokens({ added_tokens });
  assert.deepEqual(of(token('<|im_end|>'), token('<|im_start|>')), ['<|im_end|>', '<|im_start|>']);
  assert.deepEqual(of(token('<a>', { rstrip: true }), token('<b>', { lstrip: true })), ['<b>']);
  assert.deepEqual(of(token('<a>', { normalized: true }), token('<b>', { special: false })), []);
  assert.deepEqual(of(token('<a>'), token('<a>x', { special: false })), ['<a>x'].slice(1));
  assert.deepEqual(of(token('<a>'), token('x<', { special: false })), []);
  assert.deepEqual(of(token('aba')), []);
  assert.deepEqual(of(token('<a>'), token('word', { single_word: true })), []);
});

test('tokens that only the config adds count as well', () => {
  const config = (content: string, flags = {}) => ({ added_tokens_decoder: { 7: token(content, flags) } });
  const tokenizer = { added_tokens: [token('<a>')] };
  assert.deepEqual(boundaryTokens(tokenizer, config('<b>')), ['<a>', '<b>']);
  assert.deepEqual(boundaryTokens(tokenizer, config('<a>', { rstrip: true })), []);
  assert.deepEqual(boundaryTokens(tokenizer, config('x<a>y')), ['x<a>y']);
});

test('a tokenizer that treats the beginning apart has no boundaries', () => {
  const added_tokens = [token('<a>')];
  const metaspace = (prepend_scheme: string) => ({ type: 'Metaspace', prepend_scheme });
  const of = (pre_tokenizer: unknown) => boundaryTokens({ added_tokens, pre_tokenizer });
  assert.deepEqual(of(metaspace('first')), []);
  assert.deepEqual(of({ type: 'Sequence', pretokenizers: [metaspace('first')] }), []);
  assert.deepEqual(of(metaspace('always')), ['<a>']);
  assert.deepEqual(of(null), ['<a>']);
  assert.deepEqual(boundaryTokens({ added_tokens, truncation: { max_length: 3 } }), []);
});
