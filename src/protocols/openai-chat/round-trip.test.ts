/**
 * A body of chat completions through the hub and back is the same bytes, as long as it is written as we write it; and
 * nothing that a client sends goes missing without a word.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PLAIN_CHAT } from '../../domain/providers/chat-traits.ts';
import { openai } from '../../domain/providers/openai.ts';
import type { Provider } from '../../domain/providers/provider.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';

const FACTS = { model: undefined, isStream: undefined, headers: {} };
/** Conversations; `SMG_FUZZ_RUNS` asks for more or fewer. */
const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 3_400);
/** Of a model of which nothing is known, so that nothing is held back. */
const OPENAI: EncodeTarget = { provider: openai, model: 'm', maxOutputTokens: undefined };
const ENGINE: EncodeTarget = { provider: undefined, model: 'm', maxOutputTokens: undefined };
const router: Provider = {
  ...openai,
  thoughts: undefined,
  quirks: [],
  chat: {
    ...PLAIN_CHAT,
    reasoning: 'reasoning_object',
    replaysThoughtsAs: 'reasoning_details',
    cacheMarks: 'cache_control',
    takesTextLists: true,
    takesFiles: true,
    toolNames: undefined,
  },
};
const ROUTER: EncodeTarget = { provider: router, model: 'm', maxOutputTokens: undefined };
const plain: Provider = { ...openai, thoughts: undefined, chat: PLAIN_CHAT };
const PLAIN: EncodeTarget = { provider: plain, model: 'm', maxOutputTokens: undefined };

type Json = fc.Arbitrary<unknown>;

const text = fc.oneof(
  fc.constantFrom('', ' ', 'Hello', 'Grüße 😀', '"quoted"\\', 'line\nline', '\u2028', '<think>x</think>'),
  fc.string({ maxLength: 12 }),
);
const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const url = fc.constantFrom('https://x.example/a.png?b=1', 'data:image/png;base64,iVBORw0KGgo=');

/** An object with the members in this order, those that may be missing left out at random. */
function object(required: Record<string, Json>, optional: Record<string, Json> = {}): Json {
  return fc
    .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
    .map(([must, may]) => ({ ...must, ...may }));
}

/** Members in the order of `names`. */
function ordered(names: readonly string[], value: unknown): unknown {
  const members = value as Record<string, unknown>;
  return Object.fromEntries(names.flatMap((name) => (members[name] === undefined ? [] : [[name, members[name]]])));
}

const schema = fc.constantFrom(
  { type: 'object', properties: {} },
  { type: 'object', properties: { b: { type: 'number', maximum: 10 }, a: { enum: ['x', 1] } }, required: ['b'] },
);

interface Kind {
  readonly target: EncodeTarget;
  readonly message: Record<string, Json>;
  readonly cache: Record<string, Json>;
  readonly system: fc.Arbitrary<string>;
  readonly body: Record<string, Json>;
}

function textPart(kind: Kind): Json {
  return object({ type: fc.constant('text'), text }, kind.cache);
}

function userContent(kind: Kind): Json {
  const image = object({ type: fc.constant('image_url'), image_url: object({ url }, { detail: word }) }, kind.cache);
  const audio = object({
    type: fc.constant('input_audio'),
    input_audio: object({ data: fc.constant('UklGRg=='), format: fc.constantFrom('wav', 'mp3', 'flac') }),
  });
  const data = fc.constant('data:application/pdf;base64,JVBERi0=');
  const file = object({ type: fc.constant('file'), file: object({ filename: word, file_data: data }) }, kind.cache);
  const native = object({ type: fc.constant('hologram'), depth: fc.nat() });
  const parts = [textPart(kind), image, audio, native, ...(kind.target === ENGINE ? [] : [file])];
  return fc.oneof(text, fc.array(fc.oneof(...parts), { minLength: 1, maxLength: 4 }));
}

const MESSAGE = ['role', 'name', 'content', 'refusal', 'reasoning_content', 'reasoning_details', 'audio', 'tool_calls'];

