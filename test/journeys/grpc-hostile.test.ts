/**
 * Workers behind gRPC that answer with what no engine should, clients that ask for what nobody should, and templates that
 * mean harm: typed errors, valid answers, bounded work, and a gateway that goes on.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { HOSTILE } from '../contracts/template/hostile.ts';
import { hostileEngine, SMALL_MODEL, smallBundle } from '../support/hostile-engine.ts';
import type { Asked, HostileEngine, HostilePlan } from '../support/hostile-engine.ts';
import { gatewayFor, payloads, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { zip } from '../support/zip.ts';

const KEY = 'sk-zq81-hidden-4471';
const LONG = 'x'.repeat(1 << 20);

interface HostileRig {
  readonly engine: HostileEngine;
  readonly gateway: Gateway;
}

async function rigWith(t: TestContext, plan: HostilePlan, flags: GatewayFlags = {}): Promise<HostileRig> {
  const engine = await hostileEngine(t, plan);
  const gateway = await gatewayFor(t, [], {
    modelPath: SMALL_MODEL,
    disableCircuitBreaker: true,
    retryMaxRetries: 1,
    ...flags,
  });
  const added = await post(gateway, '/workers?wait=5', { url: engine.url, api_key: KEY });
  assert.ok(added.ok, await added.text());
  await gateway.whenReady(1);
  return { engine, gateway };
}

const say = { model: 'small', messages: [{ role: 'user', content: 'hi' }], logprobs: true, top_logprobs: 2 };

/** Status and code of an answer whose every part is valid JSON. */
async function outcomeOf(answer: Response): Promise<string> {
  const text = await answer.text();
  assert.ok(!text.includes(KEY.slice(5)), 'the key of the worker is told');
  assert.ok(text.length < 100_000, `${text.length} characters are told`);
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const parts = isStream ? payloads(text).filter((part) => part !== '[DONE]') : [text];
  const told = parts.map((part) => JSON.parse(part) as { error?: { code?: string } });
  return `${answer.status} ${told.find(({ error }) => error)?.error?.code ?? 'ok'}`;
}

const ok = '200 ok';
/** Outcome as a whole, and as a stream where that differs. */
const answers: Readonly<Record<string, readonly [run: (asked: Asked) => void, whole: string, stream?: string]>> = {
  'ids outside of the vocabulary': [(a) => a.chunk({ tokenIds: [5_000, 2 ** 31, 2 ** 32 - 1, 70] }), ok],
  'an index that nobody asked for': [(a) => a.chunk({ tokenIds: [70], index: 1e9 }), '502 upstream_invalid_answer'],
  'an index of 2^32 - 1': [(a) => a.raw(Buffer.from('12090a014640ffffffff0f', 'hex')), '502 upstream_invalid_answer'],
  'numbers that are none': [
    (a) =>
      a.chunk({
        tokenIds: [70, 71],
        outputLogprobs: {
          tokenLogprobs: [Number.NaN, Number.NEGATIVE_INFINITY],
          topLogprobs: [{ values: [Number.NaN, Number.POSITIVE_INFINITY], tokenIds: [70, 2 ** 32 - 1] }],
        },
      }),
    ok,
  ],
  'log probabilities that do not go with the tokens': [
    (a) => {
      const topLogprobs = [{ values: [-1], tokenIds: [70, 71, 72] }];
      a.chunk({ tokenIds: [70], outputLogprobs: { tokenLogprobs: [-1, -2, -3], topLogprobs } });
      a.chunk({ tokenIds: [70, 71], outputLogprobs: { tokenLogprobs: [-1], topLogprobs: [] } });
    },
    ok,
  ],
  'a Complete twice, and chunks behind it': [
    (a) => {
      a.complete();
      for (let i = 0; i < 100; i += 1) a.chunk({ tokenIds: [70] });
    },
    ok,
  ],
  'empty messages': [
    (a) => {
      for (let i = 0; i < 100; i += 1) a.raw(Buffer.alloc(0));
    },
    ok,
  ],
  'long words for the end': [
    (a) => a.complete({ finishReason: LONG, matchedStop: { case: 'matchedStopStr', value: LONG } }),
    ok,
  ],
  'a message beyond the limit': [(a) => a.raw(Buffer.alloc(65 << 20)), '502 upstream_invalid_answer'],
  'what is no message': [(a) => a.raw(Buffer.from('ff'.repeat(20), 'hex')), '502 upstream_invalid_answer'],
  'a status with lines in it': [(a) => a.fail(3, 'bad\r\nx-evil: 1\0é'), '400 invalid_request'],
  'a status of many words': [(a) => a.fail(13, LONG.slice(0, 8_000)), '502 upstream_error'],
  'a status with the key': [(a) => a.fail(3, `not ${KEY}`), '400 invalid_request'],
  'a status with the key inside of an answer': [
    (a) => {
      a.chunk({ tokenIds: [70] });
      setTimeout(() => a.fail(16, `not ${KEY}`), 20);
    },
    '502 upstream_error',
    '200 upstream_error',
  ],
  'a request that it does not take': [
    (a) => a.fail(8, 'Received message larger than max (9 vs. 8)'),
    '400 invalid_request',
  ],
};

