/** The `smg` process from outside, as far as no gateway is needed: help, version, bad command lines, dry runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serveOptions } from '../config/command-options.ts';
import { flagOf, variableOf } from '../config/names.ts';
import { gatewayOptions } from '../config/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: readonly string[];
}

function runScript(script: string, words: readonly string[], env: Record<string, string> = {}): Ended {
  const clean = Object.entries(process.env).filter(([name]) => !/^(SMG_|CUDA_)/.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    cwd: root,
    env: { ...Object.fromEntries(clean), ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr.split('\n').filter((line) => line !== '') };
}

const smg = (words: readonly string[], env?: Record<string, string>) => runScript('src/main.ts', words, env);
const npmStart = (...words: string[]) => runScript('scripts/start.ts', words);

const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const flagged = Object.fromEntries(Object.entries(gatewayOptions).filter(([, option]) => !option.fileOnly));

test('--help names every option with its variable, every command and the first commands to try', () => {
  const { code, out, err } = smg(['--help']);
  assert.deepEqual([code, err], [0, []]);
  for (const key of Object.keys(flagged)) {
    assert.ok(out.includes(flagOf(key)), key);
    assert.ok(out.includes(variableOf(key)), key);
  }
  assert.doesNotMatch(out, /^ +--workers /m, 'what only the file can say is no flag');
  for (const line of [/^ {2}launch\|start /m, /^ {2}serve /m, /^ {2}sim /m, /^ {2}smg --worker-urls http:/m]) {
    assert.match(out, line);
  }
  assert.match(out, /--port <port>.*\(default 30000; env SMG_PORT\)/);
});

test('serve --help names the options of the engines too, wherever the flag stands', () => {
  const { code, out } = smg(['serve', '--help']);
  assert.equal(code, 0);
  for (const key of Object.keys({ ...serveOptions, ...flagged })) assert.ok(out.includes(flagOf(key)), key);
  assert.equal(smg(['-h', 'serve']).out, out);
  assert.equal(smg(['help', 'serve']).out, out);
});

test('--version prints the version of the package', () => {
  for (const flag of ['--version', '-V']) {
    const { code, out } = smg([flag]);
    assert.deepEqual([code, out], [0, `smg ${version}\n`]);
  }
});

test('a bad command line, environment and file end the start with exit code 2 and one line for each problem', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'smg.yaml');
  writeFileSync(file, 'polcy: random\n');
  const words = ['lunch', '--prot', '1', '--port', 'abc', '--worker-urls', 'grpc://a', '--config', file];
  const { code, out, err } = smg(words, { SMG_LOG_LEVEL: 'loud', SMG_NOPE: '1' });
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(err, [
    'smg: warning: environment variable SMG_NOPE: no option has this name, it is ignored',
    'smg: "lunch": neither a command nor the value of a flag; did you mean launch?',
    'smg: flag --prot: no such flag; did you mean --port?',
    `smg: file ${file}, key polcy: no option has this name; did you mean policy?`,
    'smg: flag --port: "abc" is not a whole number from 0 to 65535 (0 takes any free port)',
    'smg: flag --worker-urls: "grpc://a" names no port, and gRPC has no usual one',
    'smg: environment variable SMG_LOG_LEVEL: "loud" is not one of debug, info, warn, error',
  ]);
});

test('a missing configuration file is one more problem', () => {
  const { code, err } = smg(['--port', 'abc'], { SMG_CONFIG: 'no/such/file.yaml' });
  assert.equal(code, 2);
  assert.equal(err.length, 2);
  assert.match(err[0] ?? '', /^smg: file no\/such\/file\.yaml: it cannot be read, there is no such file/);
});

test('a gateway without any worker needs to be told that this is meant', () => {
  const { code, out, err } = smg(['--port=0']);
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(err, [
    'smg: no worker is named: give --worker-urls, or --enable-igw to start with none and register them over REST',
  ]);
});

test('serve --dry-run prints the command line of each engine and starts nothing', () => {
  const words = ['serve', '--model', 'org/model', '--dp-size', '2', '--dry-run'];
  assert.deepEqual(smg([...words, '--backend', 'sglang', '--tp-size', '2', '--', '--trust-remote-code']), {
    code: 0,
    out:
      'CUDA_VISIBLE_DEVICES=0,1 python3 -m sglang.launch_server --model-path org/model --host 127.0.0.1 --port 31000 ' +
      '--tp-size 2 --trust-remote-code\n' +
      'CUDA_VISIBLE_DEVICES=2,3 python3 -m sglang.launch_server --model-path org/model --host 127.0.0.1 --port 31001 ' +
      '--tp-size 2 --trust-remote-code\n',
    err: [],
  });
  const vllm = smg([...words, '--backend=vllm', '--worker-base-port', '8000', '--port', '8001'], {
    CUDA_VISIBLE_DEVICES: '6,7',
  });
  assert.equal(
    vllm.out,
    'CUDA_VISIBLE_DEVICES=6 vllm serve org/model --host 127.0.0.1 --port 8000\n' +
      'CUDA_VISIBLE_DEVICES=7 vllm serve org/model --host 127.0.0.1 --port 8002\n',
  );
});

test('serve tells a missing model and too few GPUs together with every other problem', () => {
  assert.deepEqual(smg(['serve', '--port', 'x']).err.length, 2);
  const words = ['serve', '--backend', 'vllm', '--model', 'm', '--dp-size', '2', '--port', 'x'];
  const { code, err } = smg(words, { CUDA_VISIBLE_DEVICES: '0' });
  assert.deepEqual([code, err.length], [2, 2]);
});

for (const [backend, expected] of [
  ['vllm', /^smg: engine vllm 1 cannot be started, vllm is not there; install vLLM: pip install vllm$/],
  ['sglang', /^smg: engine sglang 1 cannot be started, .* is not there; install SGLang for python3: pip install/],
] as const) {
  test(`serve without ${backend} on the machine ends with exit code 1 and says what to install`, () => {
    const words = ['serve', '--backend', backend, '--model', 'm', '--port=0', '--prometheus-port=0'];
    const { code, err } = smg([...words, '--worker-base-port=0'], { PATH: join(root, 'no-programs-here') });
    assert.equal(code, 1);
    assert.match(err.at(-1) ?? '', expected);
  });
}

test('npm start is the demo with two engines, and further flags go to it', () => {
  const lines = npmStart('--dry-run', '--worker-base-port', '4000').out.trimEnd().split('\n');
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => /sim\/main\.ts .*--port 400[01] --model sim-model$/.test(line)));
});

test('npm start with workers, a command, help or a version is that command', () => {
  assert.match(npmStart('--worker-urls', 'ftp://a', '--dry-run').err.join('\n'), /--dry-run: it belongs to smg serve/);
  assert.match(npmStart('launch', '--model', 'm').err.join('\n'), /--model: it belongs to smg serve/);
  assert.match(npmStart('--help').out, /^Usage: smg \[command\]/);
  assert.equal(npmStart('--version').out, `smg ${version}\n`);
});

test('the installed command runs the same program', () => {
  assert.equal(runScript('bin/smg.cjs', ['--version']).out, `smg ${version}\n`);
  const { code, err } = runScript('bin/smg.cjs', ['--port', 'x']);
  assert.deepEqual([code, err.length], [2, 1]);
});

test('keys that cannot be meant end the start with exit code 2, named by flag and place and never shown', () => {
  const words = ['--tenant-api-key', 'acme:CANARY-1', 'CANARY-2', '--control-plane-api-keys', 'ci:CI:boss:CANARY-3'];
  const { code, out, err } = smg([...words, '--api-key', 'CANARY-1'], { SMG_WORKER_API_KEY: 'CANARY 4' });
  assert.deepEqual([code, out], [2, '']);
  assert.doesNotMatch(err.join('\n'), /CANARY|boss/);
  assert.equal(err.filter((line) => line.startsWith('smg: flag --tenant-api-key: entry 2: ')).length, 1);
  assert.equal(err.filter((line) => line.startsWith('smg: flag --control-plane-api-keys: entry 1: ')).length, 1);
  assert.equal(err.length, 3);
});