/** One or more calls with their results behind them, in any order; results may be lists. */
function toolTurns(kind: Kind, at: fc.Arbitrary<string>): fc.Arbitrary<unknown[]> {
  const call = fc.record({
    name: word,
    text: fc.constantFrom('{}', '{"a":  1.0}', '{"é":[null,{"b":"\\u00e9"}]}'),
    content: text,
    isList: fc.boolean(),
  });
  const said = fc.oneof(fc.constant(null), text);
  return fc
    .tuple(fc.array(call, { minLength: 1, maxLength: 3 }), said, object({}, kind.message), at)
    .map(([calls, content, more, prefix]) => [
      ordered(MESSAGE, {
        role: 'assistant',
        content,
        ...(more as object),
        tool_calls: calls.map((each, i) => ({
          id: `call_${prefix}_${i}`,
          type: 'function',
          function: { name: each.name, arguments: each.text },
        })),
      }),
      ...calls
        .map((each, i) => ({
          role: 'tool',
          tool_call_id: `call_${prefix}_${i}`,
          content: each.isList ? [{ type: 'text', text: each.content }] : each.content,
        }))
        .reverse(),
    ]);
}

function messages(kind: Kind): fc.Arbitrary<unknown[]> {
  const systemContent = fc.oneof(text, fc.array(textPart(kind), { minLength: 1, maxLength: 2 }));
  const system = object({ role: kind.system, content: systemContent }).map((each) => [each]);
  const named = object({ role: fc.constant('user'), content: userContent(kind) }, { name: word });
  const user = named.map((each) => [ordered(MESSAGE, each)]);
  const refusal = { role: 'assistant', content: null, refusal: 'No.' };
  const assistant = fc
    .oneof(
      object({ role: fc.constant('assistant'), content: text }, { name: word, ...kind.message }),
      object({ role: fc.constant('assistant'), content: fc.array(textPart(kind), { minLength: 1, maxLength: 2 }) }),
      fc.constant(refusal),
    )
    .map((each) => [ordered(MESSAGE, each)]);
  const turns = fc.array(fc.oneof(system, user, assistant, toolTurns(kind, word)), { maxLength: 6 });
  // A user's turn at the end: one of the assistant's is to be continued, which is another matter.
  return turns.map((lists) => [...lists.flat(), { role: 'user', content: 'Go on in JSON.' }]);
}

const FIELDS = [
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'chat_template_kwargs'],
  ...['reasoning_effort', 'reasoning', 'max_completion_tokens', 'max_tokens', 'temperature', 'top_p'],
  ...['frequency_penalty', 'presence_penalty', 'logprobs', 'top_logprobs', 'logit_bias', 'stop', 'seed', 'n', 'top_k'],
  ...[
    'min_p',
    'user',
    'metadata',
    'service_tier',
    'verbosity',
    'prompt_cache_key',
    'store',
    'modalities',
    'prediction',
  ],
  ...['repetition_penalty', 'min_tokens', 'ignore_eos', 'stop_token_ids', 'regex', 'lora_path', 'separate_reasoning'],
  ...['stream', 'stream_options'],
];

function tools(kind: Kind): Json {
  const definition = object({ name: word }, { description: text, parameters: schema, strict: fc.boolean() });
  const tool = object({ type: fc.constant('function'), function: definition }, kind.cache);
  const choice = fc.oneof(
    fc.constantFrom('auto', 'none', 'required'),
    word.map((name) => ({ type: 'function', function: { name } })),
  );
  return object(
    { tools: fc.array(tool, { minLength: 1, maxLength: 3 }) },
    { tool_choice: choice, parallel_tool_calls: fc.boolean() },
  );
}

const fraction = fc.constantFrom(0, 0.1, 0.5, 1, 1.25);
const responseFormat = fc.oneof(
  fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
  object({ name: word }, { description: text, schema, strict: fc.boolean() }).map((json_schema) => ({
    type: 'json_schema',
    json_schema,
  })),
);

