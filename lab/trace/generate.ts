/**
 * Loads that no trace file has: conversations, each turn's prompt being the turn before, its answer and new words, with
 * or without a system prompt that all of them share. Seeded: the same plan gives the same calls.
 */
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Trace, TraceCall } from './call.ts';
import { chainWords } from './words.ts';

/** Sizes in tokens, times in ms. Ranges are uniform, gaps exponential. */
export interface ConversationPlan {
  readonly sessions: number;
  /** Between the starts of two conversations, on average. */
  readonly startGapMs: number;
  readonly turns: Range;
  /** What all conversations begin with; 0 for none. */
  readonly systemTokens: number;
  /** New words of a turn. */
  readonly turnTokens: Range;
  readonly answerTokens: Range;
  /** From the end of an answer (at `MS_PER_TOKEN`) to the next turn, on average; half of it at least. */
  readonly thinkMs: number;
}

type Range = readonly [least: number, most: number];

/** Engines share prefixes in blocks of 16, the gateway cuts prompts into blocks of 128. */
const BLOCK_SIZE = 16;
const BLOCKS_PER_HINT = 8;

/** A guess of how long one token of an answer takes: the next turn never comes before a healthy engine has answered. */
const MS_PER_TOKEN = 25;

/** About 30 turns a second over 5 minutes: eight engines are busy, none is flooded. */
export const SHARED_SYSTEM_PROMPT: ConversationPlan = {
  sessions: 1_500,
  startGapMs: 200,
  turns: [3, 9],
  systemTokens: 4_000,
  turnTokens: [50, 600],
  answerTokens: [50, 450],
  thinkMs: 15_000,
};

/** The same without a system prompt. */
export const MULTI_TURN: ConversationPlan = { ...SHARED_SYSTEM_PROMPT, systemTokens: 0, turnTokens: [100, 2_000] };

export function generateConversations(name: string, plan: ConversationPlan, seed: number): Trace {
  const random = seededRandom(seed);
  const calls: TraceCall[] = [];
  let startMs = 0;
  for (let session = 0; session < plan.sessions; session++) {
    calls.push(...conversation(plan, { session, startMs: Math.round(startMs) }, random));
    startMs += exponential(random, plan.startGapMs);
  }
  calls.sort((a, b) => a.arrivedMs - b.arrivedMs);
  return { name, calls, blockSize: BLOCK_SIZE, blocksPerHint: BLOCKS_PER_HINT };
}

function conversation(plan: ConversationPlan, of: { session: number; startMs: number }, random: Random): TraceCall[] {
  const calls: TraceCall[] = [];
  let arrivedMs = of.startMs;
  let tokens = plan.systemTokens;
  for (let left = within(random, plan.turns); left > 0; left--) {
    const inputTokens = tokens + within(random, plan.turnTokens);
    const outputTokens = within(random, plan.answerTokens);
    tokens = inputTokens + outputTokens;
    const words = streamWords(plan, of.session, Math.floor(tokens / BLOCK_SIZE));
    const promptBlocks = Math.floor(inputTokens / BLOCK_SIZE);
    calls.push({ arrivedMs, inputTokens, outputTokens, words, promptBlocks, session: of.session });
    const thinkMs = plan.thinkMs / 2 + exponential(random, plan.thinkMs / 2);
    arrivedMs = Math.round(arrivedMs + outputTokens * MS_PER_TOKEN + thinkMs);
  }
  return calls;
}

/** A conversation only ever grows, so one stream of numbers names its blocks; the shared start is the same in all. */
function streamWords(plan: ConversationPlan, session: number, blocks: number): Uint32Array {
  const shared = Math.floor(plan.systemTokens / BLOCK_SIZE);
  return chainWords(
    Array.from({ length: blocks }, (_, index) => (index < shared ? index : (session + 1) * 0x100_0000)),
  );
}

function within(random: Random, [least, most]: Range): number {
  return least + Math.floor(random.next() * (most - least + 1));
}

function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}
