/** One line for each change: who, what, on which target, and how it ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../domain/ports.ts';
import { LineAudit } from './audit.ts';

const entry: AuditEntry = {
  principal: { kind: 'key', tenant: '', name: 'CI deploys (ci)', usedGatewayKey: true },
  requestId: 'r-1',
  method: 'DELETE',
  route: '/workers/{id}',
  target: '0a1b2c3d',
  status: 202,
  error: undefined,
};

function lineOf(change: Partial<AuditEntry>): Readonly<Record<string, unknown>> {
  const lines: Readonly<Record<string, unknown>>[] = [];
  new LineAudit((fields) => lines.push(fields)).write({ ...entry, ...change });
  assert.equal(lines.length, 1);
  return lines[0] ?? {};
}

test('a change that was made says who made it', () => {
  assert.deepEqual(lineOf({}), {
    request_id: 'r-1',
    who: 'CI deploys (ci)',
    method: 'DELETE',
    path: '/workers/{id}',
    target: '0a1b2c3d',
    status: 202,
    outcome: 'done',
    error: undefined,
  });
});

test('a change that was refused or failed has its line too', () => {
  const outcomes = [401, 403, 404, 409, 500].map((status) => lineOf({ status })['outcome']);
  assert.deepEqual(outcomes, ['denied', 'denied', 'failed', 'failed', 'failed']);
  assert.equal(lineOf({ error: 'worker_not_found', status: 404 })['error'], 'worker_not_found');
});

test('somebody without a key is anonymous, and a target of any length is cut', () => {
  const nobody = { kind: 'anonymous', tenant: '', name: '', usedGatewayKey: false } as const;
  const line = lineOf({ principal: nobody, target: 'x'.repeat(100_000) });
  assert.deepEqual([line['who'], String(line['target']).length], ['anonymous', 128]);
  assert.equal(lineOf({ target: '' })['target'], undefined);
});
