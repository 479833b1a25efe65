/**
 * Parts of turns as parts of a `Content`.
 * Source: Gemini API reference, caching, `Part`; Gemini API documentation, function calling (multimodal results, ids).
 */
import { GatewayError } from '../../domain/errors.ts';
import type {
  CacheMark,
  Part,
  ReasoningPart,
  Signature,
  TextPart,
  ThoughtOrigin,
  ToolCallPart,
  ToolResultPart,
} from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { isObjectText, raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { isUnnamed } from './call-ids.ts';
import { encodeMedia, inlineDataOf } from './encode-media.ts';
import { checkToolName } from './encode-tools.ts';
import type { ModelFamily } from './model-family.ts';

/** What is needed to write any part of a request. */
export interface PartWriting {
  readonly target: EncodeTarget;
  readonly family: ModelFamily;
  readonly warnings: Warnings;
  /** Names of functions by the ids of their calls. */
  readonly names: ReadonlyMap<string, string>;
  /** Whose signatures the model takes. */
  readonly thoughts: ThoughtOrigin;
}

/** A part as it will be written, with what its neighbours need to know of it. */
export interface WirePart {
  readonly kind: 'call' | 'result' | 'other';
  readonly json: JsonOut;
  /** Of a call: its members, its place for warnings, whether it is signed. */
  readonly members?: Readonly<Record<string, JsonOut | undefined>>;
  readonly path?: string;
  readonly isSigned?: boolean;
  /** Came out of a result. */
  readonly isHoisted?: boolean;
}

/** Where a part stands, and between which. */
export interface PartPlace {
  readonly path: string;
  readonly before: Part | undefined;
  readonly next: Part | undefined;
}

/** Empty, with a warning, for what a user cannot say to Gemini. */
export function encodeUserPart(part: Part, { path }: PartPlace, writing: PartWriting): WirePart[] {
  switch (part.type) {
    case 'text':
      return encodeText(part, path, writing);
    case 'tool_result':
      return encodeResult(part, path, writing);
    case 'image':
    case 'file':
    case 'audio': {
      const json = encodeMedia(part, path, writing);
      return json === undefined ? [] : [{ kind: 'other', json }];
    }
    case 'native':
      return encodeNative(part, path, writing);
    default:
      writing.warnings.lost(path, 'is nothing that a user can say');
      return [];
  }
}

/** Throws `invalid_request` for a name of a function that Gemini refuses. */
export function encodeAssistantPart(part: Part, place: PartPlace, writing: PartWriting): WirePart[] {
  const { path } = place;
  switch (part.type) {
    case 'reasoning':
      return encodeThought(part, place, writing);
    case 'tool_call':
      return [encodeCall(part, place, writing)];
    case 'refusal':
      writing.warnings.changed(path, 'is a refusal, which is sent as text');
      return [{ kind: 'other', json: { text: part.text } }];
    default:
      return encodeUserPart(part, place, writing);
  }
}

function encodeNative(part: Part & { readonly type: 'native' }, path: string, { warnings }: PartWriting): WirePart[] {
  if (part.origin === 'gemini') return [{ kind: 'other', json: raw(part.json) }];
  warnings.lost(path, `is a ${part.name} of another API`);
  return [];
}

/** Text without a word is refused; it says nothing. */
export function encodeText(part: TextPart, path: string, writing: PartWriting): WirePart[] {
  warnCache(part.cache, path, writing.warnings);
  const thoughtSignature = ownSignature(part.signature, path, writing);
  if (part.text === '' && thoughtSignature === undefined) return [];
  return [{ kind: 'other', json: { text: part.text, thoughtSignature } }];
}

function warnCache(cache: CacheMark | undefined, path: string, warnings: Warnings): void {
  if (cache) warnings.changed(`${path}.cache`, 'is not sent: prompts are cached by themselves here');
}

/** Undefined for one of another provider, which Gemini could not read. */
function ownSignature(
  signature: Signature | undefined,
  path: string,
  { warnings, thoughts }: PartWriting,
): string | undefined {
  if (!signature) return undefined;
  if (signature.origin === thoughts) return signature.value;
  warnings.lost(`${path}.signature`, `is of ${signature.origin}`);
  return undefined;
}

/** A thought goes back to Gemini when Gemini signed it: what it shows without a signature it does not read again. */
function encodeThought(part: ReasoningPart, place: PartPlace, writing: PartWriting): WirePart[] {
  const { warnings } = writing;
  if (part.signature?.origin !== writing.thoughts) {
    warnings.lost(
      place.path,
      part.signature ? `is a thought of ${part.signature.origin}` : 'is a thought without a signature',
    );
    return [];
  }
  if (movesToNext(part, place.next, writing)) {
    if (part.text !== '') warnings.changed(place.path, 'gives its signature to the call after it');
    return [];
  }
  return [{ kind: 'other', json: { text: part.text, thought: true, thoughtSignature: part.signature.value } }];
}

/**
 * APIs that have no place for a signature at a call have it at an empty thought before the call; models that sign their
 * calls want it there in any case.
 */
function movesToNext(part: Part | undefined, next: Part | undefined, { family, thoughts }: PartWriting): boolean {
  if (part?.type !== 'reasoning' || part.signature?.origin !== thoughts) return false;
  if (!family.isSigned && part.text !== '') return false;
  return next?.type === 'tool_call' && next.signature === undefined;
}

function encodeCall(part: ToolCallPart, { path, before }: PartPlace, writing: PartWriting): WirePart {
  const { warnings } = writing;
  checkToolName(part.name, `${path}.name`);
  warnCache(part.cache, path, warnings);
  const moved = movesToNext(before, part, writing) && before?.type === 'reasoning' ? before.signature : undefined;
  const thoughtSignature = ownSignature(part.signature ?? moved, path, writing);
  const functionCall = { id: idOf(part.callId, writing), name: part.name, args: argumentsOf(part, path, warnings) };
  const members = { functionCall, thoughtSignature };
  return { kind: 'call', json: members, members, path, isSigned: thoughtSignature !== undefined };
}

/** Only newer models know ids, and only those that were given. */
function idOf(callId: string, { family }: PartWriting): string | undefined {
  return family.isSigned && !isUnnamed(callId) ? callId : undefined;
}

function argumentsOf({ argumentsText }: ToolCallPart, path: string, warnings: Warnings): JsonOut {
  if (isObjectText(argumentsText)) return raw(argumentsText.trim());
  if (argumentsText.trim() === '') return {};
  warnings.changed(`${path}.arguments`, 'are no JSON object: they are sent as the text of one member');
  return { arguments: argumentsText };
}

function encodeResult(part: ToolResultPart, path: string, writing: PartWriting): WirePart[] {
  const { warnings, family } = writing;
  warnCache(part.cache, path, warnings);
  const name = writing.names.get(part.callId) ?? part.name;
  if (name === undefined) {
    const param = `${path}.callId`;
    const text = `\`${param}\` names no call of the conversation, and Gemini needs the name of the function.`;
    throw new GatewayError('invalid_request', text, { param });
  }
  checkToolName(name, `${path}.name`);
  const media = mediaOf(part, path, writing);
  const parts = family.takesMediaInResults ? media.within : [];
  const json = {
    functionResponse: {
      id: idOf(part.callId, writing),
      name,
      response: responseOf(part, path, warnings),
      parts: parts.length > 0 ? parts : undefined,
    },
  };
  return [
    { kind: 'result', json },
    ...media.after.map((each): WirePart => ({ kind: 'other', json: each, isHoisted: true })),
  ];
}

/** Media that may stand in the result, and media that have to follow it. */
function mediaOf(part: ToolResultPart, path: string, writing: PartWriting): { within: JsonOut[]; after: JsonOut[] } {
  const within: JsonOut[] = [];
  const after: JsonOut[] = [];
  for (const [index, each] of part.parts.entries()) {
    if (each.type === 'text') continue;
    const at = `${path}.parts[${index}]`;
    const json = encodeMedia(each, at, writing);
    if (json === undefined) continue;
    if (writing.family.takesMediaInResults && inlineDataOf(each.source)) within.push(json);
    else {
      writing.warnings.changed(at, 'follows the result: this model takes no such media within it');
      after.push(json);
    }
  }
  return { within, after };
}

/** `{"result": text}`, or the object that the text is, or `{"error": text}`. */
function responseOf(part: ToolResultPart, path: string, warnings: Warnings): JsonOut {
  if (part.responseText !== undefined) return raw(part.responseText);
  const texts = part.parts.flatMap((each) => (each.type === 'text' ? [each] : []));
  for (const [index, { cache }] of texts.entries()) warnCache(cache, `${path}.parts[${index}]`, warnings);
  if (texts.length > 1) warnings.changed(`${path}.parts`, 'are several texts: they are sent as one');
  const text = texts.map((each) => each.text).join('\n');
  const isObject = isObjectText(text);
  if (part.isError) return { error: isObject ? raw(text.trim()) : text };
  return isObject ? raw(text.trim()) : { result: text };
}