test('whatever a worker answers, clients get valid answers or typed errors, and the gateway goes on', async (t) => {
  const { engine, gateway } = await rigWith(t, {});
  for (const [name, [run, whole, stream = whole]] of Object.entries(answers)) {
    engine.plan.generate = (asked) => {
      run(asked);
      if (/status|request that/.test(name)) return;
      asked.complete();
      asked.end();
    };
    const asked = { stream: { ...say, stream: true }, whole: say };
    assert.equal(await outcomeOf(await post(gateway, '/v1/chat/completions', asked.whole)), whole, name);
    assert.equal(
      await outcomeOf(await post(gateway, '/v1/chat/completions', asked.stream)),
      stream,
      `${name}, as a stream`,
    );
    const completions = { model: 'small', prompt: 'hi', logprobs: 2 };
    assert.equal(await outcomeOf(await post(gateway, '/v1/completions', completions)), whole, `${name}, completions`);
  }
  assert.equal((await fetch(`${gateway.url}/health`)).status, 200);
});

test('a worker that does not stop is stopped, however it was asked', async (t) => {
  const stops = Promise.withResolvers<void>();
  let running = 0;
  const { gateway } = await rigWith(t, {
    generate: async (asked) => {
      running += 1;
      const tokenIds = Array.from({ length: 500 }, () => 70);
      while (!asked.isOver) if (!asked.chunk({ tokenIds })) await asked.drained();
      running -= 1;
      if (running === 0) stops.resolve();
    },
  });
  for (const isStream of [false, true]) {
    const body = { model: 'small', max_tokens: 20, stream: isStream, messages: [{ role: 'user', content: 'hi' }] };
    const outcome = await outcomeOf(await post(gateway, '/v1/chat/completions', body));
    assert.match(outcome, /upstream_invalid_answer/);
  }
  await stops.promise;
});

