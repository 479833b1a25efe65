/** Tokenizers through the whole gateway: from flags, a hub and the API, to tokens and back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../../src/app/build.ts';
import { allReady, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';

const MODEL = fileURLToPath(new URL('../fixtures/small-model', import.meta.url));

async function gatewayWith(t: TestContext, flags: GatewayFlags = {}): Promise<Gateway> {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url], flags);
  await allReady(gateway, 1);
  return gateway;
}

interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly body: Record<string, unknown>;
}

async function ask(
  gateway: Gateway,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(gateway.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...init,
  });
  const code = response.headers.get('x-smg-error-code');
  return { status: response.status, code, body: (await response.json()) as Record<string, unknown> };
}

async function settled(gateway: Gateway, name: string): Promise<Answer> {
  for (;;) {
    const answer = await ask(gateway, 'GET', `/v1/tokenizers/${name}/status`);
    if (answer.body['status'] === 'completed' || answer.body['status'] === 'failed') return answer;
  }
}

test('--model-path gives tokens for every model that is served, and texts back', async (t) => {
  const gateway = await gatewayWith(t, { modelPath: MODEL });
  const prompt = 'Hello, wörld! 😀<|im_end|>';
  const { status, body } = await ask(gateway, 'POST', '/v1/tokenize', { model: 'sim-model', prompt });
  assert.equal(status, 200);
  const tokens = body['tokens'] as number[];
  assert.deepEqual([body['count'], body['char_count'], tokens.at(-1)], [tokens.length, 15 + 10, 858]);
  const back = await ask(gateway, 'POST', '/v1/detokenize', { model: 'sim-model', tokens });
  assert.equal(back.body['text'], 'Hello, wörld! 😀');
  const whole = await ask(gateway, 'POST', '/v1/detokenize', {
    model: '',
    tokens: [tokens, []],
    skip_special_tokens: false,
  });
  assert.deepEqual(whole.body['text'], [prompt, '']);
});

test('lists are answered with lists', async (t) => {
  const gateway = await gatewayWith(t, { modelPath: MODEL });
  const { body } = await ask(gateway, 'POST', '/v1/tokenize', { prompt: ['a', '', 'ab '] });
  assert.deepEqual(body, { tokens: [[64], [], [480, 220]], count: [1, 0, 2], char_count: [1, 0, 3] });
});

test('a prompt of any length is tokenized, a long one on a thread, with the same ids', async (t) => {
  const gateway = await gatewayWith(t, { modelPath: MODEL });
  const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    .repeat(20)
    .slice(0, 200_000);
  const { body } = await ask(gateway, 'POST', '/v1/tokenize', { prompt: text });
  const { body: back } = await ask(gateway, 'POST', '/v1/detokenize', { tokens: body['tokens'] });
  assert.equal(back['text'], text);
});

test('tokenizers are registered, listed, looked at by id and name, and removed', async (t) => {
  const gateway = await gatewayWith(t);
  const none = await ask(gateway, 'POST', '/v1/tokenize', { model: 'team/small', prompt: 'x' });
  assert.deepEqual([none.status, none.code], [404, 'tokenizer_not_found']);
  const added = await ask(gateway, 'POST', '/v1/tokenizers', { name: 'team/small', source: MODEL });
  assert.deepEqual([added.status, added.body['status']], [202, 'pending']);
  const id = String(added.body['id']);
  const again = await ask(gateway, 'POST', '/v1/tokenizers', { name: 'team/small', source: MODEL });
  assert.deepEqual([again.status, again.code], [409, 'tokenizer_exists']);
  // A call waits for what is being loaded.
  assert.equal((await ask(gateway, 'POST', '/v1/tokenize', { model: 'team/small', prompt: 'x' })).status, 200);
  const expected = {
    id,
    name: 'team/small',
    source: MODEL,
    vocab_size: 859,
    status: 'completed',
    origin: 'api',
    attempts: 1,
    error: null,
  };
  assert.deepEqual((await ask(gateway, 'GET', '/v1/tokenizers')).body, { tokenizers: [expected] });
  assert.deepEqual((await ask(gateway, 'GET', `/v1/tokenizers/${id}`)).body, expected);
  assert.deepEqual((await ask(gateway, 'GET', '/v1/tokenizers/team/small')).body, expected);
  assert.equal((await ask(gateway, 'GET', `/v1/tokenizers/${id}/status`)).body['status'], 'completed');
  const removed = await ask(gateway, 'DELETE', '/v1/tokenizers/team/small');
  assert.deepEqual(removed.body, { success: true, message: 'Tokenizer team/small removed' });
  for (const [method, path] of [
    ['DELETE', id],
    ['GET', id],
    ['GET', `${id}/status`],
  ] as const)
    assert.equal((await ask(gateway, method, `/v1/tokenizers/${path}`)).code, 'tokenizer_not_found');
});

test('what cannot be loaded says why, and says it to calls too', async (t) => {
  const gateway = await gatewayWith(t, { tokenizerWaitTimeoutSecs: 0 });
  await ask(gateway, 'POST', '/v1/tokenizers', { name: 'm', source: '/nowhere/at/all' });
  const early = await ask(gateway, 'POST', '/v1/tokenize', { model: 'm', prompt: 'x' });
  assert.deepEqual([early.status, early.code], [503, 'tokenizer_unavailable']);
  const { body } = await settled(gateway, 'm');
  assert.equal(body['status'], 'failed');
  assert.match(String(body['message']), /\/nowhere\/at\/all: there is no such file or folder/);
  const late = await ask(gateway, 'POST', '/v1/tokenize', { model: 'm', prompt: 'x' });
  assert.match(JSON.stringify(late.body), /no such file or folder/);
});

for (const [path, body, param] of [
  ['/v1/tokenizers', { name: 'x' }, 'source'],
  ['/v1/tokenizers', { name: '', source: 'x' }, 'name'],
  ['/v1/tokenizers', { name: 'x', source: 'y', chat_template_path: 3 }, 'chat_template_path'],
  ['/v1/tokenizers', { name: 'x', source: 'y', key: 'z' }, 'key'],
  ['/v1/tokenizers', [], null],
  ['/v1/tokenize', {}, 'prompt'],
  ['/v1/tokenize', { prompt: [1] }, 'prompt'],
  ['/v1/tokenize', { prompt: 'x', model: 1 }, 'model'],
  ['/v1/tokenize', { prompt: 'x', add_special_tokens: 1 }, 'add_special_tokens'],
  ['/v1/detokenize', { tokens: 'x' }, 'tokens'],
  ['/v1/detokenize', { tokens: [-1] }, 'tokens'],
  ['/v1/detokenize', { tokens: [[1], 2] }, 'tokens'],
  ['/v1/detokenize', { tokens: [1.5] }, 'tokens'],
] as const) {
  test(`${path} refuses ${JSON.stringify(body)}`, async (t) => {
    const gateway = await gatewayFor(t, [], { enableIgw: true });
    const answer = await ask(gateway, 'POST', path, body);
    assert.deepEqual([answer.status, answer.code], [400, 'invalid_request']);
    assert.equal((answer.body['error'] as { param: unknown }).param, param);
  });
}

test('an alias means its model, ids beyond the vocabulary have no text, and bodies are bounded', async (t) => {
  const gateway = await gatewayWith(t, { modelPath: MODEL, modelAlias: ['chat=sim-model'] });
  assert.equal((await ask(gateway, 'POST', '/v1/tokenize', { model: 'chat', prompt: 'x' })).status, 200);
  assert.equal((await ask(gateway, 'POST', '/v1/detokenize', { tokens: [4_000_000_000, 64] })).body['text'], 'a');
  const huge = await post(gateway, '/v1/tokenize', `{"prompt":"${'x'.repeat(17 * 1024 * 1024)}"}`);
  assert.equal(huge.status, 413);
});

test('calls may tokenize, only the control plane may change what there is', async (t) => {
  const gateway = await gatewayFor(t, [], {
    enableIgw: true,
    modelPath: MODEL,
    tenantApiKey: ['acme:key-of-acme'],
    controlPlaneApiKeys: ['ci:CI:admin:key-of-ci'],
  });
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  assert.equal((await ask(gateway, 'POST', '/v1/tokenize', { prompt: 'x' })).status, 401);
  assert.equal((await ask(gateway, 'POST', '/v1/tokenize', { prompt: 'x' }, as('key-of-acme'))).status, 200);
  const spec = { name: 'm', source: MODEL };
  assert.notEqual((await ask(gateway, 'POST', '/v1/tokenizers', spec, as('key-of-acme'))).status, 202);
  assert.notEqual((await ask(gateway, 'GET', '/v1/tokenizers', undefined, as('key-of-acme'))).status, 200);
  assert.equal((await ask(gateway, 'POST', '/v1/tokenizers', spec, as('key-of-ci'))).status, 202);
});

test('the caches are counted where they are on, and change no token', async (t) => {
  const gateway = await gatewayWith(t, {
    modelPath: MODEL,
    tokenizerCacheEnableL0: true,
    tokenizerCacheEnableL1: true,
  });
  const plain = await gatewayWith(t, { modelPath: MODEL });
  const turns = ['<|im_start|>user\nHello<|im_end|>\n', '<|im_start|>assistant\nHi!<|im_end|>\n'];
  for (const prompt of [turns[0], turns.join(''), turns.join('')]) {
    const [one, two] = await Promise.all([gateway, plain].map((each) => ask(each, 'POST', '/v1/tokenize', { prompt })));
    assert.deepEqual(one?.body, two?.body);
  }
  const metrics = await (await fetch(gateway.metricsUrl ?? '')).text();
  assert.match(metrics, /smg_tokenizer_cache_hits_total\{level="l0"\} 1\n/);
  assert.match(metrics, /smg_tokenizer_cache_misses_total\{level="l0"\} 2\n/);
  assert.match(metrics, /smg_tokenizer_cache_hits_total\{level="l1"\} 2\n/);
  assert.match(metrics, /smg_tokenizer_cache_entries\{level="l1"\} 4\n/);
  assert.match(metrics, /smg_tokenizers_loaded 1\n/);
  assert.doesNotMatch(await (await fetch(plain.metricsUrl ?? '')).text(), /cache_hits_total\{/);
});
