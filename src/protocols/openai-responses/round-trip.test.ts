/** Requests of this API to the hub and back: the same bytes for what is carried, a warning for what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import { openai } from '../../domain/providers/openai.ts';
import { responsesCodec } from './codec.ts';

const FACTS = { model: undefined, isStream: undefined, headers: {} };
/** Conversations; `SMG_FUZZ_RUNS` asks for more or fewer. */
const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 10_000);
const MODEL = 'gpt-5.6';

const decode = (body: object | string) =>
  responsesCodec.decodeRequest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), FACTS);

function encode(request: GenerationRequest) {
  const target = { provider: openai, model: MODEL, maxOutputTokens: undefined };
  const { body, warnings } = responsesCodec.encodeRequest(request, target);
  return { text: body.toString(), warnings };
}

// Canonical bodies: members in the order of encodeRequest, compact, all of it carried.

const string = fc.string({ unit: 'grapheme', maxLength: 12 });
const full = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const base64 = fc.constantFrom('iVBORw0KGgo=', 'JVBERi0=', 'AAAA');
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const mark = optional(
  fc.constantFrom({ mode: 'explicit' }, { mode: 'explicit', ttl: '30m' }, { mode: 'explicit', ttl: '12h' }),
);

const inputText = fc.record({ type: fc.constant('input_text'), text: string, prompt_cache_breakpoint: mark });
const inputImage = fc.oneof(
  fc.record({
    type: fc.constant('input_image'),
    image_url: fc.oneof(
      fc.webUrl(),
      base64.map((bytes) => `data:image/png;base64,${bytes}`),
    ),
    detail: optional(fc.constantFrom('low', 'high', 'auto', 'original')),
    prompt_cache_breakpoint: mark,
  }),
  fc.record({ type: fc.constant('input_image'), file_id: fc.constant('file-1'), detail: fc.constant('auto') }),
);
const inputFile = fc.oneof(
  fc.record({
    type: fc.constant('input_file'),
    file_data: base64.map((bytes) => `data:application/pdf;base64,${bytes}`),
    filename: full,
    prompt_cache_breakpoint: mark,
  }),
  fc.record({ type: fc.constant('input_file'), file_url: fc.webUrl(), filename: optional(full) }),
  fc.record({ type: fc.constant('input_file'), file_id: fc.constant('file-2') }),
);
const content = fc.oneof(inputText, inputImage, inputFile, fc.constant({ type: 'input_future', x: { b: 1, a: 2 } }));
const someContent = fc.array(content, { minLength: 1, maxLength: 3 });

