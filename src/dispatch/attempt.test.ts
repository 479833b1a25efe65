/** One attempt against a worker and a client made of plain objects: what is held, when it pauses, what it bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { ManualClock } from '../base/clock.ts';
import type { Call, ProtocolName } from '../domain/call.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { Backend, ExchangeSink, ReplyWriter } from '../domain/ports.ts';
import { CallRecord } from '../domain/record.ts';
import { protocols } from '../protocols/index.ts';
import type { AttemptOutcome } from './answer.ts';
import { Attempt } from './attempt.ts';
import { TurnEnd } from '../base/turn-end.ts';
import { Ticker } from './ticker.ts';

const clocks = { headersMs: 10_000, firstContentMs: 10_000, idleMs: 5_000, callMs: 0 };
const worker = workerOf('aaaaaaaa');

/** A client that takes as much as `isFast` says, and keeps what it got. */
class Client implements ReplyWriter {
  isGone = false;
  isFast = true;
  status = 0;
  text = '';
  ended = false;
  destroyed = false;
  onGone(): void {}
  onDrain(): void {}
  head(status: number, _headers: HeaderList): void {
    this.status = status;
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

function start(stream: boolean, protocol: ProtocolName = 'openai-chat') {
  const clock = new ManualClock();
  // A record's time of 0 means that a thing did not happen.
  clock.advance(1);
  const record = new CallRecord('id', 'POST', '/v1/chat/completions', clock.now());
  record.streaming = stream;
  const call: Call = {
    requestId: 'id',
    protocol,
    upstreamPath: '/v1/chat/completions',
    model: 'm',
    modelOptional: false,
    stream,
    body: Buffer.from('{}'),
    modelSpans: [],
    headers: {},
    callerKey: undefined,
    record,
  };
  const seen = { paused: 0, resumed: 0, aborted: 0, outcomes: [] as AttemptOutcome[] };
  let sink: ExchangeSink | undefined;
  const backend: Backend = {
    send: (_worker, _request, given) => {
      sink = given;
      return { pause: () => (seen.paused += 1), resume: () => (seen.resumed += 1), abort: () => (seen.aborted += 1) };
    },
  };
  const client = new Client();
  const ticker = new Ticker(clock, Object.values(clocks));
  const deps = { backend, clock, clocks, ticker, turnEnd: new TurnEnd() };
  const subject = { call, worker, watch: undefined };
  const attempt = new Attempt(subject, protocols[protocol], client, deps, (outcome) => seen.outcomes.push(outcome));
  attempt.start({ method: 'POST', path: '/', clientHeaders: {}, requestId: 'id', key: undefined, body: call.body });
  return { attempt, client, clock, seen, record, sink: sink as ExchangeSink };
}

const SSE: HeaderList = ['content-type', 'text/event-stream'];
const role = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';
const content = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n';
const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const bytes = (text: string) => Buffer.from(text);

test('the opening of a stream is held for its first content', () => {
  const { sink, client } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(role));
  assert.deepEqual([client.status, client.text], [0, '']);
  sink.data(bytes(content));
  assert.deepEqual([client.status, client.text], [200, role + content]);
});

test('the opening of a stream is held for two seconds at most', () => {
  const { sink, client, clock } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(role));
  clock.advance(1_900);
  assert.equal(client.text, '');
  clock.advance(400);
  assert.deepEqual([client.status, client.text], [200, role]);
  sink.data(bytes(content + finish));
  sink.end();
  assert.equal(client.text, role + content + finish);
});

test('a whole answer goes out when it is complete, with its length', () => {
  const { sink, client, seen, record } = start(false);
  sink.head(200, ['content-type', 'application/json']);
  sink.data(bytes('{"usage":{"prompt_tokens":3,'));
  assert.equal(client.status, 0);
  sink.data(bytes('"completion_tokens":4}}'));
  sink.end();
  assert.equal(client.text, '{"usage":{"prompt_tokens":3,"completion_tokens":4}}');
  assert.deepEqual(record.usage, { inputTokens: 3, outputTokens: 4, cachedInputTokens: 0 });
  assert.deepEqual(seen.outcomes, [{ kind: 'served', status: 200 }]);
});

test('a stream that is one growing array passes as it comes, and may last', () => {
  const { sink, client, clock, seen } = start(true, 'gemini');
  sink.head(200, ['content-type', 'application/json']);
  const pieces = ['[{"candidates":[]}', ',\r\n{"candidates":[]}', ']'];
  for (const [index, piece] of pieces.entries()) {
    sink.data(bytes(piece));
    assert.deepEqual([client.status, client.text], [200, pieces.slice(0, index + 1).join('')]);
    clock.advance(4_000);
  }
  sink.end();
  assert.deepEqual(seen.outcomes, [{ kind: 'served', status: 200 }]);
});

test('a growing array that ends before its bracket is broken, and says so where it can take an item', () => {
  const whole = '[{"candidates":[{"content":{"parts":[{"text":"a ] \\" b"}]}}]}';
  for (const [pieces, left] of [
    [[whole, '\r\n'], ','],
    [[whole, ',\r\n'], ''],
    [[' ['], ''],
  ] as const) {
    const { sink, client, seen } = start(true, 'gemini');
    sink.head(200, ['content-type', 'application/json']);
    for (const piece of pieces) sink.data(bytes(piece));
    sink.end();
    assert.deepEqual(
      seen.outcomes.map(({ kind }) => kind),
      ['broken'],
    );
    assert.ok(client.text.startsWith(`${pieces.join('')}${left}{"error":{"code":502,`), client.text);
    const last: unknown = JSON.parse(client.text).at(-1);
    assert.ok(JSON.stringify(last).includes('before it was complete'), client.text);
    assert.deepEqual([client.ended, client.destroyed], [true, false]);
  }
});

