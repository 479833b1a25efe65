/** Policies in front of engines that take tokens: what they know of a prompt is exact, whoever serves beside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import { DEFAULT_TOKENIZER_PATH } from '../../sim/grpc/assets.ts';
import type { GrpcEngineOptions, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { SglangScheduler } from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import { grpcEngine } from '../support/grpc-engine.ts';
import { allReady, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';

interface Message {
  readonly role: string;
  readonly content: string;
}

interface Shown {
  readonly url: string;
  readonly tokenizer?: { readonly status: string; readonly source?: string; readonly error?: string };
}

/** Of the workers, in their order. */
async function shownTokenizers(gateway: Gateway): Promise<readonly Shown['tokenizer'][]> {
  const { workers } = (await api(gateway, 'GET', '/workers')).body as { workers: readonly Shown[] };
  return workers.map(({ tokenizer }) => tokenizer);
}

async function tokenEngineFor(t: TestContext, options: Partial<GrpcEngineOptions> = {}): Promise<SimGrpcEngine> {
  const engine = await startGrpcEngine({ speed: Number.POSITIVE_INFINITY, ...options });
  t.after(() => engine.close());
  return engine;
}

async function rigFor(
  t: TestContext,
  engines: readonly { readonly url: string }[],
  flags: GatewayFlags = {},
): Promise<Gateway> {
  const gateway = await gatewayFor(
    t,
    engines.map(({ url }) => url),
    flags,
  );
  await allReady(gateway, engines.length);
  return gateway;
}

interface Answered {
  readonly worker: string;
  readonly decision: string;
  /** What the policy said that this worker has of the prompt, and how long the prompt is. */
  readonly expected: number;
  readonly tokens: number;
  /** What the engine said. */
  readonly cached: number;
  readonly promptTokens: number;
  readonly text: string;
}

async function ask(
  gateway: Gateway,
  messages: readonly Message[],
  extra: Record<string, unknown> = {},
): Promise<Answered> {
  const headers = { 'x-smg-explain': 'true' };
  const body = { model: 'sim-model', max_tokens: 16, messages, ...extra };
  const reply = await post(gateway, '/v1/chat/completions', body, { headers });
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  const { usage, choices } = JSON.parse(text) as {
    usage: { prompt_tokens: number; prompt_tokens_details?: { cached_tokens?: number } };
    choices: readonly { message: { content: string } }[];
  };
  const decision = reply.headers.get('x-smg-decision') ?? '';
  const [, expected, tokens] = /cached=(\d+)\/(\d+)/.exec(decision) ?? [];
  return {
    worker: reply.headers.get('x-smg-worker') ?? '',
    decision,
    expected: Number(expected),
    tokens: Number(tokens),
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    promptTokens: usage.prompt_tokens,
    text: choices[0]?.message.content ?? '',
  };
}

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const question = (of: string) => user(`${of}: ${'why is that so, and what follows from it? '.repeat(30)}`);

/** Of a block of the gateway's and a page of an engine's. */
const BLOCK_TOKENS = 32;

test('cache_aware keeps a conversation where its tokens are, knows how many, and spreads others', async (t) => {
  const engines = await Promise.all([0, 1, 2].map(() => tokenEngineFor(t)));
  const gateway = await rigFor(t, engines, { policy: 'cache_aware' });
  const homes = new Set<string>();
  for (let i = 0; i < 9; i += 1) {
    const first = await ask(gateway, [question(`conversation ${i}`)]);
    assert.equal(first.tokens, first.promptTokens);
    homes.add(first.worker);
    let messages = [question(`conversation ${i}`), assistant(first.text)];
    for (let turn = 0; turn < 2; turn += 1) {
      messages = [...messages, question(`turn ${turn}`)];
      const next = await ask(gateway, messages);
      assert.equal(next.worker, first.worker);
      assert.equal(next.tokens, next.promptTokens, next.decision);
      // The engine has the answer too, and counts in smaller pages.
      assert.ok(next.expected <= next.cached, `${next.expected} of ${next.cached}`);
      assert.ok(next.expected > next.cached - 2 * BLOCK_TOKENS, `${next.expected} of ${next.cached}`);
      messages = [...messages, assistant(next.text)];
    }
  }
  assert.equal(homes.size, 3);
});

/** A plain prompt of tokens: nothing stands around them. */
async function complete(gateway: Gateway, prompt: readonly number[]): Promise<{ worker: string; decision: string }> {
  const headers = { 'x-smg-explain': 'true' };
  const body = { model: 'sim-model', prompt, max_tokens: 1 };
  const reply = await post(gateway, '/v1/completions', body, { headers });
  assert.equal(reply.status, 200, await reply.text());
  return {
    worker: reply.headers.get('x-smg-worker') ?? '',
    decision: reply.headers.get('x-smg-decision') ?? '',
  };
}

