/** Orders on their way to engines: streams, ends, failures, and that nothing goes on that nobody waits for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { settled } from '../../../test/support/prober.ts';
import { ScriptedChannel } from '../../../test/support/scripted-channel.ts';
import { orderOf, promptOf } from '../../../test/support/token-order.ts';
import type { GatewayError } from '../../domain/errors.ts';
import type { Embedding, Sampling, TokenOrder, TokenSink, TokenWorker } from '../../domain/token-generation.ts';
import type { Engine } from '../../domain/worker.ts';
import { AbortRequestSchema as MlxAbort, GenerateRequestSchema as MlxRequest } from './gen/mlx_engine_pb.ts';
import {
  AbortRequestSchema as SglangAbort,
  AbortResponseSchema,
  EmbedResponseSchema,
  GenerateResponseSchema as SglangResponse,
} from './gen/sglang_scheduler_pb.ts';
import { AbortRequestSchema as TrtAbort } from './gen/trtllm_service_pb.ts';
import { AbortRequestSchema as VllmAbort, GenerateResponseSchema as VllmResponse } from './gen/vllm_engine_pb.ts';
import { ManualClock } from '../../base/clock.ts';
import { GrpcTokenBackend } from './send.ts';

const SGLANG_ABORT = '/sglang.grpc.scheduler.SglangScheduler/Abort';
const aborted = toBinary(AbortResponseSchema, create(AbortResponseSchema, { success: true }));

interface Setting {
  readonly engine?: Engine;
  readonly order?: Partial<TokenOrder>;
  readonly sampling?: Partial<Sampling>;
}

function generating({ engine = 'sglang', order, sampling }: Setting = {}) {
  const channel = new ScriptedChannel({ [SGLANG_ABORT]: aborted });
  const backend = new GrpcTokenBackend({ channelTo: () => channel }, new ManualClock());
  const told: string[] = [];
  let error: GatewayError | undefined;
  const sink: TokenSink = {
    begun: () => told.push('begun'),
    chunk: ({ prompt, choice, ids }) => told.push(`${prompt}.${choice}:${Array.from(ids).join(',')}`),
    finished: ({ prompt, choice, reason }) => told.push(`${prompt}.${choice}:${reason}`),
    end: () => told.push('end'),
    error: (each, mayRetry) => {
      error = each;
      told.push(`${each.code}${mayRetry ? ' again' : ''}`);
    },
  };
  const exchange = backend.generate(workerAs(engine), orderOf(order, sampling), sink);
  const at = (index: number) => {
    const stream = channel.streams[index];
    assert.ok(stream);
    return stream;
  };
  return { channel, backend, told, exchange, at, errorMessage: () => error?.message };
}

function countsOf(backend: GrpcTokenBackend) {
  return [...backend.abortCounts.values()];
}

function workerAs(engine: Engine): TokenWorker {
  return { engine, address: { id: 'w1', url: 'grpc://w:1', apiKey: undefined, provider: undefined } };
}

type Response = NonNullable<MessageInitShape<typeof SglangResponse>['response']>;

function response(message: Response): Uint8Array {
  return toBinary(SglangResponse, create(SglangResponse, { response: message }));
}

const chunk = (...tokenIds: number[]) => response({ case: 'chunk', value: { tokenIds } });
const complete = (...outputIds: number[]) => response({ case: 'complete', value: { outputIds, finishReason: 'stop' } });

/** The ids that the engine was told to drop, in order. */
function abortedIds({ channel }: { readonly channel: ScriptedChannel }): string[] {
  return channel.calls.flatMap(({ path, bytes }) => {
    if (path === SGLANG_ABORT) return fromBinary(SglangAbort, bytes).requestId;
    if (path === '/trtllm.TrtllmService/Abort') return fromBinary(TrtAbort, bytes).requestId;
    if (path === '/vllm.grpc.engine.VllmEngine/Abort') return fromBinary(VllmAbort, bytes).requestIds;
    if (path === '/mlx.grpc.engine.MlxEngine/Abort') return fromBinary(MlxAbort, bytes).requestIds;
    return assert.fail(path);
  });
}

