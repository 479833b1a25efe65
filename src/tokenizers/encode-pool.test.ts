/** Encoding on threads: real ones, with a tokenizer of letters that misbehaves on demand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { LetterTokenizer } from '../../test/support/letter-tokenizer.ts';
import { ENCODE_POOL, EncodePool } from './encode-pool.ts';
import type { EncodePoolOptions, PooledTokenizer } from './encode-pool.ts';
import { OffloadingTokenizer } from './offload.ts';

const script = new URL('../../test/support/letter-thread.ts', import.meta.url);
const letters: PooledTokenizer = { key: 'k', files: () => Promise.resolve([['tokenizer.json', gzipSync('letters')]]) };
const others: PooledTokenizer = { key: 'x', files: () => Promise.resolve([['tokenizer.json', gzipSync('other')]]) };

function poolFor(t: TestContext, options: Partial<EncodePoolOptions> = {}) {
  const clock = new ManualClock();
  const pool = new EncodePool({ ...ENCODE_POOL, script, threads: 1, ...options }, clock);
  t.after(() => pool.close());
  return { pool, clock };
}

const coded =
  (code: string, text = /./) =>
  (thrown: unknown) =>
    thrown instanceof GatewayError && thrown.code === code && text.test(thrown.message);

/** Turns of the loop, for what happens on other threads, until it has happened. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('ids come back as the tokenizer itself gives them, special tokens added or not', async (t) => {
  const { pool } = poolFor(t, { threads: 2 });
  assert.equal(pool.threads, 0);
  const text = '<s>Long text\u0000\ud800é'.repeat(1000);
  const own = new LetterTokenizer();
  assert.deepEqual(await pool.encode(letters, text, false), own.encode(text, false));
  assert.deepEqual(await pool.encode(letters, text, true), own.encode(text, true));
});

test('many texts at once share the threads, each gets its own ids', async (t) => {
  const { pool } = poolFor(t, { threads: 2 });
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.encode(letters, `${i}`, false)));
  assert.deepEqual(
    all.map((ids) => String.fromCharCode(...ids)),
    Array.from({ length: 20 }, (_, i) => `${i}`),
  );
  assert.equal(pool.threads, 2);
});

test('a thread that dies of a text is replaced, and the text is refused after a second try', async (t) => {
  const { pool } = poolFor(t);
  const [first, second] = [pool.encode(letters, '!exit', false), pool.encode(letters, 'good', false)];
  await assert.rejects(first, coded('tokenizer_unavailable', /thread/));
  assert.equal((await second).length, 4);
});

test('a text that takes too long ends its thread, twice, and then itself', async (t) => {
  const { pool, clock } = poolFor(t);
  await pool.encode(letters, 'ready', false);
  const hanging = pool.encode(letters, '!hang', false);
  const refused = assert.rejects(hanging, coded('tokenizer_unavailable'));
  let isRefused = false;
  void refused.then(() => {
    isRefused = true;
  });
  await until(() => {
    if (clock.pendingTimers > 0) clock.advance(ENCODE_POOL.limitMs);
    return isRefused;
  });
  await refused;
});

test('what the tokenizer refuses is refused, and so is a tokenizer that cannot be made; the thread goes on', async (t) => {
  const { pool } = poolFor(t);
  await assert.rejects(pool.encode(letters, '!throw', false), coded('tokenizer_unavailable'));
  await assert.rejects(pool.encode(others, 'x', false), coded('tokenizer_unavailable'));
  const broken = { key: 'b', files: () => Promise.reject(new Error('gone')) };
  await assert.rejects(pool.encode(broken, 'x', false), coded('tokenizer_unavailable'));
  assert.equal((await pool.encode(letters, 'x', false)).length, 1);
});

test('a thread module that is not there refuses what is asked of it, and never hangs', async (t) => {
  const { pool } = poolFor(t, { script: new URL('none.ts', import.meta.url) });
  await assert.rejects(pool.encode(letters, 'x', false), coded('tokenizer_unavailable'));
});

test('the line is bounded in texts and in characters', async (t) => {
  const { pool } = poolFor(t, { maxWaiting: 2, maxWaitingChars: 10 });
  const running = pool.encode(letters, 'a', false);
  const waiting = pool.encode(letters, 'b'.repeat(8), false);
  await assert.rejects(pool.encode(letters, 'c'.repeat(8), false), coded('tokenizer_unavailable', /Too many/));
  const third = pool.encode(letters, 'd', false);
  await assert.rejects(pool.encode(letters, 'e', false), coded('tokenizer_unavailable', /Too many/));
  assert.deepEqual(
    (await Promise.all([running, waiting, third])).map(({ length }) => length),
    [1, 8, 1],
  );
});

test('closing refuses whoever runs or waits, and ends the threads', async (t) => {
  const { pool, clock } = poolFor(t);
  const all = [pool.encode(letters, 'a', false), pool.encode(letters, 'b', false)];
  pool.close();
  for (const each of all) await assert.rejects(each, coded('shutting_down'));
  await assert.rejects(pool.encode(letters, 'c', false), coded('shutting_down'));
  assert.deepEqual([pool.threads, clock.pendingTimers], [0, 0]);
});

test('a thread without work ends after a while, and another one starts when it is needed', async (t) => {
  const { pool, clock } = poolFor(t);
  await pool.encode(letters, 'a', false);
  clock.advance(ENCODE_POOL.idleMs);
  assert.equal(pool.threads, 0);
  assert.equal((await pool.encode(letters, 'b', false)).length, 1);
});

test('a tokenizer that is forgotten can be asked for again', async (t) => {
  const { pool } = poolFor(t);
  await pool.encode(letters, 'a', false);
  pool.forget('k');
  assert.equal((await pool.encode(letters, 'b', false)).length, 1);
});

test('long texts are given away, short ones and everything else are not', async () => {
  const inner = new LetterTokenizer();
  const away: string[] = [];
  const tokenizer = new OffloadingTokenizer(
    inner,
    (text) => {
      away.push(text);
      return Promise.resolve(new Uint32Array(1));
    },
    4,
  );
  assert.ok(tokenizer.encode('abcd', false) instanceof Uint32Array);
  assert.equal((await tokenizer.encode('abcde', false)).length, 1);
  assert.deepEqual([inner.asked, away], [['abcd'], ['abcde']]);
  assert.equal(tokenizer.decode([97, 98]), 'ab');
  assert.equal(tokenizer.createDecoder().push(97), 'a');
  assert.deepEqual([tokenizer.idOf('a'), tokenizer.tokenOf(97), tokenizer.bytesOf(97).length], [97, 'a', 1]);
});
