/** An attempt whose answer is in another API than the client's: what is held, what is shown, how it breaks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../../test/support/fleet.ts';
import { EMPTY_REQUEST, END, FINISH, START, text, tinyFrame, withTiny } from '../../../test/support/tiny-codec.ts';
import type { TinyOptions } from '../../../test/support/tiny-codec.ts';
import { ManualClock } from '../../base/clock.ts';
import type { Call } from '../../domain/call.ts';
import type { HeaderList } from '../../domain/headers.ts';
import { headerOf } from '../../domain/headers.ts';
import type { ExchangeSink, ReplyWriter } from '../../domain/ports.ts';
import { CallRecord } from '../../domain/record.ts';
import { protocols } from '../../protocols/index.ts';
import type { AttemptOutcome } from '../answer.ts';
import { Attempt } from '../attempt.ts';
import { TurnEnd } from '../../base/turn-end.ts';
import { Ticker } from '../ticker.ts';
import { HubReader } from './hub-reader.ts';

const clocks = { headersMs: 10_000, firstContentMs: 10_000, idleMs: 5_000, callMs: 0 };

class Client implements ReplyWriter {
  isGone = false;
  isFast = true;
  status = 0;
  headers: HeaderList = [];
  text = '';
  ended = false;
  destroyed = false;
  onGone(): void {}
  onDrain(): void {}
  head(status: number, headers: HeaderList): void {
    this.status = status;
    this.headers = headers;
  }
  write(chunk: Buffer): boolean {
    this.text += chunk.toString();
    return this.isFast;
  }
  end(chunk?: Buffer): void {
    if (chunk) this.text += chunk.toString();
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** A client of chat, a worker of messages. */
function start(isStream: boolean, options: TinyOptions = {}) {
  const clock = new ManualClock();
  clock.advance(1);
  const record = new CallRecord('id', 'POST', '/v1/chat/completions', clock.now());
  const call: Call = {
    requestId: 'id',
    protocol: 'openai-chat',
    upstreamPath: '/v1/chat/completions',
    model: 'm',
    modelOptional: false,
    stream: isStream,
    body: Buffer.from('{}'),
    modelSpans: [],
    headers: {},
    callerKey: undefined,
    record,
  };
  const seen = { paused: 0, outcomes: [] as AttemptOutcome[] };
  let sink: ExchangeSink | undefined;
  const exchange = { pause: () => (seen.paused += 1), resume: () => undefined, abort: () => undefined };
  const backend = {
    send: (_worker: unknown, _request: unknown, given: ExchangeSink) => {
      sink = given;
      return exchange;
    },
  };
  const client = new Client();
  const worker = withTiny(protocols['anthropic-messages'], options);
  const own = withTiny(protocols['openai-chat'], options);
  if (!worker.codec || !own.codec) throw new Error('They have codecs.');
  const facts = { model: 'm', createdSeconds: 1, newId: () => 'id', request: EMPTY_REQUEST, isEventStream: true };
  const reader = new HubReader({
    worker,
    client: own,
    workerCodec: worker.codec,
    clientCodec: own.codec,
    answerFacts: facts,
    decodeFacts: facts,
    isStream,
    watch: () => undefined,
  });
  const deps = {
    backend,
    clock,
    clocks,
    ticker: new Ticker(clock, Object.values(clocks)),
    turnEnd: new TurnEnd((run) => run()),
  };
  const subject = { call, worker: workerOf('aaaaaaaa'), watch: undefined, reader };
  const attempt = new Attempt(subject, protocols['openai-chat'], client, deps, (outcome) =>
    seen.outcomes.push(outcome),
  );
  attempt.start({ method: 'POST', path: '/', clientHeaders: {}, requestId: 'id', key: undefined, body: call.body });
  return { attempt, client, clock, seen, record, sink: sink as unknown as ExchangeSink };
}

const SSE: HeaderList = ['content-type', 'text/event-stream', 'x-own', '1'];
const JSON_HEAD: HeaderList = ['content-type', 'application/json', 'content-length', '9', 'x-own', '1'];
const bytes = (given: string) => Buffer.from(given);
const frames = (...events: Parameters<typeof tinyFrame>[0][]) => bytes(events.map(tinyFrame).join(''));
const shown = (...events: unknown[]) => events.map((event) => `openai-chat: ${JSON.stringify(event)}\n\n`).join('');
const usage = {
  type: 'usage',
  usage: {
    inputTokens: 9,
    outputTokens: 5,
    cachedInputTokens: 4,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 2,
  },
} as const;

