/** Which limit ends which phase. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClockOptions, Phase, PhaseTimes } from './clocks.ts';
import { deadlineOf } from './clocks.ts';

const OPTIONS: ClockOptions = { headersMs: 100, firstContentMs: 1_000, idleMs: 300, callMs: 10_000 };
const OFF: ClockOptions = { headersMs: 0, firstContentMs: 0, idleMs: 0, callMs: 0 };
const TIMES: PhaseTimes = { phase: 'headers', isStream: true, callStartedAt: 0, sentAt: 50, lastByteAt: 400 };

function deadline(phase: Phase, options: Partial<ClockOptions> = {}, times: Partial<PhaseTimes> = {}): number {
  return deadlineOf({ ...OPTIONS, ...options }, { ...TIMES, phase, ...times });
}

test('headers are waited for from the sending', () => {
  assert.equal(deadline('headers'), 150);
  assert.equal(deadline('headers', { headersMs: 0 }), 10_000);
});

test('first content is waited for from the sending, and a worker that is silent meanwhile is given up earlier', () => {
  assert.equal(deadline('first_content'), 700);
  assert.equal(deadline('first_content', {}, { lastByteAt: 1_000 }), 1_050);
  assert.equal(deadline('first_content', { idleMs: 0 }), 1_050);
  assert.equal(deadline('first_content', { firstContentMs: 0 }), 700);
});

test('heartbeats keep a long think alive when its content has no limit', () => {
  assert.equal(deadline('first_content', { firstContentMs: 0, callMs: 0 }, { lastByteAt: 120_000 }), 120_300);
});

test('a stream that is alive is not cut by the limit of the whole call', () => {
  assert.equal(deadline('streaming', {}, { lastByteAt: 50_000 }), 50_300);
  assert.equal(deadline('streaming', { idleMs: 0 }), Number.POSITIVE_INFINITY);
});

test('an answer in one piece is cut by the limit of the whole call', () => {
  assert.equal(deadline('streaming', {}, { isStream: false, lastByteAt: 50_000 }), 10_000);
  assert.equal(deadline('streaming', {}, { isStream: false, lastByteAt: 1_000 }), 1_300);
});

test('the whole call is counted from its arrival, not from the attempt', () => {
  assert.equal(deadline('headers', { callMs: 60 }, { callStartedAt: 0, sentAt: 50 }), 60);
  assert.equal(deadline('first_content', { callMs: 60 }, { callStartedAt: 10 }), 70);
});

test('with every limit off nothing ends, in any phase', () => {
  for (const phase of ['headers', 'first_content', 'streaming'] as const) {
    for (const isStream of [true, false]) assert.equal(deadline(phase, OFF, { isStream }), Number.POSITIVE_INFINITY);
  }
});

test('a later byte never brings a deadline forward', () => {
  const option = fc.oneof(fc.constant(0), fc.nat(5_000));
  const options = fc.record({ headersMs: option, firstContentMs: option, idleMs: option, callMs: option });
  const phases = fc.constantFrom<Phase>('headers', 'first_content', 'streaming');
  fc.assert(
    fc.property(options, phases, fc.boolean(), fc.nat(5_000), fc.nat(5_000), (limits, phase, isStream, at, more) => {
      const times = { phase, isStream, callStartedAt: 0, sentAt: 10 };
      const early = deadlineOf(limits, { ...times, lastByteAt: at });
      assert.ok(deadlineOf(limits, { ...times, lastByteAt: at + more }) >= early);
      assert.ok(early >= 0);
    }),
  );
});
