/**
 * Random output of models through the whole answer path, for each format of calls and of thoughts: bytes to text, text to
 * thoughts and calls, and those to the frames of two APIs. Nothing breaks, every frame is JSON, and nothing is lost: each
 * watermark in the output comes out once, as text, as a thought or in a call. `SMG_FUZZ_RUNS` sets the number per format.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../../src/base/random.ts';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import { AnswerEvents } from '../../src/pipeline/output/answer-events.ts';
import type { ReasoningFormat, ToolFormat } from '../../src/pipeline/parsers/parser.ts';
import { REASONING_FORMATS } from '../../src/pipeline/parsers/reasoning/index.ts';
import { TOOL_FORMATS } from '../../src/pipeline/parsers/tool/index.ts';
import { protocols } from '../../src/protocols/index.ts';
import type { Codec } from '../../src/protocols/hub/codec.ts';
import { countedIds } from '../support/answer-events.ts';
import { TOOLS } from '../support/parser-tools.ts';
import { payloads } from '../support/rig.ts';
import { sampling } from '../support/sampling.ts';
import { TinyTokenizer } from '../support/tiny-tokenizer.ts';

const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 40);
const CODECS = [protocols['openai-chat'].codec, protocols['anthropic-messages'].codec];

interface Forms {
  readonly tools: ToolFormat | undefined;
  readonly reasoning: ReasoningFormat | undefined;
}

const MARKS = [
  '<tool_call>',
  '</tool_call>',
  '<think>',
  '</think>',
  '<|python_tag|>',
  '[TOOL_CALLS]',
  '```json',
  '<function=ping>',
];
const JSONS = [
  '{"name": "ping", "arguments": {',
  '"arguments"',
  '}',
  '}}',
  '[',
  ']',
  '"',
  '\\',
  ': ',
  ', ',
  '{"',
  'null',
  '-1e9',
];
const WORDS = [
  'ping',
  'get_weather',
  'search-docs',
  'functions.ping:0',
  'é',
  '日本',
  '🙂',
  '\ud83d',
  '\n',
  ' ',
  '\0',
  '<',
  '|>',
  '</',
];

/** Pieces of marks, of JSON, of words, and bytes that are no text; the numbered watermarks among them. */
function outputOf(random: Random, { tools, reasoning }: Forms): { bytes: Buffer; count: number } {
  const own = [...(tools?.markers ?? []), reasoning?.opening ?? '', reasoning?.closing ?? ''];
  const pick = (list: readonly string[]) => list[randomInteger(random, list.length)] ?? '';
  const parts: Buffer[] = [];
  let count = 0;
  for (let left = randomInteger(random, 60); left > 0; left -= 1) {
    const kind = randomInteger(random, 7);
    const text = pick([MARKS, JSONS, WORDS, own, own][kind] ?? ['']);
    if (kind === 5) parts.push(Buffer.from([randomInteger(random, 256)]));
    else if (kind === 6) parts.push(Buffer.from(`⟦${(count += 1)}⟧`));
    else parts.push(Buffer.from(random.next() < 0.2 ? text.slice(0, randomInteger(random, text.length + 1)) : text));
  }
  return { bytes: Buffer.concat(parts), count };
}

function eventsOf(bytes: Uint8Array, { tools, reasoning }: Forms, pieces: (left: number) => number): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => void events.push(event);
  const answer = new AnswerEvents({
    id: 'a',
    model: 'm',
    createdSeconds: 7,
    tokenizer,
    endTokenIds: [],
    promptTokens: 5,
    reasoning,
    beginsInThought: false,
    separatesThoughts: true,
    toolFormat: tools,
    tools: TOOLS,
    forced: undefined,
    priorCalls: 0,
    newId: countedIds(),
    sampling: sampling(),
  });
  for (let at = 0; at < bytes.length; ) {
    const ids = bytes.subarray(at, at + pieces(bytes.length - at));
    at += ids.length;
    answer.chunk({ prompt: 0, choice: 0, ids, logprobs: undefined, promptLogprobs: undefined }, emit);
  }
  const counts = { promptTokens: 5, completionTokens: 1, cachedTokens: 0, reasoningTokens: undefined };
  answer.finished({ prompt: 0, choice: 0, reason: 'stop', detail: '', matchedStop: undefined, ...counts }, emit);
  answer.end(emit);
  return events;
}

const tokenizer = new TinyTokenizer();

function toldOf(events: readonly GenerationEvent[]): string {
  return events
    .map((event) => {
      if (event.type === 'text-delta' || event.type === 'reasoning-delta') return event.text;
      if (event.type === 'tool-call-start') return event.name;
      return event.type === 'tool-call-delta' ? event.argumentsDelta : '';
    })
    .join('');
}

/** The frames of a stream: each of them JSON. */
function checkFrames(codec: Codec, events: readonly GenerationEvent[]): void {
  const messages = JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'a' }] });
  const { request } = codec.decodeRequest(Buffer.from(messages), { model: undefined, isStream: true, headers: {} });
  const encoder = codec.createEncoder({
    model: 'm',
    createdSeconds: 1,
    newId: countedIds(),
    request,
    isEventStream: true,
  });
  const frames: Buffer[] = [];
  const take = (frame: Buffer) => void frames.push(frame);
  for (const event of events) encoder.push(event, take);
  encoder.end(take);
  for (const payload of payloads(Buffer.concat(frames).toString())) if (payload !== '[DONE]') JSON.parse(payload);
}

function check(forms: Forms, random: Random): void {
  const { bytes, count } = outputOf(random, forms);
  const events = eventsOf(bytes, forms, (left) => 1 + randomInteger(random, Math.min(left, 9)));
  assert.equal(events.at(-1)?.type, 'end');
  const told = toldOf(events);
  for (let i = 1; i <= count; i += 1)
    assert.equal(
      told.split(`⟦${i}⟧`).length,
      2,
      `⟦${i}⟧ of ${JSON.stringify(bytes.toString())} in ${JSON.stringify(told)}`,
    );
  for (const codec of CODECS) if (codec) checkFrames(codec, events);
}

for (const tools of TOOL_FORMATS) {
  test(`random output is read as calls of ${tools.id} without loss`, () => {
    const random = seededRandom(5);
    for (let run = 0; run < RUNS; run += 1) {
      const reasoning = REASONING_FORMATS[run % (REASONING_FORMATS.length * 2)];
      check({ tools, reasoning }, random);
    }
  });
}

/** Each mark with something behind it that does not end: work that grows faster than the text would show here. */
const ENDLESS: readonly string[] = [
  '['.repeat(50_000),
  '{"a":'.repeat(10_000),
  `{"name": "${'n'.repeat(100_000)}`,
  `{"name": "ping", "arguments": {"a": "${'\\"'.repeat(40_000)}`,
  '<tool_call>'.repeat(5_000),
  ' '.repeat(50_000),
];

for (const tools of TOOL_FORMATS) {
  test(`what does not end is read to its end as calls of ${tools.id}`, () => {
    for (const text of ENDLESS) {
      const bytes = Buffer.from((tools.markers[0] ?? '') + text);
      const events = eventsOf(bytes, { tools, reasoning: undefined }, () => 64);
      assert.equal(events.at(-1)?.type, 'end');
    }
  });
}
