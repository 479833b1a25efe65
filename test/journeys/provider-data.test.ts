/**
 * What is known of the providers, against simulated ones that are as strict as the real: each is asked for its models and
 * for an answer where its data says, in the form that its data says, with a body that only engines would take.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HttpBackend } from '../../src/backends/http/send.ts';
import type { ProtocolName } from '../../src/domain/call.ts';
import { providerNamed, providerOf } from '../../src/domain/providers/index.ts';
import { readListing } from '../../src/domain/providers/listing.ts';
import { apiOf, listingPathOf, upstreamPathOf } from '../../src/domain/providers/path.ts';
import type { WorkerAddress } from '../../src/domain/worker.ts';
import { bodyForProvider } from '../../src/protocols/provider-edit.ts';
import { startProvider } from '../../sim/providers/provider.ts';

type Simulated = NonNullable<Parameters<typeof startProvider>[0]>;

const KEY = 'key-of-the-test';

interface Case {
  readonly simulated: Simulated;
  readonly protocol: ProtocolName;
  readonly model: string;
  /** Fields of its own API that only some have, beside those that only engines have. */
  readonly fields: object;
  /** Put before the simulated provider's URL path, as an operator would write it. */
  readonly path?: string;
}

const chat = (fields: object = {}): Pick<Case, 'protocol' | 'fields'> => ({
  protocol: 'openai-chat',
  fields: { messages: [{ role: 'user', content: 'Hello' }], max_completion_tokens: 64, ...fields },
});

const LLAMA = 'llama-3.3-70b';
const ENGINE_ONLY = {
  min_tokens: 1,
  regex: 'a+',
  chat_template: '{{ x }}',
  skip_special_tokens: false,
  lora_path: 'x',
};

const cases: Readonly<Record<string, Case>> = {
  openai: { simulated: { kind: 'openai' }, model: 'gpt-4o-mini', ...chat({ top_k: 5, min_p: 0.1 }) },
  xai: { simulated: { kind: 'xai' }, model: 'grok-3', ...chat({ top_k: 5 }) },
  anthropic: {
    simulated: { kind: 'anthropic', pageSize: 1 },
    protocol: 'anthropic-messages',
    model: 'claude-haiku-4-5',
    fields: { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 64, top_k: 5 },
  },
  gemini: {
    simulated: { kind: 'gemini', pageSize: 1 },
    protocol: 'gemini',
    model: 'gemini-2.5-flash',
    fields: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  },
  groq: {
    simulated: { kind: 'compatible', preset: 'groq' },
    model: LLAMA,
    ...chat({ logprobs: true, top_logprobs: 2, logit_bias: { 1: 1 }, top_k: 5 }),
  },
  together: { simulated: { kind: 'compatible', preset: 'together' }, model: LLAMA, ...chat({ top_k: 5, min_p: 0.1 }) },
  openrouter: { simulated: { kind: 'compatible', preset: 'openrouter' }, model: LLAMA, ...chat({ top_k: 5 }) },
  mistral: {
    simulated: { kind: 'compatible', preset: 'mistral' },
    model: LLAMA,
    ...chat({ seed: 7, user: 'me', store: false, logit_bias: { 1: 1 }, top_k: 5 }),
  },
  deepseek: { simulated: { kind: 'compatible', preset: 'deepseek' }, model: LLAMA, ...chat({ top_k: 5 }) },
  fireworks: { simulated: { kind: 'compatible', preset: 'fireworks' }, model: LLAMA, ...chat({ top_k: 5 }) },
  ollama: { simulated: { kind: 'compatible', preset: 'ollama' }, model: LLAMA, ...chat({ top_k: 5 }) },
  azure: {
    simulated: { kind: 'compatible', preset: 'azure' },
    model: LLAMA,
    ...chat({ top_k: 5 }),
    path: '/openai/deployments/llama-3.3-70b',
  },
};

interface Answered {
  readonly status: number;
  readonly text: string;
}

function ask(t: TestContext, worker: WorkerAddress, path: string, body?: Buffer): Promise<Answered> {
  const backend = new HttpBackend({ connectTimeoutMs: 5_000, hostMap: new Map() });
  t.after(() => backend.close());
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const chunks: Buffer[] = [];
  let status = 0;
  const request = {
    method: body ? ('POST' as const) : ('GET' as const),
    path,
    clientHeaders: { authorization: 'Bearer gateway', 'x-api-key': 'gateway', cookie: 'a=b', accept: '*/*' },
    requestId: 'req-1',
    key: worker.apiKey,
    body,
  };
  backend.send(worker, request, {
    head: (given) => {
      status = given;
    },
    data: (chunk) => void chunks.push(chunk),
    end: () => resolve({ status, text: Buffer.concat(chunks).toString() }),
    error: reject,
  });
  return promise;
}

for (const [name, { simulated, protocol, model, fields, path = '' }] of Object.entries(cases)) {
  test(`${name} lists its models and answers a call, and finds nothing wrong with either`, async (t) => {
    const provider = await startProvider({ ...simulated, keys: [KEY] });
    t.after(() => provider.close());
    const url = provider.url + path;
    const address: WorkerAddress = {
      id: 'w',
      url,
      apiKey: KEY,
      provider: providerOf({ url, provider: name, runtime: 'external' }),
    };
    const api = apiOf(address.provider, protocol);
    assert.ok(api && providerNamed(name));
    const { body, removed } = bodyForProvider(
      Buffer.from(JSON.stringify({ ...(protocol === 'gemini' ? {} : { model, ...ENGINE_ONLY }), ...fields })),
      protocol,
      { provider: address.provider, model },
    );
    const answered = await ask(t, address, upstreamPathOf(address, api, model, false), body);
    assert.equal(answered.status, 200, answered.text);
    if (protocol !== 'gemini') assert.ok(Object.keys(ENGINE_ONLY).every((field) => removed.includes(field)));
    const place = listingPathOf(address);
    if (place !== undefined) {
      const list = await ask(t, address, place);
      assert.equal(list.status, 200, list.text);
      const form = address.provider?.listing?.form ?? 'openai';
      const ids = readListing(form, JSON.parse(list.text)).models.map(({ id }) => id);
      assert.deepEqual(ids.toSorted(), [...provider.models].toSorted());
    }
    assert.deepEqual(provider.violations(), []);
    // Exactly one credential, the key that was meant for it, in the form of the provider.
    assert.equal(provider.keysSeen().length, 1, JSON.stringify(provider.keysSeen()));
    assert.match(provider.keysSeen()[0]?.value ?? '', new RegExp(`${KEY}$`));
  });
}
