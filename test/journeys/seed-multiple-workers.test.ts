/**
 * The founding guide "Multiple Workers", command by command as it stands. `test/fixtures/seeds/` holds it word for word;
 * what is put in place of its example hosts is the table below, and nothing else of it is changed.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { GrpcEngineOptions, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { cloudFor } from '../support/cloud.ts';
import type { CloudOptions } from '../support/cloud.ts';
import { commandsOf, curl, startSmg } from '../support/guide.ts';
import { hubCacheWith, LLAMA_FILES } from '../support/hub-cache.ts';
import { engineFor } from '../support/rig.ts';
import { promptSent } from '../support/sim-prompt.ts';

const root = new URL('../../', import.meta.url);
const guide = readFileSync(new URL('test/fixtures/seeds/multiple-workers.md', root), 'utf8');
const ENGINE_KINDS = ['sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'] as const;
const MODEL = 'meta-llama/Llama-3.1-8B-Instruct';

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...guide.matchAll(/^```(bash|json)\n([\s\S]*?)^```$/gm)].map((match) => {
  return { language: match[1] ?? '', text: match[2] ?? '' };
});

type Step =
  | { readonly kind: 'shell'; readonly command: string }
  | { readonly kind: 'json'; readonly value: Record<string, unknown> };

const steps: readonly Step[] = blocks.flatMap(({ language, text }): Step[] => {
  if (language === 'json') return [{ kind: 'json', value: JSON.parse(text) as Record<string, unknown> }];
  return commandsOf(text).map((command) => ({ kind: 'shell', command }));
});

interface CloudCase {
  readonly host: string;
  readonly form: CloudOptions['form'];
  /** How its key reaches it. */
  readonly sent: (key: string) => string;
}

const clouds: readonly CloudCase[] = [
  { host: 'api.openai.com', form: 'openai', sent: (key) => `authorization: Bearer ${key}` },
  { host: 'api.anthropic.com', form: 'anthropic', sent: (key) => `x-api-key: ${key}` },
  { host: 'api.x.ai', form: 'openai', sent: (key) => `authorization: Bearer ${key}` },
  { host: 'generativelanguage.googleapis.com', form: 'gemini', sent: (key) => `x-goog-api-key: ${key}` },
];

/** What stands in for the guide's hosts and ports. */
async function substitutesFor(t: TestContext): Promise<Map<string, string>> {
  const models = [MODEL];
  const [one, two, three, keyed] = await Promise.all([
    engineFor(t, { models }),
    engineFor(t, { models }),
    engineFor(t, { models }),
    engineFor(t, { models, apiKey: 'optional-key' }),
  ]);
  return new Map([
    ['http://worker1:8000', one.url],
    ['http://worker2:8000', two.url],
    ['http://worker3:8000', three.url],
    ['http://worker:8000', keyed.url],
    ['--port 30000', '--port 0 --prometheus-port 0'],
  ]);
}

