/** Orders over real sockets: what leaves is what a server on the gRPC library reads, and what it is told to drop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { grpcEngine, StatusError } from '../../../test/support/grpc-engine.ts';
import { orderOf, promptOf } from '../../../test/support/token-order.ts';
import { systemClock } from '../../base/clock.ts';
import type { TokenOrder, TokenSink } from '../../domain/token-generation.ts';
import { GrpcChannels } from './channels.ts';
import { SglangScheduler } from './gen/sglang_scheduler_pb.ts';
import { GrpcTokenBackend } from './send.ts';

function sending(t: TestContext, url: string, order: Partial<TokenOrder> = {}) {
  const channels = new GrpcChannels(systemClock);
  t.after(() => channels.close());
  const backend = new GrpcTokenBackend(channels, systemClock);
  const told: string[] = [];
  const over = Promise.withResolvers<void>();
  const sink: TokenSink = {
    begun: () => told.push('begun'),
    chunk: ({ ids }) => told.push(Array.from(ids).join(',')),
    finished: ({ reason, promptTokens }) => told.push(`${reason} ${promptTokens}`),
    end: () => {
      told.push('end');
      over.resolve();
    },
    error: ({ code }, mayRetry) => {
      told.push(`${code}${mayRetry ? ' again' : ''}`);
      over.resolve();
    },
  };
  const address = { id: 'w1', url, apiKey: undefined, provider: undefined };
  const exchange = backend.generate({ address, engine: 'sglang' }, orderOf(order), sink);
  return { told, over: over.promise, exchange, backend };
}

test('a prompt of many tokens arrives whole, and its tokens come back', async (t) => {
  const ids = Array.from({ length: 50_000 }, (_, at) => (at * 7_919) % 200_000);
  const got: number[][] = [];
  const url = await grpcEngine(t, SglangScheduler, {
    generate: ({ tokenized }) => {
      got.push(tokenized?.inputIds ?? []);
      return [
        { response: { case: 'chunk' as const, value: { tokenIds: [5], promptTokens: 50_000 } } },
        { response: { case: 'chunk' as const, value: { tokenIds: [6] } } },
        {
          response: {
            case: 'complete' as const,
            value: { outputIds: [6], finishReason: 'stop', promptTokens: 50_000 },
          },
        },
      ];
    },
  });
  const run = sending(t, url, { prompts: [promptOf(ids, 'x')] });
  await run.over;
  assert.deepEqual(run.told, ['begun', '5', '6', 'stop 50000', 'end']);
  assert.deepEqual(got, [ids]);
});

test('a client that leaves: the engine is told to drop the request', async (t) => {
  const started = Promise.withResolvers<string>();
  const dropped = Promise.withResolvers<readonly [string, string]>();
  const url = await grpcEngine(t, SglangScheduler, {
    generate: ({ requestId }) => {
      started.resolve(requestId);
      return 'hang';
    },
    abort: ({ requestId, reason }) => {
      dropped.resolve([requestId, reason]);
      return { success: true };
    },
  });
  const run = sending(t, url, { requestId: 'chatcmpl-7' });
  assert.equal(await started.promise, 'chatcmpl-7');
  run.exchange.abort();
  assert.deepEqual(await dropped.promise, ['chatcmpl-7', 'The gateway does not wait for it any more']);
  assert.deepEqual(run.told, []);
});

test('a refusal of the engine and an engine that is not there are told apart', async (t) => {
  const url = await grpcEngine(t, SglangScheduler, {
    generate: () => {
      throw new StatusError(3, 'prompt is empty');
    },
  });
  const refused = sending(t, url);
  await refused.over;
  assert.deepEqual(refused.told, ['invalid_request']);
  const nobody = sending(t, 'grpc://127.0.0.1:1');
  await nobody.over;
  assert.deepEqual(nobody.told, ['upstream_unreachable again']);
});
