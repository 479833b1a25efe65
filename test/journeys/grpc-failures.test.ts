/** Engines behind gRPC that fail in every way, and what their clients hear of it (reliability catalogue, F28). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { FaultSpec, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import {
  abortedOnce,
  allQuiet,
  clientOf,
  generatesOf,
  grpcEngineFor,
  grpcRigFor,
  metricOf,
  paced,
  tokenizersReady,
  until,
  workersOf,
} from '../support/grpc-rig.ts';
import type { GrpcRig, Seen } from '../support/grpc-rig.ts';
import { chatBody, engineFor, gatewayFor, payloads } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';

const CHAT = '/v1/chat/completions';

/** The first engine is asked before the second one, and a breaker does not come in between. */
const FIRST_ONE = { policy: 'passthrough', disableCircuitBreaker: true, retryInitialBackoffMs: 1 };

const always = (fault: FaultSpec): FaultSpec[] => [{ path: 'Generate', rate: 1, ...fault }];

interface Pair extends GrpcRig {
  readonly first: SimGrpcEngine;
  readonly second: SimGrpcEngine;
}

/** Engines of two kinds; which of them is the first, the policy says. */
async function pairFor(t: TestContext, flags: Record<string, unknown> = FIRST_ONE): Promise<Pair> {
  const rig = await grpcRigFor(t, ['sglang', 'vllm'], flags, { outputTokens: 24 });
  await clientOf(rig.gateway, CHAT, chatBody()).over;
  const [first, second] = rig.engines.toSorted((a, b) => generatesOf(b) - generatesOf(a));
  if (!first || !second) throw new Error('two engines were started');
  for (const engine of rig.engines) engine.resetStats();
  return { ...rig, first, second };
}

const say = (gateway: Gateway, extra: Record<string, unknown> = {}): Promise<Seen> =>
  clientOf(gateway, CHAT, chatBody(extra)).over;

const isDone = ({ status, text }: Seen) => status === 200 && text.trimEnd().endsWith('data: [DONE]');

for (const tokens of [0, 1, 10]) {
  test(`an engine that dies after ${tokens} tokens of a stream`, async (t) => {
    const { gateway, first, second } = await pairFor(t);
    first.setFaults(always({ kind: 'kill_after', events: tokens }));
    const seen = await say(gateway, { stream: true });
    if (tokens === 0) assert.ok(isDone(seen), seen.text);
    else assert.match(payloads(seen.text).at(-1) ?? '', /"code":"upstream_broken"/);
    assert.deepEqual([seen.status, generatesOf(first), generatesOf(second)], [200, 1, tokens === 0 ? 1 : 0]);
  });
}

test('a whole answer of an engine that dies before it comes from another one', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  first.setFaults(always({ kind: 'kill_after', events: 0 }));
  const { status, text } = await say(gateway);
  assert.deepEqual([status, generatesOf(first), generatesOf(second)], [200, 1, 1], text);
});

test('nothing is asked again of which an engine had begun to tell, though the client has nothing yet', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  first.setFaults(always({ kind: 'kill_after', events: 10 }));
  // With a stop string engines are asked for a stream, whatever the client asked for.
  const { status, headers } = await say(gateway, { stop: ['never'] });
  assert.deepEqual([status, headers['x-smg-error-code'], generatesOf(second)], [502, 'upstream_broken', 0]);
});

test('an answer that ends well without being complete is not asked for again', async (t) => {
  for (const [fault, extra] of [
    [{ kind: 'reset_after', events: 3, clean: true }, { stop: ['never'] }],
    [{ kind: 'empty' }, {}],
    [{ kind: 'empty' }, { stream: true }],
  ] as const) {
    const { gateway, first, second } = await pairFor(t);
    first.setFaults(always(fault));
    const { status, headers } = await say(gateway, extra);
    const seen = [status, headers['x-smg-error-code'], generatesOf(first), generatesOf(second)];
    assert.deepEqual(seen, [502, 'upstream_broken', 1, 0], JSON.stringify([fault, extra]));
  }
});

const MESSAGES = [{ role: 'user', content: 'Say something.' }];
const model = 'sim-model';

