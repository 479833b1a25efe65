/**
 * What the API can say and the hub can hold goes through without a changed byte, and what the hub cannot hold is told:
 * conversations made up at random, in the API's own form.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anthropic } from '../../domain/providers/anthropic.ts';
import { anthropicMessagesCodec } from './codec.ts';

type Json = Record<string, unknown>;

const FACTS = { model: undefined, isStream: undefined, headers: {} };
/** Conversations; `SMG_FUZZ_RUNS` asks for more or fewer. */
const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 600);

function roundTrip(body: string, model: string) {
  const { request, warnings } = anthropicMessagesCodec.decodeRequest(Buffer.from(body), FACTS);
  const target = { provider: anthropic, model, maxOutputTokens: undefined };
  const encoded = anthropicMessagesCodec.encodeRequest(request, target);
  return { text: encoded.body.toString(), warnings: [...warnings, ...encoded.warnings] };
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => `w${text}.`);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const cache = optional(fc.constantFrom<Json>({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }));
const base64 = fc.base64String({ minLength: 4, maxLength: 16 });
const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });

const textBlock = fc.record({ type: fc.constant('text'), text: words, cache_control: cache });
const imageSource = fc.oneof(
  fc.record({ type: fc.constant('base64'), media_type: fc.constantFrom('image/png', 'image/webp'), data: base64 }),
  fc.constant({ type: 'url', url: 'https://x.test/a.png' }),
  fc.constant({ type: 'file', file_id: 'file_1' }),
);
const imageBlock = fc.record({ type: fc.constant('image'), source: imageSource, cache_control: cache });
const documentSource = fc.oneof(
  fc.record({ type: fc.constant('base64'), media_type: fc.constant('application/pdf'), data: base64 }),
  fc.record({ type: fc.constant('text'), media_type: fc.constant('text/plain'), data: words }),
  fc.constant({ type: 'url', url: 'https://x.test/a.pdf' }),
);
const documentBlock = fc.record({
  type: fc.constant('document'),
  source: documentSource,
  title: optional(words),
  context: optional(words),
  citations: optional(fc.record({ enabled: fc.boolean() })),
  cache_control: cache,
});
const shown = fc.oneof(textBlock, imageBlock, documentBlock);
const thinkingBlock = fc.record({ type: fc.constant('thinking'), thinking: fc.string(), signature: base64 });
const redactedBlock = fc.record({ type: fc.constant('redacted_thinking'), data: base64 });
const nativeBlock = fc.record({ type: fc.constantFrom('server_tool_use', 'novel_block'), id: words, input: json });

function callBlock(id: string): fc.Arbitrary<Json> {
  return fc.record({
    type: fc.constant('tool_use'),
    id: fc.constant(id),
    name: fc.constant('look'),
    input: json,
    cache_control: cache,
  });
}

function resultBlock(id: string): fc.Arbitrary<Json> {
  return fc.record({
    type: fc.constant('tool_result'),
    tool_use_id: fc.constant(id),
    content: optional(fc.oneof(words, fc.array(shown, { minLength: 1, maxLength: 3 }))),
    is_error: fc.constantFrom(undefined, true),
    cache_control: cache,
  });
}

const userMessage = fc.record({
  role: fc.constant('user'),
  content: fc.oneof(words, fc.array(shown, { minLength: 1, maxLength: 3 })),
});
const plainAnswer = fc.record({
  role: fc.constant('assistant'),
  content: fc.oneof(
    words,
    fc.array(fc.oneof(textBlock, thinkingBlock, redactedBlock, nativeBlock), { minLength: 1, maxLength: 3 }),
  ),
});

/** A user's words, calls at once or none, and their results. */
function exchange(round: number): fc.Arbitrary<Json[]> {
  return fc.nat({ max: 3 }).chain((calls) => {
    if (calls === 0) return fc.tuple(userMessage, plainAnswer);
    const ids = Array.from({ length: calls }, (_, index) => `toolu_${round}_${index}`);
    const content = fc.tuple(thinkingBlock, textBlock, ...ids.map((id) => callBlock(id)));
    const results = fc.tuple(...ids.map((id) => resultBlock(id)));
    const after = fc.array(shown, { maxLength: 1 });
    return fc
      .tuple(userMessage, content, results, after, plainAnswer)
      .map(([user, blocks, answers, more, answer]): Json[] => [
        user,
        { role: 'assistant', content: blocks },
        { role: 'user', content: [...answers, ...more] },
        answer,
      ]);
  });
}

const conversation = fc
  .tuple(fc.tuple(exchange(0), exchange(1), exchange(2)), fc.nat({ max: 3 }), userMessage)
  .map(([exchanges, count, last]): Json[] => [...exchanges.slice(0, count).flat(), last]);

const tool = fc.oneof(
  fc.record({
    name: fc.constant('look'),
    description: optional(words),
    input_schema: json.map((schema): Json => ({ type: 'object', ...schema })),
    strict: optional(fc.constant(false)),
    cache_control: cache,
  }),
  // Strict tools need a closed schema.
  fc.record({
    name: fc.constant('look'),
    input_schema: fc.constant({ type: 'object', properties: {}, additionalProperties: false }),
    strict: fc.constant(true),
  }),
  fc.record({ type: fc.constant('web_search_20260318'), name: fc.constant('web_search'), max_uses: fc.nat() }),
);
const serial = fc.constantFrom(undefined, true);
const anyChoice = fc.oneof(
  fc.record({ type: fc.constantFrom('auto', 'any'), disable_parallel_tool_use: serial }),
  fc.record({ type: fc.constant('tool'), name: fc.constant('look'), disable_parallel_tool_use: serial }),
  fc.constant({ type: 'none' }),
);
const freeChoice = fc.record({ type: fc.constant('auto'), disable_parallel_tool_use: serial });