test('tokens come as they are generated, then the finish, then the end; nothing is aborted', async () => {
  const run = generating();
  run.at(0).begin();
  run.at(0).send(chunk(1));
  run.at(0).send(chunk(2, 3));
  run.at(0).send(complete(2, 3));
  run.at(0).end();
  run.exchange.abort();
  await settled();
  assert.deepEqual(run.told, ['begun', '0.0:1', '0.0:2,3', '0.0:stop', 'end']);
  assert.deepEqual([run.channel.calls, countsOf(run.backend)], [[], []]);
});

test('key, id and trace go as metadata; what could not be a header stays behind', () => {
  const facts = { key: 'k', traceparent: '00-a-b-01', tracestate: 'x=y' };
  const run = generating({ order: { ...facts, requestId: 'rid-1' } });
  assert.deepEqual(run.at(0).options, {
    timeoutMs: undefined,
    metadata: [
      ['authorization', 'Bearer k'],
      ['x-request-id', 'rid-1'],
      ['traceparent', '00-a-b-01'],
      ['tracestate', 'x=y'],
    ],
  });
  assert.deepEqual(generating({ order: { requestId: 'bad\r\nid' } }).at(0).options.metadata, []);
});

test('a stream that ends without a finish ends well: that is for its holder to see', () => {
  const run = generating();
  run.at(0).send(chunk(1));
  run.at(0).end();
  assert.deepEqual(run.told, ['0.0:1', 'end']);
});

test('each prompt has a stream and an id of its own, and the end comes with the last', () => {
  const run = generating({ order: { prompts: [promptOf([1]), promptOf([2])] } });
  assert.equal(run.channel.streams.length, 2);
  run.at(1).begin();
  run.at(0).begin();
  run.at(1).send(complete(9));
  run.at(1).end();
  assert.deepEqual(run.told, ['begun', '1.0:9', '1.0:stop']);
  run.at(0).send(complete(8));
  run.at(0).end();
  assert.deepEqual(run.told.slice(3), ['0.0:8', '0.0:stop', 'end']);
});

test('of many prompts so many run at once', () => {
  const prompts = Array.from({ length: 100 }, (_, id) => promptOf([id]));
  const run = generating({ order: { prompts } });
  assert.equal(run.channel.streams.length, 64);
  run.at(3).end();
  assert.equal(run.channel.streams.length, 65);
  for (let i = 0; i < 100; i += 1) if (i !== 3) run.at(i).end();
  assert.deepEqual(run.told, ['end']);
});

test('an engine of one answer per stream gets an order for each answer', () => {
  const run = generating({ engine: 'mlx', sampling: { choices: 3 } });
  const ids = run.channel.streams.map(({ bytes }) => fromBinary(MlxRequest, bytes).requestId);
  assert.deepEqual(ids, ['r-n0', 'r-n1', 'r-n2']);
  const both = generating({
    engine: 'mlx',
    sampling: { choices: 2 },
    order: { prompts: [promptOf([1]), promptOf([2])] },
  });
  assert.deepEqual(
    both.channel.streams.map(({ bytes }) => fromBinary(MlxRequest, bytes).requestId),
    ['r-p0-n0', 'r-p0-n1', 'r-p1-n0', 'r-p1-n1'],
  );
  assert.equal(generating({ engine: 'vllm', sampling: { choices: 3 } }).channel.streams.length, 1);
});

for (const engine of ['sglang', 'vllm', 'trtllm', 'mlx'] as const) {
  test(`${engine} is told to drop what is aborted, each request once`, async () => {
    const run = generating({ engine, order: { prompts: [promptOf([1]), promptOf([2]), promptOf([3])] } });
    run.at(1).end();
    run.exchange.abort();
    run.exchange.abort();
    await settled();
    assert.deepEqual(abortedIds(run), ['r-p0', 'r-p2']);
    assert.deepEqual(
      run.channel.streams.map(({ state }) => state.isCancelled),
      [true, false, true],
    );
    assert.equal(countsOf(run.backend)[0]?.sent, 2);
    assert.ok(run.channel.calls.every(({ options }) => options.timeoutMs === 5_000));
    assert.deepEqual(run.told, []);
  });
}

