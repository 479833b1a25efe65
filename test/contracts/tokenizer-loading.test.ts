/** Real vocabularies, loaded in slices beside other work: the same tokenizers as those that are made at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { createTokenizer, createTokenizerInSteps } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { createWarmTokenizer } from '../../src/tokenizers/create-tokenizer.ts';
import { inSlices } from '../../src/tokenizers/slices.ts';
import { oddText } from '../support/odd-texts.ts';
import { folderOfVocabulary, readVocabulary } from '../support/vocabularies.ts';

const TEXTS = 300;
const SEED = 20_261;
/** A byte-level one, the one with most merges, and one of text. */
const NAMES = ['qwen3', 'gptoss', 'llama2'] as const;

function filesOf(name: string): Map<string, Buffer> {
  const names = ['tokenizer.json', 'tokenizer_config.json'];
  return new Map(names.map((each) => [each, readFileSync(join(folderOfVocabulary(name), each))]));
}

for (const name of NAMES) {
  test(`${name}: comes in slices, between which the loop goes on, and is what it would be made at once`, async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
      await setImmediate();
    };
    const sliced = await createWarmTokenizer(filesOf(name), inSlices({ clock: systemClock, pause }));
    const whole = createTokenizer({ kind: 'tokenizer_json', ...readVocabulary(name) });
    assert.ok(pauses > 5, `${pauses} pauses`);
    const specials = [...whole.specialTokens.keys()];
    assert.deepEqual([...sliced.specialTokens], [...whole.specialTokens]);
    const random = seededRandom(SEED);
    for (let i = 0; i < TEXTS; i += 1) {
      const text = oddText(random, specials);
      // It is being warmed up meanwhile, which nobody may notice.
      const ids = await sliced.encode(text, true);
      assert.deepEqual(ids, await whole.encode(text, true), JSON.stringify(text));
      assert.equal(sliced.decode(ids), whole.decode(ids));
      if (i % 10 === 0) await setImmediate();
    }
  });
}

test('no vocabulary is read in few steps, nor warmed up in few', () => {
  for (const name of NAMES) {
    const { tokenizerJson } = readVocabulary(name);
    const steps = createTokenizerInSteps({ kind: 'tokenizer_json', tokenizerJson });
    let count = 0;
    for (;;) {
      const step = steps.next();
      if (!step.done) {
        count += 1;
        continue;
      }
      const warming = [...step.value.warmUp()].length;
      assert.ok(count > 90, `${name}: ${count} steps`);
      assert.ok(warming > 50, `${name}: ${warming} steps to warm up`);
      break;
    }
  }
});