function body(kind: Kind): Json {
  const optional = {
    response_format: responseFormat,
    temperature: fraction,
    top_p: fraction,
    frequency_penalty: fraction,
    presence_penalty: fraction,
    logprobs: fc.constant(true),
    top_logprobs: fc.nat(20),
    logit_bias: fc.constantFrom({ '50256': -100 }, {}),
    stop: fc.array(word, { minLength: 1, maxLength: 4 }),
    seed: fc.integer(),
    n: fc.integer({ min: 2, max: 5 }),
    user: word,
    ...kind.body,
  };
  const stream = fc.constantFrom({}, { stream: true, stream_options: { include_usage: true } });
  return fc
    .tuple(
      object({ model: fc.constant('m'), messages: messages(kind) }, optional),
      fc.oneof(fc.constant({}), tools(kind)),
      stream,
    )
    .map((parts) => ordered(FIELDS, Object.assign({}, ...(parts as object[]))));
}

const openaiKind: Kind = {
  target: OPENAI,
  message: {},
  cache: {},
  system: fc.constantFrom('system', 'developer'),
  body: {
    max_completion_tokens: fc.nat(),
    reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
    metadata: fc.constantFrom({ a: 'b' }, {}),
    service_tier: fc.constantFrom('auto', 'flex', 'priority'),
    verbosity: fc.constantFrom('low', 'high'),
    prompt_cache_key: word,
    store: fc.boolean(),
    modalities: fc.constant(['text']),
    prediction: fc.constant({ type: 'content', content: 'x' }),
  },
};

const engineKind: Kind = {
  target: ENGINE,
  message: { reasoning_content: text.filter((each) => each !== '') },
  cache: {},
  system: fc.constant('system'),
  body: {
    max_tokens: fc.nat(),
    reasoning_effort: fc.constantFrom('low', 'medium', 'high'),
    chat_template_kwargs: fc.constantFrom(
      { enable_thinking: true, thinking: true },
      { enable_thinking: true, tone: 'dry' },
      { tone: 'dry' },
    ),
    top_k: fc.nat(),
    min_p: fraction,
    repetition_penalty: fraction,
    min_tokens: fc.nat(),
    ignore_eos: fc.boolean(),
    stop_token_ids: fc.array(fc.nat(), { maxLength: 3 }),
    regex: text,
    lora_path: word,
    separate_reasoning: fc.boolean(),
  },
};

const proof = fc.constantFrom('EqQB+/Cg==', 'x');
const claude = { format: 'anthropic-claude-v1' };
const thoughtDetail = fc.oneof(
  fc.tuple(text, proof).map(([value, signature]) => [{ type: 'reasoning.text', text: value, signature, ...claude }]),
  proof.map((data) => [{ type: 'reasoning.encrypted', data, ...claude }]),
  fc
    .tuple(
      text.filter((each) => each !== ''),
      proof,
      word,
    )
    .map(([summary, data, id]) => [
      { type: 'reasoning.summary', summary, id, format: 'openai-responses-v1' },
      { type: 'reasoning.encrypted', data, id, format: 'openai-responses-v1' },
    ]),
  text.map((value) => [{ type: 'reasoning.text', text: value, format: 'unknown' }]),
);

const routerKind: Kind = {
  target: ROUTER,
  message: {
    reasoning_details: fc
      .array(thoughtDetail, { minLength: 1, maxLength: 3 })
      .map((lists) => lists.flat().map((each, index) => ({ ...each, index }))),
  },
  cache: { cache_control: fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }) },
  system: fc.constant('system'),
  body: {
    max_tokens: fc.nat(),
    reasoning: fc.constantFrom(
      { effort: 'high' },
      { max_tokens: 2_000 },
      { enabled: true },
      { effort: 'none', exclude: true },
    ),
  },
};

for (const [name, kind] of [
  ['OpenAI', openaiKind],
  ['an engine', engineKind],
  ['a router', routerKind],
] as const)
  test(`a body for ${name} comes back byte for byte, and nothing of it is lost or changed`, () => {
    fc.assert(
      fc.property(body(kind), (given) => {
        const bytes = JSON.stringify(given);
        const { request, warnings } = decodeRequest(Buffer.from(bytes), FACTS);
        const encoded = encodeRequest(request, kind.target);
        assert.equal(encoded.body.toString(), bytes);
        assert.deepEqual([...warnings, ...encoded.warnings], []);
      }),
      { numRuns: RUNS },
    );
  });