test('an abort that goes wrong is counted and nothing else', async () => {
  const run = generating();
  run.channel.answers = {};
  run.exchange.abort();
  await settled();
  assert.deepEqual(countsOf(run.backend), [{ sent: 1, failed: 1 }]);
});

test('whoever ends everything can wait until engines have heard', async () => {
  const run = generating();
  let isSettled = false;
  run.exchange.abort();
  void run.backend.abortsTaken().then(() => (isSettled = true));
  await Promise.resolve();
  assert.equal(isSettled, false);
  await settled();
  assert.equal(isSettled, true);
});

test('a request whose answers are all complete is not aborted any more', async () => {
  const run = generating();
  run.at(0).send(complete(1));
  run.exchange.abort();
  await settled();
  assert.deepEqual([abortedIds(run), run.at(0).state.isCancelled], [[], false]);
});

test('of two answers one complete one does not do', async () => {
  const run = generating({ sampling: { choices: 2 } });
  run.at(0).send(response({ case: 'complete', value: { outputIds: [1], index: 1 } }));
  run.exchange.abort();
  await settled();
  assert.deepEqual(abortedIds(run), ['r']);
});

test('of several streams only those are dropped whose answers have all been stopped', async () => {
  const run = generating({ order: { prompts: [promptOf([1]), promptOf([2])] }, sampling: { choices: 2 } });
  run.exchange.stop(0, 0);
  await settled();
  assert.deepEqual(abortedIds(run), []);
  run.exchange.stop(0, 1);
  await settled();
  assert.deepEqual(abortedIds(run), ['r-p0']);
  assert.deepEqual(
    run.channel.streams.map(({ state }) => state.isCancelled),
    [true, false],
  );
  assert.deepEqual(run.told, []);
  run.at(1).end();
  assert.deepEqual(run.told, ['end']);
});

test('an engine that looks for stop strings itself ends such answers itself', async () => {
  const run = generating({ engine: 'vllm', order: { prompts: [promptOf([1]), promptOf([2])] } });
  run.exchange.stop(0, 0);
  await settled();
  assert.deepEqual(abortedIds(run), []);
});

test('nothing is told after an abort, also not the rest of the message that is being read', async () => {
  const channel = new ScriptedChannel({ [SGLANG_ABORT]: aborted });
  const told: string[] = [];
  const exchange = new GrpcTokenBackend({ channelTo: () => channel }, new ManualClock()).generate(
    workerAs('sglang'),
    orderOf({ isStream: false }),
    {
      begun: () => told.push('begun'),
      chunk: () => {
        told.push('chunk');
        exchange.abort();
      },
      finished: () => told.push('finished'),
      end: () => told.push('end'),
      error: () => told.push('error'),
    },
  );
  const [stream] = channel.streams;
  stream?.send(complete(1, 2));
  stream?.begin();
  stream?.send(chunk(3));
  stream?.fail({ status: 14 });
  stream?.end();
  await settled();
  assert.deepEqual([told, channel.calls], [['chunk'], []]);
});

test('a stream that breaks by itself ends the order: the others are dropped, and the engine hears of all', async () => {
  const run = generating({ order: { prompts: [promptOf([1]), promptOf([2])] } });
  run.at(0).begin();
  run.at(0).send(chunk(1));
  run.at(0).fail({ status: 14, message: 'connection reset' });
  run.at(1).fail({ status: 14 });
  await settled();
  assert.deepEqual(run.told, ['begun', '0.0:1', 'upstream_broken']);
  assert.equal(run.errorMessage(), 'Worker w1 broke off inside its answer: connection reset');
  assert.deepEqual([abortedIds(run), run.at(1).state.isCancelled], [['r-p0', 'r-p1'], true]);
});

