/** What the gateway finds out about its workers by itself, over real sockets, and what it routes by that. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { ENGINE_KINDS } from '../../sim/options.ts';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';

interface WorkerView {
  readonly id: string;
  readonly url: string;
  readonly status: string;
  readonly models: readonly string[];
  readonly runtime_type: string;
  readonly version: string | undefined;
  readonly context_length: number | undefined;
  readonly last_error: string | null;
  readonly ranks: readonly { readonly id: string; readonly load: number }[] | undefined;
  readonly onboarding: { readonly step: string; readonly attempts: number };
}

async function workersOf(gateway: Gateway): Promise<readonly WorkerView[]> {
  const { workers } = (await (await fetch(`${gateway.url}/workers`)).json()) as { workers: WorkerView[] };
  return workers;
}

/** Looks until the only worker is as it should be; each look waits for its answer, and there is an end to looking. */
async function untilWorker(gateway: Gateway, isSo: (worker: WorkerView) => boolean): Promise<WorkerView> {
  let last: WorkerView | undefined;
  for (let looks = 0; looks < 20_000; looks += 1) {
    [last] = await workersOf(gateway);
    if (last && isSo(last)) return last;
  }
  throw new Error(`the worker did not come so far: ${JSON.stringify(last)}`);
}

async function serverFor(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function chatWith(gateway: Gateway, model: string): Promise<number> {
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ model }));
  await reply.arrayBuffer();
  return reply.status;
}

for (const kind of ENGINE_KINDS) {
  test(`an engine that is ${kind} is known as that, and serves`, async (t) => {
    const engine = await engineFor(t, { kind });
    const gateway = await gatewayFor(t, [engine.url]);
    await allReady(gateway, 1);
    const [worker] = await workersOf(gateway);
    assert.equal(worker?.runtime_type, kind === 'generic' ? 'openai-compatible' : kind);
    assert.deepEqual(worker?.models, ['sim-model']);
    assert.equal(worker?.version !== undefined, kind !== 'mlx' && kind !== 'generic');
    assert.equal(await chatWith(gateway, 'sim-model'), 200);
  });
}

test('three models and two adapters of one worker are all routed', async (t) => {
  const models = ['one', 'two', 'three', 'adapter-a', 'adapter-b'];
  for (const kind of ['sglang', 'vllm'] as const) {
    const engine = await engineFor(t, { kind, models });
    const gateway = await gatewayFor(t, [engine.url]);
    await allReady(gateway, 1);
    for (const model of models) assert.equal(await chatWith(gateway, model), 200, model);
    assert.equal(await chatWith(gateway, 'four'), 404);
  }
});

test('a worker that needs a key is told apart from one that is down, and serves with its key', async (t) => {
  const engine = await engineFor(t, { apiKey: 'secret-of-the-worker', healthNeedsKey: true });
  const without = await gatewayFor(t, [engine.url]);
  const refused = await untilWorker(without, (worker) => worker.last_error !== null);
  assert.match(refused.last_error ?? '', /^GET \/health answered 401; it needs a key/);
  assert.equal(refused.onboarding.step, 'connect');
  const wrong = await gatewayFor(t, [engine.url], { workerApiKey: 'another' });
  assert.match((await untilWorker(wrong, (worker) => worker.last_error !== null)).last_error ?? '', /refuses the key/);
  const right = await gatewayFor(t, [engine.url], { workerApiKey: 'secret-of-the-worker' });
  await allReady(right, 1);
  assert.equal(await chatWith(right, 'sim-model'), 200);
});

test('a worker that answers late, but within the limit, is routed', async (t) => {
  const engine = await engineFor(t);
  const paths = ['/health', '/v1/models', '/server_info', '/model_info'];
  engine.setFaults(paths.map((path) => ({ kind: 'slow', firstByteMs: 150, path })));
  const gateway = await gatewayFor(t, [engine.url], { healthCheckTimeoutSecs: 2 });
  await allReady(gateway, 1);
  assert.equal((await workersOf(gateway))[0]?.runtime_type, 'sglang');
  assert.equal(await chatWith(gateway, 'sim-model'), 200);
});

