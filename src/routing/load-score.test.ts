/** Load as engines report it, and the policies that go by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../test/support/fleet.ts';
import type { MovableCandidate } from '../../test/support/fleet.ts';
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

/** The score at a moment. */
function scoreAt(nowMs: number): { seconds(candidate: Candidate): number } {
  const score = new LoadScore(OPTIONS);
  return { seconds: (candidate) => score.seconds(candidate, nowMs) };
}

test('the wait is what the calls in flight stand for over the throughput, plus the pressure of the cache', () => {
  const score = scoreAt(1);
  assert.equal(score.seconds(candidateOf('a')), 0.5);
  assert.equal(score.seconds(candidateOf('a', { inFlight: 3 })), 2);
  assert.equal(score.seconds(candidateOf('a', { inFlight: 3, cost: 2 })), 4);
  assert.equal(score.seconds(reporting('a', { usedTokens: 500 })), 0.65);
  assert.equal(score.seconds(reporting('a', { usedTokens: 500 }, { cost: 2 })), 1.3);
  assert.ok(score.seconds(reporting('a', { usedTokens: 5_000 })) < 151, 'a full cache is not beyond measure');
});

test('prompts that wait in an engine count where they exceed what the calls in flight stand for', () => {
  const score = scoreAt(1);
  assert.equal(score.seconds(reporting('a', { waitingTokens: 3_000 })), 2);
  assert.equal(score.seconds(reporting('a', { waitingTokens: undefined, waiting: 3 })), 2);
  assert.equal(score.seconds(reporting('a', { waitingTokens: 3_000 }, { inFlight: 2 })), 2);
  assert.equal(score.seconds(reporting('a', { waitingTokens: 3_000 }, { inFlight: 5 })), 3);
});

test('what waited when a report came has been computed after a while, at four times the throughput', () => {
  const worker = reporting('a', { waitingTokens: 9_000 });
  assert.deepEqual(
    [1, 501, 1_001, 1_126, 60_001].map((nowMs) => scoreAt(nowMs).seconds(worker)),
    [5, 3, 1, 0.5, 0.5],
  );
});

test('a report without the size of its cache counts for the rest of what it says', () => {
  const score = scoreAt(1);
  for (const change of [{ usedTokens: undefined }, { capacityTokens: undefined }, { capacityTokens: 0 }]) {
    assert.equal(score.seconds(reporting('a', { waitingTokens: 3_000, ...change })), 2);
  }
});

for (const name of ['least_load', 'power_of_two']) {
  test(`${name} sees a queue that its own calls do not explain`, () => {
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

  test(`${name} compares workers that report with those that do not`, () => {
    const policy = policyOf(name);
    const talks = reporting('talks', { waitingTokens: 4_000 }, { inFlight: 10 });
    assert.equal(policy.select([talks, candidateOf('busier', { inFlight: 20 })], CONTENT), talks);
    const idler = candidateOf('idler', { inFlight: 5 });
    assert.equal(policy.select([talks, idler], CONTENT), idler);
  });

  test(`${name} spreads a burst that comes between two reports`, () => {
    const policy = policyOf(name);
    const workers = ['a', 'b', 'c', 'd'].map((id) => candidateOf(id, { report: reportOf() }));
    for (let i = 0; i < 400; i += 1) (policy.select(workers, CONTENT) as MovableCandidate).inFlight += 1;
    for (const { workerId, inFlight } of workers) assert.ok(Math.abs(inFlight - 100) <= 5, workerId);
  });
}
