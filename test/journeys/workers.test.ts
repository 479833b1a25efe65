/** The fleet over REST: registering, waiting, reading, changing and removing workers of a running gateway. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import { addReady, api } from '../support/workers-api.ts';

/** A gateway without workers. */
const emptyGateway = (t: TestContext, flags = {}) => gatewayFor(t, [], { enableIgw: true, ...flags });

test('a worker is registered, becomes ready, is listed and serves', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const { status, headers, body } = await api(gateway, 'POST', '/workers', { url: engine.url });
  const id = String(body['worker_id']);
  assert.equal(status, 202);
  assert.match(id, /^[0-9a-f]{8}$/);
  assert.deepEqual(body, {
    status: 'accepted',
    worker_id: id,
    url: engine.url,
    location: `/workers/${id}`,
    message: 'Worker addition queued for background processing',
  });
  assert.equal(headers.get('location'), `/workers/${id}`);
  await gateway.whenReady();
  const shown = await api(gateway, 'GET', `/workers/${id}`);
  assert.deepEqual([shown.status, shown.body['status'], shown.body['models']], [200, 'ready', ['sim-model']]);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).headers.get('x-smg-worker'), id);
});

test('the same worker by any spelling is there already, and the answer says which it is', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  for (const url of [engine.url, `${engine.url}/`, `${engine.url}/v1`, engine.url.replace('http://', '')]) {
    const { status, headers, body } = await api(gateway, 'POST', '/workers', { url });
    assert.deepEqual([status, headers.get('x-smg-error-code')], [409, 'worker_exists'], url);
    assert.equal(body.error?.['worker_id'], id);
    assert.match(String(body.error?.['message']), new RegExp(id));
  }
});

test('a body that is wrong in many ways is refused with all of them, and registers nothing', async (t) => {
  const gateway = await emptyGateway(t);
  const { status, body } = await api(gateway, 'POST', '/workers', { uri: 'x', priority: '1', api_key: 'SECRET WORDS' });
  assert.equal(status, 400);
  const { message, param, code } = body.error ?? {};
  assert.deepEqual([param, code], ['url', 'invalid_request']);
  for (const name of ['url', 'uri', 'priority', 'api_key']) assert.match(String(message), new RegExp(`\`${name}\``));
  assert.ok(!String(message).includes('SECRET'));
  for (const bad of ['', '[]', '"http://a"', '{"url": "ftp://a:1"}', 'no json']) {
    assert.equal((await api(gateway, 'POST', '/workers', bad)).status, 400, bad);
  }
  assert.equal((await api(gateway, 'GET', '/workers')).body['total'], 0);
});

test('a field without effect is accepted and named in the answer', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const { status, body } = await api(gateway, 'POST', '/workers', { url: engine.url, bootstrap_port: 8998 });
  assert.equal(status, 202);
  assert.match(String(body['message']), /; without effect: bootstrap_port$/);
});

test('whoever waits gets the worker once it is ready', async (t) => {
  const engine = await engineFor(t);
  await engine.refuse(true);
  const gateway = await emptyGateway(t);
  const waiting = api(gateway, 'POST', '/workers?wait=30', { url: engine.url, labels: { zone: 'a' } });
  while ((await api(gateway, 'GET', '/workers')).body['total'] === 0);
  await engine.refuse(false);
  const { status, headers, body } = await waiting;
  assert.deepEqual([status, body['status'], body['models']], [200, 'ready', ['sim-model']]);
  assert.equal(headers.get('location'), `/workers/${String(body['id'])}`);
});

test('whoever waits too long learns at which step the worker is and why', async (t) => {
  const engine = await engineFor(t, { apiKey: 'right' });
  const gateway = await emptyGateway(t);
  const { status, body } = await api(gateway, 'POST', '/workers?wait=0.5', { url: engine.url, api_key: 'wrong' });
  assert.deepEqual([status, body.error?.['code']], [504, 'worker_not_ready']);
  assert.match(String(body.error?.['message']), /step list_models, attempt \d+: GET \/v1\/models answered 401/);
  const id = String(body.error?.['worker_id']);
  assert.equal((await api(gateway, 'PATCH', `/workers/${id}`, { api_key: 'right' })).status, 202);
  await allReady(gateway, 1);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).status, 200);
});

