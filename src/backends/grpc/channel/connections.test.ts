/** Connections that are refused, limited, sent away, broken, silent or done with. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  answerRaw,
  ask,
  grpcHead,
  grpcPeer,
  HeardSink,
  list,
  rawPeer,
  wayTo,
} from '../../../../test/support/grpc-peers.ts';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { GrpcChannels } from '../channels.ts';
import { RpcError } from '../rpc.ts';
import type { Channel, RpcFailure, RpcOptions } from '../rpc.ts';
import { framed } from './framer.ts';
import type { ChannelSettings } from './settings.ts';

const plain: RpcOptions = { timeoutMs: undefined, metadata: [] };
const OK = { 'grpc-status': '0' };
const UNAVAILABLE = 14;

function poolOf(t: TestContext, settings: Partial<ChannelSettings> = {}, clock: Clock = systemClock): GrpcChannels {
  const pool = new GrpcChannels(clock, settings);
  t.after(() => pool.close());
  return pool;
}

async function failureOf(answer: Promise<unknown>): Promise<RpcFailure> {
  const error = await answer.then(
    () => assert.fail('the call went well'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RpcError);
  return error.failure;
}

function askFor(channel: Channel, text = 'x'): Promise<Buffer> {
  return channel.unary(ask, Buffer.from(text), plain);
}

const echo = (stream: ServerHttp2Stream) => answerRaw(stream, [framed(Buffer.from('ok'))], OK);
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn();
}

async function tcpServer(t: TestContext, onSocket: (socket: Socket) => void, port = 0): Promise<Server> {
  const server = createServer(onSocket);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

test('keeps one connection for all calls of a peer without limits', async (t) => {
  const peer = await rawPeer(echo);
  t.after(peer.close);
  const pool = poolOf(t);
  await Promise.all(Array.from({ length: 300 }, () => askFor(pool.channelTo(peer.url))));
  assert.equal(peer.sessions.length, 1);
  assert.equal(pool.counts.connections, 1);
});

test('serves 50 calls of a peer that allows one stream at a time, over several connections and over one', async (t) => {
  for (const maxConnections of [8, 1]) {
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const peer = await rawPeer(
      (stream) => {
        running += 1;
        most = Math.max(most, running);
        stream.on('data', (chunk: Buffer) => order.push(chunk.subarray(5).toString()));
        stream.on('end', () => setImmediate(() => echo(stream)));
        stream.on('close', () => {
          running -= 1;
        });
      },
      { maxConcurrentStreams: 1 },
    );
    t.after(peer.close);
    const channel = poolOf(t, { maxConnections }).channelTo(peer.url);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => askFor(channel, `${i}`)));
    assert.equal(answers.length, 50);
    assert.equal(peer.sessions.length, maxConnections);
    assert.ok(most <= maxConnections);
    if (maxConnections === 1)
      assert.deepEqual(
        order,
        Array.from({ length: 50 }, (_, i) => `${i}`),
      );
  }
});

test('lets a call wait for a free stream no longer than its deadline, and lets it leave the line', async (t) => {
  const clock = new ManualClock();
  const held: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream) => held.push(stream), { maxConcurrentStreams: 1 });
  t.after(peer.close);
  const pool = poolOf(t, { maxConnections: 1, maxWaitingCalls: 3 }, clock);
  const channel = pool.channelTo(peer.url);
  const first = askFor(channel);
  await until(() => held.length === 1);
  const hurried = failureOf(channel.unary(ask, Buffer.alloc(0), { timeoutMs: 50, metadata: [] }));
  const leaving = new HeardSink();
  const left = channel.stream(list, Buffer.alloc(0), plain, leaving);
  const patient = askFor(channel);
  const refused = await failureOf(askFor(channel));
  assert.deepEqual([refused.status, refused.isUnprocessed], [UNAVAILABLE, true]);
  clock.advance(50);
  left.cancel();
  const failure = await hurried;
  assert.deepEqual([failure.status, failure.isUnprocessed], [4, true]);
  assert.equal(pool.counts.waiting, 1);
  for (const stream of held) echo(stream);
  await first;
  await until(() => held.length === 2);
  echo(held[1] ?? assert.fail());
  assert.equal((await patient).toString(), 'ok');
  assert.deepEqual(leaving.heard, []);
});

test('gives a free stream to a question or an Abort before the streams that wait for it', async (t) => {
  const held: { readonly stream: ServerHttp2Stream; readonly path: unknown }[] = [];
  const peer = await rawPeer((stream, headers) => held.push({ stream, path: headers[':path'] }), {
    maxConcurrentStreams: 1,
  });
  t.after(peer.close);
  const channel = poolOf(t, { maxConnections: 1 }).channelTo(peer.url);
  const sinks = [new HeardSink(), new HeardSink(), new HeardSink()];
  for (const sink of sinks) channel.stream(list, Buffer.alloc(0), plain, sink);
  await until(() => held.length === 1);
  const answer = askFor(channel);
  for (let served = 1; served <= 4; served += 1) {
    echo(held[served - 1]?.stream ?? assert.fail());
    if (served < 4) await until(() => held.length > served);
  }
  await Promise.all([answer, ...sinks.map(({ over }) => over)]);
  assert.deepEqual(
    held.map(({ path }) => path),
    [list.path, ask.path, list.path, list.path],
  );
});

test('tells what the deadline leaves to a call that has waited', async (t) => {
  const clock = new ManualClock();
  const timeouts: unknown[] = [];
  const held: ServerHttp2Stream[] = [];
  const peer = await rawPeer(
    (stream, headers) => {
      timeouts.push(headers['grpc-timeout']);
      held.push(stream);
    },
    { maxConcurrentStreams: 1 },
  );
  t.after(peer.close);
  const channel = poolOf(t, { maxConnections: 1 }, clock).channelTo(peer.url);
  const options = { timeoutMs: 1_000, metadata: [] };
  const answers = [channel.unary(ask, Buffer.alloc(0), options), channel.unary(ask, Buffer.alloc(0), options)];
  await until(() => held.length === 1);
  clock.advance(400);
  echo(held[0] ?? assert.fail());
  await until(() => held.length === 2);
  echo(held[1] ?? assert.fail());
  await Promise.all(answers);
  assert.deepEqual(timeouts, ['1000m', '600m']);
});

test('fails at once when the connection is refused, rests, and finds a worker that came back', async (t) => {
  const clock = new ManualClock();
  const port = await freePort();
  const pool = poolOf(t, { minBackoffMs: 100, maxBackoffMs: 400 }, clock);
  const channel = pool.channelTo(`grpc://127.0.0.1:${port}`);
  const options = { timeoutMs: 60_000, metadata: [] };
  const refused = await failureOf(channel.unary(ask, Buffer.alloc(0), options));
  assert.deepEqual(
    [refused.status, refused.isUnprocessed, refused.isBeforeHeaders, refused.message],
    [UNAVAILABLE, true, true, 'The connection failed: ECONNREFUSED.'],
  );
  assert.ok(refused.cause instanceof Error);
  assert.equal(clock.pendingTimers, 0);
  const peer = await grpcPeer({}, {}, undefined, port);
  t.after(peer.close);
  const resting = await failureOf(channel.unary(ask, Buffer.alloc(0), options));
  assert.deepEqual([resting.isUnprocessed, resting.message], [true, refused.message]);
  clock.advance(100);
  assert.equal((await channel.unary(ask, Buffer.from('back'), options)).toString(), 'back');
  assert.equal(pool.counts.connections, 1);
});

test('rests longer after each connection that never worked, also when the peer accepts and hangs up', async (t) => {
  const clock = new ManualClock();
  let accepted = 0;
  const server = await tcpServer(t, (socket) => {
    accepted += 1;
    socket.destroy();
  });
  const pool = poolOf(t, { minBackoffMs: 100, maxBackoffMs: 400 }, clock);
  const channel = pool.channelTo(`grpc://127.0.0.1:${portOf(server)}`);
  for (const [restMs, tries] of [
    [0, 1],
    [99, 1],
    [1, 2],
    [199, 2],
    [1, 3],
    [399, 3],
    [1, 4],
    [399, 4],
    [1, 5],
  ] as const) {
    clock.advance(restMs);
    const failure = await failureOf(askFor(channel));
    assert.deepEqual([failure.status, failure.isUnprocessed, accepted], [UNAVAILABLE, true, tries]);
  }
});

test('gives up on a peer that accepts and stays silent', async (t) => {
  const clock = new ManualClock();
  const sockets: Socket[] = [];
  const server = await tcpServer(t, (socket) => sockets.push(socket.on('error', () => undefined)));
  const pool = poolOf(t, { connectTimeoutMs: 700 }, clock);
  const answer = failureOf(askFor(pool.channelTo(`grpc://127.0.0.1:${portOf(server)}`)));
  await until(() => sockets.length === 1);
  clock.advance(700);
  const failure = await answer;
  assert.deepEqual([failure.status, failure.isUnprocessed], [UNAVAILABLE, true]);
  assert.match(failure.message, /700 ms/);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(pool.counts.connections, 0);
});

test('gives up on a peer that speaks HTTP/1', async (t) => {
  const server = await tcpServer(t, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'));
  });
  const failure = await failureOf(askFor(poolOf(t).channelTo(`grpc://127.0.0.1:${portOf(server)}`)));
  assert.deepEqual([failure.status, failure.isUnprocessed], [UNAVAILABLE, true]);
});

test('fails the streams of an engine that is killed after k messages, and connects anew for the next call', async (t) => {
  for (const k of [0, 1, 10]) {
    const peer = await rawPeer((stream, headers, session) => {
      if (headers[':path'] === ask.path) return echo(stream);
      stream.respond(grpcHead);
      for (let i = 0; i < k; i += 1) stream.write(framed(Buffer.from('m')));
      stream.write(framed(Buffer.from('cut')).subarray(0, 6), () => setImmediate(() => session.socket.destroy()));
    });
    t.after(peer.close);
    const pool = poolOf(t);
    const channel = pool.channelTo(peer.url);
    const sink = new HeardSink();
    channel.stream(list, Buffer.alloc(0), plain, sink);
    await sink.over;
    assert.equal(sink.messages.length, k);
    assert.deepEqual(sink.heard.slice(0, 1).concat(sink.heard.slice(-1)), ['begun', 'failed']);
    assert.deepEqual([sink.failure?.status, sink.failure?.isUnprocessed], [UNAVAILABLE, false]);
    assert.equal((await askFor(channel)).toString(), 'ok');
    assert.equal(peer.sessions.length, 2);
  }
});

test('serves a call that is made the moment another one fails', async (t) => {
  for (const maxConnections of [1, 8]) {
    const peer = await rawPeer((stream, headers, session) => {
      if (headers[':path'] === ask.path) echo(stream);
      else session.socket.destroy();
    });
    t.after(peer.close);
    const channel = poolOf(t, { maxConnections, minBackoffMs: 0 }).channelTo(peer.url);
    const again = Promise.withResolvers<Buffer>();
    channel.stream(list, Buffer.alloc(0), plain, {
      begun() {},
      message() {},
      end() {},
      failed: () => askFor(channel).then(again.resolve, again.reject),
    });
    assert.equal((await again.promise).toString(), 'ok');
  }
});

test('does not call a request unprocessed whose connection breaks before the headers', async (t) => {
  const peer = await rawPeer((_stream, _headers, session) => session.socket.destroy());
  t.after(peer.close);
  const failure = await failureOf(askFor(poolOf(t).channelTo(peer.url)));
  assert.deepEqual([failure.status, failure.isBeforeHeaders, failure.isUnprocessed], [UNAVAILABLE, true, false]);
});

test('after GOAWAY ends what the peer took, gives back what it did not, and connects anew', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream) => {
    held.push(stream);
    stream.respond(grpcHead, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK));
    stream.write(framed(Buffer.from('one')));
  });
  t.after(peer.close);
  const pool = poolOf(t);
  const channel = pool.channelTo(peer.url);
  const taken = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, taken);
  await until(() => taken.messages.length === 1);
  // The peer says goodbye after stream 1 while stream 3 is on its way.
  peer.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1);
  const beyond = await failureOf(askFor(channel));
  assert.deepEqual([beyond.status, beyond.isUnprocessed, beyond.isBeforeHeaders], [UNAVAILABLE, true, true]);
  const next = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, next);
  await until(() => next.messages.length === 1);
  assert.equal(peer.sessions.length, 2);
  assert.equal(pool.counts.connections, 2);
  held[0]?.end(framed(Buffer.from('two')));
  await taken.over;
  assert.deepEqual(taken.messages.map(String), ['one', 'two']);
  assert.equal(taken.heard.at(-1), 'end');
  await until(() => pool.counts.connections === 1);
});

test('ends a connection that the peer ends with an error, and tells which streams it never saw', async (t) => {
  let count = 0;
  const peer = await rawPeer((stream) => {
    count += 1;
    stream.respond(grpcHead);
    stream.write(framed(Buffer.from('one')));
  });
  t.after(peer.close);
  const channel = poolOf(t).channelTo(peer.url);
  const seen = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, seen);
  await until(() => seen.messages.length === 1 && count === 1);
  peer.sessions[0]?.goaway(constants.NGHTTP2_INTERNAL_ERROR, 1);
  const unseen = await failureOf(askFor(channel));
  await seen.over;
  assert.deepEqual([unseen.status, unseen.isUnprocessed], [UNAVAILABLE, true]);
  assert.deepEqual([seen.failure?.status, seen.failure?.isUnprocessed], [UNAVAILABLE, false]);
  assert.match(seen.failure?.message ?? '', /INTERNAL_ERROR/);
});

test('pings an idle peer and keeps a connection whose pings are answered', async (t) => {
  const clock = new ManualClock();
  const peer = await rawPeer(echo);
  t.after(peer.close);
  const pool = poolOf(t, {}, clock);
  await askFor(pool.channelTo(peer.url));
  let pings = 0;
  peer.sessions[0]?.on('ping', () => {
    pings += 1;
  });
  for (let round = 1; round <= 5; round += 1) {
    // One timer waits: for the next ping, or for the answer to the last.
    await until(() => clock.pendingTimers === 1);
    clock.advance(30_000);
    await until(() => pings === round);
    for (let i = 0; i < 20; i += 1) await turn();
  }
  assert.equal(pool.counts.connections, 1);
  assert.equal(peer.sessions.length, 1);
  await askFor(pool.channelTo(peer.url));
  assert.equal(peer.sessions.length, 1);
});

test('ends a connection whose ping is not answered, with its calls', async (t) => {
  const clock = new ManualClock();
  const peer = await rawPeer((stream) => {
    stream.respond(grpcHead);
    stream.write(framed(Buffer.from('one')));
  });
  t.after(peer.close);
  const pool = poolOf(t, {}, clock);
  const way = await wayTo(peer.port);
  t.after(way.close);
  const sink = new HeardSink();
  pool.channelTo(way.url).stream(list, Buffer.alloc(0), plain, sink);
  await until(() => sink.messages.length === 1);
  await until(() => clock.pendingTimers === 1);
  way.hold();
  clock.advance(30_000);
  for (let i = 0; i < 20; i += 1) await turn();
  clock.advance(9_999);
  assert.deepEqual(sink.heard, ['begun', 'message']);
  clock.advance(1);
  await sink.over;
  assert.deepEqual([sink.failure?.status, sink.failure?.isUnprocessed], [UNAVAILABLE, false]);
  assert.match(sink.failure?.message ?? '', /PING within 10000 ms/);
  await until(() => pool.counts.connections === 0);
  assert.equal(clock.pendingTimers, 0);
});

test('pings half as often when the peer complains of pings', async (t) => {
  const clock = new ManualClock();
  const peer = await rawPeer(echo);
  t.after(peer.close);
  const pool = poolOf(t, {}, clock);
  const channel = pool.channelTo(peer.url);
  await askFor(channel);
  peer.sessions[0]?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 1, Buffer.from('too_many_pings'));
  await until(() => pool.counts.connections === 0);
  await askFor(channel);
  let pings = 0;
  peer.sessions[1]?.on('ping', () => {
    pings += 1;
  });
  await until(() => clock.pendingTimers === 1);
  clock.advance(59_999);
  for (let i = 0; i < 50; i += 1) await turn();
  assert.equal(pings, 0);
  clock.advance(1);
  await until(() => pings === 1);
});

test('moves to another connection when one has carried all its streams', async (t) => {
  const peer = await rawPeer(echo);
  t.after(peer.close);
  const pool = poolOf(t, { maxStreamsPerConnection: 10 });
  const channel = pool.channelTo(peer.url);
  for (let i = 0; i < 35; i += 1) assert.equal((await askFor(channel)).toString(), 'ok');
  assert.equal(peer.sessions.length, 4);
  await until(() => pool.counts.connections === 1);
});

test('forgets a worker: idle connections close, busy ones when their calls end, and an Abort still goes through', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream, headers) => {
    if (headers[':path'] === ask.path) return echo(stream);
    held.push(stream);
    stream.respond(grpcHead, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK));
    return undefined;
  });
  t.after(peer.close);
  const pool = poolOf(t);
  const channel = pool.channelTo(peer.url);
  const sink = new HeardSink();
  channel.stream(list, Buffer.alloc(0), plain, sink);
  await until(() => held.length === 1);
  pool.forget(peer.url);
  pool.forget('grpc://other:1');
  assert.notEqual(pool.channelTo(peer.url), channel);
  assert.equal((await askFor(channel)).toString(), 'ok');
  held[0]?.end(framed(Buffer.from('last')));
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', 'message', 'end']);
  await until(() => pool.counts.connections === 0);
  assert.equal((await askFor(channel)).toString(), 'ok');
  await until(() => pool.counts.connections === 0);
});

test('close ends running and waiting calls and refuses new ones', async (t) => {
  const clock = new ManualClock();
  const held: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream) => held.push(stream), { maxConcurrentStreams: 1 });
  t.after(peer.close);
  const pool = poolOf(t, { maxConnections: 1 }, clock);
  const channel = pool.channelTo(peer.url);
  const options = { timeoutMs: 60_000, metadata: [] };
  const running = failureOf(channel.unary(ask, Buffer.alloc(0), options));
  await until(() => held.length === 1);
  const waiting = failureOf(channel.unary(ask, Buffer.alloc(0), options));
  pool.close();
  assert.deepEqual([(await running).status, (await running).isUnprocessed], [UNAVAILABLE, false]);
  assert.deepEqual([(await waiting).status, (await waiting).isUnprocessed], [UNAVAILABLE, true]);
  const late = await failureOf(channel.unary(ask, Buffer.alloc(0), options));
  assert.deepEqual([late.status, late.isUnprocessed], [UNAVAILABLE, true]);
  const later = await failureOf(askFor(pool.channelTo(peer.url)));
  assert.equal(later.isUnprocessed, true);
  await until(() => pool.counts.connections === 0 && clock.pendingTimers === 0);
});

test('neither an idle connection nor a closed pool keeps a process alive', async (t) => {
  const peer = await rawPeer(echo);
  t.after(peer.close);
  const folder = new URL('..', import.meta.url).href;
  for (const last of ['', 'pool.close();']) {
    const script = `
      const { GrpcChannels } = await import('${folder}channels.ts');
      const { systemClock } = await import('${folder}../../base/clock.ts');
      const pool = new GrpcChannels(systemClock);
      const method = { path: '/test.Peer/Ask', encode: (m) => m, decode: (b) => String(b) };
      const options = { timeoutMs: 60_000, metadata: [] };
      process.stdout.write(await pool.channelTo('${peer.url}').unary(method, Buffer.alloc(0), options));
      ${last}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = await once(child, 'close');
    assert.deepEqual([code, output], [0, 'ok']);
  }
});