function substitute(text: string, table: ReadonlyMap<string, string>): string {
  return [...table].reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

async function readyWorkers(url: string, count: number): Promise<Record<string, unknown>[]> {
  for (;;) {
    const { workers } = JSON.parse(await curl(`curl ${url}/workers?state=ready`)) as {
      workers: Record<string, unknown>[];
    };
    if (workers.length >= count) return workers;
  }
}

const seedsAreThere = existsSync(new URL('../shared/seeds', root));
const skip = seedsAreThere ? false : 'the guide as it was given is not beside the repository';

test('the copy is the guide as it was given', { skip }, () => {
  const folder = new URL('../shared/seeds/', root);
  const name = readdirSync(folder).find((each) => each.startsWith('000_')) ?? '';
  assert.equal(guide, readFileSync(new URL(name, folder), 'utf8'));
});

test('every block of the guide is taken apart into commands and values that are run here', () => {
  assert.equal(blocks.length, guide.split('\n```').length - 1 - blocks.length, 'no block is overlooked');
  for (const step of steps) {
    if (step.kind === 'shell') assert.match(step.command, /^(smg |curl |export [A-Z_]+=\S+$)/);
  }
  const count = (pattern: RegExp) => steps.filter((step) => step.kind === 'shell' && pattern.test(step.command)).length;
  assert.deepEqual([count(/^smg /), count(/^curl /), count(/^export /)], [7, 6, 4]);
  assert.equal(steps.filter((step) => step.kind === 'json').length, 2);
});

test('static workers: the gateway starts in front of all that are named, and they join', async (t) => {
  const table = await substitutesFor(t);
  const command = steps.flatMap((step) => (step.kind === 'shell' ? [step.command] : []))[0] ?? '';
  const { url = '', text } = await startSmg(t, substitute(command, table));
  assert.match(text, /3 workers, policy round_robin/);
  const workers = await readyWorkers(url, 3);
  assert.deepEqual(
    workers.map((worker) => worker['url']),
    [1, 2, 3].map((at) => table.get(`http://worker${at}:8000`)),
  );
});

/** The command for gRPC workers as it stands; `--model-path` names a model of the hub. */
const grpcCommand =
  steps.flatMap((step) => (step.kind === 'shell' && step.command.includes('grpc://') ? [step.command] : []))[0] ?? '';

/** As the model's own template has it; nothing is left open. */
const asLlamaWritesIt = (text: string) =>
  `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n${text}<|eot_id|>` +
  '<|start_header_id|>assistant<|end_header_id|>\n\n';

async function grpcEnginesFor(t: TestContext, options: Partial<GrpcEngineOptions>): Promise<SimGrpcEngine[]> {
  const start = () =>
    startGrpcEngine({
      models: [MODEL],
      tokenizerPath: LLAMA_FILES,
      reportsTokenizerPath: false,
      speed: Number.POSITIVE_INFINITY,
      ...options,
    });
  const engines = await Promise.all([start(), start()]);
  t.after(() => Promise.all(engines.map((engine) => engine.close())));
  return engines;
}

/** Starts the command in front of the engines and has both of them serve one question of the guide's kind. */
async function chatsByTokens(
  t: TestContext,
  command: string,
  { engines, env }: { readonly engines: readonly SimGrpcEngine[]; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
  const table = new Map(engines.map(({ url }, i) => [`grpc://worker${i + 1}:5005${i + 1}`, url]));
  const local = { SMG_PORT: '0', SMG_PROMETHEUS_PORT: '0', HF_HUB_OFFLINE: '1', ...env };
  const { url = '', text } = await startSmg(t, substitute(command, table), local);
  assert.match(text, /2 workers, policy round_robin/);
  await readyWorkers(url, 2);
  const question = 'How are you? #say Grüße, 世界 👋';
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: question }] });
  for (const _each of engines) {
    const answer = await curl(`curl ${url}/v1/chat/completions -H 'Content-Type: application/json' -d '${body}'`);
    const { choices, usage } = JSON.parse(answer) as {
      choices: { message: { content: string }; finish_reason: string }[];
      usage: { prompt_tokens: number };
    };
    assert.equal(choices[0]?.message.content, 'Grüße, 世界 👋');
    assert.equal(choices[0]?.finish_reason, 'stop');
    assert.ok(usage.prompt_tokens > 10);
  }
  for (const engine of engines) {
    const { text: sent, ids } = promptSent(engine);
    assert.equal(sent, asLlamaWritesIt(question), 'both are asked, with the text of the template');
    assert.deepEqual(ids, await engine.tokenizer.encode(sent), 'and the ids that the reference makes of it');
  }
}

for (const kind of ENGINE_KINDS) {
  test(`gRPC workers of ${kind}: the command serves calls with the tokenizer that --model-path names`, async (t) => {
    const engines = await grpcEnginesFor(t, { kind, bundle: 'none' });
    await chatsByTokens(t, grpcCommand, { engines, env: { HF_HUB_CACHE: hubCacheWith(t, MODEL, LLAMA_FILES) } });
  });
}

test('gRPC workers: without --model-path the tokenizer is that of the workers', async (t) => {
  const engines = await grpcEnginesFor(t, { kind: 'vllm' });
  const command = grpcCommand.replace(/--model-path \S+ \\\n/, '');
  assert.ok(!command.includes('--model-path'));
  const emptyCache = mkdtempSync(join(tmpdir(), 'smg-hub-'));
  t.after(() => rmSync(emptyCache, { recursive: true }));
  await chatsByTokens(t, command, { engines, env: { HF_HUB_CACHE: emptyCache } });
});

for (const { host, form, sent } of clouds) {
  test(`${host}: the gateway starts with the key of the environment, and the worker joins with its models`, async (t) => {
    const cloud = await cloudFor(t, { form, models: ['model-of-the-cloud'] });
    const at = steps.findIndex(
      (step) => step.kind === 'shell' && step.command.includes(`--worker-urls https://${host}`),
    );
    const [exported, step] = steps.slice(at - 1, at + 1);
    assert.ok(exported?.kind === 'shell' && step?.kind === 'shell');
    const [, variable = '', key = ''] = /^export ([A-Z_]+)=(\S+)$/.exec(exported.command) ?? [];
    // The cloud itself is not there; what is for its host comes to the test.
    const env = { [variable]: key, SMG_MAP_HOST: `${host}=${cloud.url}` };
    const command = step.command.replace('--port 30000', '--port 0 --prometheus-port 0');
    const { url = '', text } = await startSmg(t, command, env);
    assert.match(text, /1 worker, /);
    const [worker] = await readyWorkers(url, 1);
    assert.deepEqual([worker?.['url'], worker?.['models']], [`https://${host}`, ['model-of-the-cloud']]);
    assert.deepEqual(cloud.credentials(), [sent(key)]);
  });
}

