import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, play, sharingTrace, traceOf } from '../../test/support/lab.ts';
import { Outcomes } from '../replay/outcome.ts';
import { alignTable, tableOf } from './columns.ts';
import { compare } from './compare.ts';
import { jsonOf } from './json.ts';
import { measure } from './measures.ts';
import { subjectOf } from '../subjects.ts';
import { DEFAULT_SETTING } from '../replay/setting.ts';

test('counts hits, waits and balance of calls whose course is known', () => {
  const trace = traceOf(
    callOf([1, 2], { arrivedMs: 0, session: 1 }),
    callOf([1, 2], { arrivedMs: 100, session: 2 }),
    callOf([1, 2], { arrivedMs: 200, session: 1 }),
    callOf([1, 2], { arrivedMs: 300, session: 1 }),
  );
  const outcomes = new Outcomes(trace);
  outcomes.worker.set([0, 1, 0, 1]);
  outcomes.firstTokenMs.set([10, 130, 250, 340]);
  outcomes.finishedMs.set([20, 150, 260, 400]);
  outcomes.cachedTokens.set([0, 0, 1024, 0]);
  const figures = measure(trace, { outcomes, busyMs: [10, 30], decisionMs: 2, bytesHeld: 5 });
  assert.equal(figures.hitRate, 1024 / 4100);
  assert.deepEqual([figures.ttftMean, figures.ttftP50, figures.ttftP99, figures.endToEndP99], [32.5, 30, 50, 100]);
  assert.deepEqual(figures.workers, [
    { calls: 2, computedTokens: 1026, busyMs: 10 },
    { calls: 2, computedTokens: 2050, busyMs: 30 },
  ]);
  assert.deepEqual([figures.busiestByCalls, figures.busiestByTime], [1, 1.5]);
  assert.ok(Math.abs(figures.busiestByWork - 2050 / 1538) < 1e-12);
  assert.equal(figures.sessionsKept, 1 / 2);
  assert.deepEqual([figures.decisionsPerSecond, figures.bytesHeld], [2000, 5]);
});

test('the work of all workers is what the prompts had and the caches did not', () => {
  const trace = sharingTrace(150);
  const { workers, hitRate } = measure(trace, play(trace, 'least_load'));
  const computed = workers.reduce((sum, { computedTokens }) => sum + computedTokens, 0);
  const prompts = trace.calls.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  assert.ok(Math.abs(computed - prompts * (1 - hitRate)) < 1e-6);
});

test('tables have a title and a row for each policy, and JSON has no holes', () => {
  const subjects = ['round_robin', 'random'].map((word) => subjectOf(word));
  const comparison = compare(sharingTrace(30), DEFAULT_SETTING, { subjects, stopwatch: () => 0 });
  const lines = alignTable(tableOf(comparison.rows, 'brief')).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? '', /^policy +hit rate +of bound +TTFT mean/);
  assert.match(lines[1] ?? '', /^round_robin +\d+\.\d%/);
  const value = JSON.parse(jsonOf(comparison));
  assert.deepEqual([value.policies.length, value.policies[0].sessionsKept, value.setting.kvTokens], [2, null, null]);
  assert.equal(value.policies[1].workers.length, 8);
});