test('a wait ends when its client leaves, when the worker is removed and when the gateway ends', async (t) => {
  const gateway = await emptyGateway(t);
  const waitFor = (url: string) => api(gateway, 'POST', '/workers?wait=600', { url });
  const idOf = async (total: number) => {
    for (;;) {
      const workers = (await api(gateway, 'GET', '/workers')).body['workers'] as { id: string }[];
      if (workers.length === total) return workers.at(-1)?.id ?? '';
    }
  };
  const left = new AbortController();
  const leaving = fetch(`${gateway.url}/workers?wait=600`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"url": "http://127.0.0.1:1"}',
    signal: left.signal,
  });
  await idOf(1);
  left.abort();
  await assert.rejects(leaving);
  const metrics = async () => await (await fetch(gateway.metricsUrl ?? '')).text();
  while (!(await metrics()).includes('path="/workers",status_code="499",error_code="client_closed_request"'));
  const removed = waitFor('http://127.0.0.1:2');
  await api(gateway, 'DELETE', `/workers/${await idOf(2)}`);
  assert.deepEqual([(await removed).status, (await removed).body.error?.['code']], [404, 'worker_not_found']);
  const ended = waitFor('http://127.0.0.1:3');
  await idOf(2);
  void gateway.stop({ settle: false });
  assert.equal((await ended).body.error?.['code'], 'shutting_down');
});

test('a wait that is no number of seconds, or a very long one, is refused before anything is registered', async (t) => {
  const gateway = await emptyGateway(t);
  for (const wait of ['0', '-1', 'long', '601', '', 'Infinity']) {
    const { status, body } = await api(gateway, 'POST', `/workers?wait=${wait}`, { url: 'http://127.0.0.1:1' });
    assert.deepEqual([status, body.error?.['param']], [400, 'wait'], wait);
  }
  assert.equal((await api(gateway, 'GET', '/workers')).body['total'], 0);
});

test('the list narrows by model, alias and state', async (t) => {
  const [first, second] = [await engineFor(t, { models: ['a', 'shared'] }), await engineFor(t, { models: ['shared'] })];
  const gateway = await emptyGateway(t, { modelAlias: ['short=a'] });
  const [one, two] = [await addReady(gateway, { url: first.url }), await addReady(gateway, { url: second.url })];
  const down = String((await api(gateway, 'POST', '/workers', { url: 'http://127.0.0.1:1' })).body['worker_id']);
  const idsOf = async (query: string) => {
    const { status, body } = await api(gateway, 'GET', `/workers?${query}`);
    return status === 200 ? (body['workers'] as { id: string }[]).map(({ id }) => id) : status;
  };
  assert.deepEqual(await idsOf(''), [one, two, down]);
  assert.deepEqual(await idsOf('model=shared'), [one, two]);
  assert.deepEqual(await idsOf('model=short'), [one]);
  assert.deepEqual(await idsOf('model=shared&state=ready'), [one, two]);
  assert.deepEqual(await idsOf('state=unhealthy'), []);
  assert.deepEqual(await idsOf('model=none'), []);
  assert.equal(await idsOf('state=asleep'), 400);
});

test('a worker shows its steps: done, current and pending, with the last error', async (t) => {
  const engine = await engineFor(t, { apiKey: 'k' });
  const gateway = await emptyGateway(t);
  const { body } = await api(gateway, 'POST', '/workers?wait=0.3', { url: engine.url });
  const id = String(body.error?.['worker_id']);
  const shown = (await api(gateway, 'GET', `/workers/${id}`)).body;
  const { step, attempts, steps } = shown['onboarding'] as {
    step: string;
    attempts: number;
    steps: { name: string; status: string }[];
  };
  assert.equal(step, 'list_models');
  assert.ok(attempts >= 1);
  assert.deepEqual(
    steps.map(({ name, status }) => `${name} ${status}`),
    [
      'classify done',
      'connect done',
      'detect_engine done',
      'read_metadata done',
      'list_models current',
      'ready pending',
    ],
  );
  assert.match(String(shown['last_error']), /401/);
  await api(gateway, 'PATCH', `/workers/${id}`, { api_key: 'k' });
  await allReady(gateway, 1);
  const after = (await api(gateway, 'GET', `/workers/${id}`)).body;
  assert.ok((after['onboarding'] as { steps: { status: string }[] }).steps.every(({ status }) => status === 'done'));
  assert.equal(after['last_error'], null);
});