test('an engine that has refused a request is not told to drop it', async () => {
  const run = generating();
  run.at(0).fail({ status: 3, message: 'max_tokens is negative' });
  await settled();
  assert.deepEqual([run.told, run.errorMessage()], [['invalid_request'], 'max_tokens is negative']);
  assert.deepEqual(abortedIds(run), []);
  const unreached = generating();
  unreached.at(0).fail({ status: 14, isUnprocessed: true, isBeforeHeaders: true });
  await settled();
  assert.deepEqual([unreached.told, abortedIds(unreached)], [['upstream_unreachable again'], []]);
});

/** What an order comes to that fails with each status before its first message, and after it. */
const statuses: readonly (readonly [number, string, string])[] = [
  [1, 'upstream_error', 'upstream_broken'],
  [2, 'upstream_error', 'upstream_error'],
  [3, 'invalid_request', 'invalid_request'],
  [4, 'upstream_timeout', 'upstream_timeout'],
  [5, 'model_not_found', 'model_not_found'],
  [6, 'upstream_error', 'upstream_error'],
  [7, 'upstream_error', 'upstream_error'],
  [8, 'rate_limited', 'rate_limited'],
  [9, 'invalid_request', 'invalid_request'],
  [10, 'upstream_error', 'upstream_error'],
  [11, 'invalid_request', 'invalid_request'],
  [12, 'not_translatable', 'not_translatable'],
  [13, 'upstream_error', 'upstream_error'],
  [14, 'upstream_unreachable again', 'upstream_broken'],
  [15, 'upstream_error', 'upstream_error'],
  [16, 'upstream_error', 'upstream_error'],
];

for (const [status, before, after] of statuses) {
  test(`gRPC status ${status} is ${before} before the first message and ${after} behind it`, () => {
    const early = generating();
    early.at(0).fail({ status, message: 'why' });
    assert.deepEqual(early.told, [before]);
    const late = generating();
    late.at(0).send(chunk(1));
    late.at(0).fail({ status, message: 'why' });
    assert.deepEqual(late.told, ['0.0:1', after]);
    assert.match(late.errorMessage() ?? '', /why/);
  });
}

test('an answer that cannot be read is the worker’s fault, a request that is too large is the client’s', () => {
  const faults = [
    [{ isUnreadable: true, message: 'A message of 9 bytes is larger than the limit of 8.' }, 'upstream_invalid_answer'],
    [{ message: 'SERVER: Received message larger than max (5242880 vs. 4194304)' }, 'invalid_request'],
    [{ message: 'Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes' }, 'invalid_request'],
    [{ message: 'The queue is full' }, 'rate_limited'],
  ] as const;
  for (const [fault, code] of faults) {
    const run = generating();
    run.at(0).fail({ status: 8, ...fault });
    assert.deepEqual(run.told, [code]);
  }
});

test('what was certainly not worked on may go elsewhere, whatever its status', () => {
  const run = generating();
  run.at(0).fail({ status: 4, isUnprocessed: true });
  assert.deepEqual(run.told, ['upstream_unreachable again']);
});

test('an answer that was not asked for ends the order as unreadable', async () => {
  const run = generating();
  run.at(0).send(response({ case: 'chunk', value: { tokenIds: [1], index: 4 } }));
  await settled();
  assert.deepEqual([run.told, abortedIds(run)], [['upstream_invalid_answer'], ['r']]);
});

test('a slow reader holds back all streams, those that begin later too', () => {
  const prompts = Array.from({ length: 65 }, (_, id) => promptOf([id]));
  const run = generating({ order: { prompts } });
  run.exchange.pause();
  run.at(0).end();
  assert.ok(run.channel.streams.slice(1).every(({ state }) => state.isPaused));
  run.exchange.resume();
  assert.ok(run.channel.streams.every(({ state }) => !state.isPaused || state === run.at(0).state));
});

