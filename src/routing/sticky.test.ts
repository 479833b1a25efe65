/** A routing key in front of a policy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../test/support/fleet.ts';
import { seededRandom } from '../base/random.ts';
import type { Candidate } from '../domain/candidate.ts';
import type { Policy } from './policy.ts';
import { StickyKeys } from './sticky-keys.ts';
import { StickyPolicy } from './sticky.ts';

const [a, b, c] = [candidateOf('a'), candidateOf('b'), candidateOf('c')];
const KEYED = hintsOf({ header: (name) => (name === 'x-smg-routing-key' ? 'k' : undefined) });
const WATCH = { firstContent: () => undefined, ended: () => undefined };

/** A policy that takes the last candidate and writes down what it hears. */
function stickyOf() {
  const heard: string[] = [];
  const inner: Policy = {
    select: (candidates) => candidates.at(-1),
    begin: ({ workerId }) => {
      heard.push(`begin ${workerId}`);
      return WATCH;
    },
    explain: () => 'the last',
    forget: ({ workerId }) => void heard.push(`forget ${workerId}`),
    forgetCache: ({ workerId }) => void heard.push(`forgetCache ${workerId}`),
    bytesHeld: 1_000,
  };
  const deps = { random: seededRandom(1), now: () => 0 };
  const policy = new StickyPolicy(inner, new StickyKeys({ maxIdleSecs: 100, maxRoutingKeys: 1_000 }, deps));
  return { policy, heard };
}

function place(policy: Policy, candidates: readonly Candidate[], hints = KEYED): Candidate | undefined {
  const chosen = policy.select(candidates, hints);
  if (chosen) policy.begin?.(chosen, hints);
  return chosen;
}

test('the policy chooses for a new key, and the key stays there while the worker can serve', () => {
  const { policy } = stickyOf();
  assert.equal(place(policy, [a, b]), b);
  assert.equal(place(policy, [a, b, c]), b);
  assert.equal(place(policy, [a, c]), c);
  assert.equal(place(policy, [b, c]), b);
});

test('a call without a key is a matter of the policy alone', () => {
  const { policy } = stickyOf();
  place(policy, [a, b]);
  assert.equal(place(policy, [a, b, c], hintsOf()), c);
});

test('the policy hears of every placement, its watch is handed on, and it is asked to forget', () => {
  const { policy, heard } = stickyOf();
  place(policy, [a, b]);
  place(policy, [b, a]);
  assert.equal(policy.begin(a, KEYED), WATCH);
  policy.forget(b);
  policy.forgetCache(a);
  assert.deepEqual(heard, ['begin b', 'begin b', 'begin a', 'forget b', 'forgetCache a']);
  assert.ok(policy.bytesHeld > 1_000);
});

test('it says whether the key or the policy decided', () => {
  const { policy } = stickyOf();
  assert.equal(policy.explain(b, KEYED), 'the last');
  place(policy, [a, b]);
  assert.equal(policy.explain(b, KEYED), 'worker of the routing key');
  assert.equal(policy.explain(c, hintsOf()), 'the last');
});

test('a worker that is forgotten has no key any more', () => {
  const { policy } = stickyOf();
  place(policy, [a, b]);
  policy.forget(b);
  assert.equal(place(policy, [b, c]), c);
});
