/** Conversations made ready for engines that take tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest, Part, Turn } from '../../domain/generation.ts';
import type { ChatTemplate, TemplateInput, TokenModel } from '../../domain/token-model.ts';
import type { AnswerForms, PreparedChat } from './prepare-chat.ts';
import { prepareChat } from './prepare-chat.ts';
import { EMPTY_REQUEST } from '../../../test/support/tiny-codec.ts';

const seen: TemplateInput[] = [];

/** A template that writes down what it is given. */
function modelOf(change: Partial<ChatTemplate> = {}, tail = ''): TokenModel {
  const template: ChatTemplate = {
    contentFormat: 'string',
    thinkingToggle: undefined,
    opensThought: false,
    takesTools: true,
    render: (input) => {
      seen.push(input);
      return `PROMPT${tail}`;
    },
    ...change,
  };
  const tokenizer: TokenModel['tokenizer'] = {
    vocabularySize: 0,
    specialTokens: new Map(),
    encode: () => new Uint32Array(),
    decode: () => '',
    createDecoder: () => ({ push: () => '', end: () => '' }),
    bytesOf: () => new Uint8Array(),
    idOf: () => undefined,
    tokenOf: () => undefined,
  };
  return {
    source: 'test',
    tokenizer,
    template,
    endTokenIds: [],
    modelType: undefined,
    architectures: [],
    contextLength: undefined,
    defaults: {},
  };
}

const FORMS: AnswerForms = {
  thoughtOpenings: ['<think>'],
  goesOnWithLast: false,
  constraintFor: (_tools, choice) =>
    choice?.mode === 'required' ? { kind: 'json_schema', text: '{"type":"array"}' } : undefined,
};

function text(value: string): Part {
  return { type: 'text', text: value, cache: undefined, signature: undefined };
}

function turn(role: Turn['role'], parts: readonly Part[], isPlain = true): Turn {
  return { role, parts, isPlain, name: undefined };
}

interface Prepared {
  readonly chat: PreparedChat;
  readonly input: TemplateInput;
}

function prepare(
  change: Partial<GenerationRequest>,
  { model = modelOf(), forms = FORMS }: { readonly model?: TokenModel; readonly forms?: AnswerForms } = {},
): Prepared {
  const chat = prepareChat({ ...EMPTY_REQUEST, turns: [turn('user', [text('hi')])], ...change }, model, forms);
  const input = seen.at(-1);
  assert.ok(input);
  return { chat, input };
}

function extras(fields: Readonly<Record<string, unknown>>): GenerationRequest['extras'] {
  return Object.entries(fields).map(([name, value]) => ({ origin: 'openai-chat', name, json: JSON.stringify(value) }));
}

function messagesOf(turns: readonly Turn[], format: ChatTemplate['contentFormat'] = 'string'): unknown {
  return JSON.parse(prepare({ turns }, { model: modelOf({ contentFormat: format }) }).input.messages);
}

test('texts are one content or a list of parts, as the template wants them', () => {
  const turns = [turn('user', [text('a'), text('b')], false)];
  assert.deepEqual(messagesOf(turns), [{ role: 'user', content: 'a\nb' }]);
  assert.deepEqual(messagesOf(turns, 'openai'), [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
  ]);
  assert.deepEqual(messagesOf([turn('user', [text('a')])], 'openai'), [{ role: 'user', content: 'a' }]);
});

test('calls keep the text of their arguments, as an object, and thoughts stand beside them', () => {
  const call: Part = {
    type: 'tool_call',
    callId: 'c1',
    name: 'add',
    argumentsText: '{"b": 1.0, "a": 2}',
    signature: undefined,
    cache: undefined,
  };
  const thought: Part = { type: 'reasoning', text: 'hm', signature: undefined, isRedacted: false, itemId: undefined };
  const { input } = prepare({ turns: [turn('user', [text('x')]), turn('assistant', [thought, call])] });
  assert.ok(input.messages.includes('"arguments":{"b": 1.0, "a": 2}'));
  assert.ok(input.messages.includes('"content":null,"reasoning_content":"hm"'));
});

test('arguments that are no object are put into one, and that is told', () => {
  const call: Part = {
    type: 'tool_call',
    callId: 'c1',
    name: 'add',
    argumentsText: '[1',
    signature: undefined,
    cache: undefined,
  };
  const { chat, input } = prepare({ turns: [turn('assistant', [call])] });
  assert.ok(input.messages.includes('"arguments":{"arguments":"[1"}'));
  assert.match(chat.warnings[0]?.reason ?? '', /no JSON object/);
});

test('results of tools are messages of their own, errors marked', () => {
  const result: Part = {
    type: 'tool_result',
    callId: 'c1',
    name: 'add',
    parts: [{ type: 'text', text: 'boom', cache: undefined, signature: undefined }],
    isPlain: true,
    isError: true,
    responseText: undefined,
    cache: undefined,
  };
  assert.deepEqual(messagesOf([turn('user', [result, text('and?')])]), [
    { role: 'tool', name: 'add', tool_call_id: 'c1', content: 'Error: boom' },
    { role: 'user', content: 'and?' },
  ]);
});

test('a picture is refused by the name of its part', () => {
  const source = { kind: 'url', url: 'https://x/y.png', mediaType: undefined } as const;
  const image: Part = { type: 'image', source, detail: undefined, cache: undefined };
  assert.throws(
    () => prepare({ turns: [turn('user', [image])] }),
    (error: unknown) => error instanceof GatewayError && error.param === 'turns[0]' && error.status === 400,
  );
});

const TOOL = {
  type: 'function',
  name: 'add',
  description: 'adds',
  schemaText: '{"type":"object"}',
  isStrict: undefined,
  cache: undefined,
} as const;