test('vLLM counts what each of its messages holds', () => {
  const channel = new ScriptedChannel();
  const counts: number[] = [];
  new GrpcTokenBackend({ channelTo: () => channel }, new ManualClock()).generate(workerAs('vllm'), orderOf(), {
    begun: () => undefined,
    chunk: () => undefined,
    finished: ({ completionTokens }) => counts.push(completionTokens),
    end: () => undefined,
    error: (error) => assert.fail(error),
  });
  const vllm = (message: NonNullable<MessageInitShape<typeof VllmResponse>['response']>) =>
    channel.streams[0]?.send(toBinary(VllmResponse, create(VllmResponse, { response: message })));
  vllm({ case: 'chunk', value: { tokenIds: [1, 2], completionTokens: 2 } });
  vllm({ case: 'chunk', value: { tokenIds: [3], completionTokens: 1 } });
  vllm({ case: 'complete', value: { outputIds: [3], completionTokens: 1, finishReason: 'length' } });
  assert.deepEqual(counts, [3]);
});

test('what an engine cannot be asked for is refused before anything is sent', () => {
  const constraint = { kind: 'regex', text: 'a' } as const;
  assert.throws(() => generating({ engine: 'mlx', sampling: { constraint } }), { code: 'not_translatable' });
  assert.throws(() => generating({ engine: 'vllm', order: { adapter: 'x' } }), { code: 'not_translatable' });
  assert.throws(() => generating({ engine: 'ollama' }), { code: 'not_translatable' });
});

test('what each engine goes without', () => {
  const { backend } = generating();
  const of = (engine: Engine) => backend.lacks(engine);
  assert.deepEqual(of('sglang'), ['seed', 'stop']);
  assert.deepEqual(of('vllm'), ['beginsInThought']);
  assert.deepEqual(of('trtllm'), ['logitBias', 'beginsInThought']);
  assert.deepEqual(of('tokenspeed'), ['seed', 'promptLogprobs', 'beginsInThought']);
  assert.deepEqual(of('mlx'), ['stop', 'minTokens', 'promptLogprobs', 'beginsInThought']);
});

function embedding(count: number, engine: Engine = 'sglang') {
  const channel = new ScriptedChannel({ [SGLANG_ABORT]: aborted });
  const told: (string | readonly Embedding[])[] = [];
  const prompts = Array.from({ length: count }, (_, id) => promptOf([id]));
  const order = { requestId: 'e', prompts, key: undefined, traceparent: undefined, tracestate: undefined };
  const exchange = new GrpcTokenBackend({ channelTo: () => channel }, new ManualClock()).embed(
    workerAs(engine),
    order,
    {
      embedded: (embeddings) => told.push(embeddings),
      error: ({ code }, mayRetry) => told.push(`${code}${mayRetry ? ' again' : ''}`),
    },
  );
  return { channel, told, exchange };
}

const vector = (...values: number[]) =>
  toBinary(EmbedResponseSchema, create(EmbedResponseSchema, { embedding: values, promptTokens: 4 }));

test('embeddings come in the order of their prompts, all at once', () => {
  const run = embedding(2);
  run.channel.streams[1]?.send(vector(2));
  run.channel.streams[1]?.end();
  assert.deepEqual(run.told, []);
  run.channel.streams[0]?.send(vector(1));
  run.channel.streams[0]?.end();
  assert.deepEqual(run.told, [
    [
      { values: [1], promptTokens: 4 },
      { values: [2], promptTokens: 4 },
    ],
  ]);
});

test('embeddings that nobody waits for, or of which one fails, are aborted', async () => {
  const left = embedding(2);
  left.channel.streams[0]?.send(vector(1));
  left.channel.streams[0]?.end();
  left.exchange.abort();
  await settled();
  assert.deepEqual([left.told, abortedIds(left)], [[], ['e-p1']]);
  const broken = embedding(2);
  broken.channel.streams[0]?.fail({ status: 8, message: 'full' });
  await settled();
  assert.deepEqual([broken.told, abortedIds(broken)], [['rate_limited'], ['e-p1']]);
  const empty = embedding(1);
  empty.channel.streams[0]?.end();
  assert.deepEqual(empty.told, ['upstream_invalid_answer']);
});

test('engines without embeddings say so', () => {
  for (const engine of ['trtllm', 'mlx', 'tokenspeed'] as const)
    assert.throws(() => embedding(1, engine), { code: 'not_translatable' });
  assert.equal(embedding(1, 'vllm').channel.streams.length, 1);
});
