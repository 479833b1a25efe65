import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CostModel, DEFAULT_COST } from './cost.ts';
import { Scheduler } from './scheduler.ts';
import type { Sequence } from './sequence.ts';
import { readTokens } from './tokens.ts';

/** Round numbers: 1 ms per prompt token, decode 10 ms + 1 ms per sequence. */
const COST: CostModel = {
  ...DEFAULT_COST,
  prefillTokensPerSecond: 1000,
  prefillChunkTokens: 100,
  decodeBaseMs: 10,
  decodePerSequenceMs: 1,
};

class Rig {
  readonly log: string[] = [];
  readonly scheduler: Scheduler;

  constructor(cost: Partial<CostModel> = {}) {
    this.scheduler = new Scheduler({ ...COST, ...cost });
  }

  submit(name: string, tokens: number, outputTokens: number, atMs = 0, text = name.padEnd(tokens * 4, name)): Sequence {
    const counted = readTokens(text, '', this.scheduler.cost);
    const listener = {
      onToken: (_sequence: Sequence, at: number) => this.log.push(`${at} ${name}`),
      onFinish: (_sequence: Sequence, at: number) => this.log.push(`${at} ${name} done`),
    };
    return this.scheduler.submit({ ...counted, promptTokens: tokens, outputTokens, listener }, atMs);
  }

  run(): readonly string[] {
    for (let next = this.scheduler.nextEventMs(); next !== undefined; next = this.scheduler.nextEventMs()) {
      this.scheduler.advance(next);
    }
    return this.log;
  }
}

test('computes the prompt first and then one token per step', () => {
  const rig = new Rig();
  rig.submit('a', 20, 3);
  assert.deepEqual(rig.run(), ['20 a', '31 a', '42 a', '42 a done']);
});

test('cuts long prompts into chunks that share the budget in order of arrival', () => {
  const rig = new Rig();
  rig.submit('a', 150, 1);
  rig.submit('b', 30, 1);
  assert.deepEqual(rig.run(), ['180 a', '180 a done', '180 b', '180 b done']);
  assert.equal(rig.scheduler.totals.steps, 2);
});

test('decodes the batch together, each step costing more with each sequence', () => {
  const rig = new Rig();
  rig.submit('a', 10, 3);
  rig.submit('b', 10, 3);
  assert.deepEqual(rig.run(), ['20 a', '20 b', '32 a', '32 b', '44 a', '44 a done', '44 b', '44 b done']);
});

test('mixes a newcomer’s prompt into the running batch’s step', () => {
  const rig = new Rig();
  rig.submit('a', 10, 3);
  rig.submit('b', 5, 1, 12);
  assert.deepEqual(rig.run(), ['10 a', '21 a', '37 a', '37 a done', '37 b', '37 b done']);
});

test('runs no more sequences than allowed and admits the next when a slot is free', () => {
  const rig = new Rig({ maxRunning: 1 });
  rig.submit('a', 10, 2);
  rig.submit('b', 10, 1);
  rig.scheduler.advance(0);
  assert.equal(rig.scheduler.running, 1);
  assert.equal(rig.scheduler.waiting, 1);
  assert.deepEqual(rig.run(), ['10 a', '21 a', '21 a done', '31 b', '31 b done']);
  assert.equal(rig.scheduler.totals.peakRunning, 1);
});

test('waits for memory when prompt and answer do not fit beside the running ones', () => {
  const rig = new Rig({ kvTokens: 64 });
  rig.submit('a', 30, 10);
  const second = rig.submit('b', 30, 1);
  rig.scheduler.advance(0);
  assert.equal(second.state, 'waiting');
  rig.run();
  assert.equal(second.state, 'finished');
});

test('refuses at once what could never fit', () => {
  const rig = new Rig({ kvTokens: 64 });
  assert.throws(() => rig.submit('a', 60, 10), RangeError);
});

test('skips the cached part of a prompt and reports it', () => {
  const rig = new Rig();
  const first = rig.submit('a', 40, 1);
  rig.run();
  const second = rig.submit('a', 40, 1, 100);
  rig.run();
  assert.equal(first.cachedTokens, 0);
  assert.equal(second.cachedTokens, 32, 'two whole blocks of 16');
  assert.equal(second.firstTokenMs, 108);
  assert.equal(rig.scheduler.totals.prefixHitTokens, 32);
});

test('always computes at least one token of a wholly cached prompt', () => {
  const rig = new Rig();
  rig.submit('a', 32, 1);
  rig.run();
  const again = rig.submit('a', 32, 1, 100);
  rig.run();
  assert.equal(again.cachedTokens, 16);
});

