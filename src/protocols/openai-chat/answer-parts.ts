/** Parts of answers that streams and whole answers write alike. */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Signature } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { ORIGIN } from './field-names.ts';

export type EventOf<T extends GenerationEvent['type']> = Extract<GenerationEvent, { type: T }>;

/** Where the text before a citation stands, in characters of the choice's text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** An annotation, or undefined for one without a URL, which is told. Source: OpenAI API reference, `annotations`. */
export function writeAnnotation(event: EventOf<'citation'>, span: TextSpan, warnings: Warnings): JsonOut | undefined {
  if (event.origin === ORIGIN) return raw(event.json);
  const { url, title, quote } = event;
  if (url === undefined) {
    warnings.lost('citation', 'has no URL, and this API cites nothing else');
    return undefined;
  }
  const cited = { start_index: span.start, end_index: span.end, url, title: title ?? '', content: quote };
  return { type: 'url_citation', url_citation: cited };
}

/** The members of a call that only Gemini's calls have. */
export function writeExtraContent(signature: Signature | undefined): JsonOut | undefined {
  return signature?.origin === 'gemini' ? { google: { thought_signature: signature.value } } : undefined;
}

/** Where a block of chat's own goes: a call, a picture, the sound. Others are told as lost. */
export function placeOf(event: EventOf<'native'>, warnings: Warnings): 'tool_calls' | 'images' | 'audio' | undefined {
  if (event.origin === ORIGIN && event.name === 'custom_tool_call') return 'tool_calls';
  if (event.origin === ORIGIN && event.name === 'image') return 'images';
  if (event.origin === ORIGIN && event.name === 'audio') return 'audio';
  warnings.lost(event.name, 'is a block that only its own API has');
  return undefined;
}
