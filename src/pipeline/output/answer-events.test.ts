import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedIds } from '../../../test/support/answer-events.ts';
import { TOOLS } from '../../../test/support/parser-tools.ts';
import { sampling } from '../../../test/support/sampling.ts';
import { TinyTokenizer } from '../../../test/support/tiny-tokenizer.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Sampling, TokenFinish } from '../../domain/token-generation.ts';
import { selectReasoningParser } from '../parsers/reasoning/index.ts';
import { selectToolParser } from '../parsers/tool/index.ts';
import { AnswerEvents } from './answer-events.ts';
import type { AnswerOptions } from './answer-options.ts';

const tokenizer = new TinyTokenizer({
  specials: ['<eos>', '<|tool_calls_section_begin|>', '[THINK]', '[/THINK]', '<pad>'],
});
const EOS = tokenizer.idOf('<eos>') ?? 0;

interface Setting extends Partial<Omit<AnswerOptions, 'sampling'>> {
  readonly sampling?: Partial<Sampling>;
}

/** An answer under way, with what it has told so far. */
class Course {
  readonly events: GenerationEvent[] = [];
  readonly answer: AnswerEvents;
  readonly #emit = (event: GenerationEvent) => this.events.push(event);

  constructor({ sampling: asked = {}, ...more }: Setting = {}) {
    this.answer = new AnswerEvents({
      id: 'a',
      model: 'm',
      createdSeconds: 7,
      tokenizer,
      endTokenIds: [EOS],
      promptTokens: 5,
      reasoning: undefined,
      beginsInThought: false,
      separatesThoughts: true,
      toolFormat: undefined,
      tools: [],
      forced: undefined,
      priorCalls: 0,
      newId: countedIds(),
      ...more,
      sampling: sampling(asked),
    });
  }