/** How each API ends well, and how it says that an answer broke. */
const DIALECTS = [
  { path: CHAT, body: { model, messages: MESSAGES }, good: /\[DONE\]/, broken: /"code":"upstream_(broken|error)"/ },
  {
    path: '/v1/completions',
    body: { model, prompt: 'Once' },
    good: /\[DONE\]/,
    broken: /"code":"upstream_(broken|error)"/,
  },
  { path: '/generate', body: { text: 'Once' }, good: /\[DONE\]/, broken: /"error":/ },
  {
    path: '/v1/messages',
    body: { model, max_tokens: 50, messages: MESSAGES },
    good: /message_stop/,
    broken: /event: error\ndata: \{"type":"error"/,
  },
  {
    path: '/v1/responses',
    body: { model, input: 'Hi' },
    good: /response\.completed/,
    broken: /event: (error|response\.failed)/,
  },
  {
    path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    good: /"finishReason":"STOP"/,
    broken: /"error":\{/,
  },
];

test('a stream that breaks says so in the words of its API, and never that it is complete', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  for (const { path, body, good, broken } of DIALECTS) {
    const ask = () => clientOf(gateway, path, path.includes('Gen') ? body : { ...body, stream: true }).over;
    const whole = await ask();
    assert.match(whole.text, good, path);
    for (const fault of [
      { kind: 'reset_after', events: 6 },
      { kind: 'reset_after', events: 6, fin: true },
      { kind: 'error_event', events: 6 },
    ] as const) {
      first.setFaults(always(fault));
      const cut = await ask();
      assert.equal(cut.status, 200, path);
      assert.match(cut.text, broken, path);
      assert.doesNotMatch(cut.text, good, path);
      first.setFaults([]);
    }
  }
  assert.equal(generatesOf(second), 0);
  await allQuiet({ gateway, engines: [first, second] });
});

/** gRPC status: what the client gets. UNAVAILABLE alone goes to the other engine. */
const STATUSES: readonly (readonly [number, string, number, string])[] = [
  [1, 'CANCELLED', 502, 'upstream_error'],
  [2, 'UNKNOWN', 502, 'upstream_error'],
  [3, 'INVALID_ARGUMENT', 400, 'invalid_request'],
  [4, 'DEADLINE_EXCEEDED', 504, 'upstream_timeout'],
  [5, 'NOT_FOUND', 404, 'model_not_found'],
  [6, 'ALREADY_EXISTS', 502, 'upstream_error'],
  [7, 'PERMISSION_DENIED', 502, 'upstream_error'],
  [8, 'RESOURCE_EXHAUSTED', 429, 'rate_limited'],
  [9, 'FAILED_PRECONDITION', 400, 'invalid_request'],
  [10, 'ABORTED', 502, 'upstream_error'],
  [11, 'OUT_OF_RANGE', 400, 'invalid_request'],
  [12, 'UNIMPLEMENTED', 400, 'not_translatable'],
  [13, 'INTERNAL', 502, 'upstream_error'],
  [14, 'UNAVAILABLE', 200, ''],
  [15, 'DATA_LOSS', 502, 'upstream_error'],
  [16, 'UNAUTHENTICATED', 502, 'upstream_error'],
];

for (const [grpcStatus, name, status, code] of STATUSES) {
  test(`${name} before any token is ${status} ${code}`, async (t) => {
    const { gateway, first, second } = await pairFor(t);
    first.setFaults(always({ kind: 'status', status: 500, grpcStatus, body: 'Words of the engine.' }));
    const stream = await say(gateway, { stream: true });
    assert.equal(stream.status, status, stream.text);
    assert.equal(stream.headers['x-smg-error-code'] ?? '', code);
    if (status !== 200) assert.match(stream.text, /Words of the engine\./);
    assert.deepEqual([generatesOf(first), generatesOf(second)], [1, status === 200 ? 1 : 0]);
    await allQuiet({ gateway, engines: [first, second] });
  });
}

test('GOAWAY inside a stream: it goes on to its end, and the next call has a new connection', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  first.setFaults(always({ kind: 'goaway_after', events: 3, drops: false }));
  assert.ok(isDone(await say(gateway, { stream: true })));
  first.setFaults([]);
  assert.ok(isDone(await say(gateway, { stream: true })));
  assert.deepEqual([first.stats().faultsFired.goaway_after, first.stats().connectionsAccepted], [1, 1]);
  assert.deepEqual([generatesOf(first), generatesOf(second), first.aborts().length], [2, 0, 0]);
});

