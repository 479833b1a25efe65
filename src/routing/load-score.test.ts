/** Load as engines report it, and the policies that go by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../test/support/fleet.ts';
import { seededRandom } from '../base/random.ts';
import type { Candidate, LoadReport } from '../domain/candidate.ts';
import { LoadScore } from './load-score.ts';
import { findPolicy } from './policies/index.ts';
import type { Policy } from './policy.ts';

const OPTIONS = {
  leastLoadKvPressureWeight: 0.15,
  leastLoadDefaultThroughput: 2_000,
  leastLoadMeanPrefillTokens: 1_000,
};
const DONE = { kind: 'success' } as const;
const CONTENT = hintsOf();

function reportOf(change: Partial<LoadReport> = {}): LoadReport {
  return {
    atMs: 1,
    running: 0,
    waiting: 0,
    waitingTokens: 0,
    usedTokens: 0,
    capacityTokens: 1_000,
    throughput: undefined,
    cacheHitRate: undefined,
    ...change,
  };
}

function reporting(id: string, change: Partial<LoadReport> = {}, more: Partial<Candidate> = {}): Candidate {
  return candidateOf(id, { report: reportOf(change), ...more });
}

function policyOf(name: string): Policy {
  const policy = findPolicy(name)?.create({}, { random: seededRandom(3), now: () => 0 });
  assert.ok(policy);
  return policy;
}

test('the wait is the tokens before the first one over the throughput, plus the pressure of the cache', () => {
  const score = new LoadScore(OPTIONS);
  const seconds = (change: Partial<LoadReport>, cost = 1) => score.seconds(reporting('a', change, { cost }));
  assert.equal(seconds({}), 0.5);
  assert.equal(seconds({ waitingTokens: 3_000 }), 2);
  assert.equal(seconds({ waitingTokens: undefined, waiting: 3 }), 2);
  assert.equal(seconds({ waitingTokens: 3_000, throughput: 4_000 }), 1);
  assert.equal(seconds({ usedTokens: 500 }), 0.65);
  assert.equal(seconds({ usedTokens: 500 }, 2), 1.3);
  assert.ok(seconds({ usedTokens: 5_000 }) < 151);
});

test('an engine that has little to do is not taken for a slow one', () => {
  const score = new LoadScore(OPTIONS);
  assert.equal(score.seconds(reporting('a', { throughput: 3 })), 0.5);
});

test('calls placed since the report are added until their first token, and a new report knows them', () => {
  const score = new LoadScore(OPTIONS);
  const worker = reporting('a');
  const [first, second] = [score.begin(worker), score.begin(worker)];
  assert.equal(score.seconds(worker), 1.5);
  first?.firstContent();
  assert.equal(score.seconds(worker), 1);
  first?.ended(DONE, undefined);
  assert.equal(score.seconds(worker), 1);
  const later = reporting('a', { atMs: 2, waitingTokens: 1_000 });
  assert.equal(score.seconds(later), 1);
  score.begin(later);
  second?.ended(DONE, undefined);
  assert.equal(score.seconds(later), 1.5);
});

test('a worker in the slot of another starts anew, even when its report has the same time', () => {
  const score = new LoadScore(OPTIONS);
  const watch = score.begin(reporting('a', {}, { slot: 5 }));
  score.forget(reporting('a', {}, { slot: 5 }));
  const heir = reporting('b', {}, { slot: 5 });
  assert.equal(score.seconds(heir), 0.5);
  score.begin(heir);
  watch?.ended(DONE, undefined);
  assert.equal(score.seconds(heir), 1);
});

test('a report that does not say how full the cache is counts as none', () => {
  const score = new LoadScore(OPTIONS);
  for (const change of [{ usedTokens: undefined }, { capacityTokens: undefined }, { capacityTokens: 0 }]) {
    assert.ok(Number.isNaN(score.seconds(reporting('a', change))));
    assert.equal(score.begin(reporting('a', change)), undefined);
  }
  assert.ok(Number.isNaN(score.seconds(candidateOf('a'))));
});

for (const name of ['least_load', 'power_of_two']) {
  test(`${name} believes reports more than counts`, () => {
    const quiet = reporting('quiet', { waitingTokens: 0 }, { inFlight: 9 });
    const jammed = reporting('jammed', { waitingTokens: 90_000 }, { inFlight: 2 });
    const policy = policyOf(name);
    for (let i = 0; i < 50; i += 1) assert.equal(policy.select([quiet, jammed], CONTENT), quiet);
  });

  test(`${name} weighs reports by cost`, () => {
    const dear = reporting('dear', { waitingTokens: 3_000 }, { cost: 3 });
    const cheap = reporting('cheap', { waitingTokens: 8_000 });
    assert.equal(policyOf(name).select([dear, cheap], CONTENT), cheap);
  });

  test(`${name} does not send everything to those that report nothing, nor to those that report`, () => {
    const policy = policyOf(name);
    for (const waitingTokens of [0, 4_000, 400_000]) {
      const talks = reporting('talks', { waitingTokens }, { inFlight: 10 });
      assert.equal(policy.select([talks, candidateOf('busier', { inFlight: 20 })], CONTENT), talks);
      const idler = candidateOf('idler', { inFlight: 5 });
      assert.equal(policy.select([talks, idler], CONTENT), idler);
    }
  });

  test(`${name} spreads a burst that comes between two reports`, () => {
    const policy = policyOf(name);
    const workers = ['a', 'b', 'c', 'd'].map((id) => reporting(id));
    const counts = new Map<string, number>();
    for (let i = 0; i < 400; i += 1) {
      const chosen = policy.select(workers, CONTENT) as Candidate;
      policy.begin?.(chosen, CONTENT);
      counts.set(chosen.workerId, (counts.get(chosen.workerId) ?? 0) + 1);
    }
    for (const { workerId } of workers) assert.ok(Math.abs((counts.get(workerId) ?? 0) - 100) <= 5, workerId);
  });
}