  chunk(text: string | readonly number[], choice = 0): this {
    const ids = typeof text === 'string' ? tokenizer.encode(text) : text;
    const logprobs = { logprobs: Array.from(ids, () => -1), topIds: [], topLogprobs: [] };
    this.answer.chunk({ prompt: 0, choice, ids, logprobs, promptLogprobs: undefined }, this.#emit);
    return this;
  }

  finish(more: Partial<TokenFinish> = {}): this {
    const counts = { promptTokens: 6, completionTokens: 10, cachedTokens: 2, reasoningTokens: undefined };
    const finish: TokenFinish = { prompt: 0, choice: 0, reason: 'stop', detail: '', matchedStop: undefined, ...counts };
    this.answer.finished({ ...finish, ...more }, this.#emit);
    return this;
  }

  end(): this {
    this.answer.end(this.#emit);
    return this;
  }

  /** Short forms, in order; the ends of texts are left out. */
  get told(): string[] {
    return this.events.filter(({ type }) => type !== 'text-end').map(shortForm);
  }
}

function shortForm(event: GenerationEvent): string {
  const choice = 'choice' in event && event.choice > 0 ? `${event.choice}: ` : '';
  switch (event.type) {
    case 'text-delta':
      return `${choice}text ${event.text}`;
    case 'reasoning-delta':
      return `${choice}thought ${event.text}`;
    case 'tool-call-start':
      return `${choice}call ${event.callId} ${event.name}`;
    case 'tool-call-delta':
      return `${choice}arguments ${event.argumentsDelta}`;
    case 'finish':
      return `${choice}finish ${event.reason} ${event.stopSequence ?? ''}`.trim();
    case 'usage': {
      const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = event.usage;
      return `usage ${inputTokens} ${outputTokens} ${cachedInputTokens} ${reasoningTokens}`;
    }
    case 'error':
      return `error ${event.error.code}`;
    default:
      return choice + event.type;
  }
}

test('tells a start, text as it comes, the finish, usage once and the end', () => {
  const { told } = new Course().chunk('Hel').chunk('lo').finish().end();
  assert.deepEqual(told, ['start', 'text Hel', 'text lo', 'finish stop', 'usage 6 10 2 0', 'end']);
});

test('a stop string ends a choice at once, hides itself and makes the engine needless', () => {
  const course = new Course({ sampling: { stop: ['END'] } }).chunk('abE');
  assert.equal(course.answer.isDone, false);
  course.chunk('ND more').chunk('still more');
  assert.equal(course.answer.isDone, true);
  assert.deepEqual(course.answer.stoppedChoices, [0]);
  course.end();
  assert.deepEqual(course.told, ['start', 'text ab', 'finish stop_sequence END', 'usage 5 5 0 0', 'end']);
});

test('a stop token waits for the word of the engine, which has the counts', () => {
  const course = new Course().chunk([65, EOS, 66]);
  assert.equal(course.answer.isDone, false);
  course.finish({ completionTokens: 2, matchedStop: EOS }).end();
  assert.deepEqual(course.told, ['start', 'text A', 'finish stop', 'usage 6 2 2 0', 'end']);
});

test('a stop string that the engine has found is the reason too', () => {
  assert.ok(new Course().chunk('a').finish({ matchedStop: 'x' }).told.includes('finish stop_sequence x'));
});

test('each choice finishes by itself; prompt tokens count once, output of all', () => {
  const course = new Course({ sampling: { choices: 2, stop: ['!'] } });
  course.chunk('a', 1).chunk('b', 0).chunk('!', 1);
  assert.deepEqual(course.told.slice(1), ['1: text a', 'text b', '1: finish stop_sequence !']);
  assert.equal(course.answer.isDone, false);
  course.chunk('c', 0).finish({ reason: 'length' }).end();
  assert.deepEqual(course.told.slice(4), ['text c', 'finish length', 'usage 6 12 2 0', 'end']);
});

test('an answer that was begun in a thought goes on with it; its tokens are counted', () => {
  const reasoning = selectReasoningParser('Qwen3-8B', undefined);
  const course = new Course({ reasoning, beginsInThought: true }).chunk('hmm').chunk('</think>\n\nYes').finish().end();
  assert.deepEqual(course.told, [
    'start',
    'thought hmm',
    'reasoning-end',
    'text \n\nYes',
    'finish stop',
    'usage 6 10 2 3',
    'end',
  ]);
});

test('the engine counts thoughts better where it does', () => {
  const reasoning = selectReasoningParser('DeepSeek-R1', undefined);
  const { told } = new Course({ reasoning }).chunk('hm</think>').finish({ reasoningTokens: 4 }).end();
  assert.equal(told.at(-2), 'usage 6 10 2 4');
});

test('a thought that is broken off ends with the answer', () => {
  const reasoning = selectReasoningParser('DeepSeek-R1', undefined);
  const { told } = new Course({ reasoning }).chunk('hm</thi').finish({ reason: 'length' });
  assert.deepEqual(told.slice(1), ['thought hm', 'thought </thi', 'reasoning-end', 'finish length']);
});

test('special tokens around thoughts are read though others are left out, and stay where thoughts do', () => {
  const reasoning = selectReasoningParser('Magistral-Small', undefined);
  const text = '[THINK]a<pad>b[/THINK]c';
  assert.deepEqual(new Course({ reasoning }).chunk(text).told.slice(1), ['thought ab', 'reasoning-end', 'text c']);
  assert.deepEqual(new Course({ reasoning, separatesThoughts: false }).chunk(text).told.slice(1), [
    'text [THINK]ab[/THINK]c',
  ]);
});

test('a call that comes whole with the last chunk keeps its arguments', () => {
  const toolFormat = selectToolParser('Qwen3-8B', undefined);
  const course = new Course({ toolFormat, tools: TOOLS });
  course.chunk('<tool_call>{"name": "get_weather", "arguments": {"days": 1}}</tool_call>').finish();
  const told = ['call call_1 get_weather', 'arguments {"days": 1}', 'tool-call-end', 'finish tool_calls'];
  assert.deepEqual(course.told.slice(1), told);
});

test('text that a call interrupts is one block before it and one behind it', () => {
  const course = new Course({ toolFormat: selectToolParser('Qwen3-8B', undefined), tools: TOOLS });
  course.chunk('a').chunk('b <tool_call>{"name": "ping"}</tool_call> c').finish();
  const told = ['text-delta', 'text-delta', 'text-end', 'tool-call-start', 'tool-call-delta', 'tool-call-end'];
  assert.deepEqual(
    course.events.slice(1).map(({ type }) => type),
    [...told, 'text-delta', 'text-end', 'finish'],
  );
});

test('calls that were cut off by the limit finish for length', () => {
  const toolFormat = selectToolParser('Qwen3-8B', undefined);
  const course = new Course({ toolFormat, tools: TOOLS }).chunk('<tool_call>{"name": "ping", "arguments": {"a');
  assert.deepEqual(course.finish({ reason: 'length' }).told.slice(-2), ['tool-call-end', 'finish length']);
});

test('ids of Kimi go on counting over the conversation; those of Mistral have nine letters', () => {
  const kimi = new Course({ toolFormat: selectToolParser('Kimi-K2-Instruct', undefined), tools: TOOLS, priorCalls: 3 });
  kimi.chunk('<|tool_calls_section_begin|><|tool_call_begin|>functions.search-docs:0<|tool_call_argument_begin|>{}');
  assert.equal(kimi.told[1], 'call functions.search-docs:3 search-docs');
  const toolFormat = selectToolParser('Mistral-7B', undefined);
  const mistral = new Course({ toolFormat, tools: TOOLS, newId: (prefix) => `${prefix}0123456789abcdef` });
  mistral.chunk('[TOOL_CALLS]ping[ARGS]{}');
  assert.equal(mistral.told[1], 'call 789abcdef ping');
});

test('an answer bound to one tool is the arguments of its call', () => {
  const course = new Course({ forced: { kind: 'named', name: 'ping' }, tools: TOOLS });
  course.chunk(' {"a"').chunk(': 1}\n').finish();
  assert.deepEqual(course.told.slice(1), [
    'call call_1 ping',
    'arguments {"a"',
    'arguments : 1}',
    'tool-call-end',
    'finish tool_calls',
  ]);
});

test('an answer bound to calls is a list of them; anything else is text', () => {
  const forced = { kind: 'required' } as const;
  const list = '[{"name": "ping", "parameters": {}}, {"name": "set.point", "parameters": {"x": 1}}]';
  const { told } = new Course({ forced, tools: TOOLS }).chunk(list).finish();
  assert.deepEqual(
    told.filter((one) => one.startsWith('call') || one.startsWith('text')),
    ['call call_1 ping', 'call call_2 set.point'],
  );
  assert.deepEqual(new Course({ forced, tools: TOOLS }).chunk('Sorry.').finish().told.slice(1), [
    'text Sorry.',
    'finish stop',
  ]);
});

test('JSON that an engine was bound to is no thought, though the model would begin with one', () => {
  const reasoning = selectReasoningParser('DeepSeek-R1', undefined);
  const constraint = { kind: 'json_schema', text: '{}' } as const;
  const forced = { kind: 'named', name: 'ping' } as const;
  const make = () => new Course({ reasoning, forced, tools: TOOLS, sampling: { constraint } });
  const calls = ['call call_1 ping', 'arguments {"a": 1}', 'tool-call-end', 'finish tool_calls'];
  assert.deepEqual(make().chunk('\n{"a": 1}').finish().told.slice(1), calls);
  const thought = ['thought \nhm', 'reasoning-end'];
  assert.deepEqual(make().chunk('\nhm</think>\n{"a": 1}').finish().told.slice(1), [...thought, ...calls]);
});

test('log probabilities stand beside the text that they belong to, not beside thoughts and calls', () => {
  const course = new Course({
    sampling: { logprobs: 0 },
    reasoning: selectReasoningParser('Qwen3-8B', undefined),
    toolFormat: selectToolParser('Qwen3-8B', undefined),
    tools: TOOLS,
  });
  for (const char of '<think>a</think>b <c<tool_call>{"name": "ping"}</tool_call>é') course.chunk(char);
  course.finish();
  const shown = course.events.flatMap((event) =>
    event.type === 'text-delta' ? [[event.text, event.logprobs?.map(({ bytes }) => bytes)]] : [],
  );
  assert.deepEqual(shown, [
    ['b', [[0x62]]],
    [' ', [[0x20]]],
    ['<c', [[0x3c], [0x63]]],
    ['é', [[0xc3], [0xa9]]],
  ]);
});

test('a stream that ends before its answers, and one that is aborted, are errors', () => {
  assert.deepEqual(new Course().chunk('a').end().told.slice(1), ['text a', 'error upstream_broken']);
  assert.deepEqual(new Course().chunk('a').finish({ reason: 'abort' }).end().told.slice(1), [
    'text a',
    'error upstream_broken',
  ]);
});
