/** The hub and its cache folder, against a fetcher that plays the hub's API. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Hub, hubSettings, isHubId } from './hub.ts';
import { SourceError } from './model-files.ts';

const NEVER = new AbortController().signal;
const ENDPOINT = 'https://hub.test';

function hubFor(t: TestContext, answers: Readonly<Record<string, string>>, isOffline = false) {
  const cacheDir = mkdtempSync(join(tmpdir(), 'smg-hub-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const asked: string[] = [];
  const notes: string[] = [];
  const fetchFile = (url: string, { bearer }: { readonly bearer: string | undefined }) => {
    asked.push(`${url.slice(ENDPOINT.length)} ${bearer}`);
    const answer = answers[url.slice(ENDPOINT.length)];
    return answer === undefined
      ? Promise.reject(new Error('it answered with 404'))
      : Promise.resolve(Buffer.from(answer));
  };
  const settings = { cacheDir, endpoint: ENDPOINT, token: 'hf_x', isOffline };
  return { cacheDir, asked, notes, hub: new Hub(settings, { fetchFile }, (text) => notes.push(text)) };
}

const LISTING = JSON.stringify({
  sha: 'abc123',
  siblings: ['tokenizer.json', 'config.json', 'vocab.json', 'model.safetensors', '../x.jinja', 'onnx/config.json'].map(
    (rfilename) => ({ rfilename }),
  ),
});

const ANSWERS = {
  '/api/models/org/name/revision/main': LISTING,
  '/org/name/resolve/abc123/tokenizer.json': '{}',
  '/org/name/resolve/abc123/config.json': '{"model_type":"x"}',
};

test('what is not in the cache is downloaded, only what is needed, and is there the next time', async (t) => {
  const { hub, asked, cacheDir } = hubFor(t, ANSWERS);
  const files = await hub.read('org/name', NEVER);
  assert.deepEqual([...files.keys()], ['tokenizer.json', 'config.json']);
  assert.deepEqual(
    asked,
    Object.keys(ANSWERS).map((path) => `${path} hf_x`),
  );
  const folder = join(cacheDir, 'models--org--name');
  assert.equal(readFileSync(join(folder, 'refs', 'main'), 'utf8'), 'abc123');
  assert.deepEqual(readdirSync(join(folder, 'snapshots', 'abc123')).sort(), ['config.json', 'tokenizer.json']);
  asked.length = 0;
  assert.deepEqual(await hub.read('org/name', NEVER), new Map(files));
  assert.deepEqual(asked, []);
});

test('a cache as the hub’s own tools leave it is read through its links, without a word to the network', async (t) => {
  const { hub, asked, cacheDir } = hubFor(t, {}, true);
  const folder = join(cacheDir, 'models--org--name');
  for (const each of ['refs', 'blobs', 'snapshots/r1']) mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(join(folder, 'refs', 'main'), 'r1\n');
  writeFileSync(join(folder, 'blobs', 'f00'), '{"b":1}');
  symlinkSync('../../blobs/f00', join(folder, 'snapshots', 'r1', 'tokenizer.json'));
  assert.equal((await hub.read('org/name', NEVER)).get('tokenizer.json')?.toString(), '{"b":1}');
  assert.deepEqual(asked, []);
});

test('a revision that leads elsewhere is none', async (t) => {
  const { hub, cacheDir } = hubFor(t, {}, true);
  const folder = join(cacheDir, 'models--org--name');
  mkdirSync(join(folder, 'refs'), { recursive: true });
  writeFileSync(join(folder, 'refs', 'main'), '../../../etc');
  await assert.rejects(hub.read('org/name', NEVER), /HF_HUB_OFFLINE/);
});

test('without the network or the model the reason is told', async (t) => {
  const offline = hubFor(t, {}, true);
  await assert.rejects(offline.hub.read('org/name', NEVER), /not in the hub cache, and HF_HUB_OFFLINE/);
  const unknown = hubFor(t, {});
  await assert.rejects(
    unknown.hub.read('org/name', NEVER),
    (thrown) => thrown instanceof SourceError && /404/.test(thrown.message),
  );
  for (const listing of ['nonsense', '{}', '{"sha":"../x","siblings":[]}']) {
    const { hub } = hubFor(t, { '/api/models/org/name/revision/main': listing });
    await assert.rejects(hub.read('org/name', NEVER), /no list of files/);
  }
  const bare = hubFor(t, { '/api/models/m/revision/main': '{"sha":"a","siblings":[{"rfilename":"tokenizer.model"}]}' });
  await assert.rejects(bare.hub.read('m', NEVER), /SentencePiece/);
  assert.equal(bare.asked.length, 1);
});

test('a cache that cannot be written to costs a note and nothing else', async (t) => {
  const { hub, notes, cacheDir } = hubFor(t, ANSWERS);
  rmSync(cacheDir, { recursive: true });
  writeFileSync(cacheDir, 'a file in its place');
  assert.equal((await hub.read('org/name', NEVER)).size, 2);
  assert.match(notes.join(), /cannot be written to/);
  assert.ok(existsSync(cacheDir));
});

test('settings are those of the hub’s own tools', () => {
  const of = (env: Record<string, string>) => hubSettings(env, '/home/u');
  assert.equal(of({}).cacheDir, '/home/u/.cache/huggingface/hub');
  assert.equal(of({ HF_HOME: '/h' }).cacheDir, '/h/hub');
  assert.equal(of({ HF_HOME: '/h', HF_HUB_CACHE: '/c' }).cacheDir, '/c');
  assert.deepEqual(
    [of({ HF_ENDPOINT: 'http://e/' }).endpoint, of({ HF_TOKEN: '' }).token, of({ HF_HUB_OFFLINE: '1' }).isOffline],
    ['http://e', undefined, true],
  );
});

test('hub ids are names, not paths', () => {
  for (const id of ['org/name', 'gpt2', 'Qwen/Qwen3-0.6B', 'meta-llama/Llama-3.1-8B-Instruct'])
    assert.ok(isHubId(id), id);
  for (const id of ['/models/x', './x', '../x', 'a/b/c', 'a/..', '', 'a b', 'https://x/y', 'a/b?c', '~/x'])
    assert.ok(!isHubId(id), id);
});
