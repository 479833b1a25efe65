/** What clients ask besides answers: how many tokens a prompt has, of each kind of worker, and embeddings of Gemini. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { PresetName, ProviderKind } from '../../sim/providers/options.ts';
import { tokensOf } from '../../sim/providers/plan.ts';
import type { SimProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { engineFor } from '../support/rig.ts';
import { cloudFields, gatewayWith, simulatedCloudFor } from '../support/simulated-clouds.ts';

interface Counter {
  readonly name: string;
  readonly model: string;
  readonly kind?: ProviderKind;
  readonly preset?: PresetName;
  /** A self-hosted engine of this kind. */
  readonly engine?: 'sglang' | 'vllm' | 'mlx';
  /** Counted by the worker when clients of messages ask, or only guessed by the gateway. */
  readonly messages: 'counted' | 'estimated';
  readonly gemini: 'counted' | 'estimated';
}

const COUNTERS: readonly Counter[] = [
  { name: 'Anthropic', kind: 'anthropic', model: 'claude-haiku-4-5', messages: 'counted', gemini: 'counted' },
  { name: 'Gemini', kind: 'gemini', model: 'gemini-2.5-flash', messages: 'counted', gemini: 'counted' },
  { name: 'OpenAI', kind: 'openai', model: 'gpt-4o-mini', messages: 'estimated', gemini: 'estimated' },
  { name: 'xAI', kind: 'xai', model: 'grok-3', messages: 'estimated', gemini: 'estimated' },
  {
    name: 'Together',
    kind: 'compatible',
    preset: 'together',
    model: 'llama-3.3-70b',
    messages: 'estimated',
    gemini: 'estimated',
  },
  { name: 'an engine of SGLang', engine: 'sglang', model: 'sim-model', messages: 'counted', gemini: 'estimated' },
  { name: 'an engine of vLLM', engine: 'vllm', model: 'sim-model', messages: 'counted', gemini: 'estimated' },
  { name: 'an engine of MLX', engine: 'mlx', model: 'sim-model', messages: 'estimated', gemini: 'estimated' },
];

async function gatewayOf(t: TestContext, { kind, preset, engine, model }: Counter): Promise<Gateway> {
  if (engine) {
    const { url } = await engineFor(t, { kind: engine });
    return (await gatewayWith(t, [{ url }])).gateway;
  }
  if (!kind) throw new Error('neither an engine nor a provider');
  const cloud = await simulatedCloudFor(t, { kind, ...(preset ? { preset } : {}) });
  const fields = preset ? { provider: preset } : {};
  return (await gatewayWith(t, [cloudFields(cloud, model, fields)])).gateway;
}

const PROMPT = 'How many tokens are these words? '.repeat(30);
const TRUE_COUNT = tokensOf(PROMPT.length);
const isNear = (tokens: number) => tokens > 0.8 * TRUE_COUNT && tokens < 1.3 * TRUE_COUNT;

for (const counter of COUNTERS) {
  const { name, model } = counter;
  test(`tokens of a prompt for ${name}: ${counter.messages} for Anthropic’s client, ${counter.gemini} for Google’s`, async (t) => {
    const gateway = await gatewayOf(t, counter);
    const marks: (string | null)[] = [];
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 });
    const question = { model, system: 'Be brief.', messages: [{ role: 'user' as const, content: PROMPT }] };
    const { data, response } = await anthropic.messages.countTokens(question).withResponse();
    marks.push(response.headers.get('x-smg-token-count'));
    assert.ok(isNear(data.input_tokens), `${data.input_tokens} for ${TRUE_COUNT}`);
    const google = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: gateway.url } });
    const counted = await google.models.countTokens({ model, contents: PROMPT });
    marks.push(counted.sdkHttpResponse?.headers?.['x-smg-token-count'] ?? null);
    assert.ok(isNear(counted.totalTokens ?? 0), `${counted.totalTokens} for ${TRUE_COUNT}`);
    const mark = (how: 'counted' | 'estimated') => (how === 'counted' ? null : 'estimated');
    assert.deepEqual(marks, [mark(counter.messages), mark(counter.gemini)]);
  });
}

