import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { grpcHead, rawPeer } from '../../../test/support/grpc-peers.ts';
import { ManualClock } from '../../base/clock.ts';
import type { Exchange } from '../../domain/ports.ts';
import type { TokenOrder, TokenSink } from '../../domain/token-generation.ts';
import { framed } from './channel/framer.ts';
import { GrpcChannels } from './channels.ts';
import { GenerateResponseSchema } from './gen/sglang_scheduler_pb.ts';
import { GrpcTokenBackend } from './send.ts';

const order: TokenOrder = {
  requestId: 'one',
  prompts: [{ text: 'a', ids: Uint32Array.of(1) }],
  sampling: {
    maxTokens: 1,
    minTokens: undefined,
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    minP: undefined,
    frequencyPenalty: undefined,
    presencePenalty: undefined,
    repetitionPenalty: undefined,
    seed: undefined,
    stop: [],
    stopTokenIds: [],
    keepsStop: false,
    ignoreEos: false,
    skipSpecialTokens: true,
    choices: 1,
    logprobs: undefined,
    promptLogprobs: undefined,
    logitBias: undefined,
    constraint: undefined,
    beginsInThought: false,
  },
  isStream: true,
  traceparent: undefined,
  tracestate: undefined,
  adapter: undefined,
  key: undefined,
  rank: undefined,
};

const complete = framed(
  toBinary(
    GenerateResponseSchema,
    create(GenerateResponseSchema, { response: { case: 'complete', value: { outputIds: [5], finishReason: 'stop' } } }),
  ),
);

/** An engine that has answered but not ended its stream, and a caller that ends the exchange once it has the answer. */
async function answered(t: TestContext): Promise<{ clock: ManualClock; stream: ServerHttp2Stream }> {
  const streams: ServerHttp2Stream[] = [];
  const peer = await rawPeer((stream) => {
    stream.resume();
    stream.respond(grpcHead, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.write(complete);
    streams.push(stream);
  });
  const clock = new ManualClock();
  const channels = new GrpcChannels(clock);
  t.after(() => {
    channels.close();
    peer.close();
  });
  await new Promise<void>((resolve, reject) => {
    let exchange: Exchange | undefined;
    const sink: TokenSink = {
      begun() {},
      chunk() {},
      finished() {
        exchange?.abort();
        resolve();
      },
      error: reject,
      end() {},
    };
    const address = { id: 'w', url: peer.url, apiKey: undefined, provider: undefined };
    exchange = new GrpcTokenBackend(channels, clock).generate({ address, engine: 'sglang' }, order, sink);
  });
  const [stream] = streams;
  assert.ok(stream);
  return { clock, stream };
}

test('a stream whose answer is complete ends by itself: peers take many resets for an attack', async (t) => {
  const { stream } = await answered(t);
  const closed = once(stream, 'close');
  setImmediate(() => stream.end());
  await closed;
  assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR);
});

test('a stream that does not end though its answer is complete is reset after a while', async (t) => {
  const { stream, clock } = await answered(t);
  const closed = once(stream, 'close');
  clock.advance(10_000);
  await closed;
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
});
