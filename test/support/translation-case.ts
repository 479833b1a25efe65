/**
 * The cases of translation: test/fixtures/translation/<case>/ holds what clients send and workers answer, in every API
 * that can say it, and what becomes of it in every other.
 *
 *   case.json                      row of the list of hard cases, and where the shapes come from
 *   request.<api>.json             a client's body
 *   answer.<api>.json|.sse         a worker's answer, whole and as a stream
 *   expected/request.<a>-<b>.json  the body that goes to a worker of API b, and the warnings
 *   expected/answer.<b>-<a>.…      what a client of API a gets
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { GenerationRequest, TranslationWarning } from '../../src/domain/generation.ts';
import { anthropic } from '../../src/domain/providers/anthropic.ts';
import { gemini } from '../../src/domain/providers/gemini.ts';
import { openai } from '../../src/domain/providers/openai.ts';
import { providerNamed } from '../../src/domain/providers/index.ts';
import type { Provider } from '../../src/domain/providers/provider.ts';
import type { AnswerFacts, Codec, DecodeFacts, EncodeTarget } from '../../src/protocols/hub/codec.ts';
import { protocols } from '../../src/protocols/index.ts';

export const APIS = ['chat', 'messages', 'responses', 'gemini'] as const;
export type Api = (typeof APIS)[number];

interface ApiFacts {
  readonly codec: Codec;
  readonly provider: Provider;
  readonly model: string;
}

function codecOf(name: 'openai-chat' | 'anthropic-messages' | 'openai-responses' | 'gemini'): Codec {
  const { codec } = protocols[name];
  if (!codec) throw new Error(`${name} has no codec`);
  return codec;
}

/** Each API with the provider that stands behind it in these cases. */
export function factsOfApi(api: Api): ApiFacts {
  if (api === 'chat') return { codec: codecOf('openai-chat'), provider: openai, model: 'gpt-5-mini' };
  if (api === 'messages')
    return { codec: codecOf('anthropic-messages'), provider: anthropic, model: 'claude-sonnet-4-5' };
  if (api === 'responses') return { codec: codecOf('openai-responses'), provider: openai, model: 'gpt-5-mini' };
  return { codec: codecOf('gemini'), provider: gemini, model: 'gemini-2.5-flash' };
}

export interface TranslationCase {
  readonly name: string;
  /** Title of the row in the list of hard cases. */
  readonly row: string;
  readonly folder: URL;
}

const ROOT = new URL('../fixtures/translation/', import.meta.url);

export function translationCases(): TranslationCase[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = new URL(`${name}/`, ROOT);
      const { row } = JSON.parse(readFileSync(new URL('case.json', folder), 'utf8')) as { row: string };
      return { name, row, folder };
    });
}