test('a translated stream is held for its first content and ends when the worker said that it is complete', () => {
  const { sink, client, seen, record } = start(true);
  sink.head(200, [...SSE]);
  sink.data(frames(START));
  assert.deepEqual([client.status, client.text], [0, '']);
  sink.data(frames(text('x')));
  assert.equal(client.text, shown(START, text('x')));
  sink.data(frames(usage, FINISH, END));
  sink.end();
  assert.equal(client.text, shown(START, text('x'), usage, FINISH, END));
  assert.deepEqual([client.ended, seen.outcomes], [true, [{ kind: 'served', status: 200 }]]);
  assert.deepEqual(record.usage, { inputTokens: 9, outputTokens: 5, cachedInputTokens: 4 });
  assert.equal(headerOf(client.headers, 'content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(headerOf(client.headers, 'x-own'), '1');
});

test('the opening of a translated stream is held for two seconds at most', () => {
  const { sink, client, clock } = start(true);
  sink.head(200, [...SSE]);
  sink.data(frames(START));
  clock.advance(2_400);
  assert.deepEqual([client.status, client.text], [200, shown(START)]);
});

test('never more than 64 KiB and one read of a translated stream are held back', () => {
  const { sink, client } = start(true);
  sink.head(200, [...SSE]);
  let sent = 0;
  for (let i = 0; i < 50; i += 1) {
    const piece = bytes(tinyFrame({ type: 'heartbeat' }).repeat(300));
    sink.data(piece);
    sent += piece.length;
    assert.ok(sent - client.text.length <= 64 * 1024 + 2 * piece.length, `${sent - client.text.length} held`);
  }
});

test('an error before content fails unseen, one after content is told in the client’s form without an end', () => {
  const error = { type: 'error', code: 'rate_limited', message: 'slow down' } as const;
  const before = start(true);
  before.sink.head(200, [...SSE]);
  before.sink.data(frames(START, error));
  const [failed] = before.seen.outcomes;
  assert.equal(failed?.kind === 'failed' && failed.error.code, 'rate_limited');
  assert.deepEqual([before.client.status, before.client.text], [0, '']);
  const after = start(true);
  after.sink.head(200, [...SSE]);
  after.sink.data(frames(START, text('x'), error, text('y'), END));
  assert.equal(after.client.text, `${shown(START, text('x'))}openai-chat error: slow down\n\n`);
  assert.deepEqual([after.client.ended, after.seen.outcomes[0]?.kind], [true, 'broken']);
});

test('a stream that ends before it said so is broken, or fails when nothing was shown', () => {
  const begun = start(true);
  begun.sink.head(200, [...SSE]);
  begun.sink.data(frames(START, text('x'), FINISH));
  begun.sink.end();
  assert.match(begun.client.text, /openai-chat error: Worker aaaaaaaa ended its stream before it was complete/);
  assert.doesNotMatch(begun.client.text, /"type":"end"/);
  const [broken] = begun.seen.outcomes;
  assert.equal(broken?.kind === 'broken' && broken.error.code, 'upstream_broken');
  const unseen = start(true);
  unseen.sink.head(200, [...SSE]);
  unseen.sink.data(frames(START));
  unseen.sink.end();
  assert.deepEqual([unseen.client.status, unseen.seen.outcomes[0]?.kind], [0, 'failed']);
});

test('a slow client holds the worker back', () => {
  const { sink, client, seen } = start(true);
  sink.head(200, [...SSE]);
  client.isFast = false;
  sink.data(frames(START, text('x')));
  assert.equal(seen.paused, 1);
});

test('silence in the middle of a translated stream is told in the client’s form', () => {
  const { sink, client, clock, seen } = start(true);
  sink.head(200, [...SSE]);
  sink.data(frames(START, text('x')));
  clock.advance(6_000);
  assert.match(client.text, /openai-chat error: Worker aaaaaaaa fell silent/);
  assert.equal(seen.outcomes[0]?.kind, 'broken');
});

test('a whole answer is translated with its length, its usage and what it lost', () => {
  const lost = { kind: 'lost', field: 'citations', reason: 'have no place' } as const;
  const { sink, client, seen, record } = start(false, { answerLosses: [lost] });
  sink.head(200, [...JSON_HEAD]);
  const events = [START, text('x'), usage, FINISH];
  const body = JSON.stringify({ events });
  sink.data(bytes(body.slice(0, 20)));
  sink.data(bytes(body.slice(20)));
  sink.end();
  assert.equal(client.text, JSON.stringify({ wire: 'openai-chat', events: [...events, END] }));
  assert.equal(headerOf(client.headers, 'content-length'), String(Buffer.byteLength(client.text)));
  assert.equal(headerOf(client.headers, 'x-own'), '1');
  assert.deepEqual([record.usage?.outputTokens, record.warnings], [5, [lost]]);
  assert.deepEqual(seen.outcomes, [{ kind: 'served', status: 200 }]);
});

test('a worker that answers a stream with one body, or one body with a stream, is understood all the same', () => {
  const whole = start(true);
  whole.sink.head(200, [...JSON_HEAD]);
  whole.sink.data(bytes(JSON.stringify({ events: [START, text('x'), FINISH] })));
  whole.sink.end();
  assert.equal(whole.client.text, shown(START, text('x'), FINISH, END));
  assert.equal(headerOf(whole.client.headers, 'content-type'), 'text/event-stream; charset=utf-8');
  const streamed = start(false);
  streamed.sink.head(200, [...SSE]);
  streamed.sink.data(frames(START, text('x')));
  streamed.sink.data(frames(FINISH, END));
  streamed.sink.end();
  assert.equal(streamed.client.text, JSON.stringify({ wire: 'openai-chat', events: [START, text('x'), FINISH, END] }));
});

for (const [name, body] of [
  ['that is cut', '{"events":['],
  ['of another kind', '{"x":1}'],
  [
    'with an error inside',
    JSON.stringify({ events: [START, { type: 'error', code: 'upstream_error', message: 'm' }] }),
  ],
] as const) {
  test(`a whole answer ${name} is not shown`, () => {
    const { sink, client, seen } = start(false);
    sink.head(200, [...JSON_HEAD]);
    sink.data(bytes(body));
    sink.end();
    assert.deepEqual([client.status, seen.outcomes[0]?.kind], [0, 'failed']);
  });
}

test('an error that is about the request is told with its status and words in the client’s dialect', () => {
  const { sink, client, seen } = start(false);
  sink.head(400, [...JSON_HEAD]);
  sink.data(bytes('{"message":"max_tokens is too large"}'));
  sink.end();
  assert.deepEqual(JSON.parse(client.text), {
    error: { message: 'max_tokens is too large', type: 'invalid_request_error', param: null, code: 'tiny' },
  });
  assert.deepEqual([client.status, seen.outcomes], [400, [{ kind: 'served', status: 400 }]]);
  assert.equal(headerOf(client.headers, 'x-own'), '1');
});

test('an overload is tried elsewhere, and kept in the client’s dialect in case that it is the last answer', () => {
  const { sink, client, seen } = start(true);
  sink.head(529, [...JSON_HEAD]);
  sink.data(bytes('{"message":"busy","retryAfterMs":1500}'));
  sink.end();
  const [outcome] = seen.outcomes;
  assert.ok(outcome?.kind === 'failed' && outcome.answer);
  assert.equal(client.status, 0);
  assert.deepEqual([outcome.answer.status, outcome.retryAfterMs], [503, 1_500]);
  assert.match(outcome.answer.body.toString(), /"overloaded_error"/);
  assert.equal(headerOf(outcome.answer.headers, 'retry-after'), '2');
});

test('a page instead of an error is not shown to the client', () => {
  const { sink, client } = start(false);
  sink.head(404, ['content-type', 'text/html']);
  sink.data(bytes('<html>not here</html>'));
  sink.end();
  const { error } = JSON.parse(client.text) as { error: { message: string } };
  assert.equal(error.message, 'Worker aaaaaaaa answered 404.');
});