test('forgets the least recently used prefix when memory is wanted', () => {
  const rig = new Rig({ kvTokens: 80 });
  rig.submit('a', 32, 1);
  rig.run();
  rig.submit('b', 64, 1);
  rig.run();
  const again = rig.submit('a', 32, 1, 1000);
  rig.run();
  assert.equal(again.cachedTokens, 0);
});

test('keeps the answer cached, so the next turn of a conversation starts with it', () => {
  const rig = new Rig();
  const prompt = 'p'.repeat(32 * 4);
  const answer = 'q'.repeat(32 * 4);
  const listener = { onToken: () => undefined, onFinish: () => undefined };
  const tokens = readTokens(prompt, answer, COST);
  rig.scheduler.submit({ ...tokens, outputTokens: 32, listener }, 0);
  rig.run();
  const next = rig.submit('next', 80, 1, 10_000, `${prompt}${answer}${'r'.repeat(64)}`);
  rig.run();
  assert.equal(next.cachedTokens, 64);
});

test('an abort frees slot and memory at once and is not reported as an end', () => {
  const rig = new Rig({ maxRunning: 1 });
  const first = rig.submit('a', 10, 100);
  const second = rig.submit('b', 10, 1);
  rig.scheduler.advance(25);
  assert.equal(rig.scheduler.abort(first), true);
  assert.equal(rig.scheduler.abort(first), false);
  assert.equal(rig.scheduler.running, 0);
  assert.equal(rig.scheduler.load().usedTokens, 0);
  rig.run();
  assert.equal(second.state, 'finished');
  assert.ok(!rig.log.includes('a done'));
  assert.equal(rig.scheduler.totals.aborted, 1);
});

test('an abort of a waiting sequence lets the one behind it move up', () => {
  const rig = new Rig({ maxRunning: 1 });
  rig.submit('a', 10, 1);
  const second = rig.submit('b', 10, 1);
  const third = rig.submit('c', 10, 1);
  rig.scheduler.advance(0);
  rig.scheduler.abort(second);
  rig.run();
  assert.equal(second.state, 'aborted');
  assert.equal(third.finishedMs, 20);
});

test('work without output ends when its prompt is read', () => {
  const rig = new Rig();
  rig.submit('a', 12, 0);
  assert.deepEqual(rig.run(), ['12 a done']);
  assert.equal(rig.scheduler.totals.generatedTokens, 0);
});

test('plays the same calls to the same events, however the clock is cut', () => {
  const play = (advance: (scheduler: Scheduler) => void) => {
    const rig = new Rig({ maxRunning: 4, kvTokens: 512 });
    for (let index = 0; index < 20; index++) rig.submit(`s${index % 7}`, 20 + index, 1 + (index % 5), index * 7);
    advance(rig.scheduler);
    rig.run();
    return rig.log;
  };
  const whole = play(() => undefined);
  const bits = play((scheduler) => {
    for (let now = 0; now < 2000; now += 3) scheduler.advance(now);
  });
  assert.deepEqual(bits, whole);
  assert.ok(whole.length > 40);
});

test('a listener may submit the next request from inside an event', () => {
  const rig = new Rig();
  const listener = {
    onToken: () => undefined,
    onFinish: (_sequence: Sequence, atMs: number) => rig.submit('b', 10, 1, atMs),
  };
  rig.scheduler.submit({ ...readTokens('x'.repeat(40), '', COST), outputTokens: 1, listener }, 0);
  assert.deepEqual(rig.run(), ['20 b', '20 b done']);
});

test('reports load in tokens and knows what waiting prompts still need', () => {
  const rig = new Rig({ maxRunning: 1 });
  rig.submit('a', 32, 1);
  rig.run();
  rig.submit('b', 32, 5, 100);
  rig.submit('a', 32, 1, 100);
  rig.scheduler.advance(100);
  const load = rig.scheduler.load();
  assert.deepEqual({ running: load.running, waiting: load.waiting }, { running: 1, waiting: 1 });
  assert.equal(load.usedTokens, 48);
  assert.equal(load.waitingUncachedTokens, 16);
});

test('looks in the cache when a prompt is first computed, so that a twin that waited finds what the first had done', () => {
  const rig = new Rig();
  const text = 'shared prompt '.repeat(50);
  const first = rig.submit('a', 150, 1, 0, text);
  const twin = rig.submit('b', 150, 1, 0, text);
  rig.scheduler.advance(99);
  assert.deepEqual([first.state, twin.state], ['running', 'waiting'], 'one prompt takes the whole first step');
  rig.run();
  assert.deepEqual([first.cachedTokens, twin.cachedTokens], [0, 96]);
});
