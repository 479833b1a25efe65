/** Whom an outcome is laid to, and how it stands in the record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../domain/errors.ts';
import { GatewayError, errorTable } from '../domain/errors.ts';
import { CallRecord } from '../domain/record.ts';
import type { ErrorKind } from '../protocols/error-body.ts';
import type { AttemptOutcome } from './answer.ts';
import type { Failed } from './failure.ts';
import { applyOutcome, verdictOf } from './verdict.ts';

function failed(code: ErrorCode, status?: number, retryAfterMs?: number): AttemptOutcome {
  const answer = status === undefined ? undefined : { status, headers: [], body: Buffer.alloc(0) };
  return { kind: 'failed', error: new GatewayError(code, 'text'), answer, retryAfterMs };
}

function broken(code: ErrorCode): AttemptOutcome {
  return { kind: 'broken', error: new GatewayError(code, 'text') };
}

test('a good answer praises the worker, one that is the client’s fault says nothing', () => {
  for (const status of [200, 201, 299]) assert.deepEqual(verdictOf({ kind: 'served', status }), { kind: 'success' });
  for (const status of [400, 401, 404, 413, 422, 499])
    assert.deepEqual(verdictOf({ kind: 'served', status }), { kind: 'neutral' });
});

test('a 5xx that is not retried counts against the worker all the same', () => {
  assert.deepEqual(verdictOf({ kind: 'served', status: 501 }), {
    kind: 'failure',
    error: 'upstream_error',
    retryAfterMs: undefined,
  });
});

test('a client that left says nothing about the worker', () => {
  assert.deepEqual(verdictOf({ kind: 'client_gone' }), { kind: 'neutral' });
});

for (const code of Object.keys(errorTable) as ErrorCode[]) {
  const isWorkers = errorTable[code].origin === 'upstream';
  // Of its own kind, see below.
  if (code === 'rate_limited') continue;
  test(`${code}, failed or broken, ${isWorkers ? 'counts against the worker' : 'says nothing about the worker'}`, () => {
    const expected = isWorkers ? { kind: 'failure', error: code, retryAfterMs: undefined } : { kind: 'neutral' };
    assert.deepEqual(verdictOf(failed(code)), expected);
    assert.deepEqual(verdictOf(broken(code)), expected);
  });
}

test('a 5xx is a failure that keeps what the worker asked for', () => {
  for (const status of [500, 502, 503, 504, 529]) {
    const expected = { kind: 'failure', error: 'upstream_error', retryAfterMs: 2_000 };
    assert.deepEqual(verdictOf(failed('upstream_error', status, 2_000)), expected);
  }
});

test('a worker that says inside its stream that it takes no more rests, and has not failed', () => {
  assert.deepEqual(verdictOf(failed('rate_limited')), { kind: 'rate_limited', retryAfterMs: undefined });
});

test('a key without quota rests, whatever the status; a prompt that is too long is nobody’s fault', () => {
  const because = (reason: ErrorKind, status: number) =>
    verdictOf({ ...(failed('upstream_error', status, 60_000) as Failed), reason });
  for (const status of [400, 402, 403, 429, 503])
    assert.deepEqual(because('quota', status), { kind: 'rate_limited', retryAfterMs: 60_000, isQuota: true });
  assert.equal(because('rate_limited', 503).kind, 'rate_limited');
  for (const status of [400, 413, 429, 500]) assert.deepEqual(because('context', status), { kind: 'neutral' });
  assert.deepEqual(because('unknown_model', 404), { kind: 'neutral' });
  for (const status of [503, 529]) assert.equal(because('overloaded', status).kind, 'failure');
});

test('a 429 lets the worker rest and is no failure, a 408 says nothing', () => {
  assert.deepEqual(verdictOf(failed('upstream_error', 429, 3_000)), { kind: 'rate_limited', retryAfterMs: 3_000 });
  assert.deepEqual(verdictOf(failed('upstream_error', 429)), { kind: 'rate_limited', retryAfterMs: undefined });
  assert.deepEqual(verdictOf(failed('upstream_error', 408)), { kind: 'neutral' });
});

function recordAfter(outcome: Exclude<AttemptOutcome, { kind: 'failed' }>, status = 200) {
  const record = new CallRecord('r', 'POST', '/', 0);
  record.status = status;
  applyOutcome(record, outcome);
  return { outcome: record.outcome, error: record.error, status: record.status };
}

test('the record says how the call ended', () => {
  assert.deepEqual(recordAfter({ kind: 'served', status: 200 }), {
    outcome: 'answered',
    error: undefined,
    status: 200,
  });
  assert.deepEqual(recordAfter({ kind: 'served', status: 400 }, 400), {
    outcome: 'failed',
    error: 'upstream_error',
    status: 400,
  });
  const error = new GatewayError('upstream_timeout', 'text');
  assert.deepEqual(recordAfter({ kind: 'broken', error }), {
    outcome: 'broken',
    error: 'upstream_timeout',
    status: 200,
  });
});

test('a client that left before anything was sent has status 499, one that left later keeps what it was sent', () => {
  const gone = { outcome: 'client_gone', error: 'client_closed_request' };
  assert.deepEqual(recordAfter({ kind: 'client_gone' }, 0), { ...gone, status: 499 });
  assert.deepEqual(recordAfter({ kind: 'client_gone' }, 200), { ...gone, status: 200 });
});