/** A google.protobuf.Struct in a Struct in a Struct, as field 1 of GetServerInfo. */
function deepStruct(depth: number): Buffer {
  let value = Buffer.alloc(0);
  const field = (tag: number, bytes: Buffer) => {
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
      if (rest < 0x80) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  for (let i = 0; i < depth; i += 1)
    value = field(0x0a, Buffer.concat([field(0x0a, Buffer.from('k')), field(0x12, field(0x2a, value))]));
  return field(0x0a, value);
}

const descriptions: Readonly<Record<string, HostilePlan['unary']>> = {
  'long texts': {
    getModelInfo: () => ({ servedModelName: 'small', modelPath: LONG, weightVersion: LONG, modelType: LONG }),
  },
  'a million architectures': {
    getModelInfo: () => ({ servedModelName: 'small', architectures: Array.from({ length: 1e6 }, () => 'A') }),
  },
  'defaults that are no JSON': {
    getModelInfo: () => ({ servedModelName: 'small', defaultSamplingParamsJson: '['.repeat(1e5) }),
  },
  'defaults that fit no field': {
    getModelInfo: () => ({ servedModelName: 'small', defaultSamplingParamsJson: '{"temperature":1e308,"top_k":1e15}' }),
  },
  'deep nesting': { getServerInfo: () => deepStruct(2_000) },
  'loads that are no numbers': {
    getLoads: () => ({
      loads: [{ genThroughput: Number.NaN, tokenUsage: Number.POSITIVE_INFINITY, numRunningReqs: 2 ** 31 - 1 }],
    }),
  },
};

test('whatever a worker says of itself, it serves, and what is shown of it is short and valid', async (t) => {
  for (const [name, unary] of Object.entries(descriptions)) {
    await t.test(name, async (t) => {
      const generate = (asked: Asked) => {
        asked.complete();
        asked.end();
      };
      const { gateway } = await rigWith(t, { generate, ...(unary && { unary }) });
      assert.equal(await outcomeOf(await post(gateway, '/v1/chat/completions', { ...say, model: 'small' })), ok);
      for (const path of ['/workers', '/v1/models', '/get_loads']) {
        const text = await (await fetch(gateway.url + path)).text();
        assert.ok(JSON.parse(text) && text.length < 40_000, `${path}: ${text.length} characters`);
      }
    });
  }
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const bundles: Readonly<Record<string, NonNullable<HostilePlan['bundle']>>> = {
  'a wrong checksum': (send) => void send(smallBundle(), sha256(Buffer.from('other'))),
  'no checksum': (send) => void send(smallBundle()),
  nothing: () => undefined,
  'ten thousand entries': (send) => {
    const archive = zip(Array.from({ length: 10_000 }, (_, i) => ({ name: `f${i}.json`, bytes: Buffer.from('{}') })));
    send(archive, sha256(archive));
  },
  'a way out': (send) => {
    const archive = zip([{ name: '../../tokenizer.json', bytes: Buffer.from('{}') }]);
    send(archive, sha256(archive));
  },
  'no archive': (send) => void send(Buffer.alloc(1 << 20), sha256(Buffer.alloc(1 << 20))),
};

test('a bundle that means harm leaves the model without a tokenizer, and says why', async (t) => {
  const ends = Object.entries(bundles).map(async ([name, bundle]) => {
    const { gateway } = await rigWith(t, { bundle }, { modelPath: undefined });
    const answer = await post(gateway, '/v1/chat/completions', say);
    assert.equal(await outcomeOf(answer), '503 tokenizer_unavailable', name);
    assert.equal((await fetch(`${gateway.url}/health`)).status, 200, name);
  });
  await Promise.all(ends);
});

const refused: readonly (readonly [param: string, path: string, body: object])[] = [
  ['temperature', '/v1/chat/completions', { ...say, temperature: 1e308 }],
  ['top_k', '/v1/completions', { prompt: 'a', top_k: 1e12 }],
  ['min_tokens', '/v1/chat/completions', { ...say, min_tokens: -1 }],
  ['stop_token_ids', '/v1/completions', { prompt: 'a', stop_token_ids: [1e15] }],
  ['logit_bias', '/v1/chat/completions', { ...say, logit_bias: { 5000: 1 } }],
  ['logit_bias', '/generate', { text: 'a', sampling_params: { logit_bias: { 5000: 1 } } }],
  ['prompt', '/v1/completions', { prompt: [5_000] }],
  ['prompt', '/v1/embeddings', { input: [[2 ** 31 - 1]] }],
  ['rid', '/v1/chat/completions', { ...say, rid: 'a\r\nx-evil: 1' }],
  ['rid', '/generate', { text: 'a', rid: LONG }],
  ['n', '/v1/completions', { prompt: Array.from({ length: 2_048 }, () => 'a'), n: 128 }],
  ['stop', '/v1/chat/completions', { ...say, stop: Array.from({ length: 64 }, (_, i) => i + 'x'.repeat(10_000)) }],
  ['chat_template_kwargs', '/v1/chat/completions', { ...say, chat_template_kwargs: { a: LONG } }],
];

test('what no engine may be asked never reaches one', async (t) => {
  const { engine, gateway } = await rigWith(t, {});
  for (const [param, path, body] of refused) {
    const answer = await post(gateway, path, { model: 'small', ...body });
    const { error } = (await answer.json()) as { error: { code: string; param: string } };
    assert.deepEqual([answer.status, error.code, error.param], [400, 'invalid_request', param], `${param} ${path}`);
  }
  assert.equal(engine.asked, 0);
});

test('calls with the same id are two calls to the engine', async (t) => {
  const ids: string[] = [];
  const { gateway } = await rigWith(t, {
    generate: (asked) => {
      ids.push(asked.request.requestId);
      asked.complete();
      asked.end();
    },
  });
  const answer = async () =>
    (await post(gateway, '/generate', { text: 'a', rid: 'mine' })).json() as Promise<{ meta_info: { id: string } }>;
  const told = [await answer(), await answer()].map(({ meta_info }) => meta_info.id);
  assert.deepEqual(told, ['mine', 'mine']);
  assert.equal(new Set(ids).size, 2);
  for (const id of ids) assert.match(id, /^mine-/);
});

/** The small model's folder with another template. */
function modelWith(t: TestContext, template: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'smg-template-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(SMALL_MODEL, folder, { recursive: true });
  writeFileSync(join(folder, 'chat_template.jinja'), template);
  return folder;
}

const CHOSEN = HOSTILE.filter((_, index) => index % 3 === 0);

test('templates that mean harm end in typed errors, while health and a stream go on', async (t) => {
  assert.ok(CHOSEN.length >= 20);
  for (const { name, source } of CHOSEN) {
    await t.test(name, async (t) => {
      const goOn = Promise.withResolvers<void>();
      const generate = async (asked: Asked) => {
        asked.chunk({ tokenIds: [70] });
        await goOn.promise;
        asked.complete();
        asked.end();
      };
      const { gateway } = await rigWith(t, { generate }, { modelPath: modelWith(t, source) });
      const stream = await post(gateway, '/v1/completions', { model: 'small', prompt: 'a', stream: true });
      const content = 'a'.repeat(200_000);
      const chat = post(gateway, '/v1/chat/completions', { model: 'small', messages: [{ role: 'user', content }] });
      assert.equal((await fetch(`${gateway.url}/health`)).status, 200);
      assert.match(
        await outcomeOf(await chat),
        /^[45]00 (template_limit|template_unusable|invalid_request|context_length_exceeded)$/,
      );
      goOn.resolve();
      assert.equal(await outcomeOf(stream), ok);
    });
  }
});
