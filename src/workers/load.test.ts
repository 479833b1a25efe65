/** What engines report refines the load, and ages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadReport } from '../domain/candidate.ts';
import { LoadBook } from './load.ts';

const INTERVAL = 10_000;

function reportOf(change: Partial<LoadReport>): LoadReport {
  const none = { waitingTokens: undefined, usedTokens: undefined, capacityTokens: undefined };
  return { atMs: 0, running: 0, waiting: 0, ...none, throughput: undefined, cacheHitRate: undefined, ...change };
}

function book() {
  const loads = new LoadBook();
  const candidate = loads.open('a', { priority: 50, cost: 1 });
  const loadAt = (nowMs: number) => {
    loads.age(nowMs, INTERVAL);
    return candidate.load;
  };
  return { loads, candidate, loadAt };
}

test('calls that the gateway did not send count on top of those that it did', () => {
  const { loads, candidate } = book();
  const leave = loads.enter('a');
  loads.enter('a');
  loads.report('a', reportOf({ running: 4, waiting: 3 }));
  assert.deepEqual([candidate.inFlight, candidate.load, candidate.report?.running], [2, 7, 4]);
  leave();
  assert.equal(candidate.load, 6, 'a call that ends is known at once');
});

test('an engine that counts fewer calls than are under way takes nothing away', () => {
  const { loads, candidate } = book();
  loads.enter('a');
  loads.report('a', reportOf({}));
  assert.equal(candidate.load, 1);
});

test('a report that is not renewed is halved with each interval and forgotten after three', () => {
  const { loads, candidate, loadAt } = book();
  loads.report('a', reportOf({ running: 9 }));
  assert.deepEqual([loadAt(0), loadAt(11_000), loadAt(14_900)], [9, 9, 9], 'a little late is not missing');
  assert.equal(loadAt(15_000), 4);
  assert.equal(loadAt(25_000), 2);
  assert.ok(candidate.report);
  assert.equal(loadAt(30_000), 0);
  assert.equal(candidate.report, undefined);
});

test('a new report starts anew', () => {
  const { loads, loadAt } = book();
  loads.report('a', reportOf({ running: 9 }));
  loadAt(25_000);
  loads.report('a', reportOf({ running: 5, atMs: 25_000 }));
  assert.equal(loadAt(26_000), 5);
});

test('a report about a member that is gone is nothing', () => {
  const { loads } = book();
  loads.close('a');
  loads.report('a', reportOf({ running: 1 }));
  loads.age(1, INTERVAL);
  assert.equal(loads.inFlight('a'), 0);
});
