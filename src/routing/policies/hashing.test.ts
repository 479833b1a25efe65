/** `consistent_hashing` and `prefix_hash`: whose a client, and whose a prefix is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../../test/support/fleet.ts';
import { seededRandom } from '../../base/random.ts';
import type { Hints, Policy, PolicyDefinition } from '../policy.ts';
import consistentHashing from './consistent-hashing.ts';
import prefixHash from './prefix-hash.ts';

const workers = Array.from({ length: 16 }, (_, i) => candidateOf(`w${i}`));

function policyOf(definition: PolicyDefinition, values: Record<string, unknown> = {}, seed = 1): Policy {
  return definition.create(values, { random: seededRandom(seed), now: () => 0 });
}

function withHeaders(headers: Record<string, string>): Hints {
  return hintsOf({ header: (name) => headers[name] });
}

function pick(policy: Policy, hints: Hints): string | undefined {
  return policy.select(workers, hints)?.workerId;
}

const consistent = policyOf(consistentHashing);
const pickBy = (headers: Record<string, string>) => pick(consistent, withHeaders(headers));

test('a routing key comes before the credential, the credential before the address, the address before the cookie', () => {
  const all = { 'x-smg-routing-key': 'r', authorization: 'a', 'x-forwarded-for': 'f', cookie: 'c' };
  const order = Object.entries(all);
  for (let i = 0; i < order.length; i += 1) {
    const some = Object.fromEntries(order.slice(i));
    assert.equal(pickBy(some), pickBy(Object.fromEntries([order[i] as [string, string]])));
    assert.equal(consistent.explain?.(workers[0] as never, withHeaders(some)), `key of ${order[i]?.[0]}`);
  }
});

test('an empty header is no key', () => {
  assert.equal(pickBy({ 'x-smg-routing-key': '', cookie: 'c' }), pickBy({ cookie: 'c' }));
});

test('of the addresses a call came by only the first counts', () => {
  assert.equal(pickBy({ 'x-forwarded-for': '10.1.2.3, 10.0.0.1' }), pickBy({ 'x-forwarded-for': '10.1.2.3,10.0.0.2' }));
});

test('the same key is the same worker for every gateway, also after a restart', () => {
  for (let i = 0; i < 50; i += 1) {
    const hints = withHeaders({ 'x-smg-routing-key': `k${i}` });
    assert.equal(pick(policyOf(consistentHashing, {}, 99), hints), pick(consistent, hints));
  }
  // Which worker that is may not change with a release either.
  assert.deepEqual(
    ['k0', 'k1', 'k2', 'k3'].map((key) => pickBy({ 'x-smg-routing-key': key })),
    ['w8', 'w0', 'w3', 'w3'],
  );
});

test('a key goes to the next worker of its own while its worker cannot serve', () => {
  const hints = withHeaders({ 'x-smg-routing-key': 'k' });
  const first = consistent.select(workers, hints);
  const rest = workers.filter((worker) => worker !== first);
  const second = consistent.select(rest, hints);
  assert.equal(consistent.select([...rest].reverse(), hints), second);
  assert.equal(consistent.select(workers, hints), first);
});

test('without any key the worker is drawn by lot', () => {
  const picks = new Set(Array.from({ length: 400 }, () => pick(consistent, hintsOf())));
  assert.equal(picks.size, workers.length);
});

test('prompts that begin alike go to one worker, and the number of tokens is that of the option', () => {
  const asked: number[] = [];
  const hints = hintsOf({
    prefixHash: (tokens) => {
      asked.push(tokens);
      return 42;
    },
  });
  assert.equal(pick(policyOf(prefixHash), hints), pick(policyOf(prefixHash, {}, 7), hints));
  pick(policyOf(prefixHash, { prefixTokenCount: 32 }), hints);
  assert.deepEqual([...new Set(asked)], [256, 32]);
});

test('a worker above the load factor is passed over for the next one of the prefix, which is always the same', () => {
  const policy = policyOf(prefixHash);
  const hints = hintsOf({ prefixHash: () => 42 });
  const fleet = Array.from({ length: 8 }, (_, i) => candidateOf(`v${i}`, { inFlight: 8 }));
  const first = fleet.find((worker) => worker === policy.select(fleet, hints));
  assert.ok(first);
  // 1.25 × (total + 1) / 8 is 10.3 with ten calls on the first, and 10.5 with eleven.
  first.inFlight = 10;
  assert.equal(policy.select(fleet, hints), first);
  first.inFlight = 11;
  const second = policy.select(fleet, hints);
  assert.notEqual(second, first);
  assert.equal(policy.select([...fleet].reverse(), hints), second);
  first.inFlight = 8;
  assert.equal(policy.select(fleet, hints), first);
});

test('with a load factor of 1 the least loaded is still somebody to choose', () => {
  const policy = policyOf(prefixHash, { prefixHashLoadFactor: 1 });
  const fleet = [3, 3, 2, 3].map((inFlight, i) => candidateOf(`v${i}`, { inFlight, cost: 0.3 }));
  for (let i = 0; i < 100; i += 1) assert.ok(policy.select(fleet, hintsOf({ prefixHash: () => i })));
});
