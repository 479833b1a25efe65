/**
 * A count of a prompt's tokens asked in one API and given by another: Anthropic's `count_tokens` and Gemini's
 * `countTokens`. The prompt goes through the hub by the codecs of their generation APIs.
 * Source: Anthropic API reference, count tokens; Gemini API reference, models.countTokens.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import type { Codec, EncodedRequest, EncodeTarget, RequestFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, raw } from '../hub/json-text.ts';
import type { UnaryTranslation } from '../hub/unary-translation.ts';
import { readJson } from '../sse.ts';

/** How one API asks for a count and gives it. */
export interface CountForm {
  readonly protocol: 'anthropic-count-tokens' | 'gemini-count-tokens';
  /** The body of a generation that the client's body stands for. */
  unwrap(body: Buffer): Buffer;
  /** The body of the question, made of the body of a generation. */
  wrap(generation: Buffer, target: EncodeTarget): Buffer;
  readonly answerField: string;
}

/** What `count_tokens` takes of a message. */
const COUNTED = new Set([
  'model',
  'system',
  'messages',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'mcp_servers',
]);

export const anthropicCountForm: CountForm = {
  protocol: 'anthropic-count-tokens',
  unwrap: (body) => body,
  wrap: (generation) => {
    const members = [...parseNode(generation.toString('utf8')).members];
    const kept = members.flatMap(([name, value]) => (COUNTED.has(name) ? [[name, raw(value.text)] as const] : []));
    return jsonBytes(Object.fromEntries(kept));
  },
  answerField: 'input_tokens',
};

/** The body is a list of contents, or a whole request of `generateContent` under one name. */
export const geminiCountForm: CountForm = {
  protocol: 'gemini-count-tokens',
  unwrap: unwrapGemini,
  wrap: (generation, { model }) => {
    const inner = membersBut('model', parseNode(generation.toString('utf8')));
    return jsonBytes({ generateContentRequest: { model: `models/${model.replace(/^models\//, '')}`, ...inner } });
  },
  answerField: 'totalTokens',
};

/** What is not JSON is left to the codec, which says so. */
function unwrapGemini(body: Buffer): Buffer {
  const text = body.toString('utf8').trim();
  const inner = readJson(text) === undefined ? undefined : parseNode(text).get('generateContentRequest');
  if (inner?.kind !== 'object') return body;
  return jsonBytes(membersBut('model', inner));
}

function membersBut(left: string, node: JsonNode): Readonly<Record<string, JsonOut>> {
  const members = [...node.members].filter(([name]) => name !== left);
  return Object.fromEntries(members.map(([name, value]) => [name, raw(value.text)]));
}

export interface CountEnd {
  readonly form: CountForm;
  /** Of the generation API of the same vendor. */
  readonly codec: Codec;
}

/** From what the client speaks to what the worker speaks. */
export function countTokensBetween(client: CountEnd, worker: CountEnd): UnaryTranslation {
  return {
    from: client.form.protocol,
    to: worker.form.protocol,
    encodeRequest: (body, target) => encodeQuestion(client, worker, { body, target }),
    encodeAnswer: (body) => {
      const count = readCount(body, worker.form);
      return { body: encodeCount(client.form, count), warnings: [] };
    },
  };
}

interface Question {
  readonly body: Buffer;
  readonly target: EncodeTarget;
}

function encodeQuestion(client: CountEnd, worker: CountEnd, { body, target }: Question): EncodedRequest {
  const facts: RequestFacts = { model: target.model, isStream: false, headers: {} };
  const decoded = client.codec.decodeRequest(client.form.unwrap(body), facts);
  const encoded = worker.codec.encodeRequest(decoded.request, target);
  const warnings = [...decoded.warnings, ...encoded.warnings].filter(isAboutThePrompt);
  return { body: worker.form.wrap(encoded.body, target), warnings };
}

/** A count has no answer whose length could be set. */
function isAboutThePrompt({ field }: TranslationWarning): boolean {
  return field !== 'max_tokens';
}

/** Throws `upstream_invalid_answer`. */
function readCount(body: Buffer, { answerField }: CountForm): number {
  const count = readJson(body.toString('utf8').trim())?.[answerField];
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new GatewayError('upstream_invalid_answer', 'The answer is not a count of tokens.');
}

/** A good answer of this API. */
export function encodeCount({ answerField }: CountForm, tokens: number): Buffer {
  return jsonBytes({ [answerField]: tokens });
}
