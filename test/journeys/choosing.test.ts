/** The client has a say: it names the worker, or asks why one was chosen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

async function workerIds({ gateway }: Rig): Promise<string[]> {
  const reply = await fetch(`${gateway.url}/workers`);
  const { workers } = (await reply.json()) as { workers: { id: string }[] };
  return workers.map(({ id }) => id);
}

function ask({ gateway }: Rig, headers: Record<string, string>, body = chatBody()): Promise<Response> {
  return post(gateway, '/v1/chat/completions', body, { headers });
}

test('a client names its worker by id or by index, whatever the policy would do', async (t) => {
  const rig = await rigFor(t, 3, { policy: 'passthrough' });
  const ids = await workerIds(rig);
  for (const [at, id] of ids.entries()) {
    for (const target of [id, String(at)]) {
      const reply = await ask(rig, { 'x-smg-target-worker': target });
      assert.deepEqual([reply.status, reply.headers.get('x-smg-worker')], [200, id], target);
      await reply.arrayBuffer();
    }
  }
});

test('a target that is no worker of the model is a 404 that says so', async (t) => {
  const rig = await rigFor(t, 1);
  for (const target of ['1', 'ffffffff', '-1', '0x0', '1e0']) {
    const reply = await ask(rig, { 'x-smg-target-worker': target });
    const { error } = (await reply.json()) as { error: Record<string, string> };
    assert.deepEqual([reply.status, error['code'], error['param']], [404, 'worker_not_found', 'x-smg-target-worker']);
  }
});

test('a named worker that fails is asked again, and no other one instead of it', async (t) => {
  const rig = await rigFor(t, 2, { retryMaxRetries: 3, retryInitialBackoffMs: 1 });
  const ids = await workerIds(rig);
  const [named, other] = rig.engines;
  assert.ok(named && other);
  named.setFaults([{ kind: 'status', status: 503, rate: 1 }]);
  const reply = await ask(rig, { 'x-smg-target-worker': ids[0] ?? '' });
  assert.equal(reply.status, 503);
  assert.equal(reply.headers.get('x-smg-worker'), ids[0]);
  await reply.arrayBuffer();
  assert.deepEqual(
    [other.stats().requestsByPath['/v1/chat/completions'], named.stats().faultsFired.status],
    [undefined, 3],
  );
});

test('a client that asks is told why its worker was chosen; others are not', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'least_load' });
  const told = await ask(rig, { 'x-smg-explain': 'true' });
  assert.match(told.headers.get('x-smg-decision') ?? '', /load=\S+ priority=50 cost=1 pool=2 tried=0$/);
  await told.arrayBuffer();
  const streamed = await ask(rig, { 'x-smg-explain': 'true' }, chatBody({ stream: true }));
  assert.match(streamed.headers.get('x-smg-decision') ?? '', /pool=2/);
  await streamed.arrayBuffer();
  const silent = await ask(rig, {});
  assert.equal(silent.headers.get('x-smg-decision'), null);
  await silent.arrayBuffer();
});

test('a worker shows what its calls came to', async (t) => {
  const rig = await rigFor(t, 1, { disableRetries: true });
  await (await ask(rig, {})).arrayBuffer();
  await (await ask(rig, {}, chatBody({ stream: true }))).arrayBuffer();
  for (const status of [400, 500, 429]) {
    await (await ask(rig, {}, chatBody({ sim_fault: { kind: 'status', status } }))).arrayBuffer();
  }
  const [id] = await workerIds(rig);
  const reply = await fetch(`${rig.gateway.url}/workers/${id}`);
  const { calls } = (await reply.json()) as { calls: Record<string, number> };
  assert.deepEqual(calls, { total: 5, succeeded: 2, failed: 1, rate_limited: 1, neutral: 1 });
});
