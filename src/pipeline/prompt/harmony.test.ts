/** Conversations as a template of Harmony takes them, and how answers in it are bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HARMONY_TEMPLATE } from '../../../test/support/harmony-template.ts';
import { TOOLS } from '../../../test/support/parser-tools.ts';
import { EMPTY_REQUEST } from '../../../test/support/tiny-codec.ts';
import type { GenerationRequest, Part, Turn } from '../../domain/generation.ts';
import type { TokenModel } from '../../domain/token-model.ts';
import { boundAnswer } from '../parsers/harmony/constraint.ts';
import { harmony } from '../parsers/harmony/format.ts';
import { toolConstraint } from '../parsers/tool-constraint.ts';
import { compileChatTemplate } from '../template/chat-template.ts';
import type { AnswerForms } from './prepare-chat.ts';
import { prepareChat } from './prepare-chat.ts';

const TOKENIZER: TokenModel['tokenizer'] = {
  vocabularySize: 0,
  specialTokens: new Map(),
  encode: () => new Uint32Array(),
  decode: () => '',
  createDecoder: () => ({ push: () => '', end: () => '' }),
  bytesOf: () => new Uint8Array(),
  idOf: () => undefined,
  tokenOf: () => undefined,
};

const MODEL: TokenModel = {
  source: 'test',
  tokenizer: TOKENIZER,
  template: compileChatTemplate(HARMONY_TEMPLATE, { specialTokens: {}, now: () => 0 }),
  endTokenIds: [],
  modelType: 'gpt_oss',
  architectures: [],
  contextLength: undefined,
  defaults: {},
};

const FORMS: AnswerForms = {
  thoughtOpenings: [],
  goesOnWithLast: true,
  textOpening: harmony.textOpening,
  constraintFor: (tools, choice) => toolConstraint(tools, choice, harmony.id),
  boundAnswer,
};

function text(value: string): Part {
  return { type: 'text', text: value, cache: undefined, signature: undefined };
}

function thought(value: string): Part {
  return { type: 'reasoning', text: value, signature: undefined, isRedacted: false, itemId: undefined };
}

function call(callId: string, name: string, argumentsText = '{}'): Part {
  return { type: 'tool_call', callId, name, argumentsText, signature: undefined, cache: undefined };
}

function result(callId: string, value: string): Part {
  const rest = { isPlain: true, isError: false, responseText: undefined, cache: undefined, name: undefined };
  return {
    type: 'tool_result',
    callId,
    parts: [{ type: 'text', text: value, cache: undefined, signature: undefined }],
    ...rest,
  };
}

function turn(role: Turn['role'], ...parts: readonly Part[]): Turn {
  return { role, parts, isPlain: true, name: undefined };
}

function prepare(change: Partial<GenerationRequest>) {
  return prepareChat({ ...EMPTY_REQUEST, turns: [turn('user', text('Hi'))], ...change }, MODEL, FORMS);
}

const HEAD = '<|start|>system<|message|>You are a model.\nCurrent date: 1970\nReasoning: medium<|end|>';

/** The prompt behind the system message. */
function promptOf(...turns: readonly Turn[]): string {
  const { text: prompt } = prepare({ turns });
  assert.ok(prompt.startsWith(HEAD), prompt);
  return prompt.slice(HEAD.length);
}

test('a template that writes channels is known by them', () => {
  assert.equal(MODEL.template?.contentFormat, 'harmony');
  assert.equal(MODEL.template.thinkingToggle, undefined);
  assert.equal(MODEL.template.opensThought, false);
  assert.equal(MODEL.template.takesTools, true);
});

test('a thought goes before the call that it led to, and results behind their calls', () => {
  const prompt = promptOf(
    turn('user', text('Weather?')),
    turn('assistant', thought('Ask.'), call('a', 'get_weather', '{"location": "Bern"}'), call('b', 'ping')),
    turn('tool', result('b', 'pong')),
    turn('tool', result('a', '{"sunny": true}')),
  );
  assert.equal(
    prompt,
    '<|start|>user<|message|>Weather?<|end|>' +
      '<|start|>assistant<|channel|>analysis<|message|>Ask.<|end|>' +
      '<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"location": "Bern"}<|call|>' +
      '<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>{"sunny": true}<|end|>' +
      '<|start|>assistant to=functions.ping<|channel|>commentary json<|message|>{}<|call|>' +
      '<|start|>functions.ping to=assistant<|channel|>commentary<|message|>"pong"<|end|>' +
      '<|start|>assistant',
  );
});

test('results that stand in a turn of the user go behind their calls, the rest of it stays', () => {
  const prompt = promptOf(
    turn('assistant', call('a', 'ping'), call('b', 'run_code')),
    turn('user', result('a', '1'), result('b', '2'), text('And now?')),
    turn('assistant', call('a', 'ping'), call('b', 'ping')),
    turn('user', result('a', '3'), result('b', '4')),
  );
  const results = [...prompt.matchAll(/<\|start\|>functions\.(\w+) to=assistant\S*<\|message\|>"(\d)"/g)];
  assert.deepEqual(
    results.map(([, name, value]) => `${name} ${value}`),
    ['ping 1', 'run_code 2', 'ping 3', 'ping 4'],
  );
  assert.ok(prompt.includes('"2"<|end|><|start|>user<|message|>And now?<|end|><|start|>assistant to=functions.ping'));
});

