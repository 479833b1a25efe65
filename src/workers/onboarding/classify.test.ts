/** Where a worker is: what its URL says, or what answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../../test/support/no-engines.ts';
import { workerOf } from '../../../test/support/fleet.ts';
import { ManualClock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Prober } from '../../domain/ports.ts';
import type { WorkerAddress } from '../../domain/worker.ts';
import type { EngineProber } from '../../domain/engine-prober.ts';
import { classify } from './classify.ts';
import { NO_METADATA } from './engines/engine-profile.ts';
import { openaiCompatible } from './engines/index.ts';
import { Questions } from './questions.ts';
import type { Findings } from './step.ts';

/** What answers at `http:` and `https:`: a status, or why nothing does. */
interface Ports {
  readonly http: number | 'upstream_unreachable' | 'upstream_broken' | 'upstream_timeout';
  readonly https: number | 'upstream_unreachable' | 'upstream_broken' | 'upstream_timeout';
}

/** The gRPC URLs at which an engine answers. */
async function urlOf(url: string, ports: Ports, grpc: readonly string[] = []) {
  const detected: WorkerAddress[] = [];
  const engines: EngineProber = {
    ...noEngines,
    detect: async (worker) => {
      detected.push(worker);
      if (!grpc.includes(worker.url)) throw new GatewayError('upstream_broken', 'no engine');
      return { engine: 'vllm', health: { isHealthy: true, message: '' } };
    },
  };
  const asked: WorkerAddress[] = [];
  const prober: Prober = {
    ask: async (worker) => {
      asked.push(worker);
      const answer = ports[worker.url.startsWith('https:') ? 'https' : 'http'];
      if (typeof answer === 'string') throw new GatewayError(answer, `no answer: ${answer}`);
      return { status: answer, contentType: undefined, text: '' };
    },
  };
  const worker = workerOf('w', { spec: { url, apiKey: 'secret' }, facts: null });
  const questions = new Questions(worker.address, { prober, clock: new ManualClock(), timeoutMs: 100 });
  const nothing: Findings = {
    url,
    connection: 'http',
    engine: 'openai-compatible',
    healthPath: '',
    profile: openaiCompatible,
    metadata: NO_METADATA,
    models: [],
    contextLength: undefined,
    modelLimits: new Map(),
    lacks: [],
    samplingDefaults: undefined,
  };
  const round = { worker, questions, healthPath: '/health', engines, timeoutMs: 100 };
  const found = await classify.run(round, nothing);
  await questions.tryAsk('/later');
  return { url: found.url, connection: found.connection, asked, later: asked.at(-1), detected };
}

const DOWN: Ports = { http: 'upstream_unreachable', https: 'upstream_unreachable' };

test('a URL with a scheme is taken as it is, unasked', async () => {
  for (const url of ['http://w:1', 'https://w:1/base']) {
    const { url: found, asked } = await urlOf(url, DOWN);
    assert.equal(found, url);
    assert.deepEqual(
      asked.map((one) => one.url),
      [url],
      'only the later question',
    );
  }
});

const cases: readonly (readonly [string, Ports, string])[] = [
  ['answers over HTTP', { http: 200, https: 200 }, 'http://w:1'],
  ['needs a key', { http: 401, https: 'upstream_unreachable' }, 'http://w:1'],
  ['answers over HTTPS only', { http: 'upstream_broken', https: 200 }, 'https://w:1'],
  ['refuses plain HTTP with 400', { http: 400, https: 200 }, 'https://w:1'],
  ['answers 400 over HTTP and nothing over HTTPS', { http: 400, https: 'upstream_broken' }, 'http://w:1'],
];

for (const [name, ports, expected] of cases) {
  test(`a worker that ${name} is at ${expected}`, async () => {
    const { url, asked, later } = await urlOf('w:1', ports);
    assert.equal(url, expected);
    assert.deepEqual([later?.url, later?.apiKey], [expected, 'secret']);
    for (const one of asked.slice(0, -1)) assert.equal(one.apiKey, undefined, 'probing sends no key');
  });
}

test('a worker that is down says so, one that speaks something else says that', async () => {
  await assert.rejects(urlOf('w:1', DOWN), /names no scheme, and no answer: upstream_unreachable/);
  await assert.rejects(urlOf('w:1', STRANGE), /speaks neither HTTP nor HTTPS nor gRPC/);
});

const STRANGE: Ports = { http: 'upstream_broken', https: 'upstream_broken' };

test('a gRPC URL is taken as it is, unasked', async () => {
  for (const url of ['grpc://w:1', 'grpcs://w:1']) {
    const found = await urlOf(url, DOWN);
    assert.deepEqual([found.url, found.connection, found.detected], [url, 'grpc', []]);
  }
});

test('where HTTP has no answer an engine behind gRPC is looked for, in clear text first, without the key', async () => {
  const plain = await urlOf('w:1', STRANGE, ['grpc://w:1', 'grpcs://w:1']);
  assert.deepEqual([plain.url, plain.connection], ['grpc://w:1', 'grpc']);
  const silent: Ports = { http: 'upstream_timeout', https: 'upstream_broken' };
  const secure = await urlOf('w:1', silent, ['grpcs://w:1']);
  assert.deepEqual([secure.url, secure.connection], ['grpcs://w:1', 'grpc']);
  assert.deepEqual(
    secure.detected.map(({ url, apiKey }) => [url, apiKey]),
    [
      ['grpc://w:1', undefined],
      ['grpcs://w:1', undefined],
    ],
  );
});

test('gRPC is not looked for where HTTP answers, where nothing listens, or without a port', async () => {
  const both = await urlOf('w:1', { http: 200, https: 200 }, ['grpc://w:1']);
  assert.deepEqual([both.connection, both.detected], ['http', []]);
  await assert.rejects(urlOf('w:1', DOWN, ['grpc://w:1']), /no answer: upstream_unreachable/);
  await assert.rejects(urlOf('w', STRANGE, ['grpc://w']), /neither HTTP nor HTTPS nor gRPC/);
});