test('prefix_hash goes by the first tokens exactly: what differs behind them goes together', async (t) => {
  const engines = await Promise.all([0, 1, 2].map(() => tokenEngineFor(t)));
  const gateway = await rigFor(t, engines, { policy: 'prefix_hash', prefixTokenCount: 50 });
  const key = async (prompt: readonly number[]) =>
    /prefix ([0-9a-f]+)/.exec((await complete(gateway, prompt)).decision)?.[1];
  const common = Array.from({ length: 50 }, (_, i) => 300 + i);
  const home = await key([...common, 1, 2, 3]);
  assert.ok(home);
  assert.equal(await key([...common, 9]), home);
  assert.equal(await key(common), home);
  assert.notEqual(await key([...common.slice(0, 49), 9, 1, 2, 3]), home);
  assert.notEqual(await key(common.slice(0, 49)), home);
  const { worker } = await complete(gateway, [...common, 4]);
  for (let i = 0; i < 5; i += 1) assert.equal((await complete(gateway, [...common, 10 + i])).worker, worker);
  const spread = new Set<string>();
  for (let i = 0; i < 12; i += 1) spread.add((await complete(gateway, [i + 300, ...common])).worker);
  assert.equal(spread.size, 3);
});

test('each data-parallel rank is a candidate of its own, and the engine is told which', async (t) => {
  const engine = await tokenEngineFor(t, { kind: 'vllm', dataParallelSize: 2 });
  const gateway = await rigFor(t, [engine], { policy: 'cache_aware', dpAware: true });
  const ranks = new Map<string, unknown>();
  for (let i = 0; i < 6; i += 1) {
    const { decision } = await ask(gateway, [question(`conversation ${i}`)]);
    assert.match(decision, /pool=2/);
    const rank = engine.lastRequest()?.message['data_parallel_rank'];
    ranks.set(`conversation ${i}`, rank);
    await ask(gateway, [question(`conversation ${i}`), assistant('Because.'), question('and then')]);
    assert.equal(engine.lastRequest()?.message['data_parallel_rank'], rank);
  }
  assert.deepEqual(new Set(ranks.values()), new Set([0, 1]));
});

for (const policy of ['least_load', 'cache_aware']) {
  test(`${policy} goes by what engines say of their load over gRPC, whoever it comes from`, async (t) => {
    const [busy, idle] = [await tokenEngineFor(t, { speed: 0.001 }), await tokenEngineFor(t)];
    const gateway = await rigFor(t, [busy, idle], { policy, loadMonitorInterval: 0.05 });
    // Somebody else's calls: they do not pass through this gateway.
    const other = await rigFor(t, [busy]);
    const leave = new AbortController();
    const body = { model: 'sim-model', messages: [question('somebody else')], max_tokens: 16 };
    const elsewhere = Array.from({ length: 3 }, () =>
      post(other, '/v1/chat/completions', body, { signal: leave.signal }).catch(() => undefined),
    );
    await busy.waitFor(({ running, waiting }) => running + waiting === 3);
    for (let looks = 0; looks < 2_000; looks += 1) {
      const metrics = await (await fetch(gateway.metricsUrl ?? '')).text();
      if (/^smg_worker_engine_(?:running|waiting)\{worker="\w+"\} [1-3]$/m.test(metrics)) break;
    }
    for (let i = 0; i < 8; i += 1) await ask(gateway, [question(`call ${i}`)]);
    assert.equal(idle.stats().sequencesFinished, 8);
    leave.abort();
    await Promise.all(elsewhere);
  });
}

for (const policy of ['cache_aware', 'prefix_hash', 'round_robin', 'least_load', 'power_of_two']) {
  test(`${policy} serves a model from engines behind HTTP and gRPC alike, and retries cross over`, async (t) => {
    const tokens = await tokenEngineFor(t);
    const http = await engineFor(t);
    const gateway = await rigFor(t, [tokens, http], { policy, retryInitialBackoffMs: 1, retryMaxBackoffMs: 1 });
    const down = [{ kind: 'status', status: 503 } as const];
    tokens.setFaults(down);
    for (let i = 0; i < 3; i += 1) await ask(gateway, [question(`a ${i}`)]);
    assert.ok(http.stats().sequencesFinished > 0);
    await tokens.clearFaults();
    http.setFaults(down);
    const before = tokens.stats().sequencesFinished;
    for (let i = 0; i < 3; i += 1) {
      const { decision, tokens: counted, promptTokens } = await ask(gateway, [question(`b ${i}`)]);
      if (policy === 'cache_aware') assert.equal(counted, promptTokens, decision);
    }
    assert.ok(tokens.stats().sequencesFinished > before);
  });
}

