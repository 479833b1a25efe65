/** Priority, cost and the label `policy` of workers that are registered over REST. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';

/** Engines registered with these fields, all of them ready, in this order. */
async function register(t: TestContext, fields: readonly Record<string, unknown>[], flags: GatewayFlags = {}) {
  const engines = await Promise.all(fields.map(() => engineFor(t)));
  const gateway = await gatewayFor(t, [], { retryInitialBackoffMs: 1, ...flags });
  const ids: string[] = [];
  for (const [at, engine] of engines.entries()) {
    const reply = await post(gateway, '/workers', { url: engine.url, ...fields[at] });
    const { worker_id: id } = (await reply.json()) as { worker_id: string };
    assert.equal(reply.status, 202);
    ids.push(id);
  }
  await allReady(gateway, engines.length);
  return { gateway, engines, ids };
}

async function workerOf(gateway: Gateway): Promise<string | null> {
  const reply = await post(gateway, '/v1/chat/completions', chatBody());
  assert.equal(reply.status, 200, await reply.text());
  return reply.headers.get('x-smg-worker');
}

test('all calls go to priority 90 until it is full, then spill to 50, and return', async (t) => {
  const { gateway, engines, ids } = await register(t, [{ priority: 90, max_in_flight: 2 }, { priority: 50 }]);
  const [upper] = engines;
  const [first, second] = ids;
  for (let i = 0; i < 5; i += 1) assert.equal(await workerOf(gateway), first);
  upper?.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const leaving = new AbortController();
  const held = [1, 2].map(() => post(gateway, '/v1/chat/completions', chatBody(), { signal: leaving.signal }));
  await upper?.waitFor(({ inFlight }) => inFlight === 2);
  for (let i = 0; i < 5; i += 1) assert.equal(await workerOf(gateway), second);
  await upper?.clearFaults();
  leaving.abort();
  await Promise.allSettled(held);
  await upper?.waitFor(({ inFlight }) => inFlight === 0);
  for (let i = 0; i < 5; i += 1) assert.equal(await workerOf(gateway), first);
});

test('all calls go to priority 90 until it is down, then to 50, and return', async (t) => {
  const fields = [{ priority: 50 }, { priority: 90 }];
  const { gateway, engines, ids } = await register(t, fields, { disableCircuitBreaker: true });
  assert.equal(await workerOf(gateway), ids[1]);
  await engines[1]?.refuse(true);
  for (let i = 0; i < 5; i += 1) assert.equal(await workerOf(gateway), ids[0]);
  await engines[1]?.refuse(false);
  assert.equal(await workerOf(gateway), ids[1]);
});

test('workers of cost 1, 2 and 4 are given 4 : 2 : 1', async (t) => {
  const fields = [{ cost: 1 }, { cost: 2 }, { cost: 4 }];
  const { gateway, ids } = await register(t, fields, { policy: 'round_robin' });
  const shares = new Map<string | null, number>();
  for (let i = 0; i < 140; i += 1) {
    const id = await workerOf(gateway);
    shares.set(id, (shares.get(id) ?? 0) + 1);
  }
  assert.deepEqual(
    ids.map((id) => shares.get(id)),
    [80, 40, 20],
  );
});

test('a priority or a cost that is changed counts from the next call', async (t) => {
  const { gateway, ids } = await register(t, [{}, {}], { policy: 'round_robin' });
  const patch = async (at: number, change: Record<string, unknown>) => {
    const reply = await post(gateway, `/workers/${ids[at]}`, change, { method: 'PATCH' });
    assert.ok(reply.ok, await reply.text());
  };
  const share = async () => {
    let first = 0;
    for (let i = 0; i < 20; i += 1) if ((await workerOf(gateway)) === ids[0]) first += 1;
    return first;
  };
  assert.equal(await share(), 10);
  await patch(1, { cost: 4 });
  assert.equal(await share(), 16);
  await patch(1, { priority: 60 });
  assert.equal(await share(), 0);
});

test('least_cost fills the cheapest worker to the threshold of the flags before the next one', async (t) => {
  const { gateway, engines, ids } = await register(t, [{ cost: 3 }, { cost: 1 }], {
    policy: 'least_cost',
    balanceAbsThreshold: 2,
    balanceRelThreshold: 1,
  });
  const cheap = engines[1];
  cheap?.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  for (let i = 0; i < 3; i += 1) {
    post(gateway, '/v1/chat/completions', chatBody(), { signal: leaving.signal }).catch(() => 'left');
  }
  await cheap?.waitFor(({ inFlight }) => inFlight === 3);
  assert.equal(await workerOf(gateway), ids[0]);
});

test('the label policy of its workers is the policy of a model', async (t) => {
  const fields = [{ labels: { policy: 'no-such-policy' } }, { labels: { policy: 'passthrough' } }, {}];
  const { gateway } = await register(t, fields, { policy: 'random' });
  const homes = new Set<string | null>();
  for (let i = 0; i < 20; i += 1) homes.add(await workerOf(gateway));
  assert.equal(homes.size, 1);
});
