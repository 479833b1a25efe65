/** What engines behind gRPC are asked for, against what clients said: each engine's own request, as it decoded it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { GrpcEngineKind } from '../../sim/grpc/engine.ts';
import type { Json, Pair } from '../support/grpc-pair.ts';
import { CHAT, chatIn, gatewayOver, GRPC_KINDS, MODEL, startPair, user } from '../support/grpc-pair.ts';

const float = Math.fround;

/** Said alike by chat and completions. */
const SAMPLING = {
  temperature: 0.3,
  top_p: 0.5,
  top_k: 7,
  min_p: 0.1,
  frequency_penalty: 0.2,
  presence_penalty: 0.4,
  repetition_penalty: 1.1,
  max_tokens: 33,
  min_tokens: 3,
  stop: ['zzz', 'yyy'],
  stop_token_ids: [5],
  ignore_eos: true,
  seed: 42,
  logit_bias: { '7': -1.5 },
  n: 2,
};
const CHAT_SAMPLING = { ...SAMPLING, logprobs: true, top_logprobs: 2 };
const TEXT_SAMPLING = { ...SAMPLING, logprobs: 2 };
const GENERATE = {
  sampling_params: Object.fromEntries(
    Object.entries(SAMPLING).map(([name, value]) => [
      name === 'seed' ? 'sampling_seed' : name.replace(/^(max|min)_tokens$/, '$1_new_tokens'),
      value,
    ]),
  ),
  return_logprob: true,
  top_logprobs_num: 2,
};

const COMMON = {
  temperature: float(0.3),
  top_p: 0.5,
  top_k: 7,
  min_p: float(0.1),
  frequency_penalty: float(0.2),
  presence_penalty: float(0.4),
  repetition_penalty: float(1.1),
};
const STOPS = { stop: ['zzz', 'yyy'], stop_token_ids: [5], ignore_eos: true };
const TOKENS = { max_new_tokens: 33, min_new_tokens: 3 };

const BIAS = { logit_bias: { '7': -1.5 } };

/** By engine: what its request must have, and what the client is warned of. */
const EXPECTED: Readonly<Record<GrpcEngineKind, { readonly request: Json; readonly lost: readonly string[] }>> = {
  sglang: {
    request: {
      return_logprob: true,
      top_logprobs_num: 2,
      sampling_params: { ...COMMON, ...TOKENS, ...BIAS, ...STOPS, stop: [], n: 2 },
    },
    lost: ['seed'],
  },
  vllm: {
    request: {
      sampling_params: { ...COMMON, ...BIAS, ...STOPS, max_tokens: 33, min_tokens: 3, n: 2, seed: 42, logprobs: 2 },
    },
    lost: [],
  },
  trtllm: {
    request: {
      max_tokens: 33,
      ...STOPS,
      sampling_config: { ...COMMON, min_tokens: 3, num_return_sequences: 2, seed: 42, beam_width: 1 },
      output_config: { logprobs: 2, exclude_input_from_output: true },
    },
    lost: ['logit_bias'],
  },
  mlx: {
    request: {
      sampling_params: { ...COMMON, ...BIAS, stop_token_ids: [5], ignore_eos: true, max_tokens: 33, logprobs: 2 },
    },
    lost: ['min_tokens'],
  },
  tokenspeed: {
    request: {
      return_logprob: true,
      top_logprobs_num: 2,
      sampling_params: { ...COMMON, ...TOKENS, ...BIAS, ...STOPS, n: 2 },
    },
    lost: ['seed'],
  },
};

/** The members of `whole` that `part` has. */
function partOf(whole: Json, part: Json): Json {
  if (typeof part !== 'object' || part === null || Array.isArray(part) || whole === undefined) return whole;
  return Object.fromEntries(Object.keys(part).map((name) => [name, partOf(whole[name], part[name])]));
}

/** Where an engine has its sampling. */
function samplingIn(kind: GrpcEngineKind, request: Json): Json {
  return request[kind === 'trtllm' ? 'sampling_config' : 'sampling_params'];
}

function constraintIn(kind: GrpcEngineKind, request: Json): Json {
  if (kind === 'trtllm') {
    const { guide_type: type, guide } = request.guided_decoding ?? {};
    return type && [type, guide];
  }
  const names = ['json_schema', 'regex', 'ebnf_grammar', 'grammar', 'structural_tag'];
  const found = Object.entries(request.sampling_params).find(([name, value]) => names.includes(name) && value);
  return found;
}

