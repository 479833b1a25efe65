/**
 * Gemini's own requests to the hub and back: byte for byte for all that the hub carries, and everything else named.
 * And whatever a client sends, nothing but a client's error comes of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/text.ts';
import { GatewayError } from '../../domain/errors.ts';
import { gemini as provider } from '../../domain/providers/gemini.ts';
import { geminiCodec } from './codec.ts';

const NEW = 'gemini-3-flash-preview';
const OLD = 'gemini-2.5-flash';
/** Conversations; `SMG_FUZZ_RUNS` asks for more or fewer. */
const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 500);

type Json = Record<string, unknown>;

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const words = anyText(12).filter((text) => text !== '');
const base64 = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const json = fc.dictionary(
  word,
  fc.oneof(
    words,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(null),
    fc.array(words),
  ),
  {
    maxKeys: 4,
  },
);
const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(
    word,
    fc.record({ type: fc.constantFrom('string', 'integer', ['string', 'null']), description: words }),
    { maxKeys: 3 },
  ),
  additionalProperties: fc.constant(false),
});

const media = fc.oneof(
  fc.record({
    inlineData: fc.record({
      mimeType: fc.constantFrom('image/png', 'audio/wav', 'application/pdf', 'video/mp4'),
      data: base64,
    }),
  }),
  fc.record({
    fileData: fc.record({
      mimeType: fc.constantFrom('image/png', 'application/pdf'),
      fileUri: fc.constantFrom(
        'https://a.example/b',
        'gs://bucket/c',
        'https://generativelanguage.googleapis.com/v1beta/files/x',
      ),
    }),
  }),
);
const userPart: fc.Arbitrary<Json> = fc.oneof(
  words.map((text) => ({ text })),
  media,
);
const signed = (part: Json) =>
  fc
    .option(base64, { nil: undefined })
    .map((thoughtSignature) => (thoughtSignature === undefined ? part : { ...part, thoughtSignature }));
const modelPart: fc.Arbitrary<Json> = fc.oneof(
  words.chain((text) => signed({ text })),
  fc.record({ executableCode: fc.record({ language: fc.constant('PYTHON'), code: words }) }),
  fc.record({ codeExecutionResult: fc.record({ outcome: fc.constant('OUTCOME_OK'), output: words }) }),
  fc.tuple(anyText(8), base64).map(([text, thoughtSignature]) => ({ text, thought: true, thoughtSignature })),
);

interface Call {
  readonly id: string;
  readonly name: string;
  readonly args: Json;
  readonly response: Json;
  readonly pictures: readonly Json[];
  readonly signature: string | undefined;
}

const call = fc.record({
  id: fc.uuid(),
  name: word,
  args: json,
  response: json,
  pictures: fc.array(fc.record({ inlineData: fc.record({ mimeType: fc.constant('image/png'), data: base64 }) }), {
    maxLength: 2,
  }),
  signature: fc.option(base64, { nil: undefined }),
});

/** One step of the model and what the user, or the user's functions, answer. */
const step = fc.record({
  said: fc.array(modelPart, { maxLength: 3 }),
  calls: fc.array(call, { maxLength: 3 }),
  answer: fc.array(userPart, { minLength: 1, maxLength: 3 }),
  signature: base64,
});

function contentsOf(
  opening: readonly Json[],
  steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
  isNew: boolean,
): Json[] {
  const contents: Json[] = [{ role: 'user', parts: opening }];
  for (const { said, calls, answer, signature } of steps) {
    // Models that sign always sign the first call.
    const parts = [
      ...said,
      ...calls.map((each, index) => callPart(each, isNew, index === 0 ? signature : each.signature)),
    ];
    if (parts.length === 0) continue;
    contents.push(
      { role: 'model', parts },
      { role: 'user', parts: [...calls.map((each) => resultPart(each, isNew)), ...answer] },
    );
  }
  return contents;
}

function callPart({ id, name, args }: Call, isNew: boolean, signature: string | undefined): Json {
  const functionCall = isNew ? { id, name, args } : { name, args };
  return signature === undefined ? { functionCall } : { functionCall, thoughtSignature: signature };
}

function resultPart({ id, name, response, pictures }: Call, isNew: boolean): Json {
  if (!isNew) return { functionResponse: { name, response } };
  const parts = pictures.length > 0 ? { parts: pictures } : {};
  return { functionResponse: { id, name, response, ...parts } };
}

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const LEVELS = ['minimal', 'low', 'medium', 'high'];
const BUDGETS = [-1, 0, 1, 1_024, 24_576];

