/** Log probabilities as engines give them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TinyTokenizer } from '../../../test/support/tiny-tokenizer.ts';
import { shownPrompt, shownToken, tokenLogprob } from './output-token.ts';

const tokenizer = new TinyTokenizer();

test('what is no number becomes the least there is, everywhere', () => {
  const lists = { topIds: [[65, 66]], topLogprobs: [[Number.NaN, Number.NEGATIVE_INFINITY]] };
  const token = shownToken(
    tokenizer,
    { id: 65, index: 0, tops: 2 },
    { logprobs: [Number.POSITIVE_INFINITY], ...lists },
  );
  const [prompt] = shownPrompt(tokenizer, 2, { ids: [65], logprobs: [Number.NaN], ...lists });
  for (const shown of [token, prompt]) {
    assert.deepEqual([shown?.logprob, shown?.top.map(({ logprob }) => logprob)], [-9999, [-9999, -9999]]);
  }
  assert.equal(tokenLogprob(tokenizer, token).logprob, -9999);
});