test('a call that GOAWAY leaves out, and one whose stream is refused, go to another engine', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  for (const fault of [{ kind: 'goaway_after', events: 0, drops: true }, { kind: 'refused_stream' }] as const) {
    first.setFaults(always(fault));
    const before = generatesOf(second);
    assert.ok(isDone(await say(gateway, { stream: true })), fault.kind);
    assert.equal(generatesOf(second) - before, 1, fault.kind);
  }
  // Of the first one the connection went, too, so that its engine may have begun.
  assert.ok(abortedOnce([first, second]).size <= 1);
});

test('RST_STREAM before the headers is an error of the engine, and nobody else is asked', async (t) => {
  const { gateway, first, second } = await pairFor(t);
  first.setFaults(always({ kind: 'reset_before_headers' }));
  const { status, headers } = await say(gateway, { stream: true });
  assert.deepEqual([status, headers['x-smg-error-code'], generatesOf(second)], [502, 'upstream_error', 0]);
});

test('one stream for each connection: many clients are served, and those who leave take their place with them', async (t) => {
  const rig = await grpcRigFor(t, ['vllm'], {}, { ...paced(1), outputTokens: 8, maxStreams: 1 });
  const [engine] = rig.engines;
  const clients = () =>
    Array.from({ length: 120 }, (_, i) => clientOf(rig.gateway, CHAT, chatBody({ stream: true, seed: i })));
  const ends = await Promise.all(clients().map(({ over }) => over));
  for (const end of ends) assert.ok(isDone(end), end.text);
  const { connectionsOpen = 0, peakConcurrency = 0 } = engine?.stats() ?? {};
  assert.ok(
    connectionsOpen <= 8 && peakConcurrency <= 10,
    `${connectionsOpen} connections, ${peakConcurrency} at once`,
  );
  const leaving = clients();
  await Promise.race(leaving.map((client) => client.hasEvents(2)));
  for (const client of leaving) client.leave();
  await allQuiet(rig);
  const told = abortedOnce(rig.engines);
  assert.deepEqual(
    engine?.left().filter((id) => !told.has(id)),
    [],
  );
  assert.equal((await say(rig.gateway)).status, 200);
});

test('messages of 5 MB pass in both directions', async (t) => {
  const room = { maxModelTokens: 3_000_000, kvTokens: 1e9, prefillChunkTokens: 1e7 };
  const rig = await grpcRigFor(t, ['sglang'], { maxPayloadSize: 64 * 1024 * 1024 }, room);
  const ids = Array.from({ length: 2_600_000 }, (_, i) => 200 + (i % 700));
  const asked = await clientOf(rig.gateway, '/v1/completions', { model, prompt: ids, max_tokens: 4 }).over;
  assert.equal(asked.status, 200, asked.text.slice(0, 300));
  assert.match(asked.text, /"prompt_tokens":2600000/);
  const told = await clientOf(rig.gateway, CHAT, {
    ...chatBody(),
    logprobs: true,
    top_logprobs: 20,
    max_tokens: 40_000,
    ignore_eos: true,
  }).over;
  assert.equal(told.status, 200, told.text.slice(0, 300));
  t.diagnostic(`an answer of ${(told.text.length / 1e6).toFixed(1)} MB`);
  assert.match(told.text, /"completion_tokens":40000/);
});

test('a dead worker costs its breaker, which closes when it is back', async (t) => {
  const flags = {
    cbFailureThreshold: 2,
    cbSuccessThreshold: 1,
    cbTimeoutDurationSecs: 0.2,
    disableHealthCheck: true,
    disableRetries: true,
  };
  const rig = await grpcRigFor(t, ['trtllm'], flags);
  const [engine] = rig.engines;
  assert.equal((await say(rig.gateway)).status, 200);
  const breaker = async () => (await workersOf(rig.gateway))[0]?.circuit_breaker;
  engine?.setFaults([{ kind: 'reset_after', events: 0, fin: true, times: 1, path: 'Generate' }, { kind: 'refuse' }]);
  for (let call = 0; call < 5 && (await breaker()) !== 'open'; call += 1) {
    assert.equal((await say(rig.gateway)).headers['x-smg-error-code'], 'upstream_unreachable');
  }
  assert.equal(await breaker(), 'open');
  await engine?.clearFaults();
  await until(async () => (await say(rig.gateway)).status === 200);
  assert.equal(await breaker(), 'closed');
});

