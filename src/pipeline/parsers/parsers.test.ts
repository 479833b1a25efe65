/** Every parser of calls and of thoughts against its fixtures, and under the split-anywhere law. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countedIds } from '../../../test/support/answer-events.ts';
import { textCutsOf } from '../../../test/support/cuts.ts';
import { TOOLS } from '../../../test/support/parser-tools.ts';
import type { Random } from '../../base/random.ts';
import { randomInteger, seededRandom } from '../../base/random.ts';
import type { ThoughtEvent, ToolEvent, ToolFormat } from './parser.ts';
import { REASONING_FORMATS, selectReasoningParser } from './reasoning/index.ts';
import { createThoughtParser } from './reasoning/thought-parser.ts';
import { MAX_HELD_CHARS } from './text-reader.ts';
import { selectToolParser, TOOL_FORMATS } from './tool/index.ts';
import { parseCalls, parseReasoning } from './whole-text.ts';

const ROOT = new URL('fixtures/', import.meta.url);

interface Case {
  readonly name: string;
  readonly answer: string;
  readonly expected: unknown;
}

function casesOf(folder: string): Case[] {
  const names = readdirSync(new URL(`${folder}/`, ROOT)).filter((name) => name.endsWith('.txt'));
  return names.map((file) => ({
    name: file.slice(0, -4),
    answer: readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8'),
    expected: JSON.parse(readFileSync(new URL(`${folder}/${file.slice(0, -4)}.json`, ROOT), 'utf8')) as unknown,
  }));
}

/** What was told, joined; checks that calls begin, go on and end in this order and that text comes from where it says. */
function structureOf(answer: string, events: readonly ToolEvent[]) {
  let text = '';
  const calls: { id: string; name: string; arguments: string }[] = [];
  let isOpen = false;
  for (const event of events) {
    if (event.type === 'text') {
      assert.equal(answer.slice(event.from, event.from + event.text.length), event.text);
      assert.ok(!isOpen, 'text inside of a call');
      text += event.text;
    } else if (event.type === 'call-start') {
      assert.ok(!isOpen);
      isOpen = true;
      calls.push({ id: event.callId, name: event.name, arguments: '' });
    } else {
      const call = calls.at(-1);
      assert.ok(isOpen && call?.id === event.callId);
      if (event.type === 'call-delta') call.arguments += event.argumentsDelta;
      else isOpen = false;
    }
  }
  assert.ok(!isOpen, 'a call has no end');
  return { text, calls };
}

function read(format: ToolFormat, chunks: readonly string[]) {
  const events: ToolEvent[] = [];
  const newId = countedIds();
  const parser = format.create({ tools: TOOLS, newCallId: () => newId('call_') });
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(event));
  parser.end((event) => events.push(event));
  return structureOf(chunks.join(''), events);
}

for (const format of TOOL_FORMATS) {
  // The coder's format under its other name.
  if (format.id === 'qwen_coder') continue;
  for (const { name, answer, expected } of casesOf(format.id)) {
    test(`${format.id}, ${name}: the same text and calls for every cut`, () => {
      for (const cut of textCutsOf(answer, 5)) {
        const { text, calls } = read(format, cut.chunks);
        const bare = calls.map((call) => ({ name: call.name, arguments: call.arguments }));
        assert.deepEqual({ text, calls: bare }, expected, cut.name);
      }
    });

    test(`${format.id}, ${name}: broken off anywhere, the same for every cut`, () => {
      for (let end = 1; end < answer.length; end += 1) {
        const part = answer.slice(0, end);
        assert.deepEqual(
          read(
            format,
            Array.from({ length: end }, (_, i) => part[i] ?? ''),
          ),
          read(format, [part]),
          part,
        );
      }
    });
  }
}

/** An answer with parts left out, doubled, changed for others, and put in from elsewhere. */
function mutated(answer: string, other: string, random: Random): string {
  const at = () => randomInteger(random, answer.length + 1);
  const [from, to] = [at(), at()].toSorted((a, b) => a - b) as [number, number];
  const start = randomInteger(random, other.length);
  const foreign = other.slice(start, start + randomInteger(random, 20));
  switch (randomInteger(random, 4)) {
    case 0:
      return answer.slice(0, from) + answer.slice(Math.min(to, from + 12));
    case 1:
      return answer.slice(0, to) + answer.slice(from);
    case 2:
      return answer.slice(0, from) + foreign + answer.slice(from);
    default:
      return answer.slice(0, from) + foreign + answer.slice(from + foreign.length);
  }
}

