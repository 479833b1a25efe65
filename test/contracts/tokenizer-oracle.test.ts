/**
 * Our tokenizer against the reference implementation, id by id, on real vocabularies and generated texts; and its own laws:
 * decoding in any grouping is decoding at once. `SMG_FUZZ_RUNS` sets the number of texts per vocabulary.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import { createTokenizer, type MadeTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { oddText } from '../support/odd-texts.ts';
import { loadReference, readVocabulary, type Reference, vocabularyNames } from '../support/vocabularies.ts';

const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 1000);
const SEED = Number(process.env['SMG_FUZZ_SEED'] ?? 5);
const BATCH = 500;

const reference = await loadReference();

function ours(text: string, tokenizer: MadeTokenizer, addSpecialTokens: boolean): Uint32Array {
  const ids = tokenizer.encode(text, addSpecialTokens);
  if (ids instanceof Promise) throw new Error(`encodes elsewhere: ${tokenizer.encodesElsewhere}`);
  return ids;
}

/** Pushes all ids; what comes out, joined. */
function pushed(tokenizer: MadeTokenizer, ids: Uint32Array, skipSpecialTokens: boolean): string {
  const decoder = tokenizer.createDecoder({ skipSpecialTokens });
  let text = '';
  for (const id of ids) text += decoder.push(id);
  return text + decoder.end();
}

interface Tally {
  texts: number;
  tokens: number;
  units: number;
}

async function compareBatch(texts: string[], tokenizer: MadeTokenizer, oracle: Reference, tally: Tally): Promise<void> {
  const addSpecialTokens = tally.texts % (2 * BATCH) === 0;
  const expected = await oracle.encodeBatch(texts, { addSpecialTokens });
  const all = texts.map((text) => ours(text, tokenizer, addSpecialTokens));
  for (const [at, text] of texts.entries()) {
    assert.deepEqual([...(all[at] ?? [])], expected[at]?.getIds(), `ids of ${JSON.stringify(text)}`);
    tally.tokens += all[at]?.length ?? 0;
    tally.units += text.length;
  }
  for (const skipSpecialTokens of [true, false]) {
    const texts = await oracle.decodeBatch(
      all.map((ids) => [...ids]),
      skipSpecialTokens,
    );
    for (const [at, ids] of all.entries()) {
      assert.equal(tokenizer.decode(ids, { skipSpecialTokens }), texts[at], `text of ${JSON.stringify([...ids])}`);
      assert.equal(pushed(tokenizer, ids, skipSpecialTokens), texts[at], `pushed ${JSON.stringify([...ids])}`);
    }
  }
  tally.texts += texts.length;
}

/** Ids that no text gives: broken characters, runs of bytes, gaps in the vocabulary. */
async function compareStrayIds(tokenizer: MadeTokenizer, oracle: Reference, count: number): Promise<void> {
  const random = seededRandom(SEED + 1);
  const lowest = Math.min(tokenizer.vocabularySize, 600);
  const lists = Array.from({ length: count }, () =>
    Array.from({ length: 1 + randomInteger(random, 12) }, () =>
      randomInteger(random, random.next() < 0.7 ? lowest : tokenizer.vocabularySize),
    ),
  );
  for (const skipSpecialTokens of [true, false]) {
    const texts = await oracle.decodeBatch(lists, skipSpecialTokens);
    for (const [at, list] of lists.entries()) {
      const ids = Uint32Array.from(list);
      assert.equal(tokenizer.decode(ids, { skipSpecialTokens }), texts[at], `text of ${JSON.stringify(list)}`);
      assert.equal(pushed(tokenizer, ids, skipSpecialTokens), texts[at], `pushed ${JSON.stringify(list)}`);
    }
  }
}

for (const name of vocabularyNames) {
  const skip = reference === undefined ? 'the package tokenizers is not installed' : false;
  test(`${name}: ids and texts are those of the reference`, { skip }, async (context) => {
    if (reference === undefined) return;
    const { tokenizerJson } = readVocabulary(name);
    const oracle = reference.Tokenizer.fromString(tokenizerJson);
    const tokenizer = createTokenizer({ kind: 'tokenizer_json', tokenizerJson });
    const specials = [...tokenizer.specialTokens.keys()];
    const random = seededRandom(SEED);
    const tally: Tally = { texts: 0, tokens: 0, units: 0 };
    while (tally.texts < RUNS) {
      const count = Math.min(BATCH, RUNS - tally.texts);
      await compareBatch(
        Array.from({ length: count }, () => oddText(random, specials)),
        tokenizer,
        oracle,
        tally,
      );
    }
    await compareStrayIds(tokenizer, oracle, RUNS);
    context.diagnostic(`${tally.texts} texts, ${tally.units} code units, ${tally.tokens} tokens, no exception`);
  });
}
