/** Which policy serves which model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hintsOf, memberOf } from '../../test/support/fleet.ts';
import { seededRandom } from '../base/random.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { PolicySet } from './policy-set.ts';
import type { PolicyScope } from './policy-set.ts';

function setOf(scope: Partial<PolicyScope> = {}) {
  const told: string[] = [];
  const set = new PolicySet(
    { policy: 'round_robin', models: new Map(), options: {}, routingKeyOverride: false, ...scope },
    { random: seededRandom(1), now: () => 0, unknownPolicy: (name, workerId) => void told.push(`${name} ${workerId}`) },
  );
  return { set, told };
}

function labelled(id: string, policy?: string): PoolMember {
  return memberOf(id, { spec: { labels: policy === undefined ? {} : { policy } } });
}

const KEYED = hintsOf({ header: (name) => (name === 'x-smg-routing-key' ? 'k' : undefined) });

test('the configuration comes before the label of the workers, the label before the policy of the gateway', () => {
  const { set } = setOf({ models: new Map([['a', 'random']]) });
  const pool = [labelled('w0'), labelled('w1', 'least_load'), labelled('w2', 'manual')];
  assert.equal(set.policyFor('a', pool).name, 'random');
  assert.equal(set.policyFor('b', pool).name, 'least_load');
  assert.equal(set.policyFor('b', [labelled('w0')]).name, 'round_robin');
  assert.equal(set.policyFor('', []).name, 'round_robin');
});

test('a label that names no policy is ignored, and told once', () => {
  const { set, told } = setOf();
  const pool = [labelled('w0', 'fastest'), labelled('w1', 'least_cost')];
  assert.equal(set.policyFor('m', pool).name, 'least_cost');
  assert.equal(set.policyFor('m', [...pool]).name, 'least_cost');
  assert.equal(set.policyFor('m', [labelled('w2', 'fastest')]).name, 'round_robin');
  assert.deepEqual(told, ['fastest w0']);
});

test('wrong labels cannot fill the log: they are cut, and only so many are told', () => {
  const { set, told } = setOf();
  for (let i = 0; i < 500; i += 1) set.policyFor('m', [labelled('w', `${i}${'x'.repeat(500)}`)]);
  assert.equal(told.length, 100);
  assert.ok(told.every((line) => line.length < 80));
});

test('models with the same policy share one instance, made with the options of the command line', () => {
  const { set } = setOf({ policy: 'least_cost', options: { balanceAbsThreshold: 0, balanceRelThreshold: 1 } });
  const [a, b] = [[labelled('w0')], [labelled('w1')]];
  assert.equal(set.policyFor('a', a), set.policyFor('b', b));
  const pool = [
    memberOf('cheap', { spec: { cost: 1 }, inFlight: 1 }),
    memberOf('dear', { spec: { cost: 2 }, inFlight: 0 }),
  ];
  const { policy } = set.policyFor('a', pool);
  const candidates = pool.map(({ candidate }) => candidate);
  assert.equal(policy.select(candidates, hintsOf())?.workerId, 'dear');
});

test('the answer for a pool is looked up once for each snapshot', () => {
  const { set } = setOf();
  let reads = 0;
  const member = labelled('w0', 'random');
  const counted = new Proxy(member, {
    get: (target, key) => {
      reads += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const pool = [counted];
  for (let i = 0; i < 10; i += 1) set.policyFor('m', pool);
  assert.equal(reads, 1);
});

test('with the override a routing key stays with its worker, under a policy that would not keep it', () => {
  const { set } = setOf({ routingKeyOverride: true });
  const pool = ['a', 'b', 'c'].map((id) => labelled(id));
  const candidates = pool.map(({ candidate }) => candidate);
  const { policy, name } = set.policyFor('m', pool);
  const picks = new Set<string | undefined>();
  for (let i = 0; i < 6; i += 1) {
    const chosen = policy.select(candidates, KEYED);
    if (chosen) policy.begin?.(chosen, KEYED);
    picks.add(chosen?.workerId);
  }
  assert.equal(name, 'round_robin');
  assert.equal(picks.size, 1);
});

test('policies that go by the routing key themselves are left as they are', () => {
  const plain = setOf().set;
  const { set } = setOf({ routingKeyOverride: true });
  for (const name of ['manual', 'consistent_hashing']) {
    const pool = [labelled('w', name)];
    assert.equal(set.policyFor('m', pool).policy.constructor, plain.policyFor('m', pool).policy.constructor);
  }
  const [pool] = [[labelled('w', 'random')]];
  assert.notEqual(set.policyFor('m', pool).policy.constructor, plain.policyFor('m', pool).policy.constructor);
});

test('every policy in use is told which workers are gone or have an empty cache', () => {
  const { set } = setOf({ policy: 'manual', models: new Map([['r', 'round_robin']]), routingKeyOverride: true });
  const pool = ['a', 'b'].map((id) => labelled(id));
  const candidates = pool.map(({ candidate }) => candidate);
  for (const model of ['m', 'r']) {
    const { policy } = set.policyFor(model, pool);
    const home = policy.select(candidates, KEYED);
    assert.ok(home);
    policy.begin?.(home, KEYED);
    assert.match(policy.explain?.(home, KEYED) ?? '', /worker of the routing key/);
    set.forget(home);
    set.forgetCache(home);
    assert.doesNotMatch(policy.explain?.(home, KEYED) ?? '', /worker of the routing key/);
  }
});

test('a policy that there is not fails the start', () => {
  assert.throws(() => setOf({ policy: 'fastest' }), /no policy fastest/);
  assert.throws(() => setOf({ models: new Map([['m', 'fastest']]) }), /no policy fastest/);
});
