import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, type Case } from '../cases.ts';
import type { TargetName } from '../rig/targets.ts';
import { goalLine, renderSection } from './section.ts';
import { type Figures, matrixGoals, matrixNotes, matrixTable, type Round, summarise } from './summary.ts';

const BASE: Figures = {
  requestsPerSecond: 1000,
  eventsPerSecond: 64_000,
  p50: 1,
  p99: 2,
  firstByteP50: 0.5,
  cpuUsPerRequest: 40,
  userUsPerRequest: 20,
  proxyBusy: 1,
  loadBusy: 0.7,
  othersBusy: 0.01,
  idleBytes: 60 * 2 ** 20,
  peakBytes: 80 * 2 ** 20,
};

function round(target: TargetName, index: number, figures: Partial<Figures>): Round {
  return {
    case: find('unary 1 KB × 32'),
    target,
    round: index,
    figures: { ...BASE, ...figures },
    failures: 0,
    failureSamples: [],
  };
}

function find(name: string): Case {
  const found = CASES.find((one) => one.name === name);
  assert.ok(found !== undefined);
  return found;
}

test('takes the best of each figure, but the worst peak of memory', () => {
  const [row] = summarise(
    [
      round('bare', 1, { requestsPerSecond: 900, p50: 1.1, cpuUsPerRequest: 44, peakBytes: 10 }),
      round('bare', 2, { requestsPerSecond: 800, p50: 0.9, cpuUsPerRequest: 41, peakBytes: 20 }),
    ],
    'best',
  );
  assert.equal(row?.figures.requestsPerSecond, 900);
  assert.equal(row?.figures.p50, 0.9);
  assert.equal(row?.figures.cpuUsPerRequest, 41);
  assert.equal(row?.figures.peakBytes, 20);
});

test('takes the middle round when asked for the median', () => {
  const rounds = [3, 1, 2].map((p50, index) => round('bare', index, { p50 }));
  assert.equal(summarise(rounds, 'median')[0]?.figures.p50, 2);
});

test('what a proxy adds is its latency less that of direct, and unknown without direct', () => {
  const rows = summarise([round('direct', 1, { p50: 0.2 }), round('bare', 1, { p50: 1 })], 'best');
  assert.equal(rows.find((row) => row.target === 'bare')?.addedP50, 0.8);
  assert.ok(Number.isNaN(summarise([round('bare', 1, {})], 'best')[0]?.addedP50));
});

test('goals are met, not met or not measured, never met by absence', () => {
  const rows = summarise([round('bare', 1, {}), round('gateway', 1, { requestsPerSecond: 650 })], 'best');
  const lines = matrixGoals(rows).map(goalLine);
  assert.match(lines[0] ?? '', /0\.65 \(goal ≥ 0\.7\): NOT MET$/);
  assert.match(lines[1] ?? '', /not measured/);
});

test('a full load core beside an idle proxy core is pointed out', () => {
  const rows = summarise([round('nginx', 1, { proxyBusy: 0.6, loadBusy: 0.99 })], 'best');
  assert.match(matrixNotes(rows)[0] ?? '', /the load core was full \(99%\)/);
});

test('a row that shared the machine in every round is pointed out', () => {
  const rows = summarise([round('bare', 1, { othersBusy: 0.4 }), round('bare', 2, { othersBusy: 0.3 })], 'best');
  assert.match(matrixNotes(rows)[0] ?? '', /other programs took 30% of the machine/);
  const quiet = summarise([round('bare', 1, { othersBusy: 0.4 }), round('bare', 2, { othersBusy: 0.02 })], 'best');
  assert.deepEqual(matrixNotes(quiet), []);
});

test('a round with failures gives no figures, only its count of failures', () => {
  const failed = { ...round('bare', 1, { requestsPerSecond: 99_999 }), failures: 3 };
  const [mixed] = summarise([failed, round('bare', 2, { requestsPerSecond: 900 })], 'best');
  assert.equal(mixed?.figures.requestsPerSecond, 900);
  assert.equal(mixed?.failures, 3);
  const alone = summarise([failed], 'best');
  assert.ok(Number.isNaN(alone[0]?.figures.requestsPerSecond));
  assert.ok(!/NaN/.test(JSON.stringify(matrixTable(alone))));
});

test('a section shows table, goals, notes and failures', () => {
  const rows = summarise([round('direct', 1, {}), round('bare', 1, {})], 'best');
  const provenance = {
    commit: 'abc',
    node: 'v24',
    cpu: 'cpu',
    cores: 'cores',
    date: 'today',
    command: 'npm run bench',
  };
  const text = renderSection({
    title: 'Matrix',
    provenance,
    table: matrixTable(rows),
    goals: matrixGoals(rows),
    notes: ['a note'],
    failures: ['bare: status 502'],
  });
  assert.match(text, /^## Matrix\n/);
  assert.match(text, /\| unary 1 KB × 32 \| direct/);
  assert.match(text, /- a note\n/);
  assert.match(text, /- FAILED bare: status 502\n/);
});