const config = (isNew: boolean) =>
  fc.record({
    maxOutputTokens: option(fc.integer({ min: 1, max: 9_999 })),
    temperature: option(fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0)),
    topP: option(fc.constantFrom(0.1, 0.95, 1)),
    topK: option(fc.constantFrom(1, 40)),
    candidateCount: option(fc.constantFrom(2, 3)),
    stopSequences: option(fc.array(words, { minLength: 1, maxLength: 5 })),
    seed: option(fc.integer()),
    presencePenalty: option(fc.constantFrom(-1, 0, 0.5)),
    frequencyPenalty: option(fc.constantFrom(-1, 0, 0.5)),
    format: option(fc.oneof(fc.constant(undefined), schema)),
    responseLogprobs: option(fc.constant(true)),
    logprobs: option(fc.constantFrom(0, 5)),
    thinkingConfig: option(
      fc
        .tuple(option(fc.constant(true)), option(fc.constantFrom<string | number>(...(isNew ? LEVELS : BUDGETS))))
        .filter((pair) => pair.some((value) => value !== undefined))
        .map(([includeThoughts, amount]) => ({
          includeThoughts,
          [isNew ? 'thinkingLevel' : 'thinkingBudget']: amount,
        })),
    ),
    responseModalities: option(fc.constant(['TEXT'])),
    speechConfig: option(json),
  });

interface Sample {
  readonly body: string;
  readonly model: string;
}

const sample: fc.Arbitrary<Sample> = fc.boolean().chain((isNew) =>
  fc
    .record({
      system: option(
        fc.array(
          words.map((text) => ({ text })),
          { minLength: 1, maxLength: 2 },
        ),
      ),
      opening: fc.array(userPart, { minLength: 1, maxLength: 3 }),
      steps: fc.array(step, { maxLength: 4 }),
      functions: fc.uniqueArray(word, { maxLength: 3 }),
      schema,
      description: option(words),
      native: option(fc.constantFrom({ googleSearch: {} }, { codeExecution: {} }, { urlContext: {} })),
      mode: option(fc.constantFrom('AUTO', 'ANY', 'NONE')),
      isNarrowed: fc.boolean(),
      retrieval: option(json),
      config: config(isNew),
      serviceTier: option(fc.constantFrom('standard', 'flex', 'priority')),
      safetySettings: option(fc.array(json)),
      cachedContent: option(words),
      labels: option(json),
    })
    .map((parts) => ({ body: JSON.stringify(bodyOf(parts, isNew)), model: isNew ? NEW : OLD })),
);

type Parts = {
  readonly system: readonly Json[] | undefined;
  readonly opening: readonly Json[];
  readonly steps: Parameters<typeof contentsOf>[1];
  readonly functions: readonly string[];
  readonly schema: unknown;
  readonly description: string | undefined;
  readonly native: unknown;
  readonly mode: string | undefined;
  readonly isNarrowed: boolean;
  readonly retrieval: unknown;
  readonly config: Json;
  readonly serviceTier: string | undefined;
  readonly safetySettings: unknown;
  readonly cachedContent: unknown;
  readonly labels: unknown;
};

function bodyOf(parts: Parts, isNew: boolean): Json {
  const { functions, description, mode } = parts;
  const declarations = functions.map((name) => ({ name, description, parametersJsonSchema: parts.schema }));
  const tools = [
    ...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []),
    ...(parts.native ? [parts.native] : []),
  ];
  const isNamed = parts.isNarrowed && mode === 'ANY';
  const calling =
    functions.length > 0 && mode !== undefined
      ? { mode, allowedFunctionNames: isNamed ? functions : undefined }
      : undefined;
  const toolConfig =
    calling || parts.retrieval ? { functionCallingConfig: calling, retrievalConfig: parts.retrieval } : undefined;
  const generationConfig = configOf(parts.config, isNew || functions.length === 0);
  return {
    systemInstruction: parts.system && { parts: parts.system },
    contents: contentsOf(parts.opening, parts.steps, isNew),
    tools: tools.length > 0 ? tools : undefined,
    toolConfig,
    generationConfig: Object.values(generationConfig).some((value) => value !== undefined)
      ? generationConfig
      : undefined,
    serviceTier: parts.serviceTier,
    safetySettings: parts.safetySettings,
    cachedContent: parts.cachedContent,
    labels: parts.labels,
  };
}

/** The members in their order; `format` stands for the two that go together. */
function configOf(config: Json, takesFormat: boolean): Json {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]): [string, unknown][] => {
      if (name !== 'format') return [[name, value]];
      if (!takesFormat || value === undefined) return [];
      return [
        ['responseMimeType', 'application/json'],
        ['responseJsonSchema', value],
      ];
    }),
  );
}

