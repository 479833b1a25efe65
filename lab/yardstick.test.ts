import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../src/base/random.ts';
import type { Candidate } from '../src/domain/candidate.ts';
import type { Hints } from '../src/routing/policy.ts';
import { callOf, traceOf } from '../test/support/lab.ts';
import { LabHints } from './replay/hints.ts';
import { DEFAULT_SETTING } from './replay/setting.ts';
import yardstick from './yardstick.ts';

const create = () => yardstick.create({}, { random: seededRandom(1), now: () => 0 });

function fleet(...loads: readonly number[]): Candidate[] {
  return loads.map((inFlight, slot) => {
    return { workerId: `w${slot}`, slot, priority: 50, cost: 1, inFlight, load: inFlight, report: undefined };
  });
}

/** A prompt of these blocks and a rest. */
function promptOf(blocks: readonly number[], restTokens = 1): Hints {
  const call = callOf(blocks, { restTokens });
  return new LabHints(call, traceOf(call), DEFAULT_SETTING);
}

test('a prompt of which more than the threshold is known goes to the worker that had it last', () => {
  const policy = create();
  const [a, b, c] = fleet(5, 9, 0) as [Candidate, Candidate, Candidate];
  policy.begin?.(a, promptOf([1, 2, 3, 4]));
  policy.begin?.(b, promptOf([1, 2, 3, 4]));
  assert.equal(policy.select([a, b, c], promptOf([1, 2, 8, 9])), b);
});

test('at the threshold or below it the least loaded worker is chosen', () => {
  const policy = create();
  const [a, b] = fleet(5, 1) as [Candidate, Candidate];
  policy.begin?.(a, promptOf([1, 2, 3]));
  assert.equal(policy.select([a, b], promptOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0)), b, '0.3 is not above 0.3');
  assert.equal(policy.select([a, b], promptOf([1, 2, 3, 4, 5, 6, 7, 8, 9], 0)), a);
});

test('equal loads go to the worker that was given fewer calls, then to the first', () => {
  const policy = create();
  const workers = fleet(2, 2, 2) as [Candidate, Candidate, Candidate];
  assert.equal(policy.select(workers, promptOf([1])), workers[0]);
  policy.begin?.(workers[0], promptOf([50]));
  assert.equal(policy.select(workers, promptOf([1])), workers[1]);
});

test('both thresholds must be passed before balance comes first', () => {
  const policy = create();
  const known = promptOf([1, 2]);
  const choose = (...loads: number[]) => {
    const workers = fleet(...loads) as [Candidate, ...Candidate[]];
    policy.begin?.(workers[0], known);
    return policy.select(workers, known)?.workerId;
  };
  assert.equal(choose(64, 0), 'w0', 'a difference of 64 is not above 64');
  assert.equal(choose(65, 0), 'w1');
  assert.equal(choose(195, 130), 'w0', '195 is not above 1.5 times 130');
  assert.equal(choose(196, 130), 'w1');
});

test('when the worker of the match cannot serve, the first one does', () => {
  const policy = create();
  const [a, b, c] = fleet(0, 7, 3) as [Candidate, Candidate, Candidate];
  policy.begin?.(a, promptOf([1]));
  assert.equal(policy.select([b, c], promptOf([1])), b);
});

test('what was moved for balance is remembered where it went', () => {
  const policy = create();
  const [a, b] = fleet(100, 0) as [Candidate, Candidate];
  policy.begin?.(a, promptOf([1]));
  policy.begin?.(b, promptOf([1]));
  assert.equal(policy.select(fleet(0, 0), promptOf([1]))?.workerId, 'w1');
});