test('answers that were spoilt are read without a fault, the same for every cut', () => {
  const random = seededRandom(21);
  for (const format of TOOL_FORMATS.filter(({ id }) => id !== 'qwen_coder')) {
    const answers = casesOf(format.id).map(({ answer }) => answer);
    for (let round = 0; round < 400; round += 1) {
      const pick = () => answers[randomInteger(random, answers.length)] ?? '';
      let answer = pick();
      for (let times = randomInteger(random, 3); times >= 0; times -= 1) answer = mutated(answer, pick(), random);
      const units = Array.from({ length: answer.length }, (_, i) => answer.charAt(i));
      assert.deepEqual(read(format, units), read(format, [answer]), `${format.id}: ${answer}`);
    }
  }
});

function think(id: string, chunks: readonly string[]) {
  const format = REASONING_FORMATS.find((one) => one.id === id);
  assert.ok(format);
  const parser = createThoughtParser(format, { beginsInside: false, mayBeJson: false });
  const events: ThoughtEvent[] = [];
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(event));
  parser.end((event) => events.push(event));
  const joined = (type: 'text' | 'reasoning') =>
    events.map((event) => (event.type === type ? event.text : '')).join('');
  const ends = events.filter(({ type }) => type === 'reasoning-end').length;
  assert.equal(ends, joined('reasoning') === '' ? 0 : 1);
  return { text: joined('text'), reasoning: joined('reasoning') };
}

for (const { id } of REASONING_FORMATS) {
  test(`thoughts of ${id}: the same for every cut`, () => {
    assert.ok(existsSync(new URL(`reasoning-${id}/`, ROOT)), 'no fixtures');
    for (const { name, answer, expected } of casesOf(`reasoning-${id}`))
      for (const cut of textCutsOf(answer, 7))
        assert.deepEqual(think(id, cut.chunks), expected, `${name}, ${cut.name}`);
  });
}

/** What has been told of arguments and text when so much of the answer is there. */
function toldOf(id: string, answer: string): string {
  const format = TOOL_FORMATS.find((one) => one.id === id);
  const parser = format?.create({ tools: TOOLS, newCallId: () => 'id' });
  let told = '';
  parser?.push(answer, (event) => {
    if (event.type === 'text') told += event.text;
    if (event.type === 'call-start') told += `${event.name}(`;
    if (event.type === 'call-delta') told += event.argumentsDelta;
  });
  return told;
}

const ARGUMENTS = '{"query": "a b", "limit": 1';

for (const [id, before] of [
  ['json', '{"name": "search-docs", "arguments": '],
  ['mistral', '[TOOL_CALLS] [{"name": "search-docs", "arguments": '],
  ['mistral', '[TOOL_CALLS]search-docs[ARGS]'],
  ['qwen', '<tool_call>\n{"name": "search-docs", "arguments": '],
  ['llama', '<|python_tag|>{"name": "search-docs", "parameters": '],
  ['deepseek', '<｜tool▁call▁begin｜>function<｜tool▁sep｜>search-docs\n```json\n'],
  ['deepseek31', '<｜tool▁call▁begin｜>search-docs<｜tool▁sep｜>'],
  ['kimik2', '<|tool_call_begin|>functions.search-docs:0<|tool_call_argument_begin|>'],
  ['cohere', '<|START_ACTION|>[{"tool_name": "search-docs", "parameters": '],
] as const) {
  test(`${id} tells arguments with every character of them (${before.slice(0, 14)})`, () => {
    for (let end = 1; end <= ARGUMENTS.length; end += 1)
      assert.equal(toldOf(id, before + ARGUMENTS.slice(0, end)), `search-docs(${ARGUMENTS.slice(0, end)}`);
  });
}