const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  trtllm: {
    json_schema: 'GUIDE_TYPE_JSON_SCHEMA',
    regex: 'GUIDE_TYPE_REGEX',
    ebnf: 'GUIDE_TYPE_EBNF_GRAMMAR',
    structural_tag: 'GUIDE_TYPE_STRUCTURAL_TAG',
  },
  vllm: { ebnf: 'grammar' },
  sglang: { ebnf: 'ebnf_grammar' },
  tokenspeed: { ebnf: 'ebnf_grammar' },
};

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const TAG = { type: 'structural_tag', format: { type: 'const_string', value: 'ja' } };
const CONSTRAINTS: readonly (readonly [body: Json, kind: string, text: string])[] = [
  [{ response_format: { type: 'json_object' } }, 'json_schema', '{"type":"object"}'],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } } },
    'json_schema',
    JSON.stringify(SCHEMA),
  ],
  [{ guided_json: SCHEMA }, 'json_schema', JSON.stringify(SCHEMA)],
  [{ regex: 'ja|nein' }, 'regex', 'ja|nein'],
  [{ guided_regex: 'ja|nein' }, 'regex', 'ja|nein'],
  [{ ebnf: 'root ::= "ja"' }, 'ebnf', 'root ::= "ja"'],
  [{ guided_grammar: 'root ::= "ja"' }, 'ebnf', 'root ::= "ja"'],
  [{ guided_choice: ['ja', 'n.in'] }, 'regex', '(ja|n\\.in)'],
  [{ structured_outputs: { json: SCHEMA } }, 'json_schema', JSON.stringify(SCHEMA)],
  [{ structured_outputs: { regex: 'ja|nein' } }, 'regex', 'ja|nein'],
  [{ structured_outputs: { grammar: 'root ::= "ja"' } }, 'ebnf', 'root ::= "ja"'],
  [{ structured_outputs: { choice: ['ja', 'n.in'] } }, 'regex', '(ja|n\\.in)'],
  [{ response_format: TAG }, 'structural_tag', JSON.stringify(TAG)],
];

