/** The fleet over REST where it is easily got wrong: secrets of engines, workers that are leaving, odd bodies. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gatewayFor } from '../support/rig.ts';
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
