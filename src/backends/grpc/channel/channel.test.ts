import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Metadata as PeerMetadata, status } from '@grpc/grpc-js';
import type { ServerErrorResponse, ServerOptions } from '@grpc/grpc-js';
import { ask, grpcPeer, HeardSink, list } from '../../../../test/support/grpc-peers.ts';
import type { GrpcAnswers, StreamCall } from '../../../../test/support/grpc-peers.ts';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { GrpcChannels } from '../channels.ts';
import { RpcError } from '../rpc.ts';
import type { RpcFailure, RpcOptions } from '../rpc.ts';
import type { ChannelSettings } from './settings.ts';

const plain: RpcOptions = { timeoutMs: undefined, metadata: [] };
const MEBIBYTE = 1024 * 1024;

interface Setting {
  readonly answers?: GrpcAnswers;
  readonly options?: ServerOptions;
  readonly settings?: Partial<ChannelSettings>;
  readonly clock?: Clock;
}

async function open(t: TestContext, { answers = {}, options, settings, clock = systemClock }: Setting) {
  const peer = await grpcPeer(answers, options);
  const pool = new GrpcChannels(clock, { userAgent: 'smg/test', ...settings });
  t.after(() => {
    pool.close();
    peer.close();
  });
  return { peer, pool, channel: pool.channelTo(peer.url) };
}

async function failureOf(answer: Promise<unknown>): Promise<RpcFailure> {
  const error = await answer.then(
    () => assert.fail('the call went well'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RpcError);
  return error.failure;
}

type StatusName = keyof typeof status;
const isStatusName = (text: string): text is StatusName => Number.isNaN(Number(text)) && Object.hasOwn(status, text);
const failures = Object.keys(status).filter((name) => isStatusName(name) && name !== 'OK');

function peerError(name: string, details: string): ServerErrorResponse {
  const code = isStatusName(name) ? status[name] : assert.fail(name);
  return { code, details, name: 'x', message: details };
}

test('sends a message and takes the one that answers it', async (t) => {
  const { channel } = await open(t, {});
  assert.equal((await channel.unary(ask, Buffer.from('hello'), plain)).toString(), 'hello');
  assert.equal((await channel.unary(ask, Buffer.alloc(0), plain)).length, 0);
});

test('takes a stream of messages in order, begun before them and end after them', async (t) => {
  const answers: GrpcAnswers = {
    list(call) {
      for (let i = 0; i < 500; i += 1) call.write(Buffer.from(`${i}`));
      call.end();
    },
  };
  const { channel } = await open(t, { answers });
  const sink = new HeardSink();
  channel.stream(list, Buffer.from('go'), plain, sink);
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', ...Array.from({ length: 500 }, () => 'message'), 'end']);
  assert.deepEqual(
    sink.messages.map(String),
    Array.from({ length: 500 }, (_, i) => `${i}`),
  );
});

test('sends metadata, its user agent and what the deadline leaves', async (t) => {
  const seen = Promise.withResolvers<{ headers: PeerMetadata; deadline: number }>();
  const answers: GrpcAnswers = {
    ask(call, answer) {
      seen.resolve({ headers: call.metadata, deadline: Number(call.getDeadline()) });
      answer(null, Buffer.alloc(0));
    },
  };
  const { channel } = await open(t, { answers });
  const metadata = [
    ['authorization', 'Bearer k'],
    ['traceparent', '00-ab-cd-01'],
    ['tracestate', 'a=b'],
    ['x-request-id', 'r-1'],
  ] as const;
  await channel.unary(ask, Buffer.alloc(0), { timeoutMs: 60_000, metadata });
  const { headers, deadline } = await seen.promise;
  for (const [name, value] of metadata) assert.deepEqual(headers.get(name), [value]);
  assert.deepEqual(headers.get('user-agent'), ['smg/test']);
  assert.ok(deadline - Date.now() > 30_000 && deadline - Date.now() < 90_000);
});

test('refuses metadata that is not printable ASCII without showing its value', async (t) => {
  const { channel } = await open(t, {});
  const failure = await failureOf(channel.unary(ask, Buffer.alloc(0), { timeoutMs: 1, metadata: [['a', 'sécret']] }));
  assert.equal(failure.isUnprocessed, true);
  assert.equal(failure.status, status.INTERNAL);
  assert.ok(!failure.message.includes('cret'));
});

test('tells every status of a peer with its words, before and after the first message', async (t) => {
  const words = 'no place: 50% € \n of it';
  const answers: GrpcAnswers = {
    ask: (call, answer) => answer(peerError(call.request.toString(), words)),
    list(call) {
      call.write(Buffer.from('one'));
      call.emit('error', peerError(call.request.toString(), words));
    },
  };
  const { channel } = await open(t, { answers });
  assert.equal(failures.length, 16);
  for (const [index, name] of failures.entries()) {
    const code = index + 1;
    const failure = await failureOf(channel.unary(ask, Buffer.from(name), plain));
    assert.deepEqual(failure, { status: code, message: words, isBeforeHeaders: true, isUnprocessed: false });
    const sink = new HeardSink();
    channel.stream(list, Buffer.from(name), plain, sink);
    await sink.over;
    assert.deepEqual(sink.heard, ['begun', 'message', 'failed']);
    assert.deepEqual(sink.failure, { status: code, message: words, isBeforeHeaders: false, isUnprocessed: false });
  }
});

test('tells UNIMPLEMENTED of a method that the peer does not have', async (t) => {
  const { channel } = await open(t, {});
  const failure = await failureOf(channel.unary({ ...ask, path: '/other.Engine/HealthCheck' }, Buffer.alloc(0), plain));
  assert.equal(failure.status, status.UNIMPLEMENTED);
  assert.equal(failure.isUnprocessed, false);
});

test('carries messages of 5 MB both ways, many at a time', async (t) => {
  const { channel } = await open(t, { options: { 'grpc.max_send_message_length': -1 } });
  const sent = Buffer.alloc(5 * MEBIBYTE, 'a message of seventeen');
  const answers = await Promise.all(Array.from({ length: 8 }, () => channel.unary(ask, sent, plain)));
  for (const answer of answers) assert.ok(answer.equals(sent));
});

test('carries a message of 5 MB through windows of 64 KiB', async (t) => {
  const settings = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535 };
  const { channel } = await open(t, { settings });
  const sent = Buffer.alloc(5 * MEBIBYTE, 'abc');
  assert.ok((await channel.unary(ask, sent, plain)).equals(sent));
});

