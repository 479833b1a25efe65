/** The client's side: leaving and draining reach whoever works for it now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ReplyWriter } from '../domain/ports.ts';
import { ClientSide } from './client-side.ts';

function clientOf() {
  let isGone = false;
  let gone = () => undefined as void;
  let drain = () => undefined as void;
  const writer: ReplyWriter = {
    get isGone() {
      return isGone;
    },
    onGone: (listener) => (gone = listener),
    onDrain: (listener) => (drain = listener),
    head: () => undefined,
    write: () => true,
    end: () => undefined,
    destroy: () => undefined,
  };
  const side = new ClientSide(writer);
  const told: string[] = [];
  const listener = (name: string) => ({
    clientGone: () => told.push(`${name} gone`),
    drained: () => told.push(`${name} drained`),
    cancel: () => told.push(`${name} cancelled`),
  });
  const leave = () => {
    isGone = true;
    gone();
  };
  return { side, told, listener, leave, drain: () => drain(), clock: new ManualClock() };
}

test('the attempt under way hears that the client left or can take more, earlier ones do not', () => {
  const { side, told, listener, leave, drain } = clientOf();
  drain();
  side.current = listener('first');
  drain();
  side.current = listener('second');
  drain();
  leave();
  assert.deepEqual(told, ['first drained', 'second drained', 'second gone']);
  assert.equal(side.isGone, true);
});

test('a client that leaves between attempts disturbs nobody', () => {
  const { side, told, leave } = clientOf();
  leave();
  assert.deepEqual([told, side.isGone], [[], true]);
});

test('a wait lasts its time and no longer, and leaves no timer', async () => {
  const { side, clock } = clientOf();
  let result: boolean | undefined;
  const waited = Promise.resolve(side.wait(100, clock)).then((value) => (result = value));
  clock.advance(99);
  await Promise.resolve();
  assert.equal(result, undefined);
  clock.advance(1);
  await waited;
  assert.equal(result, true);
  assert.equal(clock.pendingTimers, 0);
});

test('a wait ends at once, with no, when the client leaves', async () => {
  const { side, clock, leave } = clientOf();
  const waited = side.wait(60_000, clock);
  leave();
  assert.equal(await waited, false);
  assert.equal(clock.pendingTimers, 0);
});

test('a wait of no time is none, and for a client that left there is nothing to wait for', () => {
  const { side, clock, leave } = clientOf();
  assert.equal(side.wait(0, clock), true);
  assert.equal(side.wait(-5, clock), true);
  leave();
  assert.equal(side.wait(0, clock), false);
  assert.equal(side.wait(100, clock), false);
  assert.equal(clock.pendingTimers, 0);
});

test('one wait after another works, and leaving after them is harmless', async () => {
  const { side, clock, leave } = clientOf();
  for (let i = 0; i < 3; i += 1) {
    const waited = side.wait(10, clock);
    clock.advance(10);
    assert.equal(await waited, true);
  }
  leave();
  assert.equal(clock.pendingTimers, 0);
});

test('a call whose place was taken ends its attempt and its wait, and begins nothing more', async () => {
  const { side, told, listener, clock } = clientOf();
  side.current = listener('attempt');
  const waited = side.wait(60_000, clock);
  const error = new GatewayError('preempted', 'taken');
  side.preempted(error);
  assert.equal(await waited, false);
  assert.deepEqual([told, side.isGone, side.cancelled === error], [['attempt cancelled'], false, true]);
  assert.equal(side.wait(10, clock), false);
  assert.equal(clock.pendingTimers, 0);
});
