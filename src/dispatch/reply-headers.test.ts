/** The headers of an answer: the worker's, and what the gateway says (behaviour §10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRecord } from '../domain/record.ts';
import type { HeaderList } from '../domain/headers.ts';
import { gatewayHeaders, replyHeaders } from './reply-headers.ts';
import type { ReplyLength } from './reply-headers.ts';

/** A call that arrived at 1,000 ms, was sent at 1,004.26 ms and answered at 1,050 ms. */
function recordOf(change: Partial<CallRecord> = {}): CallRecord {
  const record = new CallRecord('req-1', 'POST', '/v1/chat/completions', 1_000);
  return Object.assign(record, { workerId: 'w1', status: 200, upstreamStartedAt: 1_004.26, headAt: 1_050 }, change);
}

const UPSTREAM: HeaderList = [
  'content-type',
  'application/json',
  'content-length',
  '20',
  'set-cookie',
  'a=1',
  'set-cookie',
  'b=2',
];

function pairsOf(list: HeaderList): string[] {
  assert.equal(list.length % 2, 0);
  return list.filter((_, i) => i % 2 === 0).map((name, i) => `${name}: ${list[2 * i + 1]}`);
}

function reply(length: ReplyLength, change: Partial<CallRecord> = {}): string[] {
  return pairsOf(replyHeaders(UPSTREAM, recordOf(change), length));
}

const TOLD = [
  'x-request-id: req-1',
  'x-smg-worker: w1',
  'server-timing: gateway;dur=4.3, upstream;dur=45.7, queue;dur=0',
];
const PASSED = ['content-type: application/json', 'set-cookie: a=1', 'set-cookie: b=2'];

test('the worker’s headers pass, repeated ones too, and every answer says request, worker and times', () => {
  assert.deepEqual(reply('as_sent').sort(), [...TOLD, ...PASSED, 'content-length: 20'].sort());
});

test('an answer that is sent whole has its true length, once', () => {
  assert.deepEqual(reply(17).sort(), [...TOLD, ...PASSED, 'content-length: 17'].sort());
  assert.ok(reply(0).includes('content-length: 0'));
});

test('an answer that the gateway may add to has no length', () => {
  assert.deepEqual(reply('unknown').sort(), [...TOLD, ...PASSED].sort());
});

test('an error of the worker is marked as the worker’s', () => {
  assert.ok(reply(17, { status: 400 }).includes('x-smg-error-code: upstream_error'));
  assert.ok(!reply(17, { status: 399 }).join().includes('x-smg-error-code'));
});

test('an answer of the gateway alone names no worker and no time upstream', () => {
  const record = recordOf({ workerId: '', upstreamStartedAt: 0, headAt: 1_002 });
  assert.deepEqual(pairsOf(gatewayHeaders(record)), [
    'x-request-id: req-1',
    'server-timing: gateway;dur=2, upstream;dur=0, queue;dur=0',
  ]);
});

test('times are never negative', () => {
  const list = pairsOf(gatewayHeaders(recordOf({ upstreamStartedAt: 999, headAt: 1_000 })));
  assert.ok(list.includes('server-timing: gateway;dur=0, upstream;dur=1, queue;dur=0'));
});

test('the list that the worker sent is not written into', () => {
  const before = [...UPSTREAM];
  reply(17);
  assert.deepEqual(UPSTREAM, before);
});

test('a model that was called by another name is named, in characters that a header can carry', () => {
  const named = (answerModel: string) => reply(17, { answerModel }).filter((line) => line.startsWith('x-smg-model'));
  assert.deepEqual(named(''), []);
  assert.deepEqual(named('vendor/model-1:free'), ['x-smg-model: vendor/model-1:free']);
  assert.deepEqual(named('modèle\n'), ['x-smg-model: mod%C3%A8le%0A']);
  assert.deepEqual(named('\ud800'), ['x-smg-model: %EF%BF%BD']);
});