test('ends a message above the limit with RESOURCE_EXHAUSTED, and goes on with other calls', async (t) => {
  const { channel } = await open(t, { settings: { maxMessageBytes: 1_000 } });
  const failure = await failureOf(channel.unary(ask, Buffer.alloc(1_001), plain));
  assert.equal(failure.status, status.RESOURCE_EXHAUSTED);
  assert.match(failure.message, /1001 bytes .* 1000/);
  assert.equal((await channel.unary(ask, Buffer.alloc(1_000), plain)).length, 1_000);
  const larger = { ...plain, maxMessageBytes: 2_000 };
  assert.equal((await channel.unary(ask, Buffer.alloc(1_001), larger)).length, 1_001);
});

test('ends a call at its deadline and tells the peer', async (t) => {
  const clock = new ManualClock();
  const cancelled = Promise.withResolvers<void>();
  const answers: GrpcAnswers = {
    list(call) {
      call.write(Buffer.from('one'));
      call.on('cancelled', () => cancelled.resolve());
    },
  };
  const { channel, pool } = await open(t, { answers, clock });
  const sink = new HeardSink();
  sink.onMessage = () => clock.advance(60_000);
  channel.stream(list, Buffer.alloc(0), { timeoutMs: 60_000, metadata: [] }, sink);
  await sink.over;
  await cancelled.promise;
  assert.deepEqual(sink.heard, ['begun', 'message', 'failed']);
  assert.equal(sink.failure?.status, status.DEADLINE_EXCEEDED);
  assert.equal(sink.failure?.isUnprocessed, false);
  pool.close();
  await drained(pool);
  assert.equal(clock.pendingTimers, 0);
});

test('ends a call whose time is over before it could be sent as unprocessed', async (t) => {
  const clock = new ManualClock();
  const { channel } = await open(t, { clock });
  const answer = failureOf(channel.unary(ask, Buffer.alloc(0), { timeoutMs: 5, metadata: [] }));
  clock.advance(5);
  const failure = await answer;
  assert.equal(failure.status, status.DEADLINE_EXCEEDED);
  assert.equal(failure.isUnprocessed, true);
});

