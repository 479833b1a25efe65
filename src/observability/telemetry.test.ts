/** The line of a call, and when which line is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { CallRecord } from '../domain/record.ts';
import type { AttemptRecord } from '../domain/record.ts';
import type { LogFields, Logger, LogLevel } from './logging.ts';
import { Metrics } from './metrics.ts';
import { GatewayTelemetry, lineOf } from './telemetry.ts';

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

function listen(level: LogLevel = 'debug'): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const isOn = (at: LogLevel) => order.indexOf(at) >= order.indexOf(level);
  const log = (at: LogLevel, message: string, fields: LogFields) =>
    void (isOn(at) && lines.push({ level: at, message, fields }));
  return { logger: { isOn, log, close: () => Promise.resolve() }, lines };
}

function attemptOf(workerId: string, error?: AttemptRecord['error']): AttemptRecord {
  return { workerId, status: error ? 0 : 200, error, verdict: error ? 'failure' : 'success', backoffMs: 0 };
}

/** A streaming call that was answered by its second worker. */
function callRecord(): CallRecord {
  const record = new CallRecord('chatcmpl-1', 'POST', '/v1/chat/completions', 1_000);
  Object.assign(record, {
    model: 'fast',
    canonicalModel: 'qwen/qwen3-8b',
    streaming: true,
    isInference: true,
    policy: 'round_robin',
    workerId: 'w2',
    status: 200,
    bodyBytes: 120,
    sentBytes: 900,
    upstreamStartedAt: 1_005,
    headAt: 1_050.26,
    firstContentAt: 1_060.04,
    endedAt: 1_500,
    usage: { inputTokens: 10, outputTokens: 20, cachedInputTokens: 8 },
  });
  record.attempts.push(attemptOf('w1', 'upstream_unreachable'), attemptOf('w2'));
  return record;
}

