/** One timer for all attempts: there while one lives, gone when none does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { Ticker } from './ticker.ts';
import type { Ticking } from './ticker.ts';

interface Listener extends Ticking {
  readonly ticks: number[];
  readonly cancelled: GatewayError[];
}

function listenerOf(onTick: (self: Listener) => void = () => undefined): Listener {
  const listener: Listener = {
    listIndex: -1,
    ticks: [],
    cancelled: [],
    tick: (nowMs) => {
      listener.ticks.push(nowMs);
      onTick(listener);
    },
    cancel: (error) => listener.cancelled.push(error),
  };
  return listener;
}

test('an idle ticker has no timer', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  assert.equal(clock.pendingTimers, 0);
  const listener = listenerOf();
  ticker.add(listener);
  ticker.delete(listener);
  clock.advance(10_000);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(listener.ticks, []);
});

test('any number of attempts share one timer, and each hears every tick with its time', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  const listeners = Array.from({ length: 50 }, () => listenerOf());
  for (const listener of listeners) ticker.add(listener);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(350);
  for (const { ticks } of listeners) assert.deepEqual(ticks, [100, 200, 300]);
  assert.equal(clock.pendingTimers, 1);
});

const periods: readonly (readonly [string, readonly number[], number])[] = [
  ['a tenth of the shortest limit', [600_000, 500, 1_000], 50],
  ['limits that are off are none', [0, 2_000, 0], 200],
  ['never more often than every 5 ms', [10], 5],
  ['never less often than every 250 ms', [600_000], 250],
  ['with every limit off as rarely as may be', [0, 0], 250],
  ['without limits too', [], 250],
];

for (const [name, limits, period] of periods) {
  test(`the ticks come every ${period} ms for limits of ${JSON.stringify(limits)}: ${name}`, () => {
    const clock = new ManualClock();
    const ticker = new Ticker(clock, limits);
    const listener = listenerOf();
    ticker.add(listener);
    clock.advance(period * 3);
    assert.deepEqual(listener.ticks, [period, 2 * period, 3 * period]);
  });
}

test('an attempt may end in its tick, and the timer ends with the last of them', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  const first = listenerOf((self) => ticker.delete(self));
  const second = listenerOf((self) => self.ticks.length === 2 && ticker.delete(self));
  ticker.add(first);
  ticker.add(second);
  clock.advance(1_000);
  assert.deepEqual([first.ticks, second.ticks], [[100], [100, 200]]);
  assert.equal(clock.pendingTimers, 0);
});

test('an attempt that begins in a tick hears the next one, once', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  const late = listenerOf();
  ticker.add(
    listenerOf((self) => {
      ticker.delete(self);
      ticker.add(late);
    }),
  );
  clock.advance(200);
  assert.deepEqual(late.ticks, [200]);
  assert.equal(clock.pendingTimers, 1);
});

test('after a pause without attempts it goes on', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  const first = listenerOf();
  ticker.add(first);
  ticker.delete(first);
  clock.advance(5_000);
  const second = listenerOf();
  ticker.add(second);
  clock.advance(100);
  assert.deepEqual(second.ticks, [5_100]);
});

test('all are cancelled with the one reason, also when each leaves while it is told', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock, [1_000]);
  const listeners = Array.from({ length: 5 }, () => listenerOf());
  for (const listener of listeners) {
    const { cancelled } = listener;
    listener.cancel = (error) => {
      cancelled.push(error);
      ticker.delete(listener);
    };
    ticker.add(listener);
  }
  const error = new GatewayError('shutting_down', 'The gateway shuts down.');
  ticker.cancelAll(error);
  for (const { cancelled } of listeners) assert.deepEqual(cancelled, [error]);
  clock.advance(1_000);
  assert.equal(clock.pendingTimers, 0);
});
