/** The commands of README and guides, run as they stand, with hosts and ports of the test in place of the examples'. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import { hubCacheWith, LLAMA_FILES } from '../support/hub-cache.ts';
import { allReady, engineFor, gatewayFor } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { startProvider } from '../../sim/providers/provider.ts';

const root = new URL('../../', import.meta.url);
const guides = readdirSync(new URL('docs/guides', root), { recursive: true }).map(String);
const pages = ['README.md', ...guides.filter((name) => name.endsWith('.md')).map((name) => `docs/guides/${name}`)];

/** The commands of the `bash` blocks of a page, continued lines joined. */
function commandsOf(page: string): string[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  const blocks = [...text.matchAll(/```bash\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').trim().split('\n'));
}

const commands = pages.flatMap((page) => commandsOf(page).map((command) => ({ page, command })));

test('every command of the pages is of a kind that is run here', () => {
  assert.ok(commands.length >= 10);
  for (const { page, command } of commands)
    assert.match(command, /^(curl |smg |npm (start|test)$)/, `${page}: ${command}`);
});

const run = promisify(execFile);

/** What the commands of a page take for granted. */
const flagsOf: Readonly<Record<string, GatewayFlags>> = {
  'docs/guides/fallback.md': { modelAlias: ['chat=sim-large,sim-model'] },
  'docs/guides/tokenizers.md': { modelPath: 'test/fixtures/small-model' },
  'docs/guides/keys.md': {
    tenantApiKey: ['acme:key-of-acme'],
    controlPlaneApiKeys: ['ci:CI-deploys:admin:key-of-ci'],
  },
};

const HOSTS = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  gemini: 'generativelanguage.googleapis.com',
  xai: 'api.x.ai',
} as const;

/** Pages about providers find simulated ones at the providers' hosts; a command that registers workers finds none there. */
async function cloudsOf(
  t: TestContext,
  page: string,
  command: string,
): Promise<{ flags: GatewayFlags; count: number }> {
  if (!page.startsWith('docs/guides/providers')) return { flags: {}, count: 0 };
  const kinds = ['openai', 'anthropic', 'gemini', 'xai'] as const;
  const mapHost = await Promise.all(
    kinds.map(async (kind) => {
      const provider = await startProvider({ kind, keys: [] });
      t.after(() => provider.close());
      return `${HOSTS[kind]}=${provider.url}`;
    }),
  );
  const isAlone = command.includes('/workers');
  const workers = isAlone
    ? []
    : kinds.map((kind) => ({ url: `https://${HOSTS[kind]}`, api_key: 'key-of-the-gateway' }));
  return { flags: { mapHost, workers }, count: workers.length };
}

/** The page about engines behind gRPC has such ones. */
const GRPC_PAGE = 'docs/guides/grpc-engines.md';

async function grpcEngineFor(t: TestContext): Promise<{ readonly url: string }> {
  const engine = await startGrpcEngine({ speed: Number.POSITIVE_INFINITY });
  t.after(() => engine.close());
  return engine;
}

for (const { page, command } of commands.filter((each) => each.command.startsWith('curl'))) {
  test(`${page}: ${command}`, async (t) => {
    const clouds = await cloudsOf(t, page, command);
    const startEngine = page === GRPC_PAGE ? grpcEngineFor : (test: TestContext) => engineFor(test);
    // The first two are registered already, any other is a new one.
    const urls = (await Promise.all([startEngine(t), startEngine(t), startEngine(t)])).map(({ url }) => url);
    const gateway = await gatewayFor(t, urls.slice(0, 2), { ...flagsOf[page], ...clouds.flags });
    await allReady(gateway, 2 + clouds.count);
    const headers = { authorization: 'Bearer key-of-ci' };
    const { workers } = (await (await fetch(`${gateway.url}/workers`, { headers })).json()) as {
      workers: { id: string }[];
    };
    const local = command
      .replaceAll('http://localhost:30000', gateway.url)
      .replace(/\w+:\/\/worker([123]):(?:8000|5005\d)/, (_, number) => urls[Number(number) - 1] ?? '')
      .replace('{worker_id}', workers[0]?.id ?? '');
    const { stdout } = await run('bash', ['-c', local.replace(/^curl/, 'curl --silent --show-error --fail')]);
    assert.ok(stdout.length > 0);
    const isCut = command.includes('sim_fault');
    // The answers of one API have the member always.
    assert.equal(/"error": ?(?!null)/.test(stdout), isCut, stdout);
    if (command.includes('-N')) assert.equal(stdout.includes('[DONE]'), !isCut);
  });
}

for (const { page, command } of commands.filter((each) => each.command.startsWith('smg simulate'))) {
  test(`${page}: ${command}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'smg-docs-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const excerpt = fileURLToPath(new URL('lab/fixtures/requests.jsonl', root));
    const local = command
      .replace(/^smg/, `${process.execPath} ${fileURLToPath(new URL('src/main.ts', root))}`)
      .replace('requests.jsonl', excerpt);
    const { stdout } = await run('bash', ['-c', local], { cwd: folder });
    assert.match(stdout, /^policy +hit rate|"policies": \[/m);
    assert.equal(readdirSync(folder).join(), /--out (\S+)/.exec(command)?.[1] ?? '');
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const bound = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!(await bound)) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Two ports in a row, below those that the system gives out by itself. */
async function twoFreePorts(): Promise<number> {
  for (let port = 12_000 + (process.pid % 15_000); ; port += 2) {
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

/** What runs here of a command that starts something: its hosts and ports are those of the test. */
async function localCommand(t: TestContext, command: string): Promise<string> {
  let local = command.replace('--port 31000', `--port ${await twoFreePorts()}`);
  for (const number of [1, 2, 3]) {
    if (local.includes(`http://worker${number}:8000`))
      local = local.replace(`http://worker${number}:8000`, (await engineFor(t)).url);
    const byTokens = `grpc://worker${number}:5005${number}`;
    if (local.includes(byTokens)) local = local.replace(byTokens, (await grpcEngineFor(t)).url);
  }
  const isServing = command.startsWith('smg serve') && !command.includes('--dry-run');
  let ports = /^smg sim|--dry-run/.test(command) ? '' : ' --port 0 --prometheus-port 0';
  if (isServing) ports += ' --worker-base-port 0';
  if (ports !== '') local = local.replace('--port 30000', '');
  const [own = '', ...forEngines] = local.split(' -- ');
  return [own.replace(/^smg/, `${process.execPath} src/main.ts`) + ports, ...forEngines].join(' -- ');
}

/** Said once everything that the command starts is there. */
function isUp(shown: string, command: string): boolean {
  if (!command.startsWith('smg sim')) return shown.includes('listening at');
  const count = Number(
    /--engines (\d+)/.exec(command)?.[1] ??
      /--provider((?: [a-z]+)+)/.exec(command)?.[1]?.trim().split(' ').length ??
      1,
  );
  return (shown.match(/(?:engine|provider) ready: /g) ?? []).length >= count;
}

for (const { page, command } of commands.filter((each) => /^smg (?!simulate)/.test(each.command))) {
  test(`${page}: ${command}`, async (t) => {
    const local = await localCommand(t, command);
    const hub = command.includes('--model-path meta-llama/')
      ? { HF_HUB_CACHE: hubCacheWith(t, 'meta-llama/Llama-3.1-8B-Instruct', LLAMA_FILES) }
      : {};
    const env = { ...process.env, ...hub };
    const child = spawn('bash', ['-c', `exec ${local}`], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let shown = '';
    child.stdout.on('data', (chunk) => {
      shown += String(chunk);
      if (isUp(shown, command)) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    assert.equal(code, 0, shown);
    assert.match(shown, /listening at http:|ready: (?:http|grpc):|^CUDA_VISIBLE_DEVICES=0.* vllm serve /m);
  });
}
