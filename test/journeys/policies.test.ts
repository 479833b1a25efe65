/** Policies as users choose and tune them: by flag, for one model, by key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

async function ask({ gateway }: Rig, headers: Record<string, string> = {}): Promise<Headers> {
  const reply = await post(gateway, '/v1/chat/completions', chatBody(), { headers });
  assert.equal(reply.status, 200, await reply.text());
  return reply.headers;
}

async function workerOf(rig: Rig, headers: Record<string, string> = {}): Promise<string> {
  return (await ask(rig, headers)).get('x-smg-worker') ?? '';
}

const keyed = (key: string) => ({ 'x-smg-routing-key': key });

test('a routing key stays with its worker under manual, and new keys are given out as the flag says', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'manual', assignmentMode: 'min_group' });
  const homes = new Map<string, string>();
  for (let i = 0; i < 20; i += 1) homes.set(`session ${i}`, await workerOf(rig, keyed(`session ${i}`)));
  const groups = Map.groupBy(homes.values(), (id) => id);
  assert.deepEqual(
    [...groups.values()].map(({ length }) => length),
    [10, 10],
  );
  for (const [key, home] of homes) assert.equal(await workerOf(rig, keyed(key)), home);
});

test('a key goes to another worker while its own is down, and comes home', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'manual', retryInitialBackoffMs: 1, disableCircuitBreaker: true });
  const home = await workerOf(rig, keyed('k'));
  const engine = rig.engines.find((each) => (each.stats().requestsByPath['/v1/chat/completions'] ?? 0) > 0);
  engine?.setFaults([{ kind: 'status', status: 503, rate: 1 }]);
  const standIn = await workerOf(rig, keyed('k'));
  assert.notEqual(standIn, home);
  await engine?.clearFaults();
  assert.equal(await workerOf(rig, keyed('k')), home);
});

test('a policy that is named for a model serves that model in place of the general one', async (t) => {
  const rig = await rigFor(t, 3, {
    policy: 'random',
    modelAlias: ['fast=sim-model'],
    modelPolicies: ['fast=passthrough', 'other=least_load'],
  });
  const headers = await ask(rig, { 'x-smg-explain': 'true' });
  assert.match(headers.get('x-smg-decision') ?? '', /^first in order load=/);
  for (let i = 0; i < 10; i += 1) assert.equal(await workerOf(rig), headers.get('x-smg-worker'));
});

test('with the override a key is kept under any policy, and calls without one go as the policy says', async (t) => {
  const rig = await rigFor(t, 3, { policy: 'round_robin', routingKeyOverride: true });
  const first = await workerOf(rig, keyed('k'));
  for (let i = 0; i < 5; i += 1) assert.equal(await workerOf(rig, keyed('k')), first);
  const told = await ask(rig, { ...keyed('k'), 'x-smg-explain': 'true' });
  assert.match(told.get('x-smg-decision') ?? '', /^worker of the routing key/);
  const others = new Set([await workerOf(rig), await workerOf(rig), await workerOf(rig)]);
  assert.equal(others.size, 3);
});

test('consistent_hashing knows a client by its credential when it sends no routing key', async (t) => {
  const rig = await rigFor(t, 4, { policy: 'consistent_hashing' });
  const homes = new Set<string>();
  for (let user = 0; user < 16; user += 1) {
    const headers = { authorization: `Bearer local-key-${user}` };
    const home = await workerOf(rig, headers);
    assert.equal(await workerOf(rig, headers), home);
    homes.add(home);
  }
  assert.ok(homes.size > 1);
});
