/** Waiting for workers that are being tried again: in order, not for long, and let go slowly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { CallRecord } from '../domain/record.ts';
import { HOLD_MS, MAX_HELD, RecoveryLine } from './recovery-line.ts';
import type { Held } from './recovery-line.ts';

const recordOf = () => new CallRecord('r', 'POST', '/v1/chat/completions', 0);

function lineOf() {
  const clock = new ManualClock();
  const line = new RecoveryLine(clock);
  const woken: string[] = [];
  const join = (name: string, model = 'm') =>
    line.join(model, {
      wake: () => woken.push(name),
      preempted: (error: GatewayError) => woken.push(`${name} ${error.code}`),
    }) as Held;
  return { clock, line, woken, join };
}

test('a success lets two go, anything else one, in the order in which they came', () => {
  const { line, woken, join } = lineOf();
  for (const name of ['a', 'b', 'c', 'd']) join(name);
  line.settled(true);
  assert.deepEqual(woken, ['a', 'b']);
  line.settled(false);
  assert.deepEqual(woken, ['a', 'b', 'c']);
});

test('whoever was let go in vain keeps its place', () => {
  const { line, woken, join } = lineOf();
  const [a, b] = [join('a'), join('b')];
  join('c');
  line.settled(true);
  line.placed(b, recordOf());
  line.stay(a);
  line.settled(false);
  assert.deepEqual(woken, ['a', 'b', 'a']);
});

test('whoever leaves when it was its turn sends another; one that was not called sends nobody', () => {
  const { line, woken, join } = lineOf();
  const [a, b] = [join('a'), join('b')];
  for (const name of ['c', 'd']) join(name);
  line.left(b, recordOf());
  assert.deepEqual(woken, []);
  line.settled(false);
  line.left(a, recordOf());
  assert.deepEqual(woken, ['a', 'c']);
});

test('each model has its own line', () => {
  const { line, woken, join } = lineOf();
  const first = join('a', 'one');
  join('b', 'two');
  assert.deepEqual([line.hasLine('one'), line.hasLine('two'), line.hasLine('three')], [true, true, false]);
  line.settled(false);
  assert.deepEqual(woken, ['a', 'b']);
  line.placed(first, recordOf());
  assert.equal(line.hasLine('one'), false);
});

test('time alone lets one go after another, and no timer is left when nobody waits', () => {
  const { clock, line, woken, join } = lineOf();
  const held = ['a', 'b', 'c'].map((name) => join(name));
  clock.advance(250);
  assert.deepEqual(woken, ['a', 'b']);
  for (const each of held) line.placed(each, recordOf());
  clock.advance(1_000);
  assert.deepEqual([woken.length, clock.pendingTimers], [2, 0]);
});

test('the wait has an end, and the record tells how long it was', () => {
  const { clock, line, join } = lineOf();
  const held = join('a');
  clock.advance(HOLD_MS - 1);
  assert.equal(line.remaining(held), 1);
  clock.advance(1);
  assert.equal(line.remaining(held), 0);
  const record = recordOf();
  line.left(held, record);
  line.left(held, record);
  assert.equal(record.heldMs, HOLD_MS);
});

test('no more wait than may', () => {
  const { line, join } = lineOf();
  for (let i = 0; i < MAX_HELD; i += 1) assert.ok(join(`${i}`));
  assert.equal(join('one more'), undefined);
  assert.equal(line.hasLine('m'), false, 'a full line is no place to stand');
});

test('at the end everybody hears it', () => {
  const { line, woken, join } = lineOf();
  for (const name of ['a', 'b']) join(name);
  line.cancelAll(new GatewayError('shutting_down', 'over'));
  assert.deepEqual(woken, ['a shutting_down', 'b shutting_down']);
});
