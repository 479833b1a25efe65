import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from './cli.ts';
import { chatBody, getJson, pick, RawConnection } from './test-client.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function readyUrls(child: ChildProcess, count: number): Promise<readonly string[]> {
  let text = '';
  for await (const part of child.stdout ?? []) {
    text += String(part);
    const urls = [...text.matchAll(/^engine ready: (\S+) \(/gm)].map((match) => match[1] ?? '');
    if (urls.length === count) return urls;
  }
  throw new Error(`the simulator ended early: ${text}`);
}

test('places engines on consecutive ports with the options given', () => {
  const line = readCommandLine([
    '--engines',
    '2',
    '--port',
    '5000',
    '--kind',
    'vllm',
    '--model',
    'a',
    'b',
    '--speed',
    'Infinity',
  ]);
  assert.equal(line.kind, 'run');
  const engines = line.kind === 'run' ? line.engines : [];
  assert.deepEqual(
    engines.map(({ port }) => port),
    [5000, 5001],
  );
  assert.deepEqual(engines[1]?.models, ['a', 'b']);
  assert.equal(engines[0]?.kind, 'vllm');
  assert.equal(engines[0]?.speed, Infinity);
  assert.equal(engines[0]?.kvTokens, 524_288);
});

test('starts one engine on port 31000 by default', () => {
  const line = readCommandLine([]);
  assert.deepEqual(line.kind === 'run' ? line.engines.map(({ port }) => port) : [], [31_000]);
});

test('starts providers instead of engines, or before them when their number is given', () => {
  const line = readCommandLine(['--provider', 'anthropic', 'groq', '--key', 'a', 'b', '--port', '5000']);
  assert.equal(line.kind, 'run');
  const providers = line.kind === 'run' ? line.providers : [];
  assert.deepEqual(
    providers.map(({ kind, preset, port, keys }) => [kind, preset, port, keys]),
    [
      ['anthropic', undefined, 5000, ['a', 'b']],
      ['compatible', 'groq', 5001, ['a', 'b']],
    ],
  );
  assert.deepEqual(line.kind === 'run' ? line.engines : undefined, []);
  const both = readCommandLine(['--provider', 'openai', '--engines', '2', '--port', '5000']);
  assert.deepEqual(both.kind === 'run' ? both.engines.map(({ port }) => port) : [], [5001, 5002]);
  assert.equal(readCommandLine(['--provider', 'nobody']).kind, 'bad');
});

test('the process announces its providers and serves them', async () => {
  const child = start('--provider', 'openai', '--port', '0', '--model', 'm');
  const [line] = await once(child.stdout ?? child, 'data');
  const url = /^provider ready: (\S+) \(openai, models m\)/.exec(String(line))?.[1] ?? '';
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer x' } });
  assert.equal(pick(await response.json(), 'data.0.id'), 'm');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('reports every bad value at once', () => {
  const line = readCommandLine(['--engines', '0', '--kind', 'tgi', '--speed', 'fast', '--max-running', '1.5']);
  assert.equal(line.kind, 'bad');
  const problems = line.kind === 'bad' ? line.problems : [];
  assert.equal(problems.length, 4);
  assert.match(
    problems.join('\n'),
    /--speed must be between[^]*--max-running[^]*--engines[^]*--kind must be one of sglang, vllm, trtllm/,
  );
});

test('reports an unknown flag and shows help', () => {
  assert.deepEqual(readCommandLine(['--nope']), { kind: 'bad', problems: ["unknown option '--nope'"] });
  const help = readCommandLine(['--help']);
  assert.match(help.kind === 'help' ? help.text : '', /--prefill-tokens-per-second/);
});

test('the process announces its engines, serves and exits 0 on SIGTERM', async () => {
  const child = start('--engines', '2', '--port', '0', '--model', 'm');
  const urls = await readyUrls(child, 2);
  for (const url of urls) assert.equal(pick(await getJson({ url }, '/v1/models'), 'data.0.id'), 'm');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('the process exits 2 with a line per problem for bad arguments', async () => {
  const child = start('--speed', 'x', '--kind', 'y');
  let errors = '';
  child.stderr?.on('data', (part) => {
    errors += String(part);
  });
  assert.deepEqual((await once(child, 'close'))[0], 2);
  assert.equal(errors.trimEnd().split('\n').length, 2);
});

test('a kill_after fault ends the process when no engine is left', async () => {
  const child = start('--port', '0');
  const exit = once(child, 'exit');
  const [url = ''] = await readyUrls(child, 1);
  const body = { ...chatBody('x', { stream: true }), sim_fault: { kind: 'kill_after', events: 2 } };
  await new RawConnection(Number(new URL(url).port), '/v1/chat/completions', body).ended;
  assert.deepEqual(await exit, [1, null]);
});

test('places engines over gRPC with what only they have', () => {
  const words = '--connection-mode grpc --kind tokenspeed --engines 2 --port 5000 --tokens-per-chunk 4 --bundle none';
  const line = readCommandLine([...words.split(' '), '--tokenizer-path', '/models/x', '--hide-tokenizer-path']);
  assert.equal(line.kind, 'run');
  const engines = line.kind === 'run' ? line.grpcEngines : [];
  assert.deepEqual(
    engines.map(({ port, kind }) => [port, kind]),
    [
      [5000, 'tokenspeed'],
      [5001, 'tokenspeed'],
    ],
  );
  const { tokensPerChunk, bundle, tokenizerPath, reportsTokenizerPath, outputTokens } = engines[0] ?? {};
  assert.deepEqual([tokensPerChunk, bundle, tokenizerPath, reportsTokenizerPath], [4, 'none', '/models/x', false]);
  assert.equal(outputTokens, undefined, 'its own default');
  assert.deepEqual(line.kind === 'run' ? line.engines : undefined, []);
});

test('knows which kinds and flags belong to which connection mode', () => {
  const problems = (words: string) => {
    const line = readCommandLine(words.split(' '));
    return line.kind === 'bad' ? line.problems : [];
  };
  assert.match(problems('--connection-mode grpc --kind ollama')[0] ?? '', /--kind must be one of sglang, vllm, trtllm/);
  assert.match(problems('--kind tokenspeed')[0] ?? '', /--kind must be/);
  assert.match(problems('--tokenizer-path x')[0] ?? '', /need --connection-mode grpc/);
  assert.match(problems('--connection-mode zmq')[0] ?? '', /--connection-mode must be/);
});

test('the process announces its gRPC engines', async () => {
  const child = start('--connection-mode', 'grpc', '--kind', 'mlx', '--port', '0');
  const [url = ''] = await readyUrls(child, 1);
  assert.match(url, /^grpc:\/\/127\.0\.0\.1:\d+$/);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a tokenizer that is not there is a plain reason not to start', async () => {
  const child = start('--connection-mode', 'grpc', '--tokenizer-path', '/nowhere');
  let text = '';
  child.stderr?.on('data', (part) => (text += String(part)));
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(text, /^sim: .*\/nowhere\/tokenizer\.json/);
});
