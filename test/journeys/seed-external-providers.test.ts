/**
 * The founding guide "External Providers", command by command as it stands. `test/fixtures/seeds/` holds it word for
 * word. The providers' hosts are not changed: the gateway is told where they are, and simulated providers stand there.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import { commandsOf, curl, startSmg } from '../support/guide.ts';

const root = new URL('../../', import.meta.url);
const guide = readFileSync(new URL('test/fixtures/seeds/external-providers.txt', root), 'utf8');

/** The text between two headings of the guide. */
function section(from: string, to: string): string {
  const start = guide.indexOf(`\n${from}\n`);
  const end = guide.indexOf(`\n${to}\n`, start);
  assert.ok(start >= 0 && end > start, `${from} … ${to}`);
  return guide.slice(start, end);
}

/** The commands among the prose: they begin with `smg` or `curl` at the start of a line. */
function commandsIn(text: string): string[] {
  const lines = text.split('\n');
  const commands: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^(smg|curl) /.test(lines[at] ?? '')) continue;
    let end = at + 1;
    const isOpen = () => {
      const command = lines.slice(at, end).join('\n');
      return command.endsWith('\\') || command.split("'").length % 2 === 0;
    };
    while (isOpen()) end += 1;
    commands.push(...commandsOf(lines.slice(at, end).join('\n')));
    at = end - 1;
  }
  return commands;
}

interface Clouds {
  readonly openai: SimProvider;
  readonly anthropic: SimProvider;
  readonly xai: SimProvider;
  readonly gemini: SimProvider;
}

/** Every key is good there, but it must come in the provider's form. */
async function cloudsFor(t: TestContext): Promise<Clouds> {
  const [openai, anthropic, xai, gemini] = await Promise.all([
    startProvider({ kind: 'openai', models: ['gpt-4o', 'gpt-4o-mini'] }),
    startProvider({ kind: 'anthropic', models: ['claude-sonnet-4-20250514'] }),
    startProvider({ kind: 'xai' }),
    startProvider({ kind: 'gemini' }),
  ]);
  const clouds = { openai, anthropic, xai, gemini };
  t.after(() => Promise.all(Object.values(clouds).map((cloud) => cloud.close())));
  return clouds;
}

/** Starts the guide's gateway with the providers' hosts mapped. */
async function igw(t: TestContext, command: string, clouds: Clouds): Promise<string> {
  const hosts = [
    `api.openai.com=${clouds.openai.url}`,
    `api.anthropic.com=${clouds.anthropic.url}`,
    `api.x.ai=${clouds.xai.url}`,
    `generativelanguage.googleapis.com=${clouds.gemini.url}`,
  ];
  const { url, text } = await startSmg(t, `${command} --port 0 --prometheus-port 0 --map-host ${hosts.join(' ')}`);
  assert.ok(url, text);
  return url;
}

const here = (command: string, url: string) => command.replaceAll('http://localhost:30000', url);

/** The registration as the guide has it; the answer waits until the worker is ready. */
async function register(command: string, url: string): Promise<Record<string, unknown>> {
  const waiting = here(command, url).replace(`${url}/workers`, `'${url}/workers?wait=20'`);
  return JSON.parse(await curl(waiting)) as Record<string, unknown>;
}

async function textOf(command: string, url: string): Promise<string> {
  const answer = JSON.parse(await curl(here(command, url))) as {
    readonly object: string;
    readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[];
  };
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices[0]?.finish_reason, 'stop');
  return answer.choices[0]?.message.content ?? '';
}

const seedsAreThere = existsSync(new URL('../shared/seeds', root));
const skip = seedsAreThere ? false : 'the guide as it was given is not beside the repository';

test('the copy is the guide as it was given', { skip }, () => {
  const folder = new URL('../shared/seeds/', root);
  const name = readdirSync(folder).find((each) => each.startsWith('001_')) ?? '';
  assert.equal(guide, readFileSync(new URL(name, folder), 'utf8'));
});

test('no command of the guide is overlooked', () => {
  const all = commandsIn(guide);
  const used = [
    ...commandsIn(section('Quick Start', 'Model Discovery')),
    ...commandsIn(section('Model Discovery', 'API Key Handling')),
    ...commandsIn(section('Multiple Providers', 'Next Steps')),
  ];
  assert.deepEqual(used, all);
  assert.equal(all.length, 8);
  assert.equal(all.length, [...guide.matchAll(/^(smg|curl) /gm)].length);
});