const clientMessage = fc.record({
  type: fc.constant('message'),
  role: fc.constantFrom('user', 'system', 'developer'),
  content: fc.oneof(string, someContent),
});
const annotation = { type: 'url_citation', start_index: 0, end_index: 1, url: 'https://example.com/', title: 't' };
const outputText = fc.record({
  type: fc.constant('output_text'),
  text: string,
  annotations: optional(fc.constant([annotation])),
});
const assistantMessage = fc.record({
  type: fc.constant('message'),
  role: fc.constant('assistant'),
  content: fc.oneof(
    string,
    fc.array(fc.oneof(outputText, fc.record({ type: fc.constant('refusal'), refusal: full })), {
      minLength: 1,
      maxLength: 2,
    }),
  ),
  phase: optional(fc.constantFrom('commentary', 'final_answer')),
});
const reasoning = fc.record({
  type: fc.constant('reasoning'),
  id: optional(fc.constant('rs_1')),
  summary: fc.array(fc.record({ type: fc.constant('summary_text'), text: string }), { maxLength: 2 }),
  encrypted_content: fc.constantFrom('gAAAAABo', 'gAAA+/=='),
  status: optional(fc.constant('completed')),
});
const callId = fc.constantFrom('call_1', 'call_2', 'toolu_01A');
const call = fc.record({
  type: fc.constant('function_call'),
  call_id: callId,
  name: fc.constantFrom('get_weather', 'f-1'),
  arguments: fc.constantFrom('{}', '{"a": 1.0}', '{"é":"\\u00e9"}', '{"cut'),
});
const output = fc.record({
  type: fc.constant('function_call_output'),
  call_id: callId,
  output: fc.oneof(string, fc.array(fc.oneof(inputText, inputImage, inputFile), { minLength: 1, maxLength: 2 })),
});
const native = fc.constantFrom(
  { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
  { type: 'custom_tool_call', call_id: 'call_9', name: 'patch', input: '*** Begin' },
  { type: 'custom_tool_call_output', call_id: 'call_9', output: 'Done' },
  { type: 'mcp_approval_response', approval_request_id: 'a', approve: true },
  { type: 'additional_tools', role: 'developer', tools: [] },
);
/** A thought stands before what it led to, or the API refuses it. */
const thoughtful = fc.tuple(fc.array(reasoning, { minLength: 1, maxLength: 2 }), fc.oneof(assistantMessage, call));
const items = fc
  .array(
    fc.oneof(
      fc.oneof(clientMessage, assistantMessage, call, output, native).map((item) => [item]),
      thoughtful.map(([thoughts, item]) => [...thoughts, item]),
    ),
    { minLength: 1, maxLength: 9 },
  )
  .map((lists) => lists.flat());

const tool = fc.oneof(
  fc.record({
    type: fc.constant('function'),
    name: fc.constantFrom('get_weather', 'f-1'),
    description: optional(string),
    parameters: fc.constantFrom({ type: 'object', properties: { z: { type: 'number' }, a: {} } }, { type: 'object' }),
    strict: fc.boolean(),
  }),
  fc.constantFrom(
    { type: 'web_search' },
    { type: 'mcp', server_label: 's', server_url: 'u' },
    { type: 'custom', name: 'c' },
  ),
);
const choice = fc.constantFrom(
  ...['auto', 'none', 'required'],
  ...[
    { type: 'function', name: 'f-1' },
    { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f-1' }] },
    { type: 'web_search' },
    { type: 'mcp', server_label: 's' },
  ],
);
const tools = optional(fc.tuple(fc.array(tool, { minLength: 1, maxLength: 3 }), optional(choice)));
const format = fc.oneof(
  fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
  fc.record({
    type: fc.constant('json_schema'),
    name: fc.constant('answer'),
    description: optional(string),
    schema: fc.constant({ type: 'object', properties: {} }),
    strict: optional(fc.boolean()),
  }),
);
const text = optional(
  fc
    .record({ format: optional(format), verbosity: optional(fc.constantFrom('low', 'high')) })
    .filter(({ format, verbosity }) => format !== undefined || verbosity !== undefined),
);
const effort = fc.constantFrom('none', 'low', 'medium', 'high', 'xhigh', 'max');
const reasoningOptions = optional(
  fc
    .record({
      effort: optional(effort),
      summary: optional(fc.constantFrom('auto', 'concise', 'detailed')),
      context: optional(fc.constant('all_turns')),
    })
    .filter((value) => Object.values(value).some((each) => each !== undefined)),
);
const include = fc
  .subarray(['web_search_call.results', 'code_interpreter_call.outputs'])
  .map((list) => [...list, 'reasoning.encrypted_content']);

const canonical = fc
  .tuple(
    fc.record({
      model: fc.constant(MODEL),
      instructions: optional(string),
      input: fc.oneof(string, items),
      tools: tools.map((each) => each?.[0]),
      tool_choice: fc.constant(undefined),
      parallel_tool_calls: optional(fc.boolean()),
      text,
      reasoning: reasoningOptions,
      max_output_tokens: optional(fc.integer({ min: 16, max: 100_000 })),
      temperature: fc.constant(undefined),
      top_p: fc.constant(undefined),
      include,
      metadata: optional(fc.constant({ b: '1', a: '2' })),
      safety_identifier: optional(full),
      prompt_cache_key: optional(full),
      service_tier: optional(fc.constantFrom('auto', 'flex')),
      store: fc.boolean(),
      max_tool_calls: optional(fc.integer({ min: 1, max: 9 })),
      prompt_cache_retention: optional(fc.constant('24h')),
      truncation: optional(fc.constant('auto')),
      stream: optional(fc.constant(true)),
    }),
    optional(choice),
    fc.double({ min: 0, max: 2, noNaN: true }),
  )
  .map(([body, chosen, temperature]) => ({
    ...body,
    tool_choice: body.tools === undefined ? undefined : chosen,
    // Only a model that does not think takes it.
    temperature: body.reasoning?.effort === 'none' ? temperature : undefined,
  }));

test('a request in the API’s own form is written again byte for byte, with no warning', () => {
  fc.assert(
    fc.property(canonical, (body) => {
      const written = JSON.stringify(body);
      const { request, warnings } = decode(written);
      const again = encode(request);
      assert.equal(again.text, written);
      assert.deepEqual([...warnings, ...again.warnings], []);
    }),
    { numRuns: RUNS },
  );
});

/** Paths of the leaves of a value. */
function leavesOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, each]) =>
    leavesOf(each, Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`),
  );
}

const lossy = fc.record(
  {
    seed: fc.integer(),
    stop: fc.array(full, { minLength: 1, maxLength: 2 }),
    top_k: fc.integer(),
    min_p: fc.double({ min: 0, max: 1, noNaN: true }),
    frequency_penalty: fc.constant(0.5),
    presence_penalty: fc.constant(0.5),
    logit_bias: fc.constant({ '5': 1 }),
    future_field: fc.constant({ a: [1] }),
    repetition_penalty: fc.constant(1.1),
    temperature: fc.constant(0.3),
  },
  { requiredKeys: [] },
);

test('a field that is not carried is reported: no leaf is lost in silence', () => {
  fc.assert(
    fc.property(lossy, (fields) => {
      const { request, warnings } = decode({ model: MODEL, input: 'Hi', ...fields });
      const again = encode(request);
      const told = [...warnings.map(({ field }) => field), ...again.warnings.map(({ field }) => field)];
      const kept = new Set(leavesOf(JSON.parse(again.text)));
      for (const leaf of leavesOf(fields))
        assert.ok(kept.has(leaf) || told.some((field) => leaf.startsWith(field)), `${leaf} of ${told.join()}`);
      assert.equal(new Set(told).size, told.length, 'told twice');
    }),
  );
});

test('no body makes the reading or the writing throw anything but a client’s error', () => {
  const names = fc.constantFrom(
    ...['model', 'input', 'type', 'role', 'content', 'text', 'output', 'call_id', 'name', 'arguments', 'summary'],
    ...[
      'encrypted_content',
      'tools',
      'tool_choice',
      'reasoning',
      'effort',
      'format',
      'image_url',
      'file_data',
      'store',
    ],
  );
  const word = fc.constantFrom(
    ...['message', 'function_call', 'function_call_output', 'reasoning', 'user', 'assistant', 'input_text', 'x', ''],
    ...['input_image', 'input_file', 'function', 'high', null, 1, true],
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.dictionary(names, tie('value'), { maxKeys: 5 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(names, value), (body) => {
      try {
        encode(decode({ model: 'm', ...body }).request);
      } catch (error) {
        assert.ok(error instanceof GatewayError, String(error));
        assert.match(error.code, /^(invalid_request|missing_model)$/);
      }
    }),
    { numRuns: 3_000 },
  );
});
