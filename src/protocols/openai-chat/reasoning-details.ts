/**
 * `reasoning_details`, the list in which OpenRouter and its clients keep thoughts with what proves them: both ways.
 *
 *   reasoning.text       text with a signature (Anthropic, Gemini) or without one
 *   reasoning.summary    what OpenAI or xAI tell of a thought; the encrypted thought follows under the same id
 *   reasoning.encrypted  a thought that came encrypted whole, or the signature of the tool call whose id it has
 *
 * `format` says whose the proof is. Source: OpenRouter documentation, "Reasoning Tokens", and its SDK's formats.
 */
import type { ReasoningPart, Signature, ThoughtOrigin } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';

const FORMATS: Readonly<Record<ThoughtOrigin, string>> = {
  anthropic: 'anthropic-claude-v1',
  gemini: 'google-gemini-v1',
  openai: 'openai-responses-v1',
  xai: 'xai-responses-v1',
};

const ORIGINS: ReadonlyMap<string, ThoughtOrigin> = new Map([
  ['anthropic-claude-v1', 'anthropic'],
  ['google-gemini-v1', 'gemini'],
  ['openai-responses-v1', 'openai'],
  ['azure-openai-responses-v1', 'openai'],
  ['xai-responses-v1', 'xai'],
]);

/** Thoughts of these come as a summary, and encrypted beside it. */
function hasSummary(origin: ThoughtOrigin): boolean {
  return origin === 'openai' || origin === 'xai';
}

/** One entry of the list. */
export interface ReasoningDetail {
  /** Undefined for what is encrypted; empty when only the signature came. */
  readonly text: string | undefined;
  readonly signature: string | undefined;
  readonly data: string | undefined;
  readonly id: string | undefined;
  readonly format: string | undefined;
  readonly index: number | undefined;
}

function textMember(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Of a parsed entry; what is not of its type counts as absent. */
export function detailOf(value: unknown): ReasoningDetail {
  const members = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const index = members['index'];
  const isText = members['type'] === 'reasoning.text' || members['type'] === 'reasoning.summary';
  return {
    text: textMember(members['text']) ?? textMember(members['summary']) ?? (isText ? '' : undefined),
    signature: textMember(members['signature']) || undefined,
    data: textMember(members['data']) || undefined,
    id: textMember(members['id']) || undefined,
    format: textMember(members['format']),
    index: typeof index === 'number' ? index : undefined,
  };
}

/** Whose a proof is; entries without a format are older ones of Anthropic's. Undefined: nobody's that we know. */
function originOf({ format }: ReasoningDetail): ThoughtOrigin | undefined {
  return format === undefined ? 'anthropic' : ORIGINS.get(format);
}

/** The proof in an entry. */
export function proofOf(detail: ReasoningDetail): Signature | undefined {
  const value = detail.signature ?? detail.data;
  const origin = originOf(detail);
  return value === undefined || origin === undefined ? undefined : { origin, value };
}

export interface Thoughts {
  readonly parts: readonly ReasoningPart[];
  /** By the id of the tool call that they sign. */
  readonly callSignatures: ReadonlyMap<string, Signature>;
  /** Indices of entries of which nothing can be kept. */
  readonly lost: readonly number[];
}

/** The thoughts of a whole list, in order. */
export function readThoughts(details: readonly ReasoningDetail[], callIds: ReadonlySet<string>): Thoughts {
  const parts: ReasoningPart[] = [];
  const callSignatures = new Map<string, Signature>();
  const lost: number[] = [];
  details.forEach((detail, index) => {
    const signature = proofOf(detail);
    if (detail.text !== undefined) {
      parts.push({ type: 'reasoning', text: detail.text, signature, isRedacted: false, itemId: detail.id });
      if (signature === undefined && detail.signature !== undefined) lost.push(index);
    } else if (signature === undefined) lost.push(index);
    else if (detail.id !== undefined && callIds.has(detail.id)) callSignatures.set(detail.id, signature);
    else addEncrypted(parts, signature, detail.id);
  });
  return { parts, callSignatures, lost };
}

/** Joins an encrypted thought to the summary before it, or lets it stand by itself. */
function addEncrypted(parts: ReasoningPart[], signature: Signature, itemId: string | undefined): void {
  const last = parts.at(-1);
  if (hasSummary(signature.origin) && last && last.signature === undefined && last.itemId === itemId)
    parts[parts.length - 1] = { ...last, signature };
  else
    parts.push({
      type: 'reasoning',
      text: '',
      signature,
      isRedacted: signature.origin === 'anthropic',
      itemId,
    });
}

/** The entries of one thought, `index` counts the entries of the message. */
export function writeThought(part: Omit<ReasoningPart, 'type'>, index: number): JsonOut[] {
  const { text, signature, isRedacted, itemId: id } = part;
  if (!signature) return [{ type: 'reasoning.text', text, id, format: 'unknown', index }];
  const { origin, value } = signature;
  const format = FORMATS[origin];
  const encrypted = { type: 'reasoning.encrypted', data: value, id, format };
  if (isRedacted || (text === '' && origin !== 'anthropic')) return [{ ...encrypted, index }];
  if (!hasSummary(origin)) return [{ type: 'reasoning.text', text, signature: value, id, format, index }];
  return [
    { type: 'reasoning.summary', summary: text, id, format, index },
    { ...encrypted, index: index + 1 },
  ];
}

/** The entry that holds the signature of a tool call. */
export function writeCallSignature(callId: string, { origin, value }: Signature, index: number): JsonOut {
  return { type: 'reasoning.encrypted', data: value, id: callId, format: FORMATS[origin], index };
}