test('every smg command of the guide is run', () => {
  const starts = steps.flatMap((step) =>
    step.kind === 'shell' && step.command.startsWith('smg') ? [step.command] : [],
  );
  const local = starts.filter((command) => !clouds.some(({ host }) => command.includes(host)));
  assert.deepEqual([starts.length, local.length], [7, 3], 'clouds, the static workers, gRPC and the mode without any');
  assert.ok(local.includes(grpcCommand));
});

test('dynamic workers: every command in its order, every answer as the guide shows it', async (t) => {
  const table = await substitutesFor(t);
  const first = steps.findIndex((step) => step.kind === 'shell' && step.command.includes('--enable-igw'));
  const [start, ...dynamic] = steps.slice(first);
  assert.ok(start?.kind === 'shell');
  const { url = '', text } = await startSmg(t, substitute(start.command, table));
  assert.match(text, /no workers yet/);
  table.set('http://localhost:30000', url);
  let answer = '';
  const seen: string[] = [];
  for (const step of dynamic) {
    if (step.kind === 'shell') {
      const command = substitute(step.command, table);
      seen.push(command.replace(url, '').split(/\s/).slice(0, 4).join(' '));
      // The last block is for workers that have joined.
      if (command.includes('/v1/chat/completions')) await readyWorkers(url, 1);
      answer = await curl(command);
      const id = /"worker_id":"([0-9a-f]+)"/.exec(answer)?.[1];
      if (id !== undefined) table.set('{worker_id}', id);
      checkAnswer(command, answer, table);
    } else if ('status' in step.value) {
      checkResponse(step.value, JSON.parse(answer) as Record<string, unknown>, table);
    } else {
      await checkOptions(url, step.value, table);
    }
  }
  assert.equal(seen.length, 6, seen.join('\n'));
});

/** The shown answer and the real one have the same names in the same order and, but for the id, the same values. */
function checkResponse(
  shown: Readonly<Record<string, unknown>>,
  real: Readonly<Record<string, unknown>>,
  table: ReadonlyMap<string, string>,
): void {
  const id = String(real['worker_id']);
  assert.match(id, /^[0-9a-f]{8}$/, 'as long and of the same characters as the one shown');
  assert.match(String(shown['worker_id']), /^[0-9a-f]{8}$/);
  const expected = substitute(JSON.stringify(shown).replaceAll(String(shown['worker_id']), id), table);
  assert.equal(JSON.stringify(real), expected);
}

function checkAnswer(command: string, answer: string, table: ReadonlyMap<string, string>): void {
  if (command.includes('/health')) assert.equal(answer, 'OK');
  else if (command.includes('/v1/chat/completions')) {
    const { model, choices } = JSON.parse(answer) as { model: string; choices: { message: { content: string } }[] };
    assert.equal(model, MODEL);
    assert.ok((choices[0]?.message.content ?? '').length > 0);
  } else if (command.includes('-X DELETE')) {
    assert.equal((JSON.parse(answer) as { worker_id: string }).worker_id, table.get('{worker_id}'));
  } else if (!command.includes('-X')) {
    const { workers, total } = JSON.parse(answer) as { workers: { id: string }[]; total: number };
    assert.deepEqual([workers.length, workers[0]?.id, total], [1, table.get('{worker_id}'), 1]);
  }
}

/** The value with every option is a body of `POST /workers`; what the table below it calls defaults are defaults. */
async function checkOptions(
  url: string,
  value: Readonly<Record<string, unknown>>,
  table: Map<string, string>,
): Promise<void> {
  const empty = JSON.parse(await curl(`curl ${url}/workers`)) as { total: number };
  assert.equal(empty.total, 0, 'the worker that was removed is gone');
  const body = substitute(JSON.stringify(value), table);
  const shown = JSON.parse(await curl(`curl -X POST '${url}/workers?wait=30' -d '${body}'`)) as Record<string, unknown>;
  table.set('{worker_id}', String(shown['id']));
  assert.deepEqual(
    [shown['runtime_type'], shown['worker_type'], shown['priority'], shown['cost'], shown['has_api_key']],
    [value['runtime'], value['worker_type'], value['priority'], value['cost'], true],
  );
  assert.equal((shown['labels'] as Record<string, unknown>)['region'], 'us-east');
  assert.equal(shown['status'], 'ready');
  for (const name of ['worker_type', 'priority', 'cost']) {
    const [, told = ''] = new RegExp(`^\\| \`${name}\` \\| \`([^\`]+)\``, 'm').exec(guide) ?? [];
    assert.equal(String(shown[name]), String(Number.isNaN(Number(told)) ? told : Number(told)), name);
  }
}