const QUICK = { healthCheckIntervalSecs: 0.1, healthFailureThreshold: 2, healthSuccessThreshold: 2 };

test('an engine that says it is not healthy leaves, and comes back when it is', async (t) => {
  const rig = await grpcRigFor(t, ['sglang'], QUICK);
  const status = async () => (await workersOf(rig.gateway))[0]?.status;
  rig.engines[0]?.setHealthy(false);
  await until(async () => (await status()) === 'unhealthy');
  rig.engines[0]?.setHealthy(true);
  await until(async () => (await status()) === 'ready');
  assert.equal((await say(rig.gateway)).status, 200);
});

test('an engine that comes back as another kind with another model is asked as what it is', async (t) => {
  const rig = await grpcRigFor(t, ['sglang'], { ...QUICK, workerStartupCheckInterval: 1 });
  const [old] = rig.engines;
  const port = old?.port ?? 0;
  old?.kill();
  await until(async () => (await workersOf(rig.gateway))[0]?.status !== 'ready');
  const back = await grpcEngineFor(t, { kind: 'vllm', port, models: ['other-model'] });
  await until(async () => (await say(rig.gateway, { model: 'other-model' })).status === 200);
  assert.equal(generatesOf(back) > 0, true);
  assert.equal((await say(rig.gateway)).status, 404, 'the old model is gone');
});

test('a worker that does not speak what its URL says is told of at GET /workers/{id}', async (t) => {
  const http = createServer((_, reply) => reply.end('hello')).listen(0, '127.0.0.1');
  t.after(() => http.close());
  await once(http, 'listening');
  const grpc = await grpcEngineFor(t);
  const urls = [`grpc://127.0.0.1:${(http.address() as AddressInfo).port}`, grpc.url.replace('grpc:', 'http:')];
  const gateway = await gatewayFor(t, urls);
  const told: string[] = [];
  for (const { id } of await workersOf(gateway)) {
    const view = async () => (await api(gateway, 'GET', `/workers/${id}`)).body;
    await until(async () => JSON.stringify(await view()).includes('"last_error":"'));
    told.push(String((await view())['last_error']));
  }
  t.diagnostic(told.join(' | '));
  assert.equal(told.filter((words) => words.includes('The peer does not speak gRPC')).length, 1);
  assert.equal(told.filter((words) => words.includes('sent broken HTTP')).length, 1);
});

test('a worker behind gRPC that accepts and says nothing is given up after the time to connect', async (t) => {
  const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const url = `grpc://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const gateway = await gatewayFor(t, [url], { connectTimeoutSecs: 0.2 });
  const [worker] = await workersOf(gateway);
  const view = async () => JSON.stringify((await api(gateway, 'GET', `/workers/${worker?.id}`)).body);
  await until(async () => (await view()).includes('No connection was made within 200 ms'));
});

test('a pool of HTTP and gRPC workers of one model serves calls on both, one tier before the other', async (t) => {
  const [grpc, http] = [await grpcEngineFor(t, { kind: 'vllm' }), await engineFor(t, { kind: 'vllm' })];
  const chats = () => http.stats().requestsByPath[CHAT] ?? 0;
  const both = await gatewayFor(t, [grpc.url, http.url], { policy: 'round_robin', maxConcurrentRequests: 4 });
  await both.whenReady(2);
  await tokenizersReady(both);
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => say(both, { stream: i % 2 === 0 })));
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
  assert.deepEqual([generatesOf(grpc), chats()], [20, 20]);
  const tiers = await gatewayFor(t, [], {
    workers: [
      { url: grpc.url, priority: 10 },
      { url: http.url, priority: 1 },
    ],
    disableCircuitBreaker: true,
    retryInitialBackoffMs: 1,
  });
  await tiers.whenReady(2);
  await tokenizersReady(tiers);
  for (let call = 0; call < 6; call += 1) assert.equal((await say(tiers)).status, 200);
  assert.deepEqual([generatesOf(grpc), chats()], [26, 20], 'the higher tier serves alone');
  grpc.setFaults(always({ kind: 'status', status: 503 }));
  assert.equal((await say(tiers, { stream: true })).status, 200);
  assert.equal(chats(), 21, 'and the lower one what it cannot');
  assert.ok((await metricOf(tiers, 'smg_worker_retries_total')) >= 1);
});
