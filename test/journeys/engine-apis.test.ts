/** Which APIs engines are taken to lack: of the simulated ones only MLX lacks any, a server without the paths lacks them. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HttpProber } from '../../src/backends/http/probe.ts';
import { HttpBackend } from '../../src/backends/http/send.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { WorkerFacts } from '../../src/domain/worker.ts';
import { onboard } from '../../src/workers/onboarding.ts';
import { ENGINE_KINDS } from '../../sim/options.ts';
import { workerOf } from '../support/fleet.ts';
import { noEngines } from '../support/no-engines.ts';
import { engineFor } from '../support/rig.ts';

function factsOf(t: TestContext, url: string): Promise<WorkerFacts> {
  const backend = new HttpBackend({ connectTimeoutMs: 5_000, hostMap: new Map() });
  t.after(() => backend.close());
  const worker = workerOf('w', { spec: { url }, state: 'probing', facts: null });
  const prober = new HttpProber(backend, systemClock);
  const deps = { prober, engines: noEngines, clock: systemClock, healthPath: '/health', timeoutMs: 5_000 };
  return onboard(worker, deps, () => undefined);
}

for (const kind of ENGINE_KINDS.filter((each) => each !== 'mlx')) {
  test(`a simulated ${kind} lacks nothing`, async (t) => {
    const engine = await engineFor(t, { kind });
    assert.deepEqual((await factsOf(t, engine.url)).lacks, []);
  });
}

test('a simulated mlx lacks messages and responses', async (t) => {
  const engine = await engineFor(t, { kind: 'mlx' });
  const { lacks } = await factsOf(t, engine.url);
  assert.deepEqual(lacks, ['openai-responses', 'anthropic-messages', 'anthropic-count-tokens']);
});

test('a server that has completions alone lacks the other APIs', async (t) => {
  const server = createServer((request, response) => {
    const paths: Record<string, number> = { '/health': 200, '/v1/models': 200, '/v1/completions': 405 };
    response.writeHead(paths[request.url ?? ''] ?? 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data: [{ id: 'm', owned_by: 'vllm' }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { lacks } = await factsOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.deepEqual(lacks, ['openai-responses', 'anthropic-messages', 'anthropic-count-tokens']);
});