/** The bytes of a file of the case without the line end that editors add, or undefined when it has none. */
export function fileOf({ folder }: TranslationCase, name: string): Buffer | undefined {
  const url = new URL(name, folder);
  if (!existsSync(url)) return undefined;
  const bytes = readFileSync(url);
  return name.endsWith('.json') && bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** Ids that count up: the same in every run. */
function counter(): (prefix: string) => string {
  let count = 0;
  return (prefix) => {
    count += 1;
    return `${prefix}${String(count).padStart(4, '0')}`;
  };
}

export function decodeFacts(): DecodeFacts {
  return { newId: counter() };
}

/** Whom a request may be for: the four APIs at their providers, and others that speak one of these in their own way. */
export const TARGETS = [...APIS, 'xai', 'mistral', 'deepseek', 'engine'] as const;
export type Target = (typeof TARGETS)[number];

export interface RequestTarget {
  readonly codec: Codec;
  readonly target: EncodeTarget;
}

export function requestTarget(name: Target): RequestTarget {
  if (name === 'xai')
    return { codec: codecOf('openai-responses'), target: targetFor(providerNamed('xai'), 'grok-4.3') };
  if (name === 'mistral' || name === 'deepseek')
    return { codec: codecOf('openai-chat'), target: targetFor(providerNamed(name), MODELS[name]) };
  if (name === 'engine') return { codec: codecOf('openai-chat'), target: targetFor(undefined, 'qwen3') };
  const { codec, provider, model } = factsOfApi(name);
  return { codec, target: targetFor(provider, model) };
}

const MODELS = { mistral: 'mistral-large-latest', deepseek: 'deepseek-chat' } as const;

function targetFor(provider: Provider | undefined, model: string): EncodeTarget {
  return { provider, model, maxOutputTokens: undefined };
}

export function answerFacts(request: GenerationRequest): AnswerFacts {
  return { model: 'asked-model', createdSeconds: 1_700_000_000, newId: counter(), request, isEventStream: true };
}

/** What a client of this API asked in these cases, where a case has no request of its own. */
export function decodeRequest(
  api: Api,
  body: Buffer,
  isStream: boolean,
): { request: GenerationRequest; warnings: readonly TranslationWarning[] } {
  const model = api === 'gemini' ? 'asked-model' : undefined;
  const { request, warnings } = factsOfApi(api).codec.decodeRequest(body, {
    model,
    isStream: api === 'gemini' ? isStream : undefined,
    headers: {},
  });
  return { request: { ...request, isStream }, warnings };
}

/** A client that asks for nothing but an answer. */
export const PLAIN: Readonly<Record<Api, string>> = {
  chat: '{"model":"asked-model","messages":[{"role":"user","content":"Go on."}],"stream_options":{"include_usage":true},"stream":true}',
  messages: '{"model":"asked-model","max_tokens":1024,"messages":[{"role":"user","content":"Go on."}]}',
  responses: '{"model":"asked-model","input":"Go on."}',
  gemini: '{"contents":[{"role":"user","parts":[{"text":"Go on."}]}]}',
};

/** The request of the call whose answer is encoded: the case's own where it has one. */
export function requestFor(each: TranslationCase, api: Api, isStream: boolean): GenerationRequest {
  return decodeRequest(api, fileOf(each, `request.${api}.json`) ?? Buffer.from(PLAIN[api]), isStream).request;
}

export function decodeChunks(api: Api, chunks: readonly Buffer[]): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const decoder = factsOfApi(api).codec.createDecoder(decodeFacts());
  for (const chunk of chunks) decoder.push(chunk, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

export interface Encoded {
  readonly bytes: Buffer;
  readonly warnings: readonly TranslationWarning[];
}

/** The stream that the client gets; one that broke ends with the API's error. */
export function encodeEvents(api: Api, events: readonly GenerationEvent[], request: GenerationRequest): Encoded {
  const encoder = factsOfApi(api).codec.createEncoder(answerFacts(request));
  const parts: Buffer[] = [];
  const emit = (part: Buffer) => parts.push(part);
  for (const event of events) {
    if (event.type === 'error') {
      parts.push(encoder.encodeError(event.error));
      return { bytes: Buffer.concat(parts), warnings: encoder.warnings };
    }
    encoder.push(event, emit);
  }
  encoder.end(emit);
  return { bytes: Buffer.concat(parts), warnings: encoder.warnings };
}

/** What a person would say the answer was: text, thoughts, calls, refusal, end, counts. */
export interface Gist {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly calls: readonly { readonly name: string; readonly argumentsText: string }[];
  readonly finish: readonly string[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly isComplete: boolean;
  readonly hasError: boolean;
}

export function gistOf(events: readonly GenerationEvent[]): Gist {
  const calls = new Map<string, { name: string; argumentsText: string }>();
  const gist = {
    text: '',
    reasoning: '',
    refusal: '',
    finish: [] as string[],
    inputTokens: 0,
    outputTokens: 0,
    isComplete: false,
    hasError: false,
  };
  for (const event of events) {
    if (event.type === 'text-delta') gist.text += event.text;
    else if (event.type === 'reasoning-delta') gist.reasoning += event.text;
    else if (event.type === 'refusal-delta') gist.refusal += event.text;
    else if (event.type === 'tool-call-start') calls.set(event.callId, { name: event.name, argumentsText: '' });
    else if (event.type === 'tool-call-delta') {
      const call = calls.get(event.callId);
      if (call) call.argumentsText += event.argumentsDelta;
    } else if (event.type === 'finish') gist.finish.push(event.reason);
    else if (event.type === 'usage')
      Object.assign(gist, { inputTokens: event.usage.inputTokens, outputTokens: event.usage.outputTokens });
    else if (event.type === 'end') gist.isComplete = true;
    else if (event.type === 'error') gist.hasError = true;
  }
  return {
    ...gist,
    calls: [...calls.values()].map((call) => ({ ...call, argumentsText: call.argumentsText || '{}' })),
  };
}