test('Quick Start: a worker of OpenAI with its key, and a call for its model', async (t) => {
  const clouds = await cloudsFor(t);
  const [smg = '', add = '', ask = ''] = commandsIn(section('Quick Start', 'Model Discovery'));
  const url = await igw(t, smg, clouds);
  const worker = await register(add, url);
  assert.equal(worker['url'], 'https://api.openai.com');
  assert.match(await textOf(ask, url), /Hello!/);
  assert.deepEqual(clouds.openai.violations(), []);
  for (const { value } of clouds.openai.keysSeen()) assert.equal(value, 'sk-...');
});

test('Model Discovery: the caller’s own key gets the models of its account', async (t) => {
  const clouds = await cloudsFor(t);
  const [add = ''] = commandsIn(section('Multiple Providers', 'Next Steps'));
  const [list = ''] = commandsIn(section('Model Discovery', 'API Key Handling'));
  const url = await igw(t, 'smg --enable-igw', clouds);
  await register(add, url);
  clouds.openai.forget();
  const { data } = JSON.parse(await curl(here(list, url))) as { readonly data: readonly { readonly id: string }[] };
  assert.deepEqual(data.map(({ id }) => id).sort(), ['gpt-4o', 'gpt-4o-mini']);
  assert.equal(clouds.openai.lastRequest()?.method, 'GET');
});

test('API Key Handling: the caller’s key takes precedence over the stored one, and goes to its provider only', async (t) => {
  const clouds = await cloudsFor(t);
  const [addOpenai = '', addAnthropic = '', askOpenai = '', askAnthropic = ''] = commandsIn(
    section('Multiple Providers', 'Next Steps'),
  );
  const url = await igw(t, 'smg --enable-igw', clouds);
  await register(addOpenai, url);
  await register(addAnthropic, url);
  for (const cloud of Object.values(clouds)) cloud.forget();
  const own = (command: string) =>
    command.replace('-H "Content-Type', '-H "Authorization: Bearer sk-proj-own" -H "Content-Type');
  await textOf(own(askOpenai), url);
  await textOf(own(askAnthropic), url);
  assert.deepEqual(
    clouds.openai.keysSeen().map(({ value }) => value),
    ['sk-proj-own'],
  );
  assert.deepEqual(
    clouds.anthropic.keysSeen().map(({ value }) => value),
    ['sk-ant-...'],
  );
});

test('Multiple Providers: each call goes to the provider of its model, in its form', async (t) => {
  const clouds = await cloudsFor(t);
  const commands = commandsIn(section('Multiple Providers', 'Next Steps'));
  const [addOpenai = '', addAnthropic = '', askOpenai = '', askAnthropic = ''] = commands;
  assert.equal(commands.length, 4);
  const url = await igw(t, 'smg --enable-igw', clouds);
  await register(addOpenai, url);
  await register(addAnthropic, url);
  assert.match(await textOf(askOpenai, url), /Hello/);
  assert.match(await textOf(askAnthropic, url), /Hello/);
  assert.match(clouds.openai.lastRequest()?.path ?? '', /^\/v1\/chat\/completions/);
  assert.match(clouds.anthropic.lastRequest()?.path ?? '', /^\/v1\/messages/);
  for (const cloud of [clouds.openai, clouds.anthropic]) assert.deepEqual(cloud.violations(), []);
});

test('Supported Providers: every row of the table, by the model’s name, with the header that it names', async (t) => {
  const clouds = await cloudsFor(t);
  const url = await igw(t, 'smg --enable-igw', clouds);
  const rows = [
    { host: 'api.openai.com', cloud: clouds.openai, model: 'gpt-4o', header: 'authorization' },
    { host: 'api.anthropic.com', cloud: clouds.anthropic, model: 'claude-sonnet-4-20250514', header: 'x-api-key' },
    { host: 'api.x.ai', cloud: clouds.xai, model: 'grok-4', header: 'authorization' },
    {
      host: 'generativelanguage.googleapis.com',
      cloud: clouds.gemini,
      model: 'gemini-2.5-flash',
      header: 'x-goog-api-key',
    },
  ];
  const [, , ask = ''] = commandsIn(section('Multiple Providers', 'Next Steps'));
  for (const { host } of rows)
    await register(
      `curl -X POST ${url}/workers -H 'content-type: application/json' -d '{"url":"https://${host}","api_key":"k-${host}"}'`,
      url,
    );
  for (const { host, cloud, model, header } of rows) {
    assert.match(await textOf(ask.replace('gpt-4o', model), url), /Hello/);
    assert.deepEqual(cloud.violations(), [], host);
    const seen = cloud.keysSeen();
    assert.ok(
      seen.every((key) => key.value === `k-${host}` && key.header === header),
      JSON.stringify(seen),
    );
  }
});
