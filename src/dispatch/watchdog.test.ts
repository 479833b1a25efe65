/** The clocks of one attempt, from its sending on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import type { ClockOptions } from '../resilience/clocks.ts';
import { Watchdog } from './watchdog.ts';

const OPTIONS: ClockOptions = { headersMs: 100, firstContentMs: 1_000, idleMs: 300, callMs: 5_000 };

/** A call that arrived at 1,000 ms and is sent at 1,050 ms. */
function watch(change: Partial<ClockOptions> = {}, isStream = true) {
  const clock = new ManualClock();
  clock.advance(1_050);
  const watchdog = new Watchdog({ ...OPTIONS, ...change }, { startedAt: 1_000, isStream }, clock);
  /** Looks at the clocks `ms` later; `after(0)` is the tick that notes what has just happened. */
  const after = (ms: number) => {
    clock.advance(ms);
    return watchdog.expired(clock.now());
  };
  return { watchdog, after };
}

test('a worker that does not begin to answer is given up when the limit is reached, not before', () => {
  const { watchdog, after } = watch();
  assert.equal(watchdog.sentAt, 1_050);
  assert.equal(after(99), undefined);
  assert.equal(after(1), 'headers');
});

test('bytes do not put off the limit of the headers', () => {
  const { watchdog, after } = watch();
  assert.equal(after(90), undefined);
  watchdog.touch();
  after(0);
  assert.equal(after(10), 'headers');
});

test('after the headers silence is counted from them', () => {
  const { watchdog, after } = watch();
  after(90);
  watchdog.enter('first_content');
  after(0);
  assert.equal(after(299), undefined);
  assert.equal(after(1), 'first_content');
});

test('heartbeats put silence off, but not the limit of first content', () => {
  const { watchdog, after } = watch();
  watchdog.enter('first_content');
  after(0);
  for (let at = 100; at < 1_000; at += 100) {
    assert.equal(after(100), undefined, `at ${at}`);
    watchdog.touch();
    after(0);
  }
  assert.equal(after(100), 'first_content');
});

test('a stream that gives content is bound by silence only', () => {
  const { watchdog, after } = watch();
  watchdog.enter('streaming');
  after(0);
  for (let i = 0; i < 100; i += 1) {
    assert.equal(after(200), undefined);
    watchdog.touch();
    after(0);
  }
  assert.equal(after(300), 'streaming');
});

test('an answer in one piece is bound by the limit of the call, counted from its arrival', () => {
  const { watchdog, after } = watch({}, false);
  watchdog.enter('streaming');
  after(0);
  for (let at = 0; at < 4_800; at += 200) {
    assert.equal(after(200), undefined);
    watchdog.touch();
    after(0);
  }
  assert.equal(after(150), 'streaming');
});

test('while the client is slow the worker’s silence is not its fault, and the client’s has the same limit', () => {
  const { watchdog, after } = watch({ callMs: 100 }, false);
  watchdog.enter('streaming');
  after(0);
  watchdog.paused();
  assert.equal(after(299), undefined);
  assert.equal(after(1), 'slow_client');
});

test('a client that takes up again gives the worker its time anew', () => {
  const { watchdog, after } = watch();
  watchdog.enter('streaming');
  after(0);
  watchdog.paused();
  after(299);
  watchdog.resumed();
  after(0);
  assert.equal(after(299), undefined);
  assert.equal(after(1), 'streaming');
});

test('with every limit off nothing ends, a slow client neither', () => {
  const off = { headersMs: 0, firstContentMs: 0, idleMs: 0, callMs: 0 };
  const { watchdog, after } = watch(off);
  assert.equal(after(1e9), undefined);
  watchdog.enter('streaming');
  after(0);
  assert.equal(after(1e9), undefined);
  watchdog.paused();
  assert.equal(after(1e9), undefined);
});
