/**
 * The founding guide "Multiple Workers", command by command as it stands. `test/fixtures/seeds/` holds it word for word;
 * what is put in place of its example hosts is the table below, and nothing else of it is changed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { cloudFor } from '../support/cloud.ts';
import type { CloudOptions } from '../support/cloud.ts';
import { commandsOf, curl, startSmg } from '../support/guide.ts';
import { engineFor } from '../support/rig.ts';

const root = new URL('../../', import.meta.url);
const guide = readFileSync(new URL('test/fixtures/seeds/multiple-workers.md', root), 'utf8');
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

/** What the guide shows and this version does not do yet, with what it says instead; every one has to say so. */
const notYet: readonly { readonly part: string; readonly says: RegExp; readonly why: string }[] = [
  {
    part: 'grpc://worker1:50051',
    says: /flag --model-path: no such flag/,
    why: 'a tokenizer of its own for gRPC workers',
  },
];

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

for (const { part, says, why } of notYet) {
  test(`${part}: not yet (${why}), and the command says so`, async (t) => {
    const found = steps.filter(
      (step) => step.kind === 'shell' && step.command.includes(part) && step.command.startsWith('smg'),
    );
    assert.equal(found.length, 1);
    const [step] = found;
    const { code, text, url } = await startSmg(t, step?.kind === 'shell' ? step.command : '');
    assert.deepEqual([url, code], [undefined, 2]);
    assert.match(text, says);
  });
}

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

test('every smg command of the guide is run or listed as not yet', () => {
  const starts = steps.flatMap((step) =>
    step.kind === 'shell' && step.command.startsWith('smg') ? [step.command] : [],
  );
  const left = starts.filter((command) => !notYet.some(({ part }) => command.includes(part)));
  const local = left.filter((command) => !clouds.some(({ host }) => command.includes(host)));
  assert.deepEqual([left.length, local.length], [6, 2], 'clouds, the static workers and the mode without any');
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