test('a growing array that is cut within an item ends with its connection', () => {
  const { sink, client, seen } = start(true, 'gemini');
  sink.head(200, ['content-type', 'application/json']);
  sink.data(bytes('[{"candidates":[{"content":{"parts":[{"text":"a]'));
  sink.end();
  assert.deepEqual([seen.outcomes[0]?.kind, client.ended, client.destroyed], ['broken', false, true]);
});

test('a page in place of a growing array is never shown', () => {
  const { sink, client, seen } = start(true, 'gemini');
  sink.head(200, ['content-type', 'text/html']);
  sink.data(bytes('<!doctype html><p>not here</p>'));
  sink.end();
  assert.deepEqual([seen.outcomes[0]?.kind, client.status, client.text], ['failed', 0, '']);
});

test('never more than 64 KiB and one read are held back', () => {
  for (const [stream, headers, piece] of [
    [false, ['content-type', 'application/json'], 'x'.repeat(10_000)],
    [true, SSE, `${role.trimEnd()}\n: ${'x'.repeat(10_000)}\n\n`],
    [true, SSE, `data: ${'x'.repeat(10_000)}`],
  ] as const) {
    const { sink, client } = start(stream);
    sink.head(200, [...headers]);
    let sent = 0;
    for (let i = 0; i < 50; i += 1) {
      sink.data(bytes(piece));
      sent += piece.length;
      assert.ok(sent - client.text.length <= 64 * 1024 + piece.length, `${sent - client.text.length} held of ${sent}`);
    }
  }
});

test('the first write that the client does not take pauses the worker; the client taking it resumes it', () => {
  const { attempt, sink, client, seen } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(content));
  client.isFast = false;
  sink.data(bytes(content));
  sink.data(bytes(content));
  assert.deepEqual([seen.paused, seen.resumed], [1, 0]);
  attempt.drained();
  assert.deepEqual([seen.paused, seen.resumed], [1, 1]);
  sink.data(bytes(content));
  assert.equal(seen.paused, 2);
});

test('a paused worker is not blamed for its silence; a client that takes nothing is let go in the end', () => {
  const { sink, client, clock, seen } = start(true);
  sink.head(200, SSE);
  client.isFast = false;
  sink.data(bytes(content));
  clock.advance(4_400);
  assert.deepEqual(seen.outcomes, []);
  clock.advance(1_200);
  assert.deepEqual([client.destroyed, seen.outcomes, seen.aborted], [true, [{ kind: 'client_gone' }], 1]);
});

for (const [name, error, code] of [
  ['a rate limit', { message: 'slow down', type: 'tokens', code: 'rate_limit_exceeded' }, 'rate_limited'],
  ['an overload', { message: 'busy', type: 'overloaded_error', code: 529 }, 'upstream_error'],
] as const) {
  test(`${name} before content fails as ${code}, one after content breaks what the client has`, () => {
    const frame = `data: ${JSON.stringify({ error })}\n\n`;
    const before = start(true);
    before.sink.head(200, SSE);
    before.sink.data(bytes(role + frame));
    const [outcome] = before.seen.outcomes;
    assert.deepEqual(outcome?.kind === 'failed' && outcome.error.code, code);
    assert.deepEqual([before.client.status, before.seen.aborted], [0, 1]);
    const after = start(true);
    after.sink.head(200, SSE);
    after.sink.data(bytes(content + frame));
    after.sink.end();
    const [broken] = after.seen.outcomes;
    assert.deepEqual(broken?.kind === 'broken' && broken.error.code, 'upstream_error');
    assert.equal(after.client.text, content + frame);
  });
}

test('an error before content that ends without its blank line fails all the same, and nothing is shown', () => {
  const { sink, client, seen } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(`${role}data: {"error":{"message":"out of memory","code":500}}`));
  sink.end();
  assert.deepEqual([client.status, client.text, client.ended], [0, '', false]);
  assert.equal(seen.outcomes[0]?.kind, 'failed');
});

test('half a frame is never shown: what was cut is replaced by the error', () => {
  const { sink, client, seen } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(content + content.slice(0, 20)));
  sink.end();
  assert.match(
    client.text,
    /^data: \{"choices":.*\n\ndata: \{"error":\{"message":".*"code":"upstream_broken"\}\}\n\n$/,
  );
  assert.equal(seen.outcomes[0]?.kind, 'broken');
});

test('an attempt settles once, whatever comes after', () => {
  const { attempt, sink, seen, clock } = start(true);
  sink.head(200, SSE);
  sink.data(bytes(content + finish));
  sink.end();
  attempt.clientGone();
  sink.data(bytes(content));
  sink.end();
  clock.advance(60_000);
  assert.deepEqual(seen.outcomes, [{ kind: 'served', status: 200 }]);
  assert.equal(clock.pendingTimers, 0);
});
