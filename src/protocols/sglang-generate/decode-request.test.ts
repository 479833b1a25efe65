/** Bodies of `/generate` for workers that take tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, REQUEST_FACTS } from '../../../test/support/text-answers.ts';
import { decodeRequest } from './decode-request.ts';

function decode(members: object) {
  return decodeRequest(bodyOf(members), REQUEST_FACTS);
}

const forms: readonly (readonly [object, unknown[], boolean])[] = [
  [{ text: 'a' }, ['a'], false],
  [{ text: ['a'] }, ['a'], true],
  [{ input_ids: [1, 2] }, [[1, 2]], false],
  [{ input_ids: [[1], [2]] }, [[1], [2]], true],
];

for (const [members, expected, isBatch] of forms) {
  test(`takes ${JSON.stringify(members)}`, () => {
    const { request, warnings } = decode(members);
    const prompts = request.prompts.map((prompt) => (prompt.kind === 'text' ? prompt.text : [...prompt.ids]));
    assert.deepEqual([prompts, request.isBatch, request.model, warnings], [expected, isBatch, '', []]);
  });
}

test('sampling parameters have the names and the defaults of SGLang', () => {
  const { request, warnings } = decode({
    text: 'a',
    stream: true,
    rid: 'r',
    model: 'm',
    require_reasoning: true,
    sampling_params: {
      max_new_tokens: 9,
      min_new_tokens: 1,
      temperature: 0,
      top_k: 5,
      stop: ['x'],
      stop_token_ids: [2],
      json_schema: '{"type":"object"}',
      no_stop_trim: true,
      ignore_eos: true,
      skip_special_tokens: false,
      spaces_between_special_tokens: true,
      logit_bias: { 3: 1 },
      sampling_seed: 4,
      n: 2,
    },
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [request.isStream, request.requestId, request.model, request.addSpecialTokens],
    [true, 'r', 'm', true],
  );
  const { sampling } = request;
  assert.deepEqual(
    [sampling.maxTokens, sampling.minTokens, sampling.temperature, sampling.topK, sampling.seed, sampling.choices],
    [9, 1, 0, 5, 4, 2],
  );
  assert.deepEqual(
    [sampling.stop, sampling.stopTokenIds, sampling.keepsStop, sampling.ignoreEos, sampling.skipSpecialTokens],
    [['x'], [2], true, true, false],
  );
  assert.deepEqual(sampling.constraint, { kind: 'json_schema', text: '{"type":"object"}' });
  assert.deepEqual([sampling.logitBias, sampling.beginsInThought], [new Map([[3, 1]]), true]);
  assert.equal(decode({ text: 'a' }).request.sampling.maxTokens, 128);
});

test('log probabilities are of the output, and of the prompt from where it is asked', () => {
  const of = (members: object) => {
    const { sampling, shownLogprobs } = decode({ text: 'a', ...members }).request;
    return [sampling.logprobs, sampling.promptLogprobs, shownLogprobs];
  };
  assert.deepEqual(of({ top_logprobs_num: 3 }), [undefined, undefined, undefined]);
  const none = { promptFrom: Number.POSITIVE_INFINITY, hasText: false };
  assert.deepEqual(of({ return_logprob: true }), [0, undefined, none]);
  const asked = { return_logprob: true, logprob_start_len: 2, top_logprobs_num: 3, return_text_in_logprobs: true };
  assert.deepEqual(of(asked), [3, 3, { promptFrom: 2, hasText: true }]);
});

test('lists with one value for each prompt must agree', () => {
  const text = ['a', 'b'];
  const same = decode({ text, sampling_params: [{ n: 2 }, { n: 2 }], return_logprob: [true, true] });
  assert.deepEqual([same.request.sampling.choices, same.request.sampling.logprobs, same.warnings], [2, 0, []]);
  const run = () => decode({ text, sampling_params: [{ n: 2 }, { n: 1 }] });
  assert.throws(run, { code: 'invalid_request', param: 'sampling_params' });
});

for (const [members, param] of [
  [{}, 'text'],
  [{ text: 'a', input_ids: [1] }, 'input_ids'],
  [{ text: [1] }, 'text'],
  [{ input_ids: 'a' }, 'input_ids'],
  [{ text: 'a', image_data: 'x' }, 'image_data'],
  [{ input_embeds: [[1]] }, 'input_embeds'],
  [{ text: 'a', sampling_params: 1 }, 'sampling_params'],
  [{ text: 'a', sampling_params: { max_new_tokens: 'many' } }, 'sampling_params.max_new_tokens'],
  [{ text: 'a', sampling_params: { max_new_tokens: 1, min_new_tokens: 2 } }, 'sampling_params.min_new_tokens'],
  [{ text: 'a', sampling_params: { regex: 'a', ebnf: 'b' } }, 'sampling_params.ebnf'],
  [{ text: 'a', return_logprob: 1 }, 'return_logprob'],
  [{ text: 'a', logprob_start_len: -2 }, 'logprob_start_len'],
  [{ text: 'a', rid: 1 }, 'rid'],
] as const) {
  test(`refuses ${JSON.stringify(members)}, naming ${param}`, () => {
    assert.throws(() => decode(members), { code: 'invalid_request', param });
  });
}

test('what nobody knows is told once, in the body and in the parameters', () => {
  const { request, warnings } = decode({
    text: ['a', 'b'],
    rid: ['x', 'y'],
    return_hidden_states: true,
    log_metrics: false,
    sampling_params: { stop_regex: 'a', custom_params: {} },
  });
  assert.equal(request.requestId, 'x');
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    [
      'lost sampling_params.stop_regex',
      'lost sampling_params.custom_params',
      'changed rid',
      'lost return_hidden_states',
    ],
  );
});