test('a patch counts at once and keeps the rest', async (t) => {
  const [first, second] = [await engineFor(t), await engineFor(t)];
  const gateway = await emptyGateway(t, { policy: 'round_robin' });
  const one = await addReady(gateway, { url: first.url, labels: { zone: 'a', rack: '1' } });
  const two = await addReady(gateway, { url: second.url });
  const { status, headers, body } = await api(gateway, 'PATCH', `/workers/${two}`, { priority: 90, cost: 2.5 });
  assert.deepEqual([status, headers.get('location')], [202, `/workers/${two}`]);
  assert.deepEqual(Object.keys(body), ['status', 'worker_id', 'url', 'location', 'message']);
  const servers = new Set<string | null>();
  for (let i = 0; i < 6; i += 1)
    servers.add((await post(gateway, '/v1/chat/completions', chatBody())).headers.get('x-smg-worker'));
  assert.deepEqual([...servers], [two]);
  await api(gateway, 'PATCH', `/workers/${one}`, { labels: { zone: null, row: '7' }, health: { timeout_secs: 3 } });
  const shown = (await api(gateway, 'GET', `/workers/${one}`)).body;
  const { rack, row, zone } = shown['labels'] as Record<string, string>;
  assert.deepEqual([rack, row, zone], ['1', '7', undefined]);
  assert.deepEqual(shown['health'], { timeout_secs: 3 });
});

test('a patch of anything else is refused by name, and changes nothing', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  const { status, body } = await api(gateway, 'PATCH', `/workers/${id}`, { url: 'http://b', colour: 1, priority: 3 });
  assert.equal(status, 400);
  assert.match(String(body.error?.['message']), /`url` cannot be changed alone.*`colour` is no known field/);
  assert.equal((await api(gateway, 'GET', `/workers/${id}`)).body['priority'], 50);
});

test('a worker is replaced whole, under its own URL only', async (t) => {
  const engine = await engineFor(t, { models: ['a', 'b'] });
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url, priority: 80, labels: { zone: 'a' } });
  const other = await api(gateway, 'PUT', `/workers/${id}`, { url: 'http://127.0.0.1:1' });
  assert.deepEqual([other.status, other.body.error?.['param']], [400, 'url']);
  const replaced = await api(gateway, 'PUT', `/workers/${id}`, { url: `${engine.url}/v1`, max_in_flight: 2 });
  assert.deepEqual([replaced.status, replaced.body['worker_id']], [202, id]);
  const shown = (await api(gateway, 'GET', `/workers/${id}`)).body;
  assert.deepEqual([shown['status'], shown['priority'], shown['max_in_flight']], ['ready', 50, 2]);
  assert.equal((shown['labels'] as Record<string, string>)['zone'], undefined);
});

test('a worker that is removed is gone, with what is known of it, and is the same one when it comes again', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  await post(gateway, '/v1/chat/completions', chatBody());
  const metrics = async () => await (await fetch(gateway.metricsUrl ?? '')).text();
  assert.match(await metrics(), new RegExp(`worker="${id}"`));
  const { status, body } = await api(gateway, 'DELETE', `/workers/${id}`);
  assert.deepEqual(
    [status, body['status'], body['worker_id'], body['message']],
    [202, 'accepted', id, 'Worker removed'],
  );
  assert.deepEqual((await api(gateway, 'GET', '/workers')).body, {
    workers: [],
    total: 0,
    stats: { prefill_count: 0, decode_count: 0, regular_count: 0 },
  });
  assert.doesNotMatch(await metrics(), new RegExp(`worker="${id}"`));
  await engine.waitFor((stats) => stats.connectionsOpen === 0);
  for (const method of ['GET', 'DELETE', 'PATCH', 'PUT']) {
    const gone = await api(gateway, method, `/workers/${id}`, method === 'GET' ? undefined : { priority: 1 });
    assert.deepEqual([gone.status, gone.body.error?.['code']], [404, 'worker_not_found'], method);
  }
  assert.equal(await addReady(gateway, { url: engine.url }), id);
});

