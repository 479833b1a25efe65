/** The questions that the gateway answers itself, and how start-up workers join. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEngine } from '../../sim/engine.ts';
import { allReady, chatBody, engineFor, gatewayFor, post, rigFor } from '../support/rig.ts';

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

test('health, liveness and readiness say who is alive and who can serve', async (t) => {
  const engine = await engineFor(t);
  await engine.refuse(true);
  const gateway = await gatewayFor(t, [engine.url]);
  for (const path of ['/health', '/liveness']) assert.equal(await (await fetch(gateway.url + path)).text(), 'OK');
  const before = await fetch(`${gateway.url}/readiness`);
  assert.equal(before.status, 503);
  assert.deepEqual(await before.json(), {
    status: 'not ready',
    reason: 'insufficient healthy workers',
    healthy_workers: 0,
    total_workers: 1,
  });
  await engine.refuse(false);
  await gateway.whenReady();
  const after = await fetch(`${gateway.url}/readiness`);
  assert.deepEqual(
    [after.status, await after.json()],
    [200, { status: 'ready', healthy_workers: 1, total_workers: 1 }],
  );
});

test('every model of every worker is listed once and can be asked for, slashes included', async (t) => {
  const { gateway } = await rigFor(t, 2, {}, { models: ['meta-llama/Llama-3.1-8B-Instruct', 'adapter'] });
  const list = (await getJson(`${gateway.url}/v1/models`)) as {
    object: string;
    data: { id: string; owned_by: string }[];
  };
  assert.deepEqual(
    list.data.map(({ id, owned_by }) => [id, owned_by]),
    [
      ['adapter', 'self_hosted'],
      ['meta-llama/Llama-3.1-8B-Instruct', 'self_hosted'],
    ],
  );
  const one = await getJson(`${gateway.url}/v1/models/meta-llama/Llama-3.1-8B-Instruct`);
  assert.equal(one['id'], 'meta-llama/Llama-3.1-8B-Instruct');
  const encoded = await getJson(`${gateway.url}/v1/models/meta-llama%2FLlama-3.1-8B-Instruct`);
  assert.equal(encoded['id'], 'meta-llama/Llama-3.1-8B-Instruct');
  assert.equal((await fetch(`${gateway.url}/v1/models/none`)).status, 404);
});

test('the workers are listed in order with state and facts, by id too, and never with a key', async (t) => {
  const { gateway, engines } = await rigFor(
    t,
    2,
    { workerApiKey: 'very-secret' },
    { apiKey: 'very-secret', kind: 'vllm' },
  );
  const text = await (await fetch(`${gateway.url}/workers`)).text();
  assert.ok(!text.includes('very-secret'));
  const { workers, total, stats } = JSON.parse(text) as {
    workers: Record<string, unknown>[];
    total: number;
    stats: unknown;
  };
  assert.equal(total, 2);
  assert.deepEqual(stats, { prefill_count: 0, decode_count: 0, regular_count: 2 });
  assert.deepEqual(
    workers.map((worker) => worker['url']),
    engines.map((engine) => engine.url),
  );
  const [first] = workers;
  assert.match(String(first?.['id']), /^[0-9a-f]{8}$/);
  assert.deepEqual([first?.['status'], first?.['runtime_type'], first?.['has_api_key']], ['ready', 'vllm', true]);
  assert.deepEqual(await getJson(`${gateway.url}/workers/${String(first?.['id'])}`), first);
  assert.equal((await fetch(`${gateway.url}/workers/ffffffff`)).headers.get('x-smg-error-code'), 'worker_not_found');
});

test('model and server info and the deep health check come from a ready engine', async (t) => {
  const { gateway } = await rigFor(t, 1, {}, { kind: 'sglang' });
  assert.ok('model_path' in (await getJson(`${gateway.url}/get_model_info`)));
  assert.ok('version' in (await getJson(`${gateway.url}/get_server_info`)));
  assert.equal((await fetch(`${gateway.url}/health_generate`)).status, 200);
  const empty = await gatewayFor(t, []);
  assert.equal((await fetch(`${empty.url}/get_model_info`)).status, 503);
});

test('a worker that is down at the start joins when it comes up, and its calls succeed', async (t) => {
  const probe = await startEngine({ models: ['late'] });
  const { port } = probe;
  await probe.close();
  const early = await engineFor(t);
  const gateway = await gatewayFor(t, [early.url, `http://127.0.0.1:${port}`]);
  await allReady(gateway, 1);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).status, 200);
  const unknown = await post(gateway, '/v1/chat/completions', chatBody({ model: 'late' }));
  assert.deepEqual([unknown.status, unknown.headers.get('x-smg-error-code')], [503, 'no_available_workers']);
  await engineFor(t, { port, models: ['late'] });
  await allReady(gateway, 2);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody({ model: 'late' }))).status, 200);
});

test('a worker that needs a key is probed with it; with a wrong key the reason is shown', async (t) => {
  const options = { apiKey: 'right', healthNeedsKey: true };
  const engine = await engineFor(t, options);
  const good = await gatewayFor(t, [engine.url], { workerApiKey: 'right' });
  await allReady(good, 1);
  const bad = await gatewayFor(t, [engine.url], { workerApiKey: 'wrong' });
  let shown: Record<string, unknown> = {};
  while (!shown['last_error'])
    shown = ((await getJson(`${bad.url}/workers`)) as { workers: Record<string, unknown>[] }).workers[0] ?? {};
  assert.match(String(shown['last_error']), /answered 401; it refuses the key/);
});

test('CORS is off by default and answers the configured origins only', async (t) => {
  const origin = 'https://app.example';
  const closed = await gatewayFor(t, []);
  assert.equal(
    (await fetch(`${closed.url}/health`, { headers: { origin } })).headers.get('access-control-allow-origin'),
    null,
  );
  const open = await gatewayFor(t, [], { corsAllowedOrigins: [origin] });
  const reply = await fetch(`${open.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-stainless-os',
    },
  });
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.get('access-control-allow-origin'), origin);
  assert.equal(reply.headers.get('access-control-allow-headers'), 'authorization,x-stainless-os');
  const other = await fetch(`${open.url}/health`, { headers: { origin: 'https://evil.example' } });
  assert.equal(other.headers.get('access-control-allow-origin'), null);
});
