/** Ranges of prompt lengths, how they follow the traffic, and when they yield. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf, NO_BLOCKS } from '../../../test/support/fleet.ts';
import { seededRandom } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { CallWatch } from '../../domain/ports.ts';
import type { Policy } from '../policy.ts';
import bucket from './bucket.ts';

const DONE = { kind: 'success' } as const;

function bucketOf(values: Record<string, unknown> = {}) {
  const time = { ms: 0 };
  const random = seededRandom(1);
  return { policy: bucket.create(values, { random, now: () => time.ms }), time, random };
}

interface Sent {
  readonly at: number;
  readonly worker: Candidate;
  readonly watch: CallWatch | undefined;
}

function send(policy: Policy, workers: readonly Candidate[], tokens: number): Sent {
  const hints = hintsOf({ blocks: () => ({ ...NO_BLOCKS, tokens }) });
  const worker = policy.select(workers, hints);
  assert.ok(worker);
  return { at: workers.indexOf(worker), worker, watch: policy.begin?.(worker, hints) };
}

/** Sends prompts of these lengths one after the other; tokens of work that each worker got. */
function workOf(policy: Policy, workers: readonly Candidate[], lengths: readonly number[]): number[] {
  const work = workers.map(() => 0);
  for (const tokens of lengths) {
    const { at, watch } = send(policy, workers, tokens);
    watch?.ended(DONE, undefined);
    work[at] = (work[at] ?? 0) + tokens;
  }
  return work;
}

/** Lengths spread evenly over the doublings from 16 to 16,384. */
function lengthsOf(count: number, seed = 5): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.round(16 * 2 ** (random.next() * 10)));
}

const four = [1, 1, 1, 1].map((cost, i) => candidateOf(`w${i}`, { cost }));

test('short prompts go to the first workers and long ones to the last, each with the same work', () => {
  const { policy } = bucketOf();
  workOf(policy, four, lengthsOf(2_000));
  const sent = lengthsOf(2_000, 6).map((tokens) => {
    const { at, watch } = send(policy, four, tokens);
    watch?.ended(DONE, undefined);
    return { tokens, at };
  });
  for (const { tokens, at } of sent) {
    if (tokens < 1_500) assert.equal(at, 0, `${tokens} tokens`);
    if (tokens > 14_000) assert.equal(at, 3, `${tokens} tokens`);
  }
  const work = four.map((_, worker) =>
    sent.filter(({ at }) => at === worker).reduce((sum, each) => sum + each.tokens, 0),
  );
  const mean = work.reduce((sum, each) => sum + each, 0) / 4;
  for (const each of work) assert.ok(Math.abs(each - mean) < mean * 0.1, work.join(' '));
});

test('a dear worker gets a narrower range: half the work at cost 2', () => {
  const { policy } = bucketOf();
  const workers = [1, 2, 4].map((cost) => candidateOf(`cost${cost}`, { cost }));
  const work = workOf(policy, workers, lengthsOf(7_000));
  const total = work.reduce((sum, each) => sum + each, 0);
  [4, 2, 1].forEach((share, i) => {
    assert.ok(Math.abs((work[i] ?? 0) / total - share / 7) < 0.02, work.join(' '));
  });
});

test('the ranges follow the traffic when prompts become longer', () => {
  const { policy, time } = bucketOf({ bucketAdjustIntervalSecs: 5 });
  workOf(policy, four, lengthsOf(2_000));
  const longer = lengthsOf(2_000).map((tokens) => tokens * 16);
  assert.ok((workOf(policy, four, longer.slice(0, 50))[3] ?? 0) > 0);
  time.ms = 40_000;
  workOf(policy, four, longer);
  const work = workOf(policy, four, longer);
  const mean = work.reduce((sum, each) => sum + each, 0) / 4;
  for (const each of work) assert.ok(Math.abs(each - mean) < mean * 0.12, work.join(' '));
});

test('prompts of one length are spread by lot', () => {
  const { policy } = bucketOf();
  const counts = four.map(() => 0);
  for (let i = 0; i < 2_000; i += 1) {
    const { at, watch } = send(policy, four, 700);
    watch?.ended(DONE, undefined);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 500) < 75, counts.join(' '));
});

test('a worker that has much more before it than the least busy one yields, until its prompts are computed', () => {
  const { policy } = bucketOf({ bucketBalanceAbsTokens: 8_192 });
  workOf(policy, four, lengthsOf(2_000));
  const first = send(policy, four, 16_000);
  assert.equal(first.at, 3);
  const second = send(policy, four, 16_000);
  assert.notEqual(second.at, 3);
  second.watch?.firstContent();
  first.watch?.firstContent();
  assert.equal(send(policy, four, 16_000).at, 3);
  first.watch?.ended(DONE, undefined);
});

test('a worker in the slot of one that left has nothing before it', () => {
  const { policy } = bucketOf();
  workOf(policy, four, lengthsOf(2_000));
  send(policy, four, 16_000);
  policy.forget?.(four[3] as Candidate);
  const heir = candidateOf('heir', { slot: four[3]?.slot ?? 0 });
  assert.equal(send(policy, [...four.slice(0, 3), heir], 16_000).worker, heir);
});

test('a difference that is small beside the work does not count', () => {
  const { policy } = bucketOf({ bucketBalanceAbsTokens: 100, bucketBalanceRel: 3 });
  workOf(policy, four, lengthsOf(2_000));
  for (const worker of four) policy.begin?.(worker, hintsOf({ blocks: () => ({ ...NO_BLOCKS, tokens: 1_000 }) }));
  assert.equal(send(policy, four, 16).at, 0);
  // 1,500 more than the 1,000 of the others: above 100, below three times as much.
  for (const [tokens, isKept] of [
    [1_500, true],
    [3_000, false],
  ] as const) {
    const last = four[3] as Candidate;
    const watch = policy.begin?.(last, hintsOf({ blocks: () => ({ ...NO_BLOCKS, tokens }) }));
    const sent = send(policy, four, 16_000);
    assert.equal(sent.at === 3, isKept);
    for (const each of [watch, sent.watch]) each?.ended(DONE, undefined);
  }
});

test('after a long silence the first prompts are spread by lot again', () => {
  const { policy, time } = bucketOf();
  workOf(policy, four, lengthsOf(500));
  time.ms = 3_600_000;
  const picks = new Set<number>();
  for (let i = 0; i < 40; i += 1) {
    const hints = hintsOf({ blocks: () => ({ ...NO_BLOCKS, tokens: 16 }) });
    picks.add(four.indexOf(policy.select(four, hints) as never));
  }
  assert.equal(picks.size, 4);
});

test('any subset of the workers divides all lengths among itself', () => {
  const { policy } = bucketOf();
  workOf(policy, four, lengthsOf(2_000));
  const two = [four[1], four[3]] as Candidate[];
  const work = workOf(policy, two, lengthsOf(2_000, 8));
  assert.ok(Math.abs((work[0] ?? 0) / (work[1] ?? 1) - 1) < 0.15, work.join(' '));
});
