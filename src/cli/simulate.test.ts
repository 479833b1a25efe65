/** `smg simulate` as a process: what it prints, what it refuses, and with which exit code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { simulateOptions } from '../config/command-options.ts';
import { flagOf } from '../config/names.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TRACE = join(root, 'lab/fixtures/requests.jsonl');

function simulate(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts', 'simulate', ...words], {
    cwd: root,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr.split('\n').filter((line) => line !== '') };
}

test('prints a row for each policy, and the same figures again but for the speed of decisions', () => {
  const { code, out, err } = simulate('--trace', TRACE, '--policy', 'round_robin', 'random', '--seed', '4');
  assert.deepEqual([code, err], [0, []]);
  assert.match(out, /^requests\.jsonl: 120 calls in \d+ s, [\d,]+ prompt tokens; 8 engines/);
  for (const name of ['round_robin', 'random']) assert.match(out, new RegExp(`^${name} +\\d+\\.\\d% `, 'm'));
  const json = () => {
    const value = JSON.parse(simulate('--trace', TRACE, '--policy', 'random', '--seed', '4', '--json').out);
    for (const policy of value.policies) delete policy.decisionsPerSecond;
    return value;
  };
  assert.deepEqual(json(), json());
});

test('draws a picture where it is told to', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-simulate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.svg');
  const words = ['--trace', TRACE, '--policy', 'least_load', '--workers', '3', '--kv-tokens', '20000'];
  assert.equal(simulate(...words, '--out', path).code, 0);
  assert.match(readFileSync(path, 'utf8'), /^<\?xml .*<\/svg>\n$/s);
  const { code, err } = simulate(...words, '--out', join(folder, 'none', 'a.svg'));
  assert.equal(code, 1);
  assert.match(err.join('\n'), /^smg: ENOENT: .*a\.svg'$/);
});

test('a bad trace line ends the run with the file and the line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-simulate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'bad.jsonl');
  writeFileSync(path, `${readFileSync(TRACE, 'utf8').split('\n')[0]}\n{}\n`);
  const { code, out, err } = simulate('--trace', path);
  assert.deepEqual([code, out], [1, '']);
  assert.deepEqual(err, [`smg: ${path}, line 2: timestamp is not a number from 0 to 1000000000000`]);
});

test('says everything that is wrong with the command line, and plays nothing', () => {
  const { code, out, err } = simulate('--trace', TRACE, '--workers', '0', '--polcy', 'random', '--out', 'a.png');
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(err, [
    'smg: flag --polcy: no such flag; did you mean --policy?',
    'smg: flag --workers: "0" is not a whole number from 1 to 1024',
    'smg: flag --out: "a.png" is not the path of a file that ends with .svg',
  ]);
  const nothing = 'smg: there is nothing to play; give one of --trace FILE and --load NAME';
  assert.deepEqual(simulate().err, [nothing]);
  assert.match(simulate('--trace', TRACE, '--load', 'multi_turn').err.join(), /there are two loads/);
  const unknown = simulate('--trace', TRACE, '--policy', 'fastest');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err.join(), /^smg: flag --policy: no policy is called fastest; there are round_robin/);
});

test('--help names every flag and no variable, for there are none', () => {
  const { code, out } = simulate('--help');
  assert.equal(code, 0);
  for (const key of Object.keys(simulateOptions)) assert.ok(out.includes(flagOf(key)), key);
  assert.doesNotMatch(out, /SMG_|environment/);
  assert.match(out, /^Usage: smg simulate --trace <file>/);
});