/** With thinking or without: each forbids something of the other. */
const mind = fc.oneof(
  fc.record({
    tool_choice: freeChoice,
    thinking: fc.record({
      type: fc.constant('enabled'),
      budget_tokens: fc.integer({ min: 1_024, max: 8_000 }),
      display: fc.constantFrom(undefined, 'summarized', 'omitted'),
    }),
  }),
  fc.record(
    {
      tool_choice: anyChoice,
      thinking: fc.constant({ type: 'disabled' }),
      temperature: fc.constantFrom(0, 0.5, 1),
      top_k: fc.nat(),
    },
    { requiredKeys: [] },
  ),
);

const body = fc
  .record({
    messages: conversation,
    system: optional(fc.oneof(words, fc.array(textBlock, { minLength: 1, maxLength: 3 }))),
    tools: optional(fc.array(tool, { minLength: 1, maxLength: 3 })),
    mind,
    schema: optional(json),
    stop: optional(fc.array(words, { minLength: 1, maxLength: 3 })),
    user: optional(fc.uuid()),
    tier: fc.constantFrom(undefined, 'auto', 'standard_only'),
    stream: fc.constantFrom(undefined, true),
    extra: optional(fc.constant('c_1')),
  })
  .map((parts) => withinMarks(bodyOf(parts)));

interface Parts {
  readonly messages: Json[];
  readonly system: unknown;
  readonly tools: unknown[] | undefined;
  readonly mind: Json;
  readonly schema: Json | undefined;
  readonly stop: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly tier: string | undefined;
  readonly stream: boolean | undefined;
  readonly extra: string | undefined;
}

function bodyOf(parts: Parts): Json {
  const { tool_choice, thinking, ...sampling } = parts.mind;
  return {
    model: 'claude-sonnet-4-5',
    max_tokens: 9_000,
    system: parts.system,
    messages: parts.messages,
    tools: parts.tools,
    tool_choice: parts.tools ? tool_choice : undefined,
    thinking,
    output_config: parts.schema && { format: { type: 'json_schema', schema: { ...parts.schema, type: 'string' } } },
    temperature: sampling['temperature'],
    top_k: sampling['top_k'],
    stop_sequences: parts.stop,
    metadata: parts.user && { user_id: parts.user },
    service_tier: parts.tier,
    stream: parts.stream,
    container: parts.extra,
  };
}

/** Takes away the marks of the cache after the fourth. */
function withinMarks(whole: Json): string {
  let count = 0;
  return JSON.stringify(whole, (name, value: unknown) => {
    if (name !== 'cache_control') return value;
    if (value !== undefined) count += 1;
    return count > 4 ? undefined : value;
  });
}

test('a body that goes through the hub is the same, byte for byte, and nothing is told of it', () => {
  fc.assert(
    fc.property(body, (text) => {
      const { text: again, warnings } = roundTrip(text, 'claude-sonnet-4-5');
      assert.deepEqual(warnings, []);
      assert.equal(again, text);
    }),
    { numRuns: RUNS },
  );
});

test('a member that is nowhere known reaches the worker or is told, wherever it stands', () => {
  fc.assert(
    fc.property(body, fc.nat(), (text, at) => {
      const whole = JSON.parse(text) as Json;
      const objects = objectsIn(whole);
      const place = objects[at % objects.length] ?? whole;
      place['novel_member'] = 1;
      const { text: again, warnings } = roundTrip(JSON.stringify(whole), 'claude-sonnet-4-5');
      const isTold = warnings.filter(({ field }) => field.endsWith('.novel_member') || field === 'novel_member');
      assert.equal(again.includes('novel_member') ? 0 : 1, isTold.length);
    }),
    { numRuns: 300 },
  );
});

function objectsIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap((item) => objectsIn(item));
  if (typeof value !== 'object' || value === null) return [];
  return [value as Json, ...Object.values(value).flatMap((member) => objectsIn(member))];
}

test('system turns within the conversation go through for models that take them', () => {
  const whole = {
    model: 'claude-opus-4-8',
    max_tokens: 9_000,
    system: 'Be kind.',
    messages: [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'Now.' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: [{ type: 'text', text: 'c' }] },
      { role: 'system', content: [{ type: 'text', text: 'And now.', cache_control: { type: 'ephemeral' } }] },
    ],
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: 'xhigh' },
  };
  const { text, warnings } = roundTrip(JSON.stringify(whole), 'claude-opus-4-8');
  assert.deepEqual(warnings, []);
  assert.equal(text, JSON.stringify(whole));
});

test('no body crashes the codec: it is translated, or refused as the client’s error', () => {
  const name = fc.constantFrom(
    'model',
    'messages',
    'system',
    'tools',
    'role',
    'content',
    'type',
    'source',
    'input',
    'thinking',
    'tool_choice',
    'constructor',
    '__proto__',
  );
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        'user',
        'assistant',
        'text',
        'tool_use',
        'tool_result',
        'image',
        'thinking',
        'document',
        'enabled',
        '',
        1,
        null,
        true,
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
    ),
  })).value;
  fc.assert(
    fc.property(
      fc.record({ messages: value, system: value, tools: value, thinking: value }, { requiredKeys: [] }),
      (fields) => {
        try {
          roundTrip(JSON.stringify({ model: 'claude-opus-5', ...fields }), 'claude-opus-5');
        } catch (thrown) {
          assert.equal((thrown as { code?: unknown }).code, 'invalid_request');
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
