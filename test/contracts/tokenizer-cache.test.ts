/** The cache of tokens against real vocabularies: what it says is what the tokenizer says, whatever was asked before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundaryTokens } from '../../src/pipeline/tokenizer-cache/boundaries.ts';
import { CachedTokenizer } from '../../src/pipeline/tokenizer-cache/cached-tokenizer.ts';
import { createTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { readVocabulary, vocabularyNames } from '../support/vocabularies.ts';

const LIMITS = { maxEntries: 1_000, maxBytes: 10_000_000 };

for (const name of vocabularyNames) {
  test(`${name}: cached ids are the ids`, async () => {
    const { tokenizerJson, configJson } = readVocabulary(name);
    const plain = createTokenizer({ kind: 'tokenizer_json', tokenizerJson, configJson });
    const json = JSON.parse(tokenizerJson) as Record<string, unknown>;
    const config = JSON.parse(configJson) as Record<string, unknown>;
    const boundaries = boundaryTokens(json, config);
    assert.ok(boundaries.length > 0);
    const added = (json['added_tokens'] as { content: string }[]).map(({ content }) => content);
    const part = fc.oneof(
      fc.constantFrom(...added.slice(0, 200), ...boundaries.slice(0, 50)),
      fc.constantFrom(
        ' ',
        '\n',
        '  ',
        ' a',
        'word',
        '123456',
        '語',
        '😀',
        'é',
        'e\u0301',
        '\u200d',
        '<',
        '|>',
        '\t\n',
        '▁',
        '\u0301',
      ),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    );
    const text = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));
    const cached = new CachedTokenizer(plain, { l0: LIMITS, l1: LIMITS, boundaries, maxFreshChars: 500 });
    const partsOnly = new CachedTokenizer(plain, { l0: undefined, l1: LIMITS, boundaries, maxFreshChars: 500 });
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), async (each, isAdded) => {
        const expected = await plain.encode(each, isAdded);
        for (const tokenizer of [cached, cached, partsOnly, partsOnly])
          assert.deepEqual(await tokenizer.encode(each, isAdded), expected);
      }),
      { numRuns: 150 },
    );
    const { l1 } = partsOnly.view();
    assert.ok((l1?.hits ?? 0) > 0);
  });
}