const EMBEDDER = 'gemini-embedding-001';

async function embedderFor(t: TestContext): Promise<{ client: OpenAI; gemini: SimProvider }> {
  const gemini = await simulatedCloudFor(t, { kind: 'gemini' });
  const { gateway } = await gatewayWith(t, [cloudFields(gemini, EMBEDDER)]);
  return { gemini, client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

const isClose = (a: readonly number[] = [], b: readonly number[] = []) =>
  a.length === b.length && a.every((value, at) => Math.abs(value - (b[at] ?? Number.NaN)) < 1e-6);

test('one text and a list come from Gemini in order, as numbers and as base64 alike', async (t) => {
  const { client, gemini } = await embedderFor(t);
  const input = ['one', 'zwei 日本', 'three'];
  const floats = await client.embeddings.create({ model: EMBEDDER, input, encoding_format: 'float' });
  assert.deepEqual(
    floats.data.map(({ index, object }) => [index, object]),
    [0, 1, 2].map((index) => [index, 'embedding']),
  );
  // The client asks for base64 by itself when nobody says otherwise, and makes numbers of it.
  const packed = await client.embeddings.create({ model: EMBEDDER, input });
  for (const [at, { embedding }] of packed.data.entries())
    assert.ok(isClose(embedding, floats.data[at]?.embedding), `text ${at}`);
  const one = await client.embeddings.create({ model: EMBEDDER, input: 'zwei 日本', encoding_format: 'float' });
  assert.deepEqual(one.data[0]?.embedding, floats.data[1]?.embedding);
  assert.equal(new Set(floats.data.map(({ embedding }) => JSON.stringify(embedding))).size, 3, 'three texts');
  assert.ok(floats.usage.prompt_tokens > 0);
  assert.equal(floats.model, EMBEDDER);
  assert.deepEqual(gemini.violations(), []);
});

test('base64 that is asked for by name comes as text of 32-bit floats', async (t) => {
  const { client } = await embedderFor(t);
  const asked = { model: EMBEDDER, input: 'one' };
  const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
  const packed = await client.embeddings.create({ ...asked, encoding_format: 'base64' });
  const text: unknown = packed.data[0]?.embedding;
  assert.equal(typeof text, 'string');
  const bytes = Buffer.from(String(text), 'base64');
  const values = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
  assert.ok(isClose(values, floats.data[0]?.embedding));
});

test('vectors have the dimensions that are asked for', async (t) => {
  const { client, gemini } = await embedderFor(t);
  for (const dimensions of [2, 5]) {
    const { data } = await client.embeddings.create({ model: EMBEDDER, input: ['a', 'b'], dimensions });
    assert.deepEqual(
      data.map(({ embedding }) => embedding.length),
      [dimensions, dimensions],
    );
  }
  assert.deepEqual(gemini.violations(), []);
});

test('what Gemini cannot embed is refused as OpenAI would, before it is asked', async (t) => {
  const { client, gemini } = await embedderFor(t);
  const asked = gemini.requests().length;
  for (const input of [[1, 2, 3], [[1], [2]], [], Array.from({ length: 101 }, () => 'x')]) {
    const call = client.embeddings.create({ model: EMBEDDER, input });
    await assert.rejects(call, (error) => error instanceof OpenAI.BadRequestError && error.param === 'input');
  }
  assert.equal(gemini.requests().length, asked);
});

test('embeddings of OpenAI’s own pass as they are: list, base64, dimensions', async (t) => {
  const cloud = await simulatedCloudFor(t, { kind: 'openai' });
  const model = 'text-embedding-3-small';
  const { gateway } = await gatewayWith(t, [cloudFields(cloud, model)]);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const floats = await client.embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' });
  const packed = await client.embeddings.create({ model, input: ['a', 'b'] });
  for (const [at, { embedding }] of packed.data.entries()) assert.ok(isClose(embedding, floats.data[at]?.embedding));
  assert.deepEqual(cloud.violations(), []);
});
