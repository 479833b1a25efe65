/**
 * A conversation as the simulated model sees it, whichever API it came in: one flat list of items.
 * Everything a provider answers follows from it, and `#recall` shows it, so that a test sees what arrived.
 */

import { createHash } from 'node:crypto';

/** An image or a document. */
export interface Media {
  /** `image/png`; `image/*` when only its kind is known. */
  readonly mediaType: string;
  readonly bytes?: Buffer;
  /** Where it is, or the provider's id of it, when there are no bytes. */
  readonly url?: string;
}

/** One thing said, called, answered or shown. */
export type Item =
  | { readonly kind: 'text'; readonly role: 'system' | 'user' | 'assistant'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly argumentsText: string }
  | ResultItem
  | { readonly kind: 'media'; readonly role: 'user' | 'assistant'; readonly media: Media };

/** What a tool gave back. */
export interface ResultItem {
  readonly kind: 'result';
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly isError: boolean;
  readonly media: readonly Media[];
}

/** Text units that an image or document counts for in usage, so that it is 100 tokens. */
const MEDIA_UNITS = 400;

/** One line per item. */
export function renderTranscript(items: readonly Item[]): string {
  return items.map(renderItem).join('\n');
}

/** An image or document in brackets: type, size in bytes and the first 8 digits of its SHA-256, or type and URL. */
export function describeMedia({ mediaType, bytes, url }: Media): string {
  if (bytes === undefined) return `[${mediaType} ${url ?? '?'}]`;
  return `[${mediaType} ${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}]`;
}

/** UTF-16 units of an item as usage counts them. */
export function unitsOf(item: Item): number {
  switch (item.kind) {
    case 'text':
    case 'thinking':
      return item.text.length;
    case 'call':
      return item.name.length + item.argumentsText.length;
    case 'result':
      return item.text.length + MEDIA_UNITS * item.media.length;
    case 'media':
      return MEDIA_UNITS;
  }
}

/** What came after the model's last word. */
export function lastTurn(items: readonly Item[]): readonly Item[] {
  const last = items.findLastIndex((item) => isOfModel(item));
  return items.slice(last + 1);
}

function isOfModel(item: Item): boolean {
  if (item.kind === 'text' || item.kind === 'media') return item.role === 'assistant';
  return item.kind !== 'result';
}

function renderItem(item: Item): string {
  switch (item.kind) {
    case 'text':
      return `${item.role}: ${item.text}`;
    case 'thinking':
      return `thinking: ${item.text}`;
    case 'call':
      return `call: ${item.name} ${item.argumentsText}`;
    case 'result':
      return `result: ${renderResult(item)}`;
    case 'media':
      return `${item.role}: ${describeMedia(item.media)}`;
  }
}

/** `name = text [image]`, errors marked. */
export function renderResult({ name, text, isError, media }: ResultItem): string {
  const said = [text, ...media.map(describeMedia)].filter((part) => part !== '').join(' ');
  return `${name} = ${isError ? 'ERROR ' : ''}${said}`;
}