test('text before a call joins the thought; the client is told', () => {
  const turns = [turn('assistant', thought('Hm.'), text('I look.'), call('a', 'ping')), turn('tool', result('a', 'x'))];
  const { text: prompt, warnings } = prepare({ turns });
  assert.ok(prompt.includes('<|channel|>analysis<|message|>Hm.\nI look.<|end|>'), prompt);
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['changed turns[0]'],
  );
});

test('all instructions become one; those that stood elsewhere are told', () => {
  const turns = [
    turn('system', text('A')),
    turn('developer', text('B')),
    turn('user', text('Hi')),
    turn('system', text('C')),
  ];
  const { text: prompt, warnings } = prepare({ turns });
  assert.ok(prompt.includes('<|start|>developer<|message|>A\n\nB\n\nC<|end|><|start|>user'), prompt);
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ['turns[3]'],
  );
});

test('tools without a description are defined too', () => {
  const { text: prompt } = prepare({ tools: TOOLS.filter(({ name }) => name === 'ping' || name === 'run_code') });
  const defined =
    'namespace functions {\n\n// \ntype run_code = (_: {\ncode?: string,\n}) => any;\n\n// \ntype ping = () => any;';
  assert.ok(prompt.includes(defined), prompt);
});

test('a text that was begun stands on the final channel', () => {
  const prompt = promptOf(turn('user', text('Hi')), turn('assistant', text('Well,')));
  assert.ok(prompt.endsWith('<|start|>assistant<|channel|>final<|message|>Well,'), prompt);
});

for (const [reasoning, level, isChanged] of [
  [{ effort: 'high' }, 'high', false],
  [{ effort: 'minimal' }, 'low', true],
  [{ effort: 'none' }, 'low', true],
  [{ mode: 'off' }, 'low', true],
  [{ effort: 'max' }, 'high', true],
  [{ mode: 'on', budgetTokens: 4_000 }, 'medium', true],
  [{}, 'medium', false],
] as const) {
  test(`thinking as ${JSON.stringify(reasoning)} is the effort ${level}`, () => {
    const asked = { ...EMPTY_REQUEST.reasoning, ...reasoning };
    const { text: prompt, warnings } = prepare({ reasoning: asked });
    assert.ok(prompt.includes(`\nReasoning: ${level}<|end|>`), prompt);
    assert.equal(warnings.length, isChanged ? 1 : 0);
  });
}

test('identity and tools of the model itself are for the client to say', () => {
  const json = '{"model_identity": "You are Smg.", "builtin_tools": ["python"], "reasoning_effort": "high"}';
  const { text: prompt } = prepare({ extras: [{ origin: 'sglang', name: 'chat_template_kwargs', json }] });
  assert.ok(prompt.startsWith('<|start|>system<|message|>You are Smg.'));
  assert.ok(prompt.includes('Reasoning: high\nTools: python<|end|>'));
});

interface Tag {
  readonly begin: string;
  readonly end: string;
  readonly content: unknown;
}

function tagsOf(change: Partial<GenerationRequest>) {
  const { sampling, isForcedCall } = prepare(change);
  assert.equal(sampling.constraint?.kind, 'structural_tag');
  assert.equal(isForcedCall, false);
  const { format } = JSON.parse(sampling.constraint.text) as {
    format: { type: string; triggers: string[]; tags: Tag[]; at_least_one: boolean; stop_after_first: boolean };
  };
  assert.equal(format.type, 'triggered_tags');
  for (const { begin } of format.tags)
    assert.ok(
      format.triggers.some((trigger) => begin.startsWith(trigger)),
      begin,
    );
  return format;
}

test('a call that must be made is bound by tags, at once or as another message', () => {
  const tools = TOOLS.slice(0, 2);
  const required = tagsOf({ tools, toolChoice: { mode: 'required', names: [] } });
  assert.deepEqual(
    required.tags.map(({ begin }) => begin),
    ['<|channel|>', '<|start|>assistant<|channel|>'].flatMap((start) =>
      tools.map(({ name }) => `${start}commentary to=functions.${name}<|constrain|>json<|message|>`),
    ),
  );
  assert.deepEqual([required.at_least_one, required.stop_after_first], [true, false]);
  const named = tagsOf({ tools, toolChoice: { mode: 'named', names: ['search-docs'] } });
  assert.equal(named.tags.length, 2);
  assert.deepEqual(named.tags[0]?.content, {
    type: 'json_schema',
    json_schema: JSON.parse(tools[1]?.schemaText ?? '') as unknown,
  });
  assert.equal(named.stop_after_first, true);
});

test('the form of an answer binds its final message alone', () => {
  const schema = {
    type: 'json_schema',
    name: 'x',
    description: undefined,
    schemaText: '{"a":1}',
    isStrict: true,
  } as const;
  const bound = tagsOf({ responseFormat: schema });
  assert.deepEqual(bound.tags, [
    {
      begin: '<|channel|>final<|constrain|>json<|message|>',
      content: { type: 'json_schema', json_schema: { a: 1 } },
      end: '',
    },
    { begin: '<|channel|>analysis<|message|>', content: { type: 'any_text' }, end: '<|end|>' },
  ]);
  assert.equal(bound.at_least_one, true);
  assert.equal(tagsOf({ responseFormat: schema, tools: TOOLS }).at_least_one, false);
  const extras = [{ origin: 'vllm', name: 'guided_regex', json: '"a+"' }];
  assert.deepEqual(tagsOf({ extras }).tags[0], {
    begin: '<|channel|>final<|message|>',
    content: { type: 'regex', pattern: 'a+' },
    end: '',
  });
});