/** Every field of the API with a value that is found again, alone in a body. */
const MARK = 'mark-77';
const COUNT = 7_707;
const user = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });
const said = (members: object) => ({
  messages: [
    { role: 'assistant', content: 'x', ...members },
    { role: 'user', content: 'y' },
  ],
});
const called = (members: object, inner: object = {}) =>
  said({ tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}', ...inner }, ...members }] });
const tool = (members: object, inner: object = {}) => ({
  tools: [{ type: 'function', function: { name: 'f', ...inner }, ...members }],
});
const details = (members: object) => said({ reasoning_details: [members] });
const FIELDS_ALONE: readonly object[] = [
  user({ type: 'text', text: MARK }),
  user({ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: MARK } }),
  user({ type: 'image_url', image_url: { url: `https://${MARK}` } }),
  user({ type: 'image_url', image_url: { url: 'https://x', detail: MARK } }),
  user({ type: 'image_url', image_url: { url: `data:image/png;base64,${MARK}` } }),
  user({ type: 'image_url', image_url: { url: 'https://x', max_dynamic_patch: COUNT } }),
  user({ type: 'input_audio', input_audio: { data: MARK, format: 'wav' } }),
  user({ type: 'audio_url', audio_url: { url: `https://${MARK}` } }),
  user({ type: 'video_url', video_url: { url: `https://${MARK}` } }),
  user({ type: 'video_url', video_url: { url: `data:video/mp4;base64,${MARK}` } }),
  user({ type: 'file', file: { file_id: MARK } }),
  user({ type: 'file', file: { file_data: `data:application/pdf;base64,${MARK}`, filename: 'a' } }),
  user({ type: 'file', file: { file_data: 'data:application/pdf;base64,JVBE', filename: MARK } }),
  user({ type: 'file', file: { file_data: `https://${MARK}` } }),
  user({ type: 'anything', [MARK]: 1 }),
  { messages: [{ role: 'user', name: MARK, content: 'x' }] },
  { messages: [{ role: 'system', content: MARK }] },
  { messages: [{ role: 'developer', content: [{ type: 'text', text: MARK }] }] },
  { messages: [{ role: 'tool', tool_call_id: 'c', content: MARK }] },
  { messages: [{ role: 'tool', tool_call_id: MARK, content: 'x' }] },
  {
    messages: [
      { role: 'tool', tool_call_id: 'c', content: [{ type: 'image_url', image_url: { url: `https://${MARK}` } }] },
    ],
  },
  { messages: [{ role: 'tool', tool_call_id: 'c', content: [{ type: 'weird', x: MARK }] }] },
  { messages: [{ role: 'function', name: 'f', content: MARK }] },
  said({ refusal: MARK }),
  said({ reasoning_content: MARK }),
  said({ reasoning: MARK }),
  said({ reasoning_content: 'x', reasoning: MARK }),
  said({ audio: { id: MARK } }),
  said({ prefix: true, [MARK]: 1 }),
  said({ function_call: { name: 'f', arguments: `{"a":"${MARK}"}` } }),
  details({ type: 'reasoning.text', text: MARK }),
  details({ type: 'reasoning.text', text: 'x', signature: MARK }),
  details({ type: 'reasoning.encrypted', data: MARK }),
  details({ type: 'reasoning.encrypted', data: MARK, format: 'who-knows' }),
  details({ type: 'reasoning.summary', summary: MARK, format: 'openai-responses-v1' }),
  called({ id: MARK }),
  called({}, { name: 'mark-77' }),
  called({}, { arguments: `{"a":"${MARK}"}` }),
  called({ extra_content: { google: { thought_signature: MARK } } }),
  called({ extra_content: { other: MARK } }),
  said({ tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'x', input: MARK } }] }),
  tool({}, { name: 'mark-77' }),
  tool({}, { description: MARK }),
  tool({}, { parameters: { type: 'object', title: MARK } }),
  tool({}, { strict: true, [MARK]: 1 }),
  tool({ cache_control: { type: 'ephemeral', ttl: MARK } }),
  { tools: [{ type: 'custom', custom: { name: MARK } }] },
  { tools: [{ type: 'web_search', where: MARK }] },
  { functions: [{ name: 'mark-77' }] },
  { ...tool({}), tool_choice: { type: 'function', function: { name: 'mark-77' } } },
  { ...tool({}), tool_choice: { type: 'custom', custom: { name: MARK } } },
  { tool_choice: { type: 'function', function: { name: MARK } } },
  { response_format: { type: 'json_schema', json_schema: { name: 'mark-77', schema: {} } } },
  { response_format: { type: 'json_schema', json_schema: { name: 'bad mark-77', schema: {} } } },
  { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { title: MARK } } } },
  { response_format: { type: 'structural_tag', x: MARK } },
  { guided_json: { title: MARK } },
  { guided_regex: MARK },
  { structured_outputs: { regex: MARK } },
  { reasoning_effort: MARK },
  { reasoning: { max_tokens: COUNT } },
  { thinking: { type: 'enabled', budget_tokens: COUNT } },
  { chat_template_kwargs: { tone: MARK } },
  { stop: MARK },
  { logit_bias: { [MARK]: 1 } },
  ...[
    'max_tokens',
    'max_completion_tokens',
    'seed',
    'n',
    'top_k',
    'top_logprobs',
    'repetition_penalty',
    'min_tokens',
  ].map((name) => ({ [name]: COUNT })),
  ...['temperature', 'top_p', 'min_p', 'frequency_penalty', 'presence_penalty', 'priority', 'thinking_budget'].map(
    (name) => ({ [name]: COUNT }),
  ),
  ...['user', 'safety_identifier', 'service_tier', 'verbosity', 'prompt_cache_key', 'prompt_cache_retention'].map(
    (name) => ({ [name]: MARK }),
  ),
  ...[
    'prediction',
    'audio',
    'modalities',
    'web_search_options',
    'moderation',
    'session_params',
    'lora_path',
    'regex',
  ].map((name) => ({ [name]: [MARK] })),
  ...['documents', 'provider', 'plugins', 'input_ids', 'ebnf', 'chat_template', 'a_field_of_tomorrow'].map((name) => ({
    [name]: [MARK],
  })),
  { metadata: { a: MARK } },
];

