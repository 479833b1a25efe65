/**
 * The split-anywhere law of outputs, on real vocabularies: every grouping of tokens into chunks gives the same text, the
 * same log probabilities beside it and the same events; and after each token nothing is held back that need not be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { OutputLogprobs, TokenChunk } from '../../src/domain/token-generation.ts';
import { AnswerEvents } from '../../src/pipeline/output/answer-events.ts';
import { compileStops } from '../../src/pipeline/output/stop-matcher.ts';
import type { TextPiece } from '../../src/pipeline/output/text-output.ts';
import { TextOutput } from '../../src/pipeline/output/text-output.ts';
import { selectReasoningParser } from '../../src/pipeline/parsers/reasoning/index.ts';
import { selectToolParser } from '../../src/pipeline/parsers/tool/index.ts';
import type { MadeTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { createTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { contentOf, countedIds, plainEvents } from '../support/answer-events.ts';
import { oddText } from '../support/odd-texts.ts';
import { TOOLS } from '../support/parser-tools.ts';
import { sampling } from '../support/sampling.ts';
import { readVocabulary } from '../support/vocabularies.ts';

const NAMES = ['llama3_1', 'qwen3', 'deepseek_v3', 'mistral_nemo', 'gemma3', 'gptoss'] as const;
const EXHAUSTIVE_TOKENS = 10;
const LONG_RUNS = 25;

const TEXTS = [
  'Hi 👩‍👩‍👧‍👦!',
  '你好，世界。再见',
  'नमस्ते 🇨🇭 ok',
  'e\u0301 𝒳 \u{1f9ff}\u{1fad9}',
  'one two. STOP three',
  '한국어 ㅋㅋ\n\nEND',
];

/** None, plain, inside of characters that several tokens make, across tokens, and one that begins another. */
const STOPS = [
  [],
  ['STOP', 'two. ST'],
  ['世', '👧', '🇨🇭 o'],
  ['\n\n', '界。再', '‍👩‍'],
  ['ㅋㅋ\nE', ' ', '👩‍👩‍👧‍👧'],
  ['i', 'k', '\u{1fad9}x'],
];

function load(name: string): MadeTokenizer {
  return createTokenizer({ kind: 'tokenizer_json', ...readVocabulary(name) });
}

function idsOf(tokenizer: MadeTokenizer, text: string): number[] {
  const ids = tokenizer.encode(text, false);
  assert.ok(!(ids instanceof Promise));
  return [...ids];
}

/** One for each token, told apart by place. */
function logprobsOf(from: number, ids: readonly number[]): OutputLogprobs {
  return {
    logprobs: ids.map((_, i) => -(from + i)),
    topIds: ids.map((id) => [id]),
    topLogprobs: ids.map((_, i) => [-(from + i)]),
  };
}

interface Setting {
  readonly tokenizer: MadeTokenizer;
  readonly stop: readonly string[];
}

/** Each chunk's pieces joined: text and number of tokens so far. */
function run({ tokenizer, stop }: Setting, chunks: readonly (readonly number[])[]) {
  const asked = sampling({ stop, logprobs: 1 });
  const output = new TextOutput({
    tokenizer,
    sampling: asked,
    stops: compileStops(stop),
    endTokenIds: [],
    markers: [],
    showsIds: true,
  });
  const pieces: TextPiece[] = [];
  const take = (piece: TextPiece) => pieces.push(piece);
  const told: string[] = [];
  let from = 0;
  for (const ids of chunks) {
    output.push(ids, logprobsOf(from, ids), take);
    from += ids.length;
    told.push(stateOf(pieces));
  }
  output.finish(take);
  const logprobs = pieces.flatMap((piece) => (piece.tokens ?? []).map((token) => [token.id, token.logprob]));
  return { text: textOf(pieces), logprobs, told, state: stateOf(pieces), matched: output.matchedStop };
}

type Run = ReturnType<typeof run>;

function textOf(pieces: readonly TextPiece[]): string {
  return pieces.map(({ text }) => text).join('');
}

function stateOf(pieces: readonly TextPiece[]): string {
  return `${pieces.reduce((count, { ids }) => count + ids.length, 0)} tokens: ${textOf(pieces)}`;
}

