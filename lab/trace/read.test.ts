import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readLines, TraceError } from './lines.ts';
import { readTrace, type TraceFormat } from './read.ts';
import { numbersOf } from './words.ts';

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'smg-trace-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'trace');
  writeFileSync(path, text);
  return path;
}

const read = (path: string, format: TraceFormat | 'auto' = 'auto') => readTrace({ path, format });

const GOOD = '{"timestamp": 20, "input_length": 1100, "output_length": 7, "hash_ids": [1, 2, 3]}';

async function complaintOf(t: TestContext, text: string, format: TraceFormat | 'auto' = 'auto'): Promise<string> {
  const path = fileOf(t, text);
  const error: unknown = await read(path, format).then(
    () => assert.fail('it was read'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TraceError);
  assert.ok(error.message.startsWith(path));
  return error.message.slice(path.length);
}

test("reads Mooncake's form: complete blocks only, arrivals in order and from zero", async (t) => {
  const later = GOOD.replace('20', '50.5').replace('[1, 2, 3]', '[1, 9, 3]');
  const { calls, blockSize } = await read(fileOf(t, `\uFEFF${later}\r\n\r\n${GOOD}\n`));
  assert.equal(blockSize, 512);
  assert.deepEqual(
    calls.map(({ arrivedMs, inputTokens, outputTokens, promptBlocks }) => [
      arrivedMs,
      inputTokens,
      outputTokens,
      promptBlocks,
    ]),
    [
      [0, 1100, 7, 2],
      [30.5, 1100, 7, 2],
    ],
  );
  const [one = [], other = []] = calls.map(({ words }) => numbersOf(words, words.length / 2));
  assert.equal(one[0], other[0]);
  assert.notEqual(one[1], other[1]);
});

test('a block is named by all before it, also when ids are not', async (t) => {
  const moved = GOOD.replace('[1, 2, 3]', '[5, 2, 3]');
  const { calls } = await read(fileOf(t, `${GOOD}\n${moved}`));
  const [one = [], other = []] = calls.map(({ words }) => numbersOf(words, 2));
  assert.notEqual(one[1], other[1]);
});

test('reads the Azure form, with a heading or without, and takes every prompt as unlike the others', async (t) => {
  const rows = '2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319605,4808,8';
  for (const text of [`TIMESTAMP,ContextTokens,GeneratedTokens\r\n${rows}\r\n`, rows]) {
    const { calls } = await read(fileOf(t, text));
    assert.deepEqual(
      calls.map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens]),
      [
        [4808, 10],
        [4808, 8],
      ],
    );
    assert.ok(Math.abs((calls[1]?.arrivedMs ?? 0) - 52.0005) < 0.01);
    assert.notDeepEqual(calls[0]?.words, calls[1]?.words);
    assert.equal(calls[0]?.promptBlocks, 9);
  }
});

const BAD_LINES: readonly [string, RegExp][] = [
  ['{"timestamp": 1', /^, line 2: not a JSON object$/],
  ['[1]', /^, line 2: not a JSON object$/],
  [GOOD.replace('20', '-1'), /^, line 2: timestamp is not a number from 0/],
  [GOOD.replace('20', '"20"'), /^, line 2: timestamp is not a number/],
  [GOOD.replace('1100', '0'), /^, line 2: input_length is not a number from 1/],
  [GOOD.replace('1100', '1.5'), /^, line 2: input_length is not a whole number$/],
  [GOOD.replace('1100', '1e15'), /^, line 2: input_length is not a number from 1 to 10000000$/],
  [GOOD.replace('"output_length": 7, ', ''), /^, line 2: output_length is not a whole number$/],
  [GOOD.replace('[1, 2, 3]', '"1"'), /^, line 2: hash_ids is not a list/],
  [GOOD.replace('[1, 2, 3]', '[1, -2]'), /^, line 2: hash_ids is not a list/],
];

test("names file and line of what is wrong in Mooncake's form", async (t) => {
  for (const [line, expected] of BAD_LINES) assert.match(await complaintOf(t, `${GOOD}\n${line}\n${GOOD}`), expected);
});

test('names file and line of what is wrong in the Azure form', async (t) => {
  const good = '2023-11-16 18:17:03.97,48,10';
  const complaint = (line: string) => complaintOf(t, `${good}\n${line}`, 'azure');
  assert.match(await complaint('2023-11-16,1'), /^, line 2: not three cells/);
  assert.match(await complaint('yesterday,1,1'), /^, line 2: TIMESTAMP is not a time/);
  assert.match(await complaint('2023-99-16 18:17:03,1,1'), /^, line 2: TIMESTAMP is not a time/);
  assert.match(await complaint('2023-11-16 18:17:03,0,1'), /^, line 2: ContextTokens is not/);
  assert.match(await complaint('2023-11-16 18:17:03,1,-1'), /^, line 2: GeneratedTokens is not/);
});

test('says why a file cannot be read at all', async (t) => {
  assert.equal(await complaintOf(t, '\n\n'), ': it has no calls');
  await assert.rejects(read('/no/such/trace'), new TraceError('/no/such/trace: there is no such file'));
  await assert.rejects(read(tmpdir()), new TraceError(`${tmpdir()}: it is a folder`));
});

test('gives up on a file without line ends instead of holding it whole', async (t) => {
  const path = fileOf(t, `short\n${'x'.repeat(300_000)}`);
  const seen: string[] = [];
  const all = async () => {
    for await (const { text } of readLines(path, 100_000)) seen.push(text);
  };
  await assert.rejects(all, new TraceError(`${path}, line 2: longer than 100000 characters`));
  assert.deepEqual(seen, ['short']);
});
