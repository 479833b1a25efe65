/** Where a worker is: what its URL says, or what answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../../test/support/fleet.ts';
import { ManualClock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Prober } from '../../domain/ports.ts';
import type { WorkerAddress } from '../../domain/worker.ts';
import { classify } from './classify.ts';
import { NO_METADATA } from './engines/engine-profile.ts';
import { openaiCompatible } from './engines/index.ts';
import { Questions } from './questions.ts';

/** What answers at `http:` and `https:`: a status, or why nothing does. */
interface Ports {
  readonly http: number | 'upstream_unreachable' | 'upstream_broken' | 'upstream_timeout';
  readonly https: number | 'upstream_unreachable' | 'upstream_broken' | 'upstream_timeout';
}

async function urlOf(url: string, ports: Ports) {
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
  const nothing = {
    url,
    healthPath: '',
    profile: openaiCompatible,
    metadata: NO_METADATA,
    models: [],
    contextLength: undefined,
    modelLimits: new Map(),
    lacks: [],
  };
  const found = await classify.run({ worker, questions, healthPath: '/health' }, nothing);
  await questions.tryAsk('/later');
  return { url: found.url, asked, later: asked.at(-1) };
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
  const other = { http: 'upstream_broken', https: 'upstream_broken' } as const;
  await assert.rejects(urlOf('w:1', other), /speaks neither HTTP nor HTTPS; gRPC workers are not available yet/);
});

test('a gRPC URL is refused in words', async () => {
  await assert.rejects(urlOf('grpc://w:1', DOWN), /gRPC workers are not available yet in this version/);
  await assert.rejects(urlOf('grpcs://w:1', DOWN), GatewayError);
});