function* allGroupings(ids: readonly number[]): Generator<number[][]> {
  for (let mask = 0; mask < 2 ** (ids.length - 1); mask += 1) {
    const chunks: number[][] = [[]];
    for (const [i, id] of ids.entries()) {
      chunks.at(-1)?.push(id);
      if (((mask >> i) & 1) === 1) chunks.push([]);
    }
    yield chunks;
  }
}

function* someGroupings(ids: readonly number[], seed: number): Generator<number[][]> {
  yield [[...ids]];
  const random = seededRandom(seed);
  for (let round = 0; round < LONG_RUNS; round += 1) {
    const longest = 1 + randomInteger(random, 20);
    const chunks: number[][] = [];
    for (let at = 0; at < ids.length; ) {
      const length = 1 + randomInteger(random, longest);
      chunks.push(ids.slice(at, at + length));
      at += length;
    }
    yield chunks;
  }
}

/** By looking at every place in turn. */
function cutByHand(stops: readonly string[], text: string) {
  for (let end = 1; end <= text.length; end += 1) {
    const here = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    const matched = here.toSorted((a, b) => b.length - a.length)[0];
    if (matched !== undefined) return { text: text.slice(0, end - matched.length), matched };
  }
  return { text, matched: undefined };
}

/** What no further text can make a stop string of. */
function certainOf(stops: readonly string[], text: string): number {
  for (let from = 0; from < text.length; from += 1)
    if (stops.some((stop) => stop.length > text.length - from && stop.startsWith(text.slice(from)))) return from;
  return text.length;
}

/** What a token adds to a text without special tokens. */
function shownBytes(tokenizer: MadeTokenizer, id: number): Uint8Array {
  const isSpecial = tokenizer.specialTokens.get(tokenizer.tokenOf(id) ?? '') === id;
  return isSpecial ? new Uint8Array() : tokenizer.bytesOf(id);
}

/** For each number of tokens: the text that is certain of them, and how many of their bytes are in it. */
function certainTexts(tokenizer: MadeTokenizer, ids: readonly number[]) {
  return ids.map((_, last) => {
    let count = last + 1;
    // Bytes that stand for themselves are one text or none of it, so that nothing is certain before they end; special
    // tokens that are left out do not end them.
    for (let i = last; i >= 0; i -= 1) {
      const id = ids[i] ?? 0;
      if (/^<0x..>$/.test(tokenizer.tokenOf(id) ?? '')) count = i;
      else if (shownBytes(tokenizer, id).length > 0) break;
    }
    const bytes = Buffer.concat(ids.slice(0, count).map((id) => shownBytes(tokenizer, id)));
    const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
    const text = tokenizer.decode(ids.slice(0, count)).slice(0, whole.length);
    return { text, bytes: Buffer.byteLength(whole) };
  });
}

/** What has to be told after each token, worked out from all of them. */
function expectedStates({ tokenizer, stop }: Setting, ids: readonly number[]): string[] {
  const certain = certainTexts(tokenizer, ids);
  let bytes = 0;
  const wholeAt = ids.map((id, i) => {
    bytes += shownBytes(tokenizer, id).length;
    const at = certain.findIndex((one, k) => k >= i && one.bytes >= bytes);
    return certain[at]?.text.length ?? Infinity;
  });
  return certain.map(({ text }, i) => {
    const shown = text.slice(0, certainOf(stop, text));
    return `${wholeAt.slice(0, i + 1).filter((at) => at <= shown.length).length} tokens: ${shown}`;
  });
}

/** The same in the end, and at the end of each chunk the same as token by token. */
function assertSame(grouped: Run, single: Run, chunks: readonly (readonly number[])[]): void {
  let count = 0;
  const borders = chunks.map(({ length }) => {
    count += length;
    return single.told[count - 1] ?? '';
  });
  // A last chunk may be empty.
  const told = grouped.told.map((state, i) => (chunks[i]?.length === 0 ? borders[i] : state));
  assert.deepEqual({ ...grouped, told }, { ...single, told: borders }, JSON.stringify(chunks));
}

