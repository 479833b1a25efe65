/** Answers that no gRPC library gives, from a bare HTTP/2 server. */
import { strict as assert } from 'node:assert';
import { constants, sensitiveHeaders } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { answerRaw, ask, grpcHead, HeardSink, list, rawPeer, wayTo } from '../../../../test/support/grpc-peers.ts';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { GrpcChannels } from '../channels.ts';
import type { RpcFailure } from '../rpc.ts';
import { framed } from './framer.ts';
import { statusOfHttp, statusOfReset } from './status.ts';

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const plain = { timeoutMs: undefined, metadata: [] };
const OK = { 'grpc-status': '0' };

async function open(t: TestContext, answer: Answer, clock: Clock = systemClock) {
  const peer = await rawPeer(answer);
  const pool = new GrpcChannels(clock);
  t.after(() => {
    pool.close();
    peer.close();
  });
  return { peer, pool, channel: pool.channelTo(peer.url) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

async function drained(pool: GrpcChannels): Promise<void> {
  while (pool.counts.streams > 0) await turn();
}

/** What a stream's sink hears of this answer; nothing of the stream is left afterwards. */
async function heardOf(t: TestContext, answer: Answer): Promise<HeardSink> {
  const { channel, pool } = await open(t, answer);
  const sink = new HeardSink();
  channel.stream(list, Buffer.from('go'), plain, sink);
  await sink.over;
  await drained(pool);
  return sink;
}

async function failureOf(t: TestContext, answer: Answer): Promise<RpcFailure> {
  const { failure } = await heardOf(t, answer);
  return failure ?? assert.fail('the call went well');
}

test('sends the headers that the specification asks for', async (t) => {
  let seen: IncomingHttpHeaders = {};
  const { channel, peer } = await open(
    t,
    (stream, headers) => {
      seen = { ...headers };
      answerRaw(stream, [framed(Buffer.alloc(0))], OK);
    },
    new ManualClock(),
  );
  await channel.unary(ask, Buffer.alloc(0), { timeoutMs: 1_500, metadata: [['x-request-id', 'r']] });
  assert.deepEqual(Object.fromEntries(Object.entries(seen)), {
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': `127.0.0.1:${peer.port}`,
    ':path': '/test.Peer/Ask',
    te: 'trailers',
    'grpc-timeout': '1500m',
    'content-type': 'application/grpc',
    'grpc-accept-encoding': 'identity',
    'user-agent': 'smg',
    'x-request-id': 'r',
  });
});

test('keeps keys out of the compression table that calls of different clients share', async (t) => {
  let sensitive: unknown;
  const { channel } = await open(t, (stream, headers) => {
    sensitive = Reflect.get(headers, sensitiveHeaders);
    answerRaw(stream, [framed(Buffer.alloc(0))], OK);
  });
  const metadata = [
    ['authorization', 'Bearer secret'],
    ['x-request-id', 'r'],
  ] as const;
  await channel.unary(ask, Buffer.alloc(0), { timeoutMs: undefined, metadata });
  assert.deepEqual(sensitive, ['authorization']);
});

test('takes a whole answer that comes in one packet', async (t) => {
  const answered: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream) => {
    answerRaw(stream, [framed(Buffer.from('a')), framed(Buffer.from('b'))], OK);
    stream.on('close', () => answered.push(stream));
  });
  const way = await wayTo(peer.port);
  const pool = new GrpcChannels(systemClock);
  t.after(() => {
    pool.close();
    way.close();
    peer.close();
  });
  const channel = pool.channelTo(way.url);
  const first = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, first);
  await first.over;
  way.hold();
  const sink = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, sink);
  while (answered.length < 2) await turn();
  await turns(50);
  assert.deepEqual(sink.heard, []);
  way.release();
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', 'message', 'message', 'end']);
});

test('gives the messages before the end when both have come while it was paused', async (t) => {
  const { channel, pool } = await open(t, (stream) => answerRaw(stream, [framed(Buffer.from('a'))], OK));
  const sink = new HeardSink();
  const call = channel.stream(list, Buffer.alloc(0), plain, sink);
  call.pause();
  while (!sink.heard.includes('begun')) await turn();
  await turns(50);
  assert.deepEqual(sink.heard, ['begun']);
  call.resume();
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', 'message', 'end']);
  await drained(pool);
});

test('lets go of a stream that ends while its reader is paused', async (t) => {
  const { channel, pool } = await open(t, (stream) => {
    stream.respond(grpcHead, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK));
    stream.write(framed(Buffer.from('a')), () => setImmediate(() => stream.end()));
  });
  const sink = new HeardSink();
  const call = channel.stream(list, Buffer.alloc(0), plain, sink);
  sink.onMessage = () => call.pause();
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', 'message', 'end']);
  await drained(pool);
});

test('maps an HTTP status without a gRPC status, with a page and without one', async (t) => {
  for (const httpStatus of [400, 401, 403, 404, 429, 500, 502, 503, 504]) {
    const page = await failureOf(t, (stream) => {
      stream.respond({ ':status': httpStatus, 'content-type': 'text/html' });
      stream.end('<html>sorry</html>');
    });
    const bare = await failureOf(t, (stream) => stream.respond({ ':status': httpStatus }, { endStream: true }));
    for (const failure of [page, bare]) {
      assert.equal(failure.status, statusOfHttp(httpStatus), String(httpStatus));
      assert.match(failure.message, new RegExp(`${httpStatus}`));
      assert.equal(failure.isBeforeHeaders, true);
      assert.equal(failure.isUnprocessed, false);
    }
  }
});