test('a second removal while the worker drains is accepted, and a forced one ends its calls', async (t) => {
  const engine = await engineFor(t, { speed: 1 });
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  const stream = await post(gateway, '/v1/chat/completions', chatBody({ stream: true, max_tokens: 100_000 }));
  const draining = await api(gateway, 'DELETE', `/workers/${id}`);
  assert.match(String(draining.body['message']), /draining; it is removed after its 1 running call$/);
  assert.equal((await api(gateway, 'DELETE', `/workers/${id}`)).status, 202);
  assert.equal((await api(gateway, 'GET', `/workers/${id}`)).body['status'], 'draining');
  const refused = await post(gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual([refused.status, refused.headers.get('x-smg-error-code')], [503, 'no_available_workers']);
  assert.equal((await api(gateway, 'DELETE', `/workers/${id}?force=please`)).status, 400);
  assert.equal((await api(gateway, 'DELETE', `/workers/${id}?force=true`)).status, 202);
  const text = await stream.text();
  assert.ok(!text.includes('[DONE]'), 'the cut stream does not look complete');
  assert.match(text, /"message":"Worker \w+ was removed before its answer was complete\."/);
  while ((await api(gateway, 'GET', `/workers/${id}`)).status !== 404);
});

test('a worker that is registered again while it drains comes back, and its stream goes on', async (t) => {
  const engine = await engineFor(t, { speed: 1 });
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  const stream = await post(gateway, '/v1/chat/completions', chatBody({ stream: true, max_tokens: 30 }));
  await api(gateway, 'DELETE', `/workers/${id}`);
  assert.equal(await addReady(gateway, { url: engine.url, priority: 70 }), id);
  assert.match(await stream.text(), /\[DONE\]/);
  const shown = (await api(gateway, 'GET', `/workers/${id}`)).body;
  assert.deepEqual([shown['status'], shown['priority']], ['ready', 70]);
});

test('a call whose first worker allows no retries has none', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t, { retryInitialBackoffMs: 1, policy: 'passthrough' });
  const id = await addReady(gateway, { url: engine.url, resilience: { disable_retry: true } });
  await addReady(gateway, { url: (await engineFor(t)).url });
  engine.setFaults([{ kind: 'status', status: 503, rate: 1, times: 1 }]);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).status, 503);
  assert.equal((await api(gateway, 'PUT', `/workers/${id}`, { url: engine.url })).status, 202);
  engine.setFaults([{ kind: 'status', status: 503, rate: 1, times: 1 }]);
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).status, 200);
});

test('workers of the command line, of the file and of REST live together', async (t) => {
  const engines = await Promise.all([engineFor(t), engineFor(t, { apiKey: 'own' }), engineFor(t, { apiKey: 'late' })]);
  const [first, second, third] = engines.map(({ url }) => url);
  const workers = [{ url: second, api_key: 'own', priority: 60, labels: { from: 'file' } }];
  const gateway = await gatewayFor(t, [first ?? ''], { workers });
  await addReady(gateway, { url: third, api_key: 'late' });
  await allReady(gateway, 3);
  const { workers: shown } = (await api(gateway, 'GET', '/workers')).body as {
    workers: { url: string; priority: number; has_api_key: boolean }[];
  };
  assert.deepEqual(
    shown.map(({ url, priority, has_api_key }) => [url, priority, has_api_key]),
    [
      [first, 50, false],
      [second, 60, true],
      [third, 50, true],
    ],
  );
  const again = await api(gateway, 'POST', '/workers', { url: first });
  assert.equal(again.status, 409);
});

test('no key of a worker shows up anywhere', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const engine = await engineFor(t, { apiKey: 'KEY-CANARY' });
  const gateway = await emptyGateway(t, { logDir: folder, logLevel: 'debug' });
  const said: string[] = [];
  const tell = async (method: string, path: string, body?: unknown) => {
    const reply = await api(gateway, method, path, body);
    said.push(JSON.stringify([reply.body, [...reply.headers]]));
    return reply.body;
  };
  const { id } = await tell('POST', '/workers?wait=30', { url: engine.url, api_key: 'KEY-CANARY' });
  const path = `/workers/${String(id)}`;
  await tell('POST', '/workers', { url: engine.url, api_key: 'KEY-CANARY' });
  await tell('POST', '/workers', { url: 'http://a b', api_key: 'KEY-CANARY', priority: 'KEY-CANARY' });
  await tell('PATCH', path, { api_key: 'KEY-CANARY-2' });
  await tell('PUT', path, { url: engine.url, api_key: 'KEY-CANARY', labels: { a: 5 } });
  await tell('GET', path);
  await tell('GET', '/workers');
  await tell('DELETE', path);
  said.push(await (await fetch(gateway.metricsUrl ?? '')).text());
  await gateway.stop({ settle: false });
  const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  assert.ok(logs.join('').includes('worker removed'));
  for (const text of [...said, ...logs]) assert.ok(!text.includes('KEY-CANARY'), text);
});

