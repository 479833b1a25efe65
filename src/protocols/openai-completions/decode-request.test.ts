/** Completions bodies for workers that take tokens: every form of prompt, every option, every refusal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, REQUEST_FACTS } from '../../../test/support/text-answers.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { PlainPrompt, TextRequest } from '../hub/text-codec.ts';
import { decodeRequest } from './decode-request.ts';

function decode(members: object) {
  return decodeRequest(bodyOf({ model: 'm', prompt: 'Hi', ...members }), REQUEST_FACTS);
}

function refusalOf(members: object): string | undefined {
  try {
    decode(members);
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError && thrown.code === 'invalid_request');
    return thrown.param;
  }
  return 'taken';
}

function plain(prompts: readonly PlainPrompt[]): unknown[] {
  return prompts.map((prompt) => (prompt.kind === 'text' ? prompt.text : [...prompt.ids]));
}

const forms: readonly (readonly [string, unknown, unknown[], boolean])[] = [
  ['a text', 'Hi', ['Hi'], false],
  ['a list of texts', ['a', ''], ['a', ''], true],
  ['a list of one text', ['a'], ['a'], true],
  ['the tokens of one prompt', [1, 2, 128_000], [[1, 2, 128_000]], false],
  ['lists of tokens', [[1], [2, 3]], [[1], [2, 3]], true],
  ['texts and tokens', ['a', [4]], ['a', [4]], true],
];

for (const [name, prompt, expected, isBatch] of forms) {
  test(`the prompt may be ${name}`, () => {
    const { request, warnings } = decode({ prompt });
    assert.deepEqual([plain(request.prompts), request.isBatch, warnings], [expected, isBatch, []]);
  });
}

test('what is left open has the defaults of OpenAI and of the engines', () => {
  const { request } = decode({});
  const expected: TextRequest = {
    model: 'm',
    isStream: false,
    wantsUsage: false,
    prompts: [{ kind: 'text', text: 'Hi' }],
    isBatch: false,
    echo: false,
    suffix: undefined,
    addSpecialTokens: true,
    requestId: undefined,
    sampling: {
      maxTokens: 16,
      minTokens: undefined,
      temperature: undefined,
      topP: undefined,
      topK: undefined,
      minP: undefined,
      frequencyPenalty: undefined,
      presencePenalty: undefined,
      repetitionPenalty: undefined,
      seed: undefined,
      stop: [],
      stopTokenIds: [],
      ignoreEos: false,
      keepsStop: false,
      skipSpecialTokens: true,
      logitBias: undefined,
      choices: 1,
      logprobs: undefined,
      promptLogprobs: undefined,
      constraint: undefined,
      beginsInThought: false,
    },
  };
  assert.deepEqual(request, expected);
});

test('every option of the API and of the engines arrives', () => {
  const { request, warnings } = decode({
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    max_tokens: 0,
    min_tokens: 0,
    echo: true,
    n: 3,
    best_of: 3,
    logprobs: 2,
    temperature: 0,
    top_p: 0.5,
    top_k: -1,
    min_p: 0.1,
    frequency_penalty: -2,
    presence_penalty: 2,
    repetition_penalty: 1.1,
    seed: 7,
    stop: 'x',
    stop_token_ids: [3],
    ignore_eos: true,
    no_stop_trim: true,
    skip_special_tokens: false,
    add_special_tokens: false,
    logit_bias: { 50256: -100, 7: 3 },
    regex: 'a+',
    user: 'someone',
    rid: 'r',
  });
  assert.deepEqual(warnings, []);
  const { sampling, isStream, wantsUsage, echo, addSpecialTokens, requestId } = request;
  assert.deepEqual(
    { isStream, wantsUsage, echo, addSpecialTokens, requestId },
    { isStream: true, wantsUsage: true, echo: true, addSpecialTokens: false, requestId: 'r' },
  );
  assert.deepEqual(sampling, {
    maxTokens: 0,
    minTokens: 0,
    temperature: 0,
    topP: 0.5,
    topK: -1,
    minP: 0.1,
    frequencyPenalty: -2,
    presencePenalty: 2,
    repetitionPenalty: 1.1,
    seed: 7,
    stop: ['x'],
    stopTokenIds: [3],
    ignoreEos: true,
    keepsStop: true,
    skipSpecialTokens: false,
    logitBias: new Map([
      [50256, -100],
      [7, 3],
    ]),
    choices: 3,
    logprobs: 2,
    promptLogprobs: 2,
    constraint: { kind: 'regex', text: 'a+' },
    beginsInThought: false,
  });
});

const constraints: readonly (readonly [object, object])[] = [
  [{ ebnf: 'root ::= "a"' }, { kind: 'ebnf', text: 'root ::= "a"' }],
  [{ json_schema: '{"type":"object"}' }, { kind: 'json_schema', text: '{"type":"object"}' }],
  [{ guided_json: { type: 'object' } }, { kind: 'json_schema', text: '{"type":"object"}' }],
  [{ guided_grammar: 'g' }, { kind: 'ebnf', text: 'g' }],
  [{ structured_outputs: { grammar: 'g' } }, { kind: 'ebnf', text: 'g' }],
  [{ response_format: { type: 'json_object' } }, { kind: 'json_schema', text: '{"type":"object"}' }],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { a: 1 } } } },
    { kind: 'json_schema', text: '{"a":1}' },
  ],
];

for (const [members, constraint] of constraints) {
  test(`the form of the output may be bound by ${JSON.stringify(members)}`, () => {
    const { request, warnings } = decode(members);
    assert.deepEqual([request.sampling.constraint, warnings], [constraint, []]);
  });
}

const refused: readonly (readonly [object, string])[] = [
  [{ prompt: null }, 'prompt'],
  [{ prompt: 3 }, 'prompt'],
  [{ prompt: [] }, 'prompt'],
  [{ prompt: [[]] }, 'prompt[0]'],
  [{ prompt: [[1], [-2]] }, 'prompt[1][0]'],
  [{ prompt: [1.5] }, 'prompt[0]'],
  [{ prompt: [1, 'a'] }, 'prompt[1]'],
  [{ prompt: ['a', {}] }, 'prompt[1]'],
  [{ prompt: Array.from({ length: 2_049 }, () => '') }, 'prompt'],
  [{ prompt: Array.from({ length: 100 }, () => ''), n: 50 }, 'n'],
  [{ n: 0 }, 'n'],
  [{ n: '1' }, 'n'],
  [{ logprobs: 6 }, 'logprobs'],
  [{ logprobs: true }, 'logprobs'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ max_tokens: 4, min_tokens: 5 }, 'min_tokens'],
  [{ temperature: -0.1 }, 'temperature'],
  [{ top_p: 1.1 }, 'top_p'],
  [{ stop: [1] }, 'stop[0]'],
  [{ stop_token_ids: ['a'] }, 'stop_token_ids[0]'],
  [{ logit_bias: { the: 1 } }, 'logit_bias.the'],
  [{ logit_bias: { 1: 101 } }, 'logit_bias.1'],
  [{ logit_bias: { 1: '1' } }, 'logit_bias.1'],
  [{ regex: 'a', ebnf: 'b' }, 'ebnf'],
  [{ regex: 'a', response_format: { type: 'json_object' } }, 'response_format'],
  [{ json_schema: 'no' }, 'json_schema'],
  [{ response_format: { type: 'odd' } }, 'response_format.type'],
  [{ stream_options: 1 }, 'stream_options'],
  [{ echo: 1 }, 'echo'],
];

for (const [members, param] of refused) {
  test(`refuses ${JSON.stringify(members).slice(0, 60)}, naming ${param}`, () =>
    assert.equal(refusalOf(members), param));
}

test('what will not be done is told once, and what nobody knows too', () => {
  const { warnings } = decode({
    best_of: 4,
    suffix: '!',
    stop: ['', 'a'],
    prompt_embeds: 'x',
    stream_options: { continuous_usage_stats: true },
  });
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    [
      'changed stop',
      'lost stream_options.continuous_usage_stats',
      'changed suffix',
      'lost best_of',
      'lost prompt_embeds',
    ],
  );
});
