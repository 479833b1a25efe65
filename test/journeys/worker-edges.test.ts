/** The fleet over REST where it is easily got wrong: secrets of engines, workers that are leaving, odd bodies. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import { addReady, api } from '../support/workers-api.ts';

const emptyGateway = (t: TestContext) => gatewayFor(t, [], { enableIgw: true });

/** Answers every GET as `answers` says, by path; the URL of the worker. */
async function fixedWorkerFor(t: TestContext, answers: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('what an engine says of itself is passed on without its keys', async (t) => {
  const info = {
    api_key: 'CANARY-1',
    model_path: 'm',
    max_total_num_tokens: 9,
    nested: [{ admin_api_key: 'CANARY-2' }],
  };
  const url = await fixedWorkerFor(t, {
    '/health': {},
    '/v1/models': { data: [{ id: 'm', owned_by: 'sglang' }] },
    '/server_info': info,
    '/get_server_info': info,
    '/get_model_info': { model_path: 'm', said: 'Bearer CANARY-STORED', api_key: null },
  });
  const gateway = await emptyGateway(t);
  await addReady(gateway, { url, api_key: 'CANARY-STORED' });
  const server = await api(gateway, 'GET', '/get_server_info');
  assert.deepEqual(server.body, { ...info, api_key: '***', nested: [{ admin_api_key: '***' }] });
  const model = await api(gateway, 'GET', '/get_model_info');
  assert.deepEqual(model.body, { model_path: 'm', said: 'Bearer ***', api_key: null });
});

test('a wait ends as soon as the worker is on its way out', async (t) => {
  const gateway = await emptyGateway(t);
  const waiting = api(gateway, 'POST', '/workers?wait=60', {
    url: 'http://127.0.0.1:1',
    health: { drain_settle_secs: 60 },
  });
  let workers: readonly { readonly id: string }[] = [];
  while (workers.length === 0) workers = (await api(gateway, 'GET', '/workers')).body['workers'] as typeof workers;
  await api(gateway, 'DELETE', `/workers/${workers[0]?.id}`);
  const { status, body } = await waiting;
  assert.deepEqual([status, body.error?.['code']], [404, 'worker_not_found']);
});

test('changes of a worker that drains say that it goes all the same', async (t) => {
  const engine = await engineFor(t);
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url, health: { drain_settle_secs: 60 } });
  const removed = await api(gateway, 'DELETE', `/workers/${id}`);
  assert.equal(removed.body['message'], 'Worker is draining; it is removed when its settle time is over');
  const patched = await api(gateway, 'PATCH', `/workers/${id}`, { priority: 7 });
  assert.equal(patched.body['message'], 'Worker updated; it is draining and is removed all the same');
  const replaced = await api(gateway, 'PUT', `/workers/${id}`, { url: engine.url });
  assert.match(String(replaced.body['message']), /; it is draining and is removed all the same$/);
});

test('a forced removal says that running calls are cut off', async (t) => {
  const engine = await engineFor(t, { speed: 1 });
  const gateway = await emptyGateway(t);
  const id = await addReady(gateway, { url: engine.url });
  const stream = await post(gateway, '/v1/chat/completions', chatBody({ stream: true, max_tokens: 10_000 }));
  const removed = await api(gateway, 'DELETE', `/workers/${id}?force=true`);
  assert.match(String(removed.body['message']), /^Worker removed; calls that ran there are cut off$/);
  assert.match(await stream.text(), /"error"/);
});

test('a profile of a worker that is named by something else than text is refused', async (t) => {
  const gateway = await emptyGateway(t);
  for (const name of ['url', 'worker_id']) {
    const { status, body } = await api(gateway, 'POST', '/start_profile', { [name]: 5 });
    assert.deepEqual([status, body.error?.['param']], [400, name]);
  }
});
