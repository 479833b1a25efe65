/**
 * Calls of DeepSeek V3, with the kind before the name and a fence around the arguments, and of V3.1, without both. The
 * two are told apart by what stands there. Source: the chat templates of DeepSeek V3, R1 and V3.1.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';

const ALL_BEGIN = '<｜tool▁calls▁begin｜>';
const ALL_END = '<｜tool▁calls▁end｜>';
const BEGIN = '<｜tool▁call▁begin｜>';
const SEPARATOR = '<｜tool▁sep｜>';
const END = '<｜tool▁call▁end｜>';
const FENCE = '```';
const NAME_CHARS = 256;

const beforeName = new TextAutomaton([SEPARATOR]);
const afterName = new TextAutomaton(['\n']);

function* readCall(parts: CallParts): Reading {
  const { reader, calls } = parts;
  const name = yield* readName(parts);
  if (!calls.isTool(name)) return;
  yield* reader.skipSpace();
  const isFenced = yield* reader.literal(FENCE);
  if (isFenced) yield* reader.literal('json');
  yield* reader.skipSpace();
  if ((yield* reader.peek()) !== '{') return;
  reader.drop();
  calls.start(name);
  yield* reader.jsonValue((piece) => calls.arguments(piece));
  calls.end();
  yield* reader.skipSpace();
  if (isFenced) yield* reader.literal(FENCE);
  yield* reader.skipSpace();
  yield* reader.literal(END);
}

function* readName({ reader }: CallParts): Reading<string | undefined> {
  const first = yield* reader.until(beforeName, NAME_CHARS);
  if (first.found < 0) return undefined;
  const next = yield* reader.peek();
  if (next === '{' || next === '`') return first.text.trim();
  const second = yield* reader.until(afterName, NAME_CHARS);
  return second.found < 0 ? undefined : second.text.trim();
}

const grammar = blocks([ALL_BEGIN, BEGIN, ALL_END], function* readBlock(parts, found) {
  const { reader, calls } = parts;
  if (found === 2) {
    if (calls.hasCalls) reader.drop();
    return;
  }
  if (found === 0) {
    yield* reader.skipSpace();
    if (!(yield* reader.literal(BEGIN))) return;
  }
  yield* readCall(parts);
});

const markers = [ALL_BEGIN, ALL_END, BEGIN, SEPARATOR, END];

export const deepseek = defineToolFormat({
  id: 'deepseek',
  models: ['deepseek-v3', 'deepseek-r1'],
  markers,
  grammar,
});

export const deepseek31 = defineToolFormat({
  id: 'deepseek31',
  models: ['deepseek-v3.1', 'deepseek-v3-1', 'deepseek-v3.2-exp'],
  markers,
  grammar,
});
