/** Which error answers end a call, and what becomes of the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderList } from '../domain/headers.ts';
import type { Failure, FailureKind } from '../protocols/hub/codec.ts';
import { protocols } from '../protocols/index.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { GatewayError } from '../domain/errors.ts';
import { failedBy, failedByEvent, failedInBand, failedWithoutBody, isOfTheModel, passReasonOf } from './failure.ts';
import type { Failed } from './failure.ts';

const plain = { codec: undefined };
const facts = { protocol: plain, workerId: 'w1', wallTimeMs: Date.UTC(2030, 0, 1) };

function answerOf(status: number, body: unknown = {}, headers: HeaderList = []) {
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}

const errorOf = (code: string, message = 'm') => ({ error: { message, code } });

test('what is about the request goes to the client', () => {
  for (const status of [200, 204, 400, 401, 403, 404, 405, 409, 413, 422, 451])
    assert.equal(failedBy(answerOf(status, errorOf('x')), facts), undefined, String(status));
  assert.equal(failedBy(answerOf(400, errorOf('content_filter')), facts), undefined);
});

test('what may be retried fails with the answer, so that it can still be shown', () => {
  for (const status of [408, 429, 500, 502, 503, 504, 529]) {
    const answer = answerOf(status);
    const failed = failedBy(answer, facts);
    assert.deepEqual(
      [failed?.answer, failed?.error.code, failed?.error.message],
      [answer, 'upstream_error', `Worker w1 answered ${status}.`],
    );
  }
});

test('quota, context and an unknown model fail under statuses that are not retried otherwise', () => {
  const reasonOf = (status: number, body: unknown) => failedBy(answerOf(status, body), facts)?.reason;
  assert.equal(reasonOf(402, {}), 'quota');
  assert.equal(reasonOf(400, errorOf('x', 'Your credit balance is too low')), 'quota');
  assert.equal(reasonOf(400, errorOf('context_length_exceeded')), 'context');
  assert.equal(reasonOf(404, errorOf('model_not_found')), 'unknown_model');
});

test('the worker’s own API says what its error means; where that has no name for it, the common reading does', () => {
  const own: Failure = {
    kind: 'refused',
    message: '',
    type: undefined,
    code: undefined,
    param: undefined,
    retryAfterMs: undefined,
  };
  const speaking = (kind: FailureKind | undefined): Pick<Protocol, 'codec'> => {
    const readFailure = () => (kind === undefined ? undefined : { ...own, kind });
    return { codec: { readFailure } as Partial<Protocol['codec']> as Protocol['codec'] };
  };
  const reasonOf = (kind: FailureKind | undefined) =>
    failedBy(answerOf(400, errorOf('context_length_exceeded')), { ...facts, protocol: speaking(kind) })?.reason;
  assert.equal(reasonOf('quota'), 'quota');
  assert.equal(reasonOf('refused'), undefined);
  for (const kind of ['other', undefined] as const) assert.equal(reasonOf(kind), 'context');
});

test('a key without quota rests for a minute, or for as long as the worker says', () => {
  const restOf = (headers: HeaderList, body: unknown = {}) =>
    failedBy(answerOf(402, body, headers), facts)?.retryAfterMs;
  assert.equal(restOf([]), 60_000);
  assert.equal(restOf(['retry-after', '7']), 7_000);
  const details = [{ retryDelay: '22s' }, { violations: [{ quotaId: 'RequestsPerDay' }] }];
  assert.equal(restOf([], { error: { details } }), 60_000, 'Gemini’s delay for a daily quota is that of its minute');
});

test('the wait is that of the headers, by the millisecond, in seconds or as a date, else that of the body', () => {
  const waitOf = (headers: HeaderList, body: unknown = {}) =>
    failedBy(answerOf(429, body, headers), facts)?.retryAfterMs;
  assert.equal(waitOf(['retry-after-ms', '1500', 'retry-after', '2']), 1_500);
  assert.equal(waitOf(['retry-after', '2']), 2_000);
  assert.equal(waitOf(['retry-after', 'Tue, 01 Jan 2030 00:00:30 GMT']), 30_000);
  assert.equal(waitOf([], { error: { details: [{ retryDelay: '34s' }] } }), 34_000);
  assert.equal(waitOf([]), undefined);
});

test('a body that was too long to be kept leaves the status to tell', () => {
  const { answer, reason, retryAfterMs } = failedWithoutBody(429, ['retry-after', '3'], facts);
  assert.deepEqual([answer, reason, retryAfterMs], [undefined, 'rate_limited', 3_000]);
});

const frameOf = (json: unknown) => Buffer.from(`event: error\ndata: ${JSON.stringify(json)}\n\n`);

test('an error inside of a stream is read like a body; the tap’s word counts where that says nothing', () => {
  const inBand = (json: unknown, isRateLimited = false) =>
    failedInBand({ frame: frameOf(json), text: 't', isRateLimited, answer: undefined });
  const codeOf = (failed: Failed | undefined) => [failed?.error.code, failed?.error.retryAfterSeconds, failed?.reason];
  assert.deepEqual(codeOf(inBand(errorOf('insufficient_quota'))), ['rate_limited', 60, 'quota']);
  assert.deepEqual(codeOf(inBand({ error: { message: 'busy', code: 429 } })), ['rate_limited', 1, 'rate_limited']);
  assert.deepEqual(codeOf(inBand({ error: 'busy' }, true)), ['rate_limited', 1, 'rate_limited']);
  assert.deepEqual(codeOf(inBand({ error: { type: 'overloaded_error' } })), [
    'upstream_error',
    undefined,
    'overloaded',
  ]);
  assert.deepEqual(codeOf(inBand({ error: 'boom' })), ['upstream_error', undefined, 'other']);
});

test('an error that a codec decoded is read by its words and its code', () => {
  const byEvent = (...error: ConstructorParameters<typeof GatewayError>) => {
    const { reason, retryAfterMs } = failedByEvent(new GatewayError(...error));
    return [reason, retryAfterMs];
  };
  assert.deepEqual(byEvent('rate_limited', 'slow', { retryAfterSeconds: 3 }), ['rate_limited', 3_000]);
  assert.deepEqual(byEvent('rate_limited', 'You exceeded your current quota'), ['quota', 60_000]);
  assert.deepEqual(byEvent('upstream_error', 'prompt is too long: 9 > 8'), ['context', undefined]);
  assert.deepEqual(byEvent('upstream_error', 'boom'), ['other', undefined]);
});

test('an error about the request stays an answer, unless another model may do better', () => {
  const answer = answerOf(200);
  const about = (json: unknown) => failedInBand({ frame: frameOf(json), text: 't', isRateLimited: false, answer });
  assert.equal(about(errorOf('unknown_parameter')), undefined);
  assert.deepEqual(about(errorOf('context_length_exceeded'))?.answer, answer);
});

test('only another model helps against a long prompt and an unknown name', () => {
  const because = (status: number, code: string): Failed => {
    const failed = failedBy(answerOf(status, errorOf(code)), facts);
    assert.ok(failed);
    return failed;
  };
  for (const [status, code, reason] of [
    [400, 'context_length_exceeded', 'context'],
    [404, 'model_not_found', 'unknown'],
  ] as const)
    assert.deepEqual([isOfTheModel(because(status, code)), passReasonOf(because(status, code))], [true, reason]);
  for (const [status, code, reason] of [
    [429, 'insufficient_quota', 'quota'],
    [429, 'x', 'rate_limited'],
    [503, 'x', 'failed'],
    [408, 'x', 'failed'],
  ] as const)
    assert.deepEqual([isOfTheModel(because(status, code)), passReasonOf(because(status, code))], [false, reason]);
});

test('every API has a reading of its errors, with a codec or without', () => {
  for (const protocol of Object.values(protocols)) {
    const failed = failedBy(answerOf(429, errorOf('rate_limit_exceeded')), { ...facts, protocol });
    assert.equal(failed?.reason, 'rate_limited', protocol.name);
  }
});
