/** Peers and callers that do anything at any moment, from a seed: every call ends once and nothing of it is left. */
import { strict as assert } from 'node:assert';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { grpcHead, HeardSink, list, rawPeer } from '../../../../test/support/grpc-peers.ts';
import { ManualClock } from '../../../base/clock.ts';
import { randomInteger, seededRandom } from '../../../base/random.ts';
import type { Random } from '../../../base/random.ts';
import { GrpcChannels } from '../channels.ts';
import type { RpcStream } from '../rpc.ts';
import { framed } from './framer.ts';

const CALLS = 200;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

/** Answers well in half of all cases; else stops, resets, breaks the connection or says goodbye at any point. */
async function misbehave(stream: ServerHttp2Stream, session: ServerHttp2Session, random: Random): Promise<void> {
  const fate = randomInteger(random, 24);
  await turns(randomInteger(random, 3));
  if (fate === 0) return stream.close(randomInteger(random, 14));
  if (stream.destroyed) return;
  stream.respond(fate === 1 ? { ':status': 503 } : grpcHead, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': fate === 2 ? '14' : '0' }));
  const bytes = Buffer.concat(
    Array.from({ length: randomInteger(random, 20) }, (_, i) => framed(Buffer.alloc(i * 50))),
  );
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + randomInteger(random, 3_000);
    if (stream.destroyed) return;
    stream.write(bytes.subarray(at, end));
    at = end;
    if (randomInteger(random, 4) === 0) await turn();
    if (fate === 3) return stream.close(randomInteger(random, 14));
    if (fate === 4 && randomInteger(random, 8) === 0)
      return session.destroyed ? undefined : void session.socket.destroy();
    if (fate === 5 && !session.destroyed) session.goaway(0, randomInteger(random, 2) === 0 ? stream.id : 0);
    if (fate === 6 && !session.destroyed) return session.goaway(2, stream.id);
  }
  if (fate === 7) return;
  if (!stream.destroyed) stream.end();
}

async function passTime(clock: ManualClock, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    await turn();
    if (round % 50 === 49) clock.advance(200);
  }
}

/** Pauses, goes on, and in some cases leaves. */
async function meddle(call: RpcStream, random: Random): Promise<boolean> {
  for (let i = randomInteger(random, 4); i > 0; i -= 1) {
    call.pause();
    await turns(randomInteger(random, 4));
    call.resume();
    await turns(randomInteger(random, 4));
  }
  const leaves = randomInteger(random, 5) === 0;
  if (leaves) call.cancel();
  return leaves;
}

for (const seed of [1, 2, 3, 4]) {
  test(`every call ends once, with whole messages, whatever the peer does (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const clock = new ManualClock();
    const limit = seed % 2 === 0 ? { maxConcurrentStreams: 5 } : {};
    const peer = await rawPeer((stream, _headers, session) => void misbehave(stream, session, random), limit);
    const pool = new GrpcChannels(clock, { minBackoffMs: 0, maxBackoffMs: 0 });
    t.after(() => {
      pool.close();
      peer.close();
    });
    const channel = pool.channelTo(peer.url);
    const lives = Array.from({ length: CALLS }, async (_, i) => {
      await turns(i >> 2);
      const sink = new HeardSink();
      const call = channel.stream(
        list,
        Buffer.alloc(randomInteger(random, 5_000)),
        { timeoutMs: 1_000, metadata: [] },
        sink,
      );
      if (await meddle(call, random)) {
        const heard = sink.heard.length;
        await turns(20);
        assert.equal(sink.heard.length, heard, 'something came after cancel');
      } else {
        await sink.over;
      }
      return sink;
    });
    const all = Promise.all(lives);
    // Those that the peer leaves without an end come to theirs by the deadline.
    const time = new AbortController();
    const passing = passTime(clock, time.signal);
    const sinks = await all.finally(() => time.abort());
    await passing;
    for (const { heard, messages } of sinks) {
      const ends = heard.filter((word) => word === 'end' || word === 'failed').length;
      assert.ok(ends <= 1 && (ends === 0 || /end|failed/.test(heard.at(-1) ?? '')));
      assert.ok(heard.indexOf('begun') <= 0 && heard.lastIndexOf('begun') <= 0);
      assert.deepEqual(
        messages.map((message) => message.length),
        messages.map((_, i) => i * 50),
      );
    }
    for (let i = 0; i < 2_000 && pool.counts.streams + pool.counts.waiting > 0; i += 1) await turn();
    assert.deepEqual({ ...pool.counts, connections: 0 }, { connections: 0, streams: 0, waiting: 0 });
    pool.close();
    for (let i = 0; i < 2_000 && pool.counts.connections > 0; i += 1) await turn();
    await turns(20);
    assert.equal(clock.pendingTimers, 0);
  });
}
