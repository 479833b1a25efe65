import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceCall } from './call.ts';
import { accelerate } from './call.ts';
import { generateConversations, MULTI_TURN, SHARED_SYSTEM_PROMPT } from './generate.ts';

const plan = { ...SHARED_SYSTEM_PROMPT, sessions: 40 };

function sessionsOf(calls: readonly TraceCall[]): TraceCall[][] {
  return [...Map.groupBy(calls, ({ session }) => session).values()];
}

test("each turn's prompt is the turn before, its answer and new words", () => {
  const { calls } = generateConversations('test', plan, 1);
  for (const turns of sessionsOf(calls)) {
    turns.forEach((turn, index) => {
      const before = turns[index - 1];
      if (before === undefined) return;
      assert.ok(turn.inputTokens > before.inputTokens + before.outputTokens);
      assert.deepEqual(turn.words.subarray(0, before.words.length), before.words);
      assert.ok(turn.arrivedMs > before.arrivedMs);
    });
  }
});

test('all conversations begin with the system prompt and nothing else of them is alike', () => {
  const firsts = sessionsOf(generateConversations('test', plan, 1).calls).map(([first]) => first as TraceCall);
  assert.equal(firsts.length, 40);
  const shared = 2 * (4_000 / 16);
  for (const { words } of firsts) assert.deepEqual(words.subarray(0, shared), firsts[0]?.words.subarray(0, shared));
  const behind = firsts.map(({ words }) => words.at(shared));
  assert.equal(new Set(behind).size, 40);
});

test('without a system prompt conversations share nothing', () => {
  const firsts = sessionsOf(generateConversations('test', { ...MULTI_TURN, sessions: 40 }, 1).calls);
  assert.equal(new Set(firsts.map(([first]) => first?.words[0])).size, 40);
});

test('a seed gives the same calls again, another seed others', () => {
  assert.deepEqual(generateConversations('test', plan, 3), generateConversations('test', plan, 3));
  assert.notDeepEqual(generateConversations('test', plan, 3), generateConversations('test', plan, 4));
});

test('calls come in the order of their arrival, and faster when asked', () => {
  const trace = generateConversations('test', plan, 1);
  const times = trace.calls.map(({ arrivedMs }) => arrivedMs);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    accelerate(trace, 4).calls.map(({ arrivedMs }) => arrivedMs * 4),
    times,
  );
});
