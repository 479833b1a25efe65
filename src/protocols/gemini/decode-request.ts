/**
 * A client's `generateContent` body to the hub. The model and whether a stream is wanted stand in the path, not in the
 * body. Source: Gemini API reference, generating content, request body.
 */
import type { ExtraField, GenerationRequest, Part, Turn } from '../../domain/generation.ts';
import type { DecodedRequest, RequestFacts } from '../hub/codec.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { CallBook } from './call-book.ts';
import { readGenerationConfig } from './decode-config.ts';
import { readPart } from './decode-parts.ts';
import { readToolConfig, readTools } from './decode-tools.ts';
import { spelled } from './names.ts';

/** Of the body and of Gemini only; carried to it as they are. */
const EXTRAS = ['safetySettings', 'cachedContent', 'labels', 'store', 'modelArmorConfig'];

/** Throws `invalid_json` or `invalid_request`. */
export function decodeRequest(bytes: Buffer, facts: RequestFacts): DecodedRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const calls = new CallBook();
  const { choice, extras: toolExtras } = readToolConfig(body);
  const config = readGenerationConfig(body);
  const request: GenerationRequest = {
    ...UNKNOWN_HERE,
    ...config,
    model: facts.model ?? body.text('model') ?? '',
    isStream: facts.isStream ?? false,
    turns: [...readSystem(body), ...joinChunks(body.objects('contents').map((content) => readTurn(content, calls)))],
    tools: readTools(body),
    toolChoice: choice,
    serviceTier: readTier(body),
    extras: [...readExtras(body), ...toolExtras, ...config.extras],
  };
  body.ignore('model');
  body.finish();
  return { request, warnings: warnings.list };
}

/** What other APIs can say and this one cannot. */
const UNKNOWN_HERE = {
  wantsUsage: true,
  mayCallInParallel: undefined,
  minP: undefined,
  logitBiasText: undefined,
  user: undefined,
  metadataText: undefined,
  verbosity: undefined,
  promptCacheKey: undefined,
  store: undefined,
} as const;

function readSystem(body: ObjectReader): Turn[] {
  const content = body.object(spelled(body, 'systemInstruction'));
  if (!content) return [];
  const turn = readTurn(content, new CallBook());
  return turn.parts.length > 0 ? [{ ...turn, role: 'system' }] : [];
}

function readTurn(content: ObjectReader, calls: CallBook): Turn {
  const role = roleOf(content);
  const parts = content.objects('parts').flatMap((part) => readPart(part, calls));
  content.finish();
  return { role, parts, isPlain: isPlain(parts), name: undefined };
}

/** What has no role is the user's; `function` was the role of results before they became the user's. */
function roleOf(content: ObjectReader): Turn['role'] {
  const role = content.text('role') ?? 'user';
  if (role === 'model') return 'assistant';
  if (role === 'system') return 'system';
  if (role === 'user' || role === 'function') return 'user';
  throw content.refuse('role', 'must be user or model');
}

/**
 * Clients keep an answer that came as a stream as it came, one content for each chunk: they are one turn of the model,
 * and what it thought is one thought, whose signature came last.
 */
function joinChunks(turns: readonly Turn[]): Turn[] {
  const groups: Turn[][] = [];
  for (const turn of turns) {
    const group = groups.at(-1);
    if (turn.role === 'assistant' && group?.[0]?.role === 'assistant') group.push(turn);
    else groups.push([turn]);
  }
  return groups.flatMap((group) => {
    const [first] = group;
    if (first?.role !== 'assistant') return group;
    const parts = joinThoughts(group.flatMap((turn) => turn.parts));
    return [{ ...first, parts, isPlain: isPlain(parts) }];
  });
}

function joinThoughts(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const isOne = part.type === 'reasoning' && last?.type === 'reasoning' && !last.signature;
    if (isOne) joined[joined.length - 1] = { ...part, text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}

/** One text and nothing else: other APIs write that without a list. */
function isPlain(parts: readonly Part[]): boolean {
  return parts.length === 1 && parts[0]?.type === 'text';
}

/** Google's word for the usual tier is `standard`, the others' is `default`. */
function readTier(body: ObjectReader): string | undefined {
  const tier = body.text(spelled(body, 'serviceTier'));
  return tier === 'standard' ? 'default' : tier;
}

function readExtras(body: ObjectReader): ExtraField[] {
  return EXTRAS.flatMap((name) => {
    const json = body.raw(spelled(body, name));
    return json === undefined ? [] : [{ origin: 'gemini', name, json }];
  });
}