for (const [name, target] of [
  ['OpenAI', OPENAI],
  ['an engine', ENGINE],
  ['a router', ROUTER],
  ['a plain server', PLAIN],
] as const)
  test(`every field of the API reaches ${name} or is in the warnings`, () => {
    for (const alone of FIELDS_ALONE) {
      const bytes = Buffer.from(JSON.stringify({ messages: [], ...alone }));
      const { request, warnings } = decodeRequest(bytes, FACTS);
      const encoded = encodeRequest(request, target);
      const sent = encoded.body.toString();
      const isThere = sent.includes(MARK) || sent.includes(String(COUNT));
      assert.ok(isThere || warnings.length + encoded.warnings.length > 0, JSON.stringify(alone));
    }
  });

test('no body makes it crash: whatever is wrong is the fault of a field that is named', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('user', 'assistant', 'tool', 'text', 'function'),
  );
  const names = [...FIELDS, 'role', 'content', 'type', 'function', 'tool_call_id', 'image_url', 'file', 'thinking'];
  const anyObject = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 });
  const message = fc.oneof(
    anyObject,
    fc
      .tuple(fc.constantFrom('user', 'assistant', 'tool', 'system'), anyObject)
      .map(([role, rest]) => ({ ...rest, role })),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 3 }), anyObject, (list, more) => {
      try {
        const { request } = decodeRequest(Buffer.from(JSON.stringify({ ...more, messages: list })), FACTS);
        for (const target of [OPENAI, ENGINE, ROUTER, PLAIN])
          JSON.parse(encodeRequest(request, target).body.toString());
      } catch (thrown) {
        assert.equal((thrown as { code?: string }).code, 'invalid_request', String(thrown));
        assert.ok((thrown as { param?: string }).param);
      }
    }),
    { numRuns: 3_000 },
  );
});