test('a worker whose further endpoints hang joins all the same', async (t) => {
  const asked: string[] = [];
  const url = await serverFor(t, (request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/health') response.end();
    if (request.url === '/v1/models') response.end('{"data": [{"id": "m", "owned_by": "somebody"}]}');
  });
  const gateway = await gatewayFor(t, [url], { healthCheckTimeoutSecs: 0.5 });
  await allReady(gateway, 1);
  const [worker] = await workersOf(gateway);
  assert.deepEqual([worker?.runtime_type, worker?.onboarding.attempts], ['openai-compatible', 1]);
  assert.ok(asked.length >= 6, 'the endpoints that hang were asked');
});

test('a URL without a scheme is probed, and calls go where it answered', async (t) => {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url.replace('http://', '')]);
  await allReady(gateway, 1);
  assert.equal(await chatWith(gateway, 'sim-model'), 200);
  const [worker] = await workersOf(gateway);
  assert.equal(worker?.url, engine.url, 'the scheme that answered is shown');
});

test('a URL without a scheme behind which something else listens says so', async (t) => {
  const server = createTcpServer((socket) => socket.end('SSH-2.0-x\r\n'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const gateway = await gatewayFor(t, [`127.0.0.1:${(server.address() as AddressInfo).port}`]);
  const worker = await untilWorker(gateway, ({ last_error: error }) => error !== null);
  assert.match(worker.last_error ?? '', /names no scheme, and it speaks neither HTTP nor HTTPS nor gRPC/);
  assert.equal(worker.onboarding.step, 'classify');
});

test('a failed worker comes back by itself', async (t) => {
  const engine = await engineFor(t);
  const health = { healthCheckIntervalSecs: 0.02, healthFailureThreshold: 1, healthSuccessThreshold: 1 };
  const gateway = await gatewayFor(t, [engine.url], { ...health, disableCircuitBreaker: true });
  await allReady(gateway, 1);
  await engine.refuse(true);
  const failed = await untilWorker(gateway, ({ status }) => status === 'failed');
  assert.ok(failed.last_error);
  assert.equal(await chatWith(gateway, 'sim-model'), 503);
  await engine.refuse(false);
  await untilWorker(gateway, ({ status }) => status === 'ready');
  assert.equal(await chatWith(gateway, 'sim-model'), 200);
});

test('ten workers that are down or hang do not delay those that are up', async (t) => {
  const down = Array.from({ length: 5 }, (_, i) => `http://127.0.0.1:${i + 1}`);
  const hanging = await Promise.all(Array.from({ length: 5 }, () => serverFor(t, () => undefined)));
  const engines = await Promise.all([engineFor(t), engineFor(t), engineFor(t)]);
  const gateway = await gatewayFor(t, [...down, ...hanging, ...engines.map(({ url }) => url)]);
  await allReady(gateway, engines.length);
  const others = (await workersOf(gateway)).filter(({ url }) => hanging.includes(url));
  // Their first question still waits for its answer: nobody has waited for them.
  assert.deepEqual(
    others.map(({ status, last_error: error }) => [status, error]),
    hanging.map(() => ['probing', null]),
  );
  for (let i = 0; i < 6; i += 1) assert.equal(await chatWith(gateway, 'sim-model'), 200);
});

for (const kind of ['sglang', 'vllm'] as const) {
  test(`the ranks of a data-parallel ${kind} worker are balanced by the gateway, and the body is else as it was`, async (t) => {
    const engine = await engineFor(t, { kind, dataParallelSize: 4 });
    const gateway = await gatewayFor(t, [engine.url], { dpAware: true, policy: 'round_robin' });
    await allReady(gateway, 1);
    const body = '{"messages":[{"role":"user","content":"x"}], "model": "sim-model","seed":1.0}';
    for (let i = 0; i < 20; i += 1) assert.equal((await post(gateway, '/v1/chat/completions', body)).status, 200);
    assert.deepEqual(engine.stats().requestsByRank, { 0: 5, 1: 5, 2: 5, 3: 5 });
    const last = engine.lastRequest();
    const sent = Buffer.from(last?.bodyBase64 ?? '', 'base64').toString();
    const rank = last?.headers.find(([name]) => name.toLowerCase() === 'x-data-parallel-rank')?.[1];
    assert.equal(sent, kind === 'sglang' ? `{"data_parallel_rank":${rank},${body.slice(1)}` : body);
    const workers = await workersOf(gateway);
    assert.deepEqual(
      workers.map(({ ranks }) => ranks?.map(({ id, load }) => [id.slice(8), load])),
      [[0, 1, 2, 3].map((at) => [`@${at}`, 0])],
    );
    const metrics = await (await fetch(gateway.metricsUrl ?? '')).text();
    assert.equal(metrics.match(/^smg_worker_requests_active\{worker="[0-9a-f]{8}@[0-3]"\} 0$/gm)?.length, 4);
  });
}

test('a data-parallel worker is changed and removed as one', async (t) => {
  const engine = await engineFor(t, { dataParallelSize: 3 });
  const gateway = await gatewayFor(t, [engine.url], { dpAware: true });
  await allReady(gateway, 1);
  const [worker] = await workersOf(gateway);
  const url = `${gateway.url}/workers/${worker?.id}`;
  const headers = { 'content-type': 'application/json' };
  const patched = await fetch(url, { method: 'PATCH', headers, body: '{"priority": 90}' });
  assert.ok(patched.ok, await patched.text());
  const explained = await post(gateway, '/v1/chat/completions', chatBody(), { headers: { 'x-smg-explain': 'true' } });
  assert.match(explained.headers.get('x-smg-decision') ?? '', /priority=90/);
  const removed = await fetch(url, { method: 'DELETE' });
  assert.ok(removed.ok, await removed.text());
  assert.equal(await chatWith(gateway, 'sim-model'), 503);
  assert.deepEqual(await workersOf(gateway), []);
});

test('a worker that is registered with models of its own names is asked by its own', async (t) => {
  const engine = await engineFor(t, { models: ['real'] });
  const gateway = await gatewayFor(t, [], { enableIgw: true });
  const registered = await post(gateway, '/workers?wait=10', {
    url: engine.url,
    models: [{ id: 'real', aliases: ['nickname'], context_length: 4096 }],
  });
  assert.ok(registered.ok, await registered.text());
  assert.equal((await workersOf(gateway))[0]?.context_length, 4_096);
  assert.equal(await chatWith(gateway, 'nickname'), 200);
  const sent = Buffer.from(engine.lastRequest()?.bodyBase64 ?? '', 'base64').toString();
  assert.match(sent, /"model":"real"/);
});

test('without --dp-aware a data-parallel worker is one member and the engine deals out its ranks', async (t) => {
  const engine = await engineFor(t, { dataParallelSize: 4 });
  const gateway = await gatewayFor(t, [engine.url]);
  await allReady(gateway, 1);
  await chatWith(gateway, 'sim-model');
  assert.equal(
    engine.lastRequest()?.headers.some(([name]) => name.toLowerCase() === 'x-data-parallel-rank'),
    false,
  );
});

test('what an engine reports of its load shows in the metrics and steers calls away from it', async (t) => {
  const [busy, idle] = await Promise.all([engineFor(t, { speed: 0.001 }), engineFor(t)]);
  const gateway = await gatewayFor(t, [busy.url, idle.url], { policy: 'least_load', loadMonitorInterval: 0.05 });
  await allReady(gateway, 2);
  // Somebody else's calls: they do not pass through this gateway.
  const leave = new AbortController();
  const others = [1, 2, 3].map(() =>
    fetch(`${busy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chatBody()),
      signal: leave.signal,
    }).catch(() => undefined),
  );
  await busy.waitFor(({ running, waiting }) => running + waiting === 3);
  for (let looks = 0; looks < 2_000; looks += 1) {
    const metrics = await (await fetch(gateway.metricsUrl ?? '')).text();
    if (/^smg_worker_engine_(?:running|waiting)\{worker="\w+"\} [1-3]$/m.test(metrics)) break;
  }
  const before = idle.stats().requestsByPath['/v1/chat/completions'] ?? 0;
  for (let i = 0; i < 10; i += 1) assert.equal(await chatWith(gateway, 'sim-model'), 200);
  assert.equal((idle.stats().requestsByPath['/v1/chat/completions'] ?? 0) - before, 10);
  leave.abort();
  await Promise.all(others);
});
