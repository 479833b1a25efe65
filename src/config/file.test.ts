/** The configuration file: its forms, and every way in which it cannot be read. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfigFile, readConfigFile } from './file.ts';

test('YAML and JSON give the same entries', () => {
  const yaml = parseConfigFile('a', 'port: 4000\nworker_urls:\n  - http://a\n');
  const json = parseConfigFile('a', '{"port": 4000, "worker_urls": ["http://a"]}');
  assert.deepEqual(yaml, json);
  assert.deepEqual(yaml.entries, { port: 4000, worker_urls: ['http://a'] });
});

test('an empty file and a file of comments have no entries and no problem', () => {
  for (const text of ['', '# nothing\n', '---\n']) {
    assert.deepEqual(parseConfigFile('a', text), { path: 'a', entries: {}, problems: [] });
  }
});

test('a syntax error is told with its place and without the text around it', () => {
  const { problems } = parseConfigFile('a.yaml', 'worker_api_key: "sk-secret\nport: 3');
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^file a\.yaml: not valid YAML or JSON at line \d+, column \d+/);
  assert.doesNotMatch(problems[0] ?? '', /sk-secret/);
});

test('the same key twice is a problem', () => {
  assert.match(parseConfigFile('a', 'port: 1\nport: 2').problems[0] ?? '', /duplicate key/);
});

test('anything but a mapping is a problem', () => {
  for (const text of ['- a', '"text"', '3']) {
    assert.deepEqual(parseConfigFile('a', text).problems, ['file a: it has to be a mapping of keys to values']);
  }
});

test('an alias bomb is a problem, not a full memory', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(', ')}]`)
    .join('\n')}`;
  assert.deepEqual(parseConfigFile('a', bomb).problems, ['file a: its aliases cannot be resolved']);
});

test('a file is read from disk, and a missing file or a folder is a problem that names it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'smg.yaml');
  assert.deepEqual(readConfigFile(path).problems, [`file ${path}: it cannot be read, there is no such file`]);
  assert.deepEqual(readConfigFile(folder).problems, [`file ${folder}: it cannot be read, it is a folder`]);
  writeFileSync(path, 'port: 4000');
  assert.deepEqual(readConfigFile(path).entries, { port: 4000 });
});
