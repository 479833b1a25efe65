/** Engines behind gRPC as an operator meets them: started by `smg serve` or `smg sim`, looked at over REST, called with curl. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { GrpcEngineKind } from '../../sim/grpc/engine.ts';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { curl, startSmg } from '../support/guide.ts';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';

const SAYING = { messages: [{ role: 'user', content: 'Well? #say Grüße, 世界 👋' }] };

async function gatewayWith(t: TestContext, kind: GrpcEngineKind, flags: GatewayFlags = {}): Promise<Gateway> {
  const engine = await startGrpcEngine({ kind, speed: Number.POSITIVE_INFINITY, reportsTokenizerPath: false });
  t.after(() => engine.close());
  const gateway = await gatewayFor(t, [engine.url], flags);
  await allReady(gateway, 1);
  return gateway;
}

async function chatAt(url: string): Promise<string> {
  const body = JSON.stringify(chatBody(SAYING));
  const answer = await curl(`curl ${url}/v1/chat/completions -H 'Content-Type: application/json' -d '${body}'`);
  const { choices } = JSON.parse(answer) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? '';
}

async function readyAt(url: string, count: number): Promise<void> {
  for (;;) {
    const { total } = JSON.parse(await curl(`curl ${url}/workers?state=ready`)) as { total: number };
    if (total === count) return;
  }
}

test('smg serve with gRPC engines of the simulator answers calls', async (t) => {
  const flags = '--port 0 --prometheus-port 0 --worker-base-port 0';
  const command = `smg serve --backend sim --connection-mode grpc --data-parallel-size 2 ${flags} -- --kind tokenspeed`;
  const { url = '' } = await startSmg(t, command);
  await readyAt(url, 2);
  assert.equal(await chatAt(url), 'Grüße, 世界 👋');
});

test('an engine that smg sim has started serves behind a gateway of its own', async (t) => {
  const arguments_ = ['src/main.ts', 'sim', '--connection-mode', 'grpc', '--kind', 'trtllm', '--port', '0'];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  // By a signal that it hears: the engine is a process of its own.
  t.after(() => child.kill('SIGINT'));
  let shown = '';
  const engineUrl = await new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => {
      shown += String(chunk);
      const url = /engine ready: (grpc:\S+)/.exec(shown)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const gateway = await gatewayFor(t, [engineUrl]);
  await allReady(gateway, 1);
  assert.equal(await chatAt(gateway.url), 'Grüße, 世界 👋');
});

test('what an engine says of itself has its kinds of values: whoever asks for a truth gets one', async (t) => {
  const gateway = await gatewayWith(t, 'sglang');
  for (const path of ['/get_model_info', '/get_server_info']) {
    const { body } = await api(gateway, 'GET', path);
    const shown = (names: readonly string[]) => names.map((name) => body[name]);
    assert.deepEqual(shown(['is_generation', 'supports_vision', 'max_context_length']), [true, false, 131_072], path);
    assert.deepEqual(shown(['architectures', 'eos_token_ids']), [['SimForCausalLM'], [2_993, 2_991]], path);
    assert.deepEqual(shown(['model_path', 'version', 'weight_version']), ['sim-model', 'sim', 'default'], path);
  }
});

test('a call says how it was made, and why its worker was chosen', async (t) => {
  const gateway = await gatewayWith(t, 'vllm', { policy: 'cache_aware' });
  for (const hits of [false, true]) {
    const answer = await post(gateway, '/v1/chat/completions', chatBody({ messages: long() }), {
      headers: { 'x-smg-explain': 'true' },
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-smg-translation'), 'openai-chat>tokens');
    assert.match(answer.headers.get('x-smg-decision') ?? '', hits ? /^cached=[1-9]\d*\/316 / : /^cached=0\/316 /);
  }
});

const long = () => [{ role: 'user', content: `${'One after the other. '.repeat(60)} #say yes` }];

test('what engines behind gRPC have no API for is refused, and the answer says that this is why', async (t) => {
  const gateway = await gatewayWith(t, 'sglang');
  const answer = await post(gateway, '/v1/rerank', { model: 'sim-model', query: 'a', documents: ['b'] });
  assert.deepEqual([answer.status, answer.headers.get('x-smg-error-code')], [400, 'not_translatable']);
  assert.match(
    await answer.text(),
    /Calls of rerank cannot be served by engines behind gRPC, nor be translated for them/,
  );
});

test('a wrong scheme is told in words, and none at all is found out', async (t) => {
  const engine = await startGrpcEngine({ speed: Number.POSITIVE_INFINITY });
  t.after(() => engine.close());
  const http = await engineFor(t);
  const host = engine.url.replace('grpc://', '');
  const wrong = [`http://localhost:${engine.port}`, http.url.replace('http://', 'grpc://')];
  const gateway = await gatewayFor(t, [host, ...wrong]);
  await allReady(gateway, 1);
  for (;;) {
    const { workers } = (await api(gateway, 'GET', '/workers')).body as { workers: Record<string, unknown>[] };
    const [found, ...others] = workers.map((worker) => [worker['url'], worker['status'], worker['last_error']]);
    if (others.some((worker) => worker[2] === null)) continue;
    assert.deepEqual(found, [engine.url, 'ready', null]);
    const [asHttp, asGrpc] = others.map((worker) => String(worker[2]));
    assert.match(asHttp ?? '', /sent broken HTTP/);
    assert.match(asGrpc ?? '', /The peer does not speak gRPC/);
    return;
  }
});
