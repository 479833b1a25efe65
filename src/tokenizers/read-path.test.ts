/** Models on the disk. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { requireTokenizer, SourceError } from './model-files.ts';
import { readModelPath } from './read-path.ts';
import { readTemplate } from './template-file.ts';

function folderFor(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'smg-model-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const refused = (promise: Promise<unknown>, reason: RegExp) =>
  assert.rejects(promise, (thrown) => thrown instanceof SourceError && reason.test(thrown.message));

test('of a folder the files of known names are read, links followed, and nothing else', async (t) => {
  const folder = folderFor(t, {
    'tokenizer.json': '{}',
    'model.safetensors': 'x',
    'sub/config.json': 'x',
    blob: '{"a":1}',
  });
  symlinkSync(join(folder, 'blob'), join(folder, 'config.json'));
  mkdirSync(join(folder, 'merges.txt'));
  const files = await readModelPath(folder);
  assert.deepEqual(
    [...files].map(([name, bytes]) => [name, bytes.toString()]),
    [
      ['config.json', '{"a":1}'],
      ['tokenizer.json', '{}'],
    ],
  );
});

test('a file of a tokenizer brings its folder along, but no other tokenizer', async (t) => {
  const folder = folderFor(t, {
    'tokenizer.json': '{}',
    'a.tiktoken': 'a',
    'b.tiktoken': 'b',
    'config.json': '{}',
    'mine.json': '[]',
  });
  assert.deepEqual([...(await readModelPath(join(folder, 'a.tiktoken'))).keys()], ['a.tiktoken', 'config.json']);
  assert.ok((await readModelPath(join(folder, 'tokenizer.json'))).has('config.json'));
  const mine = await readModelPath(join(folder, 'mine.json'));
  assert.deepEqual([mine.get('tokenizer.json')?.toString(), mine.has('a.tiktoken')], ['[]', false]);
});

test('what is no model says what it is instead', async (t) => {
  const folder = folderFor(t, { 'tokenizer.model': 'x', 'm.gguf': 'x', passwd: 'root' });
  await refused(readModelPath(join(folder, 'none')), /no such file/);
  await refused(readModelPath(join(folder, 'tokenizer.model')), /SentencePiece is not supported/);
  await refused(readModelPath(join(folder, 'm.gguf')), /GGUF is not supported/);
  await refused(readModelPath(join(folder, 'passwd')), /no file of a tokenizer/);
  const files = await readModelPath(folder);
  assert.throws(() => requireTokenizer(files), /SentencePiece.* tokenizer\.json/);
  assert.throws(() => requireTokenizer(new Map()), /there is no tokenizer\.json/);
});

test('a file beyond its limit is refused unread', async (t) => {
  const folder = folderFor(t, { 'config.json': ' '.repeat(4 * 1024 * 1024 + 1) });
  await refused(readModelPath(folder), /config\.json is larger than 4194304 bytes/);
});

test('a template is a file of templates or the template itself, never any other file', async (t) => {
  const folder = folderFor(t, { 'a.jinja': '{{ x }}', passwd: 'root' });
  assert.equal((await readTemplate(join(folder, 'a.jinja'))).main, '{{ x }}');
  assert.equal((await readTemplate('{% if a %}b{% endif %}')).main, '{% if a %}b{% endif %}');
  await refused(readTemplate(join(folder, 'passwd')), /no \.jinja/);
  await refused(readTemplate(join(folder, 'none.jinja')), /ENOENT/);
});