for (const kind of GRPC_KINDS) {
  describe(`an engine of ${kind} is asked`, () => {
    let pair: Pair;
    before(async () => {
      pair = await startPair({ kind });
    });
    after(() => pair.close());

    const asks: readonly (readonly [path: string, body: Json])[] = [
      [CHAT, { ...user('Hi'), ...CHAT_SAMPLING }],
      ['/v1/completions', { prompt: 'Hi', ...TEXT_SAMPLING }],
      ['/generate', { text: 'Hi', ...GENERATE }],
    ];
    for (const [path, body] of asks) {
      test(`for everything that ${path} says of sampling; what it lacks is told`, async () => {
        const { request, lost } = EXPECTED[kind];
        const reply = await pair.post(path, body);
        assert.equal(reply.status, 200, reply.text);
        const back = kind === 'mlx' ? 1 : 0;
        assert.deepEqual(partOf(pair.sent(back), request), request);
        const warnings = reply.headers.get('x-smg-translation-warnings') ?? '';
        for (const name of ['seed', 'logit_bias', 'min_tokens', 'stop', 'top_k'])
          assert.equal(warnings.includes(name), lost.includes(name), `${name} in: ${warnings}`);
      });
    }

    test('with the model’s own sampling where the client is silent, and never against its word', async () => {
      for (const [path, body] of [
        [CHAT, user('Hi')],
        ['/v1/completions', { prompt: 'Hi' }],
        ['/v1/messages', { ...user('Hi'), max_tokens: 9 }],
        ['/v1/responses', { input: 'Hi' }],
        ['/v1beta/models/Qwen3-Sim:generateContent', { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }],
        ['/generate', { text: 'Hi' }],
      ] as const) {
        const reply = await pair.post(path, body);
        assert.equal(reply.status, 200, `${path} ${reply.text}`);
        const { temperature, top_p: topP, top_k: topK } = samplingIn(kind, pair.sent());
        // Neither MLX itself nor its bundle says anything of it.
        const expected = kind === 'mlx' ? [undefined, 1, 0] : [float(0.7), float(0.9), 20];
        assert.deepEqual([temperature, topP, topK], expected, path);
      }
      await pair.post(CHAT, { ...user('Hi'), temperature: 0, top_p: 1, top_k: -1 });
      const { temperature, top_p: topP, top_k: topK = 0 } = samplingIn(kind, pair.sent());
      assert.deepEqual([temperature, topP], [0, 1]);
      assert.ok(topK <= 0, `${topK}`);
    });

    test('to bind the form of the answer, in all the ways in which clients say it', async () => {
      for (const path of [CHAT, '/v1/completions']) {
        for (const [body, name, text] of CONSTRAINTS) {
          const prompt = path === CHAT ? user('Hi') : { prompt: 'Hi' };
          const reply = await pair.post(path, { ...prompt, ...body });
          const what = `${path} ${JSON.stringify(body)}`;
          if (kind === 'mlx') {
            assert.equal(reply.status, 400, what);
            assert.match(reply.text, /mlx cannot bound the form/);
            continue;
          }
          assert.equal(reply.status, 200, `${what} ${reply.text}`);
          assert.equal(reply.headers.get('x-smg-translation-warnings'), null, what);
          assert.deepEqual(constraintIn(kind, pair.sent()), [NAMES[kind]?.[name] ?? name, text], what);
        }
      }
    });

    test('for whole numbers where its messages have no others', async () => {
      const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }];
      const body = { contents, generationConfig: { topK: 40.5 } };
      const reply = await pair.post('/v1beta/models/Qwen3-Sim:generateContent', body);
      assert.equal(reply.status, 400, reply.text);
      assert.match(reply.text, /top_k/);
    });

    test('under the id of the client, or that of its request', async () => {
      await pair.post(CHAT, { ...user('Hi'), rid: 'mine' });
      assert.match(pair.sent().request_id, /^mine/);
      for (const [path, body] of asks.map(([at, said]) => [at, { ...said, n: undefined }] as const)) {
        const { sampling_params: given, ...others } = body;
        const one = given ? { ...others, sampling_params: { ...given, n: 1 } } : others;
        const reply = await pair.post(path, one, { 'x-request-id': 'req-7', traceparent: TRACE });
        assert.equal(reply.status, 200, reply.text);
        assert.match(pair.sent().request_id, /^req-7/, path);
        assert.equal(new Map(pair.engine.lastRequest()?.metadata).get('traceparent')?.slice(0, 35), TRACE.slice(0, 35));
      }
    });
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('workers of several engines', () => {
  let mlx: Pair;
  let vllm: Pair;
  before(async () => {
    [mlx, vllm] = await Promise.all([startPair({ kind: 'mlx' }), startPair({ kind: 'vllm' })]);
  });
  after(() => Promise.all([mlx.close(), vllm.close()]));

  test('what MLX cannot be asked is asked of another worker', async (t) => {
    const gateway = await gatewayOver([mlx.engine.url, vllm.engine.url], { policy: 'round_robin' });
    t.after(() => gateway.stop({ force: true }));
    for (let i = 0; i < 4; i += 1) {
      const body = { model: MODEL, ...user('As JSON.'), response_format: { type: 'json_object' } };
      const reply = await fetch(gateway.url + CHAT, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });
      assert.equal(reply.status, 200, await reply.clone().text());
      assert.equal(typeof JSON.parse(chatIn(await reply.json()).choices[0]?.content ?? ''), 'object');
    }
  });

  test('a second try has an id of its own', async (t) => {
    const other = await startPair({ kind: 'vllm' });
    const gateway = await gatewayOver([vllm.engine.url, other.engine.url], { policy: 'round_robin' });
    t.after(async () => {
      await gateway.stop({ force: true });
      await other.close();
    });
    for (const { engine } of [vllm, other]) engine.setFaults([{ kind: 'status', status: 503, times: 1 }]);
    const body = { model: MODEL, ...user('#say Hi') };
    const headers = { ...JSON_TYPE, 'x-request-id': 'req-9' };
    const reply = await fetch(gateway.url + CHAT, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(reply.status, 200, await reply.clone().text());
    const ids = [vllm, other].flatMap((pair) => [0, 1].map((back) => pair.sent(back)?.request_id));
    const own = ids.filter((id) => typeof id === 'string' && id.startsWith('req-9'));
    assert.ok(own.length >= 3, JSON.stringify(ids));
    assert.equal(new Set(own).size, own.length, JSON.stringify(ids));
  });
});

test('TensorRT-LLM gets what is left of the context where the client names no limit', async (t) => {
  const pair = await startPair({ kind: 'trtllm', maxModelTokens: 4_096 });
  t.after(() => pair.close());
  const reply = await pair.post(CHAT, user('#say Hi'));
  assert.equal(pair.sent().max_tokens, 4_096 - reply.json.usage.prompt_tokens);
});