test('takes the gRPC status of trailers that come alone, whatever the HTTP status is', async (t) => {
  const failure = await failureOf(t, (stream) => {
    stream.respond({ ':status': 503, 'grpc-status': '8', 'grpc-message': 'full%21' }, { endStream: true });
  });
  assert.deepEqual(failure, { status: 8, message: 'full!', isBeforeHeaders: true, isUnprocessed: false });
});

test('refuses an answer that is not gRPC', async (t) => {
  const failure = await failureOf(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/html' });
    stream.end('<html>');
  });
  assert.equal(failure.status, 2);
  assert.match(failure.message, /text\/html/);
  const untyped = await failureOf(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  });
  assert.equal(untyped.status, 2);
});

test('takes gRPC content of any form', async (t) => {
  const sink = await heardOf(t, (stream) => {
    stream.respond({ ...grpcHead, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK));
    stream.end(framed(Buffer.from('a')));
  });
  assert.deepEqual(sink.heard, ['begun', 'message', 'end']);
});

test('fails an answer without trailers, one cut inside a message and one with a status that is none', async (t) => {
  const bare = await heardOf(t, (stream) => {
    stream.respond(grpcHead);
    stream.end(framed(Buffer.from('a')));
  });
  assert.deepEqual(bare.heard, ['begun', 'message', 'failed']);
  assert.equal(bare.failure?.status, 2);
  const cut = await heardOf(t, (stream) => answerRaw(stream, [framed(Buffer.from('abc')).subarray(0, 6)], OK));
  assert.deepEqual(cut.heard, ['begun', 'failed']);
  assert.equal(cut.failure?.status, 13);
  const odd = await failureOf(t, (stream) => answerRaw(stream, [], { 'grpc-status': 'fine' }));
  assert.equal(odd.status, 2);
  const none = await failureOf(t, (stream) => answerRaw(stream, [], { 'x-other': '1' }));
  assert.equal(none.status, 2);
});

test('refuses a compressed message by name, and bytes that are not framed', async (t) => {
  const compressed = await failureOf(t, (stream) => {
    stream.respond({ ...grpcHead, 'grpc-encoding': 'gzip' });
    stream.write(Buffer.from([1, 0, 0, 0, 1, 9]));
  });
  assert.equal(compressed.status, 13);
  assert.match(compressed.message, /gzip/);
  const unframed = await failureOf(t, (stream) => {
    stream.respond(grpcHead);
    stream.write('hello world');
  });
  assert.equal(unframed.status, 13);
});

test('fails a unary call with no message, and with two', async (t) => {
  for (const count of [0, 2]) {
    const frames = Array.from({ length: count }, () => framed(Buffer.from('a')));
    const { channel } = await open(t, (stream) => answerRaw(stream, frames, OK));
    const answer = channel.unary(ask, Buffer.alloc(0), plain);
    await assert.rejects(answer, { name: 'RpcError', message: `One message was due, ${count} came.` });
  }
});

test('gives the messages of every cut of the bytes into frames', async (t) => {
  const sent = ['one', '', 'three'].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(sent.map(framed));
  let at = 0;
  const { channel } = await open(t, (stream) => {
    answerRaw(stream, [bytes.subarray(0, at), bytes.subarray(at)], OK);
  });
  for (at = 1; at < bytes.length; at += 1) {
    const sink = new HeardSink();
    channel.stream(list, Buffer.alloc(0), plain, sink);
    await sink.over;
    assert.deepEqual(sink.messages, sent, `cut at ${at}`);
  }
});

test('maps a reset before the headers and one after a message', async (t) => {
  for (let code = 0; code <= 13; code += 1) {
    const early = await failureOf(t, (stream) => stream.close(code));
    const isRefused = code === constants.NGHTTP2_REFUSED_STREAM;
    assert.equal(early.status, statusOfReset(code), `${code}`);
    assert.equal(early.isBeforeHeaders, true);
    assert.equal(early.isUnprocessed, isRefused);
    const late = await heardOf(t, (stream) => {
      // Without waiting for trailers Node would end the stream before it resets it.
      stream.respond(grpcHead, { waitForTrailers: true });
      stream.write(framed(Buffer.from('a')), () => setImmediate(() => stream.close(code)));
    });
    assert.deepEqual(late.heard, ['begun', 'message', 'failed']);
    assert.equal(late.failure?.status, code === 0 ? 2 : statusOfReset(code), `${code}`);
    assert.equal(late.failure?.isBeforeHeaders, false);
    assert.equal(late.failure?.isUnprocessed, false);
  }
});

test('takes a reset by CANCEL after the deadline for the deadline', async (t) => {
  const clock = new ManualClock();
  let lateMs = 0;
  // The event loop was busy: the clock has gone on, the timer has not run yet.
  const busy: Clock = {
    now: () => clock.now() + lateMs,
    wallTime: () => clock.wallTime(),
    setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs),
    clearTimer: (timer) => clock.clearTimer(timer),
  };
  const answer: Answer = (stream) => {
    lateMs = 1_000;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  const { channel } = await open(t, answer, busy);
  const sink = new HeardSink();
  channel.stream(list, Buffer.alloc(0), { timeoutMs: 1_000, metadata: [] }, sink);
  await sink.over;
  assert.equal(sink.failure?.status, 4);
});

test('lets go of a request that the peer answers before it has read it', async (t) => {
  const sink = new HeardSink();
  const reset = Promise.withResolvers<number>();
  const { channel, pool } = await open(t, (stream) => {
    stream.on('close', () => reset.resolve(stream.rstCode));
    stream.pause();
    stream.respond({ ':status': 200, 'grpc-status': '3', 'grpc-message': 'too long' }, { endStream: true });
  });
  channel.stream(list, Buffer.alloc(3_000_000), plain, sink);
  await sink.over;
  assert.equal(sink.failure?.status, 3);
  assert.equal(await reset.promise, constants.NGHTTP2_CANCEL);
  await drained(pool);
});