for (const name of NAMES) {
  const tokenizer = load(name);

  test(`${name}: every grouping of short outputs gives the same, stops cut where they are first complete`, () => {
    let groupings = 0;
    for (const text of TEXTS) {
      const all = idsOf(tokenizer, text);
      for (let from = 0; from < all.length; from += EXHAUSTIVE_TOKENS) {
        const ids = all.slice(from, from + EXHAUSTIVE_TOKENS);
        for (const stop of STOPS) {
          const single = run(
            { tokenizer, stop },
            ids.map((id) => [id]),
          );
          assert.deepEqual({ text: single.text, matched: single.matched }, cutByHand(stop, tokenizer.decode(ids)));
          for (const chunks of allGroupings(ids)) {
            assertSame(run({ tokenizer, stop }, chunks), single, chunks);
            groupings += 1;
          }
        }
      }
    }
    assert.ok(groupings > 1000, `${groupings}`);
  });

  test(`${name}: after each token all is told that is certain, with its tokens, and no more`, () => {
    const random = seededRandom(3);
    const texts = [
      ...TEXTS,
      ...Array.from({ length: 40 }, () => oddText(random, [...tokenizer.specialTokens.keys()].slice(0, 4))),
    ];
    for (const text of texts) {
      const ids = idsOf(tokenizer, text).slice(0, 80);
      for (const stop of STOPS) {
        const { told, matched } = run(
          { tokenizer, stop },
          ids.map((id) => [id]),
        );
        if (matched !== undefined || tokenizer.decode(ids).includes('\ufffd')) continue;
        assert.deepEqual(told, expectedStates({ tokenizer, stop }, ids), JSON.stringify([text, stop]));
      }
    }
  });

  test(`${name}: long outputs in seeded groupings, and as events with thoughts, calls and log probabilities`, () => {
    const random = seededRandom(9);
    for (let round = 0; round < 6; round += 1) {
      const body = `${oddText(random, [...tokenizer.specialTokens.keys()].slice(0, 4))} 👩‍👧 世界 ${oddText(random, [...tokenizer.specialTokens.keys()].slice(0, 4))}`;
      const answer = `<think>\n${body}</think>${body}\n<tool_call>\n{"name": "search-docs", "arguments": {"query": ${JSON.stringify(body)}}}\n</tool_call>\n${body}`;
      const ids = idsOf(tokenizer, answer);
      const stop = round % 2 === 0 ? [] : ['界 ', '</never>', body.slice(3, 7)].filter((one) => one !== '');
      const single = run(
        { tokenizer, stop },
        ids.map((id) => [id]),
      );
      const events = answerOf(
        { tokenizer, stop },
        ids.map((id) => [id]),
      );
      for (const chunks of someGroupings(ids, round)) {
        assertSame(run({ tokenizer, stop }, chunks), single, chunks);
        assert.deepEqual(answerOf({ tokenizer, stop }, chunks), events);
      }
    }
  });
}

/** Everything that the events of an answer say. */
function answerOf({ tokenizer, stop }: Setting, chunks: readonly (readonly number[])[]): unknown {
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => events.push(event);
  const answer = new AnswerEvents({
    id: 'a',
    model: 'm',
    createdSeconds: 1,
    tokenizer,
    endTokenIds: [],
    sampling: sampling({ stop, logprobs: 1, skipSpecialTokens: false }),
    promptTokens: 3,
    reasoning: selectReasoningParser('Qwen3-8B', undefined),
    beginsInThought: false,
    separatesThoughts: true,
    toolFormat: selectToolParser('Qwen3-8B', undefined),
    tools: TOOLS,
    forced: undefined,
    priorCalls: 0,
    newId: countedIds(),
  });
  let from = 0;
  for (const ids of chunks) {
    const chunk: TokenChunk = { prompt: 0, choice: 0, ids, logprobs: logprobsOf(from, ids), promptLogprobs: undefined };
    answer.chunk(chunk, emit);
    from += ids.length;
  }
  const counts = { promptTokens: 3, completionTokens: from, cachedTokens: 0, reasoningTokens: undefined };
  answer.finished({ prompt: 0, choice: 0, reason: 'stop', detail: 'stop', matchedStop: undefined, ...counts }, emit);
  answer.end(emit);
  assert.equal(events.at(-1)?.type, 'end');
  return plainEvents(Object.values(contentOf(events)).flat());
}