function roundTrip({ body, model }: Sample): { readonly text: string; readonly warnings: readonly string[] } {
  const facts = { model, isStream: false, headers: {} };
  const decoded = geminiCodec.decodeRequest(Buffer.from(body), facts);
  const encoded = geminiCodec.encodeRequest(decoded.request, { provider, model, maxOutputTokens: undefined });
  const warnings = [...decoded.warnings, ...encoded.warnings].map(({ kind, field }) => `${kind} ${field}`);
  return { text: encoded.body.toString(), warnings };
}

test('a request comes back byte for byte, and nothing is reported', () => {
  fc.assert(
    fc.property(sample, (each) => {
      const { text, warnings } = roundTrip(each);
      assert.deepEqual(warnings, []);
      assert.equal(text, each.body);
    }),
    { numRuns: RUNS },
  );
});

/** Objects whose members the decoder knows one by one, with their paths; what they hold as it stands is left alone. */
function placesIn(value: unknown, path: string): { readonly object: Json; readonly path: string }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => placesIn(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Json;
  const isWhole = ['executableCode', 'codeExecutionResult', 'googleSearch', 'codeExecution', 'urlContext'].some(
    (name) => name in object,
  );
  if (isWhole) return [];
  const inner = Object.entries(object).flatMap(([name, each]) =>
    CARRIED.has(name) ? [] : placesIn(each, path === '' ? name : `${path}.${name}`),
  );
  const isTool = 'functionDeclarations' in object;
  return isTool ? inner : [{ object, path }, ...inner];
}

const CARRIED = new Set([
  ...['args', 'response', 'parametersJsonSchema', 'responseJsonSchema', 'speechConfig', 'retrievalConfig'],
  ...['safetySettings', 'labels'],
]);

test('a member that nobody knows is named wherever it stands, once, and the rest comes back as it was', () => {
  fc.assert(
    fc.property(sample, fc.nat(), (each, pick) => {
      const parsed = JSON.parse(each.body) as Json;
      const places = placesIn(parsed, '');
      const place = places[pick % places.length];
      assert.ok(place);
      place.object['brandNew'] = { deep: [1] };
      const { text, warnings } = roundTrip({ ...each, body: JSON.stringify(parsed) });
      assert.deepEqual(warnings, [`lost ${place.path === '' ? '' : `${place.path}.`}brandNew`]);
      assert.equal(text, each.body);
    }),
    { numRuns: RUNS },
  );
});

test('whatever stands in a body, it is read and written or it is the client’s error', () => {
  const name = fc.constantFrom(
    ...['contents', 'parts', 'role', 'text', 'thought', 'thoughtSignature', 'functionCall', 'functionResponse', 'name'],
    ...['args', 'response', 'id', 'inlineData', 'mimeType', 'data', 'fileData', 'fileUri', 'tools', 'mode', 'type'],
    ...['functionDeclarations', 'parameters', 'properties', 'items', '$ref', '$defs', 'toolConfig', 'generationConfig'],
    ...[
      'functionCallingConfig',
      'thinkingConfig',
      'thinkingBudget',
      'responseSchema',
      'systemInstruction',
      '__proto__',
    ],
  );
  const leaf = fc.constantFrom(
    null,
    true,
    0,
    -1,
    1.5,
    '',
    'model',
    'user',
    'f',
    'AA==',
    'image/png',
    'https://a.example/b',
    'ANY',
    '#',
    '#/$defs/a',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.dictionary(name, value),
      fc.constantFrom(OLD, NEW, 'gemini-2.5-pro', 'gemma-3-27b-it'),
      (body, model) => {
        try {
          JSON.parse(roundTrip({ body: JSON.stringify(body), model }).text);
        } catch (thrown) {
          assert.ok(thrown instanceof GatewayError && thrown.origin === 'client', String(thrown));
        }
      },
    ),
    { numRuns: 3 * RUNS },
  );
});

test('ten thousand calls, one to a content, and their results the other way round are two contents', () => {
  const names = Array.from({ length: 10_000 }, (_each, index) => `f${index}`);
  const calls = names.map((name) => ({ functionCall: { name, args: {} } }));
  const results = names.toReversed().map((name) => ({ functionResponse: { name, response: {} } }));
  const contents = [
    { role: 'user', parts: [{ text: 'a' }] },
    ...calls.map((part) => ({ role: 'model', parts: [part] })),
    { role: 'user', parts: results },
  ];
  const { text, warnings } = roundTrip({ body: JSON.stringify({ contents }), model: OLD });
  assert.deepEqual(warnings, []);
  const written = JSON.parse(text) as { contents: { parts: unknown[] }[] };
  assert.deepEqual(
    written.contents.map(({ parts }) => parts.length),
    [1, names.length, names.length],
  );
});
