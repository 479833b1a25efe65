/** Every kind shows itself as its engine does, and has ranks, adapters and starts of its own. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type EngineOptions, type SimEngine, startEngine } from '../engine.ts';
import { ENGINE_KINDS, type EngineKind } from '../options.ts';

async function engineFor(t: TestContext, options: Partial<EngineOptions>): Promise<SimEngine> {
  const engine = await startEngine({ speed: Number.POSITIVE_INFINITY, ...options });
  t.after(() => engine.close());
  return engine;
}

async function statusOf(engine: SimEngine, path: string): Promise<number> {
  const reply = await fetch(engine.url + path);
  await reply.arrayBuffer();
  return reply.status;
}

const SIGNS: Readonly<Record<string, readonly EngineKind[]>> = {
  '/health': ['sglang', 'vllm', 'trtllm', 'mlx', 'llama_cpp', 'generic'],
  '/server_info': ['sglang'],
  '/version': ['vllm', 'trtllm'],
  '/metrics': ['sglang', 'vllm'],
  '/props': ['llama_cpp'],
  '/api/version': ['ollama'],
  '/api/tags': ['ollama'],
  '/': ['ollama'],
  '/v1/models': ENGINE_KINDS,
};

for (const kind of ENGINE_KINDS) {
  test(`${kind} has the pages of its engine and no others`, async (t) => {
    const engine = await engineFor(t, { kind });
    for (const [path, kinds] of Object.entries(SIGNS)) {
      assert.equal(await statusOf(engine, path), kinds.includes(kind) ? 200 : 404, path);
    }
  });
}

test('mlx has chat completions, and no page of Anthropic’s messages or of responses', async (t) => {
  const engine = await engineFor(t, { kind: 'mlx' });
  const posted = async (path: string) => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'x' }], input: 'x', max_tokens: 1 });
    const reply = await fetch(engine.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await reply.arrayBuffer();
    return reply.status;
  };
  assert.equal(await posted('/v1/chat/completions'), 200);
  for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/responses'])
    assert.equal(await posted(path), 404);
  assert.equal(await statusOf(engine, '/v1/chat/completions'), 404, 'and gives 404 to any GET that it does not know');
});

function ask(
  engine: SimEngine,
  rank: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${engine.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'sim-model', messages: [{ role: 'user', content: 'x' }], ...rank }),
  });
}

test('a request runs on the rank that it names, in a header or for SGLang in its body', async (t) => {
  const sglang = await engineFor(t, { dataParallelSize: 4 });
  await (await ask(sglang, { data_parallel_rank: 2 })).json();
  await (await ask(sglang, { data_parallel_rank: 2 }, { 'x-data-parallel-rank': '3' })).json();
  assert.deepEqual(sglang.stats().requestsByRank, { 2: 1, 3: 1 });
  assert.equal((await ask(sglang, { routed_dp_rank: 4 })).status, 400);
  const vllm = await engineFor(t, { kind: 'vllm', dataParallelSize: 2 });
  for (const rank of [0, 1]) await (await ask(vllm, {}, { 'x-data-parallel-rank': String(rank) })).json();
  assert.deepEqual(vllm.stats().requestsByRank, { 0: 1, 1: 1 });
});

test('loads are reported for each rank', async (t) => {
  const sglang = await engineFor(t, { dataParallelSize: 3 });
  const { loads } = (await (await fetch(`${sglang.url}/v1/loads`)).json()) as { loads: { dp_rank: number }[] };
  assert.deepEqual(
    loads.map(({ dp_rank: rank }) => rank),
    [0, 1, 2],
  );
  const vllm = await engineFor(t, { kind: 'vllm', dataParallelSize: 2 });
  const page = await (await fetch(`${vllm.url}/metrics`)).text();
  assert.deepEqual(
    [...page.matchAll(/^vllm:num_requests_running\{engine="(\d)"/gm)].map((match) => match[1]),
    ['0', '1'],
  );
});

test('an adapter may be loaded while the engine runs', async (t) => {
  const engine = await engineFor(t, { models: ['base'] });
  engine.loadAdapter('later');
  const { data } = (await (await fetch(`${engine.url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['base', 'later'],
  );
});