test('without a tokenizer engines behind HTTP serve all the same; those behind gRPC say why they cannot', async (t) => {
  const hidden = { bundle: 'none', reportsTokenizerPath: false } as const;
  const tokens = await tokenEngineFor(t, hidden);
  const alone = await rigFor(t, [tokens]);
  const asked = { model: 'sim-model', messages: [user('Hello')] };
  await api(alone, 'GET', '/v1/tokenizers');
  const refused = await post(alone, '/v1/chat/completions', asked);
  const text = await refused.text();
  assert.equal(refused.status, 503);
  assert.match(text, /tokenizer_unavailable/);
  assert.match(text, /worker [0-9a-f]{8}: /);
  const [failed] = await shownTokenizers(alone);
  assert.equal(failed?.status, 'failed');
  assert.match(failed?.error ?? '', /worker [0-9a-f]{8}: /);
  const mixed = await rigFor(t, [tokens, await engineFor(t)], { policy: 'round_robin' });
  for (let i = 0; i < 4; i += 1) await ask(mixed, [user(`call ${i}`)]);
  const good = await tokenEngineFor(t);
  assert.equal((await api(alone, 'POST', '/workers', { url: good.url })).status, 202);
  await allReady(alone, 2);
  for (let i = 0; i < 4; i += 1) await ask(alone, [user(`call ${i}`)]);
  assert.ok(tokens.stats().sequencesFinished > 0);
  // One tokenizer for both: it is the model's.
  assert.deepEqual(await shownTokenizers(alone), [
    { status: 'ready', source: DEFAULT_TOKENIZER_PATH },
    { status: 'ready', source: DEFAULT_TOKENIZER_PATH },
  ]);
});

test('a tokenizer that could not be loaded is brought by hand as well', async (t) => {
  const tokens = await tokenEngineFor(t, { bundle: 'none', reportsTokenizerPath: false });
  const gateway = await rigFor(t, [tokens]);
  const asked = { model: 'sim-model', messages: [user('Hello')] };
  assert.equal((await post(gateway, '/v1/chat/completions', asked)).status, 503);
  const spec = { name: 'sim-model', source: DEFAULT_TOKENIZER_PATH };
  assert.equal((await api(gateway, 'POST', '/v1/tokenizers', spec)).status, 202);
  await ask(gateway, [user('Hello')]);
});

test('a chain passes over a model whose context is shorter than the tokens, and no sooner', async (t) => {
  const [small, large] = [
    await tokenEngineFor(t, { models: ['small'], maxModelTokens: 256 }),
    await tokenEngineFor(t, { models: ['large'], maxModelTokens: 4_096 }),
  ];
  const gateway = await rigFor(t, [small, large], { modelAlias: ['auto=small,large'] });
  const words = (count: number) => [user('a '.repeat(count))];
  const fits = await ask(gateway, words(200), { model: 'auto', max_tokens: 8 });
  assert.ok(fits.promptTokens <= 248, `${fits.promptTokens} tokens`);
  assert.equal(small.stats().sequencesFinished, 1);
  const exact = 200 + (248 - fits.promptTokens);
  assert.equal((await ask(gateway, words(exact), { model: 'auto', max_tokens: 8 })).promptTokens, 248);
  assert.deepEqual([small.stats().sequencesFinished, large.stats().sequencesFinished], [2, 0]);
  const long = await ask(gateway, words(exact + 1), { model: 'auto', max_tokens: 8 });
  assert.equal(long.promptTokens, 249);
  assert.match(long.decision, /chain=small:context/);
  assert.deepEqual([small.stats().sequencesFinished, large.stats().sequencesFinished], [2, 1]);
});

test('while a tokenizer is being loaded nobody waits whom an engine behind HTTP can serve', async (t) => {
  const slow = await grpcEngine(t, SglangScheduler, {
    healthCheck: () => ({ healthy: true }),
    getModelInfo: () => ({ servedModelName: 'sim-model' }),
    getServerInfo: () => ({}),
    getTokenizer: () => 'hang',
  });
  const gateway = await rigFor(t, [{ url: slow }, await engineFor(t)], {
    policy: 'cache_aware',
    tokenizerWaitTimeoutSecs: 3_600,
  });
  for (let i = 0; i < 4; i += 1) await ask(gateway, [question(`call ${i}`)]);
  const { body } = await api(gateway, 'GET', '/v1/tokenizers/sim-model');
  assert.equal(body['status'], 'processing');
  assert.deepEqual(await shownTokenizers(gateway), [{ status: 'loading' }, undefined]);
});
