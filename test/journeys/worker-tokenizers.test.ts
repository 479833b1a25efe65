/** Workers behind gRPC that bring their tokenizer along, over real sockets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SglangScheduler } from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import { grpcEngine, StatusError } from '../support/grpc-engine.ts';
import { allReady, gatewayFor, post } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';
import { zip } from '../support/zip.ts';

const MODEL = fileURLToPath(new URL('../fixtures/small-model', import.meta.url));
const FAILED_PRECONDITION = 9;

function bundleOf(names: readonly string[]): Buffer {
  return zip(names.map((name) => ({ name, bytes: readFileSync(`${MODEL}/${name.split('/').at(-1)}`) })));
}

interface EnginePlan {
  /** Undefined: it cannot give one. */
  readonly archive?: Buffer;
  readonly tokenizerPath?: string;
}

function engineWith(t: TestContext, { archive, tokenizerPath = '' }: EnginePlan): Promise<string> {
  return grpcEngine(t, SglangScheduler, {
    healthCheck: () => ({ healthy: true }),
    getModelInfo: () => ({ servedModelName: 'small', modelPath: '/not/here', tokenizerPath }),
    getServerInfo: () => ({}),
    getTokenizer: () => {
      if (!archive) throw new StatusError(FAILED_PRECONDITION, 'no local path');
      const sha256 = createHash('sha256').update(archive).digest('hex');
      const half = archive.length >> 1;
      return [{ data: archive.subarray(0, half) }, { data: archive.subarray(half), sha256 }];
    },
  });
}

test('without any flag the worker’s bundle serves, and leaves with its last worker', async (t) => {
  const url = await engineWith(t, { archive: bundleOf(readdirSync(MODEL).filter((name) => name.endsWith('.json'))) });
  const gateway = await gatewayFor(t, [url]);
  await allReady(gateway, 1);
  const answer = await post(gateway, '/v1/tokenize', { model: 'small', prompt: 'a<|im_end|>' });
  assert.deepEqual(await answer.json(), { tokens: [64, 858], count: 2, char_count: 11 });
  const { workers } = (await api(gateway, 'GET', '/workers')).body as { workers: { id: string }[] };
  const { body } = await api(gateway, 'GET', '/v1/tokenizers');
  const [shown] = body['tokenizers'] as { source: string; origin: string; name: string }[];
  assert.deepEqual([shown?.name, shown?.source, shown?.origin], ['small', `worker ${workers[0]?.id}`, 'workers']);
  await api(gateway, 'DELETE', `/workers/${workers[0]?.id}?force=true`);
  assert.deepEqual((await api(gateway, 'GET', '/v1/tokenizers')).body, { tokenizers: [] });
});

test('a path that the worker names comes before its bundle', async (t) => {
  const url = await engineWith(t, { archive: bundleOf(['tokenizer.json']), tokenizerPath: MODEL });
  const gateway = await gatewayFor(t, [url]);
  await allReady(gateway, 1);
  assert.equal((await post(gateway, '/v1/tokenize', { model: 'small', prompt: 'a' })).status, 200);
  const { body } = await api(gateway, 'GET', '/v1/tokenizers/small');
  assert.equal(body['source'], MODEL);
});

test('a worker that has none, or sends a bad archive, is told of with every source that was tried', async (t) => {
  for (const [archive, why] of [
    [undefined, /worker [0-9a-f]{8}: .*no local path/],
    [bundleOf(['../tokenizer.json']), /leads out of it/],
  ] as const) {
    const url = await engineWith(t, archive ? { archive } : {});
    const gateway = await gatewayFor(t, [url]);
    await allReady(gateway, 1);
    const answer = await post(gateway, '/v1/tokenize', { model: 'small', prompt: 'a' });
    assert.equal(answer.status, 503);
    const text = await answer.text();
    assert.match(text, /\/not\/here: there is no such file or folder/);
    assert.match(text, why);
  }
});