test('says nothing more after cancel, from inside a message too, and the peer hears of it', async (t) => {
  const cancelled = Promise.withResolvers<void>();
  const answers: GrpcAnswers = {
    list(call) {
      for (let i = 0; i < 10; i += 1) call.write(Buffer.from('m'));
      call.on('cancelled', () => cancelled.resolve());
    },
  };
  const { channel, pool } = await open(t, { answers });
  const sink = new HeardSink();
  const call = channel.stream(list, Buffer.alloc(0), plain, sink);
  sink.onMessage = (count) => count === 3 && call.cancel();
  await cancelled.promise;
  await drained(pool);
  call.cancel();
  call.pause();
  call.resume();
  assert.deepEqual(sink.heard, ['begun', 'message', 'message', 'message']);
});

test('leaves nothing of a thousand cancelled streams', async (t) => {
  const clock = new ManualClock();
  const running = new Set<StreamCall>();
  const answers: GrpcAnswers = {
    list(call) {
      running.add(call);
      call.write(Buffer.from('m'));
      call.on('cancelled', () => running.delete(call));
    },
  };
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const { channel, pool } = await open(t, { answers, clock });
  await channel.unary(ask, Buffer.alloc(0), plain);
  const idleTimers = clock.pendingTimers;
  const options = { timeoutMs: 60_000, metadata: [] };
  await Promise.all(
    Array.from({ length: 1_000 }, async (_, i) => {
      const sink = new HeardSink();
      const call = channel.stream(list, Buffer.alloc(0), options, sink);
      const first = new Promise<void>((resolve) => {
        sink.onMessage = () => resolve();
      });
      // A third before they are sent or seen, the others in the middle.
      if (i % 3 > 0) await first;
      call.cancel();
    }),
  );
  await drained(pool);
  assert.deepEqual(pool.counts, { connections: 1, streams: 0, waiting: 0 });
  assert.equal(clock.pendingTimers, idleTimers);
  while (running.size > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test('slows the peer down while paused, holds little of it, and gives all of it afterwards', async (t) => {
  const total = 400;
  let written = 0;
  const blocked = Promise.withResolvers<void>();
  const message = Buffer.alloc(16_384, 'm');
  const answers: GrpcAnswers = {
    async list(call) {
      while (written < total) {
        written += 1;
        if (call.write(message)) continue;
        const drain = once(call, 'drain');
        if (await Promise.race([drain.then(() => false), stall()])) blocked.resolve();
        await drain;
      }
      call.end();
    },
  };
  const { channel } = await open(t, { answers, settings: { streamWindowBytes: 65_536 } });
  const sink = new HeardSink();
  const call = channel.stream(list, Buffer.alloc(0), plain, sink);
  call.pause();
  await blocked.promise;
  assert.ok(written < 20, `${written} messages of 16 KiB were written ahead of a window of 64 KiB`);
  assert.equal(sink.messages.length, 0);
  call.resume();
  await sink.over;
  assert.equal(sink.messages.length, total);
  assert.equal(sink.heard.at(-1), 'end');
});

test('ends a call whose codec or whose receiver throws, and says what was thrown', async (t) => {
  const answers: GrpcAnswers = {
    list(call) {
      call.write(Buffer.from('m'));
      call.write(Buffer.from('m'));
    },
  };
  const { channel, pool } = await open(t, { answers });
  const fault = new Error('broken bytes');
  const decode = () => {
    throw fault;
  };
  const failure = await failureOf(channel.unary({ ...ask, decode }, Buffer.alloc(0), plain));
  assert.equal(failure.status, status.INTERNAL);
  assert.equal(failure.cause, fault);
  const sink = new HeardSink();
  sink.onMessage = decode;
  channel.stream(list, Buffer.alloc(0), plain, sink);
  await sink.over;
  assert.deepEqual(sink.heard, ['begun', 'message', 'failed']);
  assert.equal(sink.failure?.cause, fault);
  await drained(pool);
});

/** Until no stream is left: their ends take a few turns of the event loop. */
async function drained(pool: GrpcChannels): Promise<void> {
  while (pool.counts.streams > 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Long enough in turns of the event loop for anything that is on its way on the loopback to arrive. */
async function stall(): Promise<true> {
  for (let i = 0; i < 200; i += 1) await new Promise((resolve) => setImmediate(resolve));
  return true;
}