function defined(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

test('the line of a call has ids, times and counts', () => {
  assert.deepEqual(defined(lineOf(callRecord())), {
    request_id: 'chatcmpl-1',
    path: '/v1/chat/completions',
    status: 200,
    outcome: 'answered',
    model: 'fast',
    worker: 'w2',
    policy: 'round_robin',
    stream: true,
    retries: 1,
    tried: 'w1:upstream_unreachable,w2:ok',
    duration_ms: 500,
    head_ms: 50.3,
    ttft_ms: 60,
    bytes_in: 120,
    bytes_out: 900,
    input_tokens: 10,
    output_tokens: 20,
    cached_tokens: 8,
  });
});

test('the fields are these and no others: none of them could hold a prompt, an answer or a key', () => {
  const record = callRecord();
  Object.assign(record, {
    error: 'upstream_broken',
    fault: new Error('sk-secret'),
    prompt: 'sk-secret',
    callerKey: 'sk-secret',
  });
  const line = lineOf(record);
  assert.ok(!JSON.stringify(line).includes('sk-secret'));
  const names =
    'request_id method path tenant status outcome error model worker policy decision translation translation_warnings stream retries tried answer_model chain duration_ms class queue_ms held_ms';
  assert.deepEqual(
    Object.keys(line),
    `${names} head_ms ttft_ms bytes_in bytes_out input_tokens output_tokens cached_tokens`.split(' '),
  );
});

test('a call that waited says in which class and for how long, let in or not', () => {
  const record = callRecord();
  Object.assign(record, { priorityClass: 'bulk', queuedAt: 10, admittedAt: 35.5, heldMs: 4, endedAt: 90 });
  const of = ({ class: name, queue_ms: queued, held_ms: held }: ReturnType<typeof lineOf>) => [name, queued, held];
  assert.deepEqual(of(lineOf(record)), ['bulk', 25.5, 4]);
  Object.assign(record, { priorityClass: '', admittedAt: 0, heldMs: 0 });
  assert.deepEqual(of(lineOf(record)), [undefined, 80, undefined]);
  record.queuedAt = 0;
  assert.deepEqual(of(lineOf(record)), [undefined, undefined, undefined]);
});

test('a translated call names both APIs and how much was lost; what was lost is a line for debugging', () => {
  const record = callRecord();
  const warnings = [
    { kind: 'lost', field: 'seed', reason: 'is not known there' },
    { kind: 'changed', field: 'max_tokens', reason: 'is 4096' },
  ];
  Object.assign(record, { translation: 'openai-chat>anthropic-messages', warnings });
  const line = lineOf(record);
  assert.deepEqual([line['translation'], line['translation_warnings']], ['openai-chat>anthropic-messages', 2]);
  const quiet = listen('info');
  new GatewayTelemetry(quiet.logger, undefined).callEnded(record);
  assert.deepEqual(
    quiet.lines.map(({ message }) => message),
    ['call'],
  );
  const { logger, lines } = listen();
  new GatewayTelemetry(logger, undefined).callEnded(record);
  assert.deepEqual(lines[1]?.fields['warnings'], 'lost: seed is not known there; changed: max_tokens is 4096');
});

test('a question to the gateway itself has a short line', () => {
  const record = new CallRecord('r', 'GET', '/health', 0);
  Object.assign(record, { status: 200, endedAt: 2 });
  const names = ['request_id', 'method', 'path', 'status', 'outcome', 'duration_ms', 'bytes_in', 'bytes_out'];
  assert.deepEqual(Object.keys(defined(lineOf(record))), names);
});

test('a model name that a client made up is cut short', () => {
  const record = callRecord();
  record.model = 'm'.repeat(1_000_000);
  assert.equal(lineOf(record)['model'], 'm'.repeat(128));
});

const levels: readonly (readonly [string, Partial<CallRecord>, LogLevel, string])[] = [
  ['an answered call', {}, 'info', 'call'],
  ['a call that the client got wrong', { outcome: 'failed', status: 400, error: 'invalid_request' }, 'info', 'call'],
  ['a call that a worker failed', { outcome: 'failed', status: 502, error: 'upstream_broken' }, 'warn', 'call'],
  ['an answer that broke off', { outcome: 'broken', error: 'upstream_broken' }, 'warn', 'call'],
  [
    'a call that its client left',
    { outcome: 'client_gone', status: 499, error: 'client_closed_request' },
    'info',
    'call',
  ],
  ['a fault of the gateway', { outcome: 'failed', status: 500, error: 'internal_error' }, 'error', 'call'],
  ['a question to the gateway', { isInference: false }, 'debug', 'request'],
];

for (const [name, change, level, message] of levels) {
  test(`${name} is logged at ${level}, once`, () => {
    const { logger, lines } = listen();
    const record = callRecord();
    Object.assign(record, change);
    new GatewayTelemetry(logger, undefined).callEnded(record);
    assert.deepEqual(
      lines.map((line) => [line.level, line.message]),
      [[level, message]],
    );
  });
}

test('what was thrown is logged beside the line of the call, under its id', () => {
  const { logger, lines } = listen('error');
  const record = callRecord();
  record.fault = new TypeError('x is not a function');
  new GatewayTelemetry(logger, undefined).callEnded(record);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['fault'],
  );
  assert.equal(lines[0]?.fields['request_id'], 'chatcmpl-1');
  assert.match(String(lines[0]?.fields['fault']), /^TypeError: x is not a function\n/);
});

test('a worker that changes its state is logged with the reason, and without its key', () => {
  const { logger, lines } = listen();
  const worker = { ...workerOf('w1', { spec: { apiKey: 'sk-secret' } }), state: 'unhealthy' as const };
  new GatewayTelemetry(logger, undefined).stateChanged(worker, 'ready');
  assert.equal(lines[0]?.level, 'warn');
  assert.ok(!JSON.stringify(lines).includes('sk-secret'));
  const { state, from, worker: id } = lines[0]?.fields ?? {};
  assert.deepEqual({ state, from, id }, { state: 'unhealthy', from: 'ready', id: 'w1' });
});

test('a worker that drains because it was told to is no warning, one that fails is', () => {
  const { logger, lines } = listen();
  const telemetry = new GatewayTelemetry(logger, undefined);
  for (const state of ['draining', 'ready', 'probing', 'failed'] as const) {
    telemetry.stateChanged({ ...workerOf('w1'), state }, 'pending');
  }
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['info', 'info', 'info', 'warn'],
  );
});

test('a breaker that opens is a warning, one that closes is not', () => {
  const { logger, lines } = listen();
  const telemetry = new GatewayTelemetry(logger, new Metrics([1]));
  telemetry.breakerChanged('w1', 'closed', 'open');
  telemetry.breakerChanged('w1', 'open', 'half_open');
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'info'],
  );
});

test('the line of a call by an alias says which model answered and why those before it did not', () => {
  const record = callRecord();
  record.answerModel = 'c';
  record.chain = [
    { model: 'a', why: 'quota' },
    { model: 'b', why: 'context' },
  ];
  const { answer_model: model, chain } = lineOf(record);
  assert.deepEqual([model, chain], ['c', 'a:quota,b:context']);
});
