/** The clock that tests move by hand, and the limits of the real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, systemClock } from './clock.ts';

test('a manual clock stands still until it is moved', () => {
  const clock = new ManualClock();
  const wall = clock.wallTime();
  assert.equal(clock.now(), 0);
  clock.advance(1_500);
  assert.equal(clock.now(), 1_500);
  assert.equal(clock.wallTime() - wall, 1_500);
});

test('due timers run in order of their time, each at its own moment', () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.setTimer(() => ran.push(`late at ${clock.now()}`), 30);
  clock.setTimer(() => ran.push(`first at ${clock.now()}`), 10);
  clock.setTimer(() => ran.push(`second at ${clock.now()}`), 10);
  clock.setTimer(() => ran.push('never'), 101);
  clock.advance(100);
  assert.deepEqual(ran, ['first at 10', 'second at 10', 'late at 30']);
  assert.equal(clock.now(), 100);
  assert.equal(clock.pendingTimers, 1);
});

test('a timer that is set while time moves runs within the same move when it is due', () => {
  const clock = new ManualClock();
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.now());
    clock.setTimer(again, 40);
  };
  clock.setTimer(again, 40);
  clock.advance(130);
  assert.deepEqual(ran, [40, 80, 120]);
  assert.equal(clock.pendingTimers, 1);
});

test('a cleared timer does not run, and clearing it again or after it ran is harmless', () => {
  const clock = new ManualClock();
  let runs = 0;
  const cleared = clock.setTimer(() => (runs += 1), 10);
  const kept = clock.setTimer(() => (runs += 1), 10);
  clock.clearTimer(cleared);
  clock.clearTimer(cleared);
  clock.advance(10);
  clock.clearTimer(kept);
  assert.equal(runs, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('the system clock takes a delay longer than the platform holds without letting it overflow', async () => {
  const warnings: string[] = [];
  const listener = (warning: Error) => warnings.push(warning.name);
  process.on('warning', listener);
  systemClock.clearTimer(systemClock.setTimer(() => undefined, 2 ** 40));
  // Node tells of an overflow, after which a timer fires at once, by a warning on the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listener);
  assert.deepEqual(warnings, []);
});

test('the system clock never goes back', () => {
  const first = systemClock.now();
  assert.ok(systemClock.now() >= first);
});
