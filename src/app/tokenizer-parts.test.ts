/** The store with its concrete parts: a folder and a hub of files, to tokens, prompts and habits. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../config/load.ts';
import { awaitTokenModel } from '../domain/tokenizers.ts';
import type { TokenModel } from '../domain/token-model.ts';
import { Registry } from '../workers/registry.ts';
import { commonParts } from './common-parts.ts';
import { tokenizerParts } from './tokenizer-parts.ts';

const SMALL = fileURLToPath(new URL('../../test/fixtures/small-model', import.meta.url));
const MESSAGES = JSON.stringify([{ role: 'user', content: 'Hi' }]);
const PROMPT = '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';

async function modelFor(
  t: TestContext,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<TokenModel> {
  const loaded = loadConfig({ flags: { logLevel: 'error', ...flags } });
  assert.ok(loaded.ok);
  const common = commonParts(loaded.config);
  const unused = () => {
    throw new Error('There is no worker.');
  };
  const directory = new Registry({
    open: unused,
    retune: unused,
    close: unused,
    onStateChange: unused,
    dpAware: false,
  });
  const { store } = tokenizerParts(loaded.config, common, { directory, bundles: undefined, env });
  t.after(() => {
    store.stop();
    return common.logger.close();
  });
  store.start();
  const wait = { clock: common.clock, waitMs: 60_000, signal: new AbortController().signal };
  return awaitTokenModel(() => store.of('any'), wait);
}

test('a folder gives tokens, prompts and habits', async (t) => {
  const model = await modelFor(t, { modelPath: SMALL });
  const { source, endTokenIds, modelType, architectures, contextLength, defaults, template, tokenizer } = model;
  assert.deepEqual(
    [source, endTokenIds, modelType, architectures, contextLength, defaults],
    [SMALL, [858, 856], 'small', ['SmallForCausalLM'], 8192, { temperature: 0.7, topP: 0.8, topK: 20 }],
  );
  const input = { messages: MESSAGES, tools: undefined, addGenerationPrompt: true, variables: undefined };
  const prompt = template?.render(input) ?? '';
  assert.equal(prompt, PROMPT);
  const ids = await tokenizer.encode(prompt, false);
  assert.equal(tokenizer.decode(ids, { skipSpecialTokens: false }), PROMPT);
});

test('--chat-template replaces the model’s own', async (t) => {
  const { template } = await modelFor(t, { modelPath: SMALL, chatTemplate: 'say {{ messages[0].content }}' });
  const input = { messages: MESSAGES, tools: undefined, addGenerationPrompt: true, variables: undefined };
  assert.equal(template?.render(input), 'say Hi');
});

test('a hub id is downloaded into the hub cache once, and read from there afterwards', async (t) => {
  const names = readdirSync(SMALL);
  const asked: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push(`${url} ${headers.authorization}`);
    if (url === '/api/models/org/small/revision/main')
      response.end(JSON.stringify({ sha: 'r1', siblings: names.map((rfilename) => ({ rfilename })) }));
    else if (url.startsWith('/org/small/resolve/r1/')) response.writeHead(307, { location: `/cdn${url}` }).end();
    else if (url.startsWith('/cdn/')) response.end(readFileSync(join(SMALL, url.split('/').at(-1) ?? '')));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cache = mkdtempSync(join(tmpdir(), 'smg-hub-'));
  t.after(() => {
    server.close();
    rmSync(cache, { recursive: true });
  });
  const HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const first = await modelFor(
    t,
    { tokenizerPath: 'org/small' },
    { HF_ENDPOINT, HF_TOKEN: 'hf_x', HF_HUB_CACHE: cache },
  );
  assert.deepEqual([first.source, first.contextLength], ['org/small', 8192]);
  assert.ok(asked.every((each) => each.endsWith(' Bearer hf_x') && !each.includes('SOURCE.md')));
  asked.length = 0;
  const second = await modelFor(t, { tokenizerPath: 'org/small' }, { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: cache });
  assert.deepEqual([second.endTokenIds, asked], [[858, 856], []]);
});
