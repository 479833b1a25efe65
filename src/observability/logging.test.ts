/** The log: one entry, one line, whatever the values hold. Written by a process of its own, as in real life. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogEntry, LogJob } from '../../test/support/log-lines.ts';
import { anyText } from '../../test/support/text.ts';
import { createLogger } from './logging.ts';

const SCRIPT = new URL('../../test/support/log-lines.ts', import.meta.url).pathname;
const WALL_MS = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

function linesOf(entries: readonly LogEntry[], options: Partial<LogJob> = {}): string[] {
  const job: LogJob = { level: 'debug', json: false, wallMs: WALL_MS, entries, ...options };
  const { stdout, stderr, status } = spawnSync(process.execPath, [SCRIPT], {
    input: JSON.stringify(job),
    maxBuffer: 1e8,
  });
  assert.equal(status, 0, stderr.toString());
  const text = stdout.toString();
  if (text !== '') assert.ok(text.endsWith('\n'), 'the last line is whole');
  return text.split('\n').slice(0, -1);
}

const EVIL = [
  'a\nlevel=error forged',
  '\r\n2026-02-03T04:05:06.789Z ERROR forged',
  '" status=200 x="',
  '\u2028forged',
  '\u0085forged',
  '\u001b[2J\u001b[31mred',
  '{"level":"error"}',
  'x y=z',
  '',
  ' ',
  '\\',
  '\ud800',
];

/** Any values that a request or a worker may bring into a line, the same ones in every run. */
const values = [...EVIL, ...fc.sample(anyText(30), { seed: 1, numRuns: 200 })];
const evil: readonly LogEntry[] = values.map((value, i) => ({
  level: 'info',
  message: 'call',
  fields: { a: value, n: i },
}));

test('in a line for people a value of any text stays on its line and within its field', () => {
  const lines = linesOf(evil);
  assert.equal(lines.length, evil.length);
  for (const [i, line] of lines.entries()) {
    const [, shown = ''] = /^2026-02-03T04:05:06\.789Z INFO  call a=(.*) n=\d+$/su.exec(line) ?? [];
    assert.ok(line.endsWith(` n=${i}`), line);
    assert.match(shown, /^([\w.:/@+,-]+|"([^"\\]|\\.)*")$/su);
    // No control character, nor one that some readers take for the end of a line.
    assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
  }
});

test('plain words are shown as they are, others in quotes', () => {
  const fields = {
    id: 'chatcmpl-1',
    url: 'http://w:8000/v1',
    words: 'two words',
    empty: '',
    none: undefined,
    n: 1.5,
    yes: true,
  };
  const [line] = linesOf([{ level: 'warn', message: 'worker', fields }]);
  assert.equal(
    line,
    '2026-02-03T04:05:06.789Z WARN  worker id=chatcmpl-1 url=http://w:8000/v1 words="two words" empty="" n=1.5 yes=true',
  );
});

test('as JSON each line is one object that gives the values back', () => {
  const lines = linesOf(evil, { json: true });
  assert.equal(lines.length, evil.length);
  for (const [i, line] of lines.entries()) {
    const { time, a, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, { level: 'info', msg: 'call', n: i });
    // Half a character may come out as the sign for one that is missing.
    assert.equal(String(a).toWellFormed(), values[i]?.toWellFormed());
  }
});

for (const json of [false, true]) {
  test(`only lines of the level and above are written, ${json ? 'as JSON' : 'as text'}`, () => {
    const levels = ['debug', 'info', 'warn', 'error'] as const;
    const entries = levels.map((level) => ({ level, message: level, fields: {} }));
    for (const [i, level] of levels.entries()) {
      const written = linesOf(entries, { level, json });
      assert.deepEqual(
        written.map((line) => /debug|info|warn|error/.exec(line.toLowerCase())?.[0]),
        levels.slice(i),
      );
    }
  });
}

for (const json of [false, true]) {
  test(`${json ? 'JSON' : 'text'} lines of the audit log are written whatever the least level is`, () => {
    const [line = ''] = linesOf([{ level: 'audit', message: 'control plane', fields: { who: 'ci' } }], {
      level: 'error',
      json,
    });
    assert.match(line, json ? /"level":"audit".*"who":"ci"/ : /Z AUDIT control plane who=ci$/);
  });
}

test('a logger says which levels are on', async () => {
  const logger = createLogger({ level: 'warn', json: false, dir: undefined }, () => 0);
  const on = (['debug', 'info', 'warn', 'error'] as const).map((level) => logger.isOn(level));
  await logger.close();
  assert.deepEqual(on, [false, false, true, true]);
});

test('many lines keep their order and none is lost at the end', () => {
  const entries = Array.from(
    { length: 3_000 },
    (_, i): LogEntry => ({ level: 'info', message: 'call', fields: { n: i, text: 'x'.repeat(i % 200) } }),
  );
  const numbers = linesOf(entries).map((line) => Number(/ n=(\d+)/.exec(line)?.[1]));
  assert.deepEqual(
    numbers,
    entries.map((_, i) => i),
  );
});

test('in a folder each day of the world has its file, and the end of the log waits for what is to be written', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'smg-log-'));
  t.after(() => rmSync(dir, { recursive: true }));
  let wallMs = WALL_MS;
  const logger = createLogger({ level: 'info', json: false, dir: join(dir, 'made', 'by-the-log') }, () => wallMs);
  for (const word of ['first', 'second']) {
    logger.log('info', word, {});
    wallMs += 86_400_000 / 2;
  }
  logger.log('info', 'third', {});
  await logger.close();
  logger.log('info', 'lost', {});
  const folder = join(dir, 'made', 'by-the-log');
  assert.deepEqual(readdirSync(folder).sort(), ['smg.2026-02-03', 'smg.2026-02-04']);
  const texts = readdirSync(folder)
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  assert.deepEqual(texts, [
    '2026-02-03T04:05:06.789Z INFO  first\n2026-02-03T16:05:06.789Z INFO  second\n',
    '2026-02-04T04:05:06.789Z INFO  third\n',
  ]);
});

test('a folder that cannot be written costs the lines, not the process', () => {
  assert.deepEqual(linesOf([{ level: 'error', message: 'lost', fields: {} }], { dir: '/dev/null/no-folder' }), []);
});
