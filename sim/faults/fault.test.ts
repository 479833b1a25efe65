import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_KINDS, FaultError, faultOn, parseFault, parseFaultRule } from './fault.ts';
import { FaultPlan } from './plan.ts';

test('fills in the defaults of every kind', () => {
  for (const kind of FAULT_KINDS) assert.equal(parseFault({ kind }).kind, kind);
  assert.deepEqual(parseFault({ kind: 'reset_after' }), { kind: 'reset_after', events: 1, clean: false, fin: false });
  assert.deepEqual(parseFault({ kind: 'hang_after', events: 5 }), { kind: 'hang_after', events: 5 });
});

test('says what is wrong with a fault it cannot read', () => {
  assert.throws(() => parseFault('reset'), FaultError);
  assert.throws(() => parseFault({ kind: 'explode' }), /unknown fault kind "explode"/);
  assert.throws(() => parseFault({ kind: 'toString' }), /unknown fault kind/);
  assert.throws(() => parseFault({ kind: 'slow', firstByteMs: -1 }), /firstByteMs must be a number/);
  assert.throws(() => parseFault({ kind: 'status', status: 99 }), /200 to 599/);
  assert.throws(() => parseFaultRule({ kind: 'html', rate: 2 }), /rate must be between/);
});

test('strikes at the given rate, the same way for the same seed', () => {
  const strikes = (seed: number) => {
    const plan = new FaultPlan(seed);
    plan.set([parseFaultRule({ kind: 'status', rate: 0.25 })]);
    return Array.from({ length: 400 }, () => plan.pick('POST', '/v1/completions') !== undefined);
  };
  const hits = strikes(1).filter(Boolean).length;
  assert.ok(hits > 60 && hits < 140, String(hits));
  assert.deepEqual(strikes(1), strikes(1));
  assert.notDeepEqual(strikes(1), strikes(2));
});

test('stops after so many times and keeps to its path', () => {
  const plan = new FaultPlan(0);
  plan.set([parseFaultRule({ kind: 'empty', times: 2 }), parseFaultRule({ kind: 'html', path: '/health' })]);
  assert.equal(plan.pick('GET', '/v1/models'), undefined);
  assert.equal(plan.pick('GET', '/health')?.kind, 'html');
  assert.equal(plan.pick('POST', '/generate')?.kind, 'empty');
  assert.equal(plan.pick('POST', '/generate')?.kind, 'empty');
  assert.equal(plan.pick('POST', '/generate'), undefined);
});

test('knows which faults belong to one wire only', () => {
  const refused = (wire: 'http' | 'grpc') =>
    FAULT_KINDS.filter((kind) => {
      try {
        return faultOn(wire, parseFault({ kind })).kind !== kind;
      } catch (error) {
        return error instanceof FaultError;
      }
    });
  assert.deepEqual(refused('http'), ['refused_stream', 'goaway_after']);
  assert.equal(refused('grpc').length, 6);
  assert.ok(refused('grpc').includes('malformed_sse'));
});