test('text that cannot become a mark any more is told at once', () => {
  assert.equal(toldOf('qwen', 'a < b'), 'a < b');
  assert.equal(toldOf('qwen', 'a <tool_c'), 'a ');
  assert.equal(toldOf('qwen', 'a <tool_cx'), 'a <tool_cx');
  assert.equal(toldOf('qwen', 'a <tool_call>x'), 'a <tool_call>x');
  assert.equal(toldOf('qwen', '<tool_call>{"name": "rm", "arg'), '<tool_call>{"name": "rm", "arg');
  assert.equal(toldOf('json', 'a {"b'), 'a ');
  assert.equal(toldOf('json', 'a {"b"'), 'a {"b"');
  assert.equal(toldOf('pythonic', 'see [12'), 'see ');
  assert.equal(toldOf('pythonic', 'see [12]'), 'see [12]');
});

test('a call that does not come to its point is held within bounds, the same for every cut', () => {
  const answer = `<tool_call>{"arguments": {"a": "${'x'.repeat(MAX_HELD_CHARS)}"}, "name": "ping"}</tool_call>`;
  const whole = toldOf('qwen', answer);
  assert.equal(whole, answer);
  const parser = TOOL_FORMATS.find(({ id }) => id === 'qwen')?.create({ tools: TOOLS, newCallId: () => 'id' });
  let told = '';
  for (let at = 0; at < answer.length; at += 997)
    parser?.push(answer.slice(at, at + 997), (event) => {
      assert.equal(event.type, 'text');
      if (event.type === 'text') told += event.text;
    });
  assert.equal(told, whole);
});

test('a model is read by the longest part of its name that is known', () => {
  const formatOf = (model: string, explicit?: string) => selectToolParser(model, explicit)?.id;
  assert.deepEqual(
    [
      'meta-llama/Llama-3.2-3B-Instruct',
      'meta-llama/Llama-4-Scout-17B',
      'Qwen/Qwen3-Coder-30B',
      'Qwen/Qwen3-8B',
      'deepseek-ai/DeepSeek-V3-0324',
      'deepseek-ai/DeepSeek-V3.1',
      'deepseek-ai/DeepSeek-V3.2-Exp',
      'deepseek-ai/DeepSeek-V3.2',
      'zai-org/GLM-4.5-Air',
      'zai-org/GLM-4.7',
      'moonshotai/Kimi-K2-Instruct',
      'MiniMaxAI/MiniMax-M2',
      'CohereLabs/c4ai-command-a',
      'stepfun-ai/step3',
      'microsoft/phi-4',
    ].map((model) => formatOf(model)),
    [
      'llama',
      'pythonic',
      'qwen_xml',
      'qwen',
      'deepseek',
      'deepseek31',
      'deepseek31',
      'deepseek32',
      'glm45_moe',
      'glm47_moe',
      'kimik2',
      'minimax_m2',
      'cohere',
      'step3',
      undefined,
    ],
  );
  assert.equal(formatOf('Qwen3-8B', 'llama'), 'llama');
  assert.equal(formatOf('Qwen3-8B', 'passthrough'), undefined);
  const thoughtsOf = (model: string) => selectReasoningParser(model, undefined)?.id;
  assert.deepEqual(
    ['GLM-4.5', 'GLM-4.7-Flash', 'DeepSeek-R1-Distill-Qwen-7B', 'Kimi-K2-Thinking', 'Kimi-K2-Instruct', 'phi-4'].map(
      thoughtsOf,
    ),
    ['glm45', 'glm45', 'deepseek_r1', 'kimi_thinking', 'kimi', undefined],
  );
});

test('whole texts are read at once', () => {
  const newId = countedIds();
  const format = selectToolParser('Qwen3-8B', undefined);
  const found = parseCalls('Hm. <tool_call>{"name": "ping"}</tool_call>', format, {
    tools: TOOLS,
    newCallId: () => newId('c'),
  });
  assert.deepEqual(found, { text: 'Hm. ', calls: [{ callId: 'c1', name: 'ping', argumentsText: '{}' }] });
  assert.deepEqual(parseReasoning('<think>a</think>b', selectReasoningParser('Qwen3-8B', undefined)), {
    text: 'b',
    reasoning: 'a',
  });
  assert.deepEqual(parseReasoning('<think>a', undefined), { text: '<think>a', reasoning: '' });
});