test('caches are flushed on all ready workers, and who could not do it is named', async (t) => {
  const [sglang, vllm] = [await engineFor(t, { kind: 'sglang' }), await engineFor(t, { kind: 'vllm' })];
  const gateway = await emptyGateway(t);
  const ids = [await addReady(gateway, { url: sglang.url }), await addReady(gateway, { url: vllm.url })];
  await api(gateway, 'POST', '/workers', { url: 'http://127.0.0.1:1' });
  const all = await api(gateway, 'POST', '/flush_cache');
  assert.equal(all.status, 200);
  assert.deepEqual(all.body, {
    status: 'success',
    message: 'Caches of 2 of 2 ready workers flushed',
    workers_flushed: 2,
    total_http_workers: 3,
    total_grpc_workers: 0,
    total_zmq_workers_skipped: 0,
    total_workers: 3,
    successful: ids,
    failed: [],
  });
  assert.equal(sglang.stats().requestsByPath['/flush_cache'], 1);
  assert.equal(vllm.stats().requestsByPath['/reset_prefix_cache'], 1);
  vllm.setFaults([{ kind: 'status', status: 500, rate: 1, times: 1, path: '/reset_prefix_cache' }]);
  const some = await api(gateway, 'POST', '/flush_cache');
  assert.deepEqual([some.status, some.body['status'], some.body['successful']], [206, 'partial_success', [ids[0]]]);
  assert.deepEqual(some.body['failed'], [{ worker: ids[1], error: 'POST /reset_prefix_cache answered 500' }]);
});

test('the loads say how many calls run where', async (t) => {
  const engine = await engineFor(t, { speed: 1 });
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  const gone = new AbortController();
  await post(gateway, '/v1/chat/completions', chatBody({ stream: true, max_tokens: 100_000 }), { signal: gone.signal });
  const { workers } = (await api(gateway, 'GET', '/get_loads')).body as { workers: Record<string, unknown>[] };
  assert.deepEqual([workers.length, workers[0]?.['worker'], workers[0]?.['url']], [1, id, engine.url]);
  assert.equal(workers[0]?.['load'], 1);
  gone.abort();
});

test('profiling is passed on to all workers or to the one that is named', async (t) => {
  const [first, second] = [await engineFor(t), await engineFor(t)];
  const gateway = await emptyGateway(t);
  const ids = [await addReady(gateway, { url: first.url }), await addReady(gateway, { url: second.url })];
  const all = await api(gateway, 'POST', '/start_profile', { output_dir: '/tmp/x' });
  assert.deepEqual([all.status, all.body['workers_profiled'], all.body['total_workers']], [200, 2, 2]);
  const passed = Buffer.from(first.lastRequest()?.bodyBase64 ?? '', 'base64').toString();
  assert.deepEqual(JSON.parse(passed), { output_dir: '/tmp/x' });
  for (const body of [{ url: `${second.url}/` }, { worker_id: ids[1] }]) {
    const one = await api(gateway, 'POST', '/stop_profile', body);
    assert.deepEqual([one.status, one.body['successful']], [200, [ids[1]]]);
  }
  assert.equal(first.stats().requestsByPath['/stop_profile'], undefined);
  assert.equal((await api(gateway, 'POST', '/start_profile', { url: 'http://nowhere' })).status, 404);
  assert.equal((await api(gateway, 'POST', '/start_profile')).status, 200, 'a body is not needed');
  assert.equal((await api(gateway, 'POST', '/start_profile', '[]')).status, 400);
});

test('a worker that is removed while it is being read is asked no more', async (t) => {
  let asked = 0;
  const silent = createServer(() => {
    asked += 1;
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const gateway = await emptyGateway(t);
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const arrived = once(silent, 'request');
  const closed = once(silent, 'connection').then(async ([socket]) => once(socket, 'close'));
  const { body } = await api(gateway, 'POST', '/workers', { url });
  await arrived;
  assert.equal((await api(gateway, 'DELETE', `/workers/${String(body['worker_id'])}`)).status, 202);
  await closed;
  assert.equal(asked, 1);
});