test('tools are told to the template unless none may be called, and only those that may', () => {
  const other = { ...TOOL, name: 'sub' };
  const { input } = prepare({ tools: [TOOL, other] });
  assert.deepEqual(
    JSON.parse(input.tools ?? '').map((tool: { function: { name: string } }) => tool.function.name),
    ['add', 'sub'],
  );
  const none = prepare({ tools: [TOOL], toolChoice: { mode: 'none', names: [] } });
  assert.equal(none.input.tools, undefined);
  const named = prepare({ tools: [TOOL, other], toolChoice: { mode: 'named', names: ['sub'] } });
  assert.deepEqual(
    named.chat.tools.map(({ name }) => name),
    ['sub'],
  );
  assert.throws(() => prepare({ tools: [TOOL], toolChoice: { mode: 'named', names: ['mul'] } }), /none of the/);
  assert.throws(() => prepare({ toolChoice: { mode: 'required', names: [] } }), /no `tools`/);
});

test('a call that must be made binds the engine, and the form of the text gives way with a warning', () => {
  const { chat } = prepare({
    tools: [TOOL],
    toolChoice: { mode: 'required', names: [] },
    responseFormat: { type: 'json_object' },
  });
  assert.equal(chat.isForcedCall, true);
  assert.deepEqual(chat.sampling.constraint, { kind: 'json_schema', text: '{"type":"array"}' });
  assert.deepEqual(
    chat.warnings.map(({ field }) => field),
    ['response_format'],
  );
});

test('one constraint is taken, whichever way it is said, and two are refused', () => {
  assert.deepEqual(prepare({ responseFormat: { type: 'json_object' } }).chat.sampling.constraint, {
    kind: 'json_schema',
    text: '{"type":"object"}',
  });
  assert.deepEqual(prepare({ extras: extras({ guided_choice: ['a.b', 'c'] }) }).chat.sampling.constraint, {
    kind: 'regex',
    text: '(a\\.b|c)',
  });
  assert.throws(
    () => prepare({ responseFormat: { type: 'json_object' }, extras: extras({ regex: 'a' }) }),
    /more than one way/,
  );
});

test('thinking goes by the switch that the template has', () => {
  const model = modelOf({ thinkingToggle: { name: 'enable_thinking', isOnByDefault: true } });
  const off = { mode: 'off', effort: undefined, budgetTokens: undefined, summary: undefined } as const;
  const { input, chat } = prepare({ reasoning: off }, { model });
  assert.equal(input.variables, '{"enable_thinking":false}');
  assert.equal(chat.sampling.beginsInThought, false);
  assert.equal(prepare({}, { model }).chat.sampling.beginsInThought, true);
});

test('what the client says to the template itself comes last', () => {
  const reasoning = { mode: undefined, effort: 'low', budgetTokens: undefined, summary: undefined } as const;
  const { input } = prepare({ reasoning, extras: extras({ chat_template_kwargs: { reasoning_effort: 'odd' } }) });
  assert.equal(JSON.parse(input.variables ?? '').reasoning_effort, 'odd');
});

test('a prompt that ends with an opened thought is known by its end', () => {
  assert.equal(prepare({}, { model: modelOf({}, 'x<think>\n') }).chat.beginsInThought, true);
  assert.equal(prepare({}, { model: modelOf({}, '<think>\n\n</think>\n\n') }).chat.beginsInThought, false);
});

test('an answer that the client has begun stands behind the prompt, not among the messages', () => {
  const turns = [turn('user', [text('x')]), turn('assistant', [text('Once')])];
  const asked = prepare({ turns, extras: extras({ continue_final_message: true }) });
  assert.equal(asked.chat.text, 'PROMPTOnce');
  assert.equal(JSON.parse(asked.input.messages).length, 1);
  assert.equal(prepare({ turns }).chat.text, 'PROMPT');
  assert.equal(prepare({ turns }, { forms: { ...FORMS, goesOnWithLast: true } }).chat.text, 'PROMPTOnce');
});

test('what engines behind gRPC cannot be given is told as lost', () => {
  const { chat } = prepare({ extras: extras({ prediction: {}, top_a: 1 }) });
  assert.deepEqual(
    chat.warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['lost prediction', 'lost top_a'],
  );
});

test('sampling takes what the request says and leaves open what it does not', () => {
  const { sampling } = prepare({
    temperature: 0.5,
    maxTokens: 7,
    stop: ['END'],
    logitBiasText: '{"5": -100}',
    wantsLogprobs: true,
    topLogprobs: 2,
    extras: extras({ min_tokens: 2, stop_token_ids: [3], no_stop_trim: true, repetition_penalty: 1.1 }),
  }).chat;
  const { temperature, topP, maxTokens, minTokens, stop, stopTokenIds, keepsStop, logprobs } = sampling;
  assert.deepEqual(
    { temperature, topP, maxTokens, minTokens, stop, stopTokenIds, keepsStop, logprobs },
    {
      temperature: 0.5,
      topP: undefined,
      maxTokens: 7,
      minTokens: 2,
      stop: ['END'],
      stopTokenIds: [3],
      keepsStop: true,
      logprobs: 2,
    },
  );
  assert.deepEqual([...(sampling.logitBias ?? [])], [[5, -100]]);
  assert.throws(() => prepare({ stop: [''] }), /empty string/);
  assert.throws(() => prepare({ maxTokens: 1, extras: extras({ min_tokens: 2 }) }), /min_tokens/);
  assert.throws(() => prepare({ topLogprobs: 2 }), /needs `logprobs`/);
  assert.throws(() => prepare({ extras: extras({ stop_token_ids: ['x'] }) }), /token ids/);
});
