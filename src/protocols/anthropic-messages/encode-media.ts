/** Images and documents for a message. Source: Anthropic API reference, Messages; vision; PDF support; files. */
import type { FilePart, ImagePart, MediaSource } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Block, Writer } from './encode-block.ts';

const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
const PDF = 'application/pdf';
const PLAIN = 'text/plain';

/** Anthropic fetches images and PDFs from `https` by itself; a text behind a URL has to be brought as text. */
export function needsBytes(source: MediaSource, type: 'image' | 'file' | 'audio', { provider }: EncodeTarget): boolean {
  if (source.kind !== 'url' || type === 'audio' || provider === undefined) return false;
  return !source.url.startsWith('https://') || (type === 'file' && !isPdfOrUnknown(source.mediaType));
}

function isPdfOrUnknown(mediaType: string | undefined): boolean {
  return mediaType === undefined || essence(mediaType) === PDF;
}

/** Without parameters, lower case. */
function essence(mediaType: string): string {
  return mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function imageBlocks(part: ImagePart, field: string, { target, warnings }: Writer): Block[] {
  const { source, detail } = part;
  const image = imageSource(source, target);
  if (image === undefined) {
    warnings.lost(field, `is an image that this API does not take (${describe(source)})`);
    return [];
  }
  if (detail !== undefined && detail !== 'auto') warnings.lost(`${field}.detail`, 'has no counterpart in this API');
  return [{ members: { type: 'image', source: image }, cache: part.cache, field }];
}

function imageSource(source: MediaSource, target: EncodeTarget): JsonOut | undefined {
  switch (source.kind) {
    case 'base64': {
      const type = essence(source.mediaType);
      const known = type === 'image/jpg' ? 'image/jpeg' : type;
      return IMAGE_TYPES.has(known) ? { type: 'base64', media_type: known, data: source.base64 } : undefined;
    }
    case 'url':
      return needsBytes(source, 'image', target) ? undefined : { type: 'url', url: source.url };
    case 'file_id':
      return source.origin === 'anthropic' ? { type: 'file', file_id: source.id } : undefined;
    case 'text':
      return undefined;
  }
}

export function fileBlocks(part: FilePart, field: string, { target, warnings }: Writer): Block[] {
  const { source, isCitable, cache } = part;
  const document = documentSource(source, target);
  if (document === undefined) {
    warnings.lost(field, `is a file that this API does not take (${describe(source)})`);
    return [];
  }
  if (source.kind !== 'url' && source.kind !== 'file_id' && ![PDF, PLAIN].includes(essence(source.mediaType)))
    warnings.changed(field, 'is sent as plain text');
  const members = {
    type: 'document',
    source: document,
    title: part.title ?? part.filename,
    context: part.context,
    citations: isCitable === undefined ? undefined : { enabled: isCitable },
  };
  return [{ members, cache, field }];
}

function documentSource(source: MediaSource, target: EncodeTarget): JsonOut | undefined {
  switch (source.kind) {
    case 'base64':
      return documentOfBytes(source.base64, essence(source.mediaType));
    case 'url':
      return needsBytes(source, 'file', target) ? undefined : { type: 'url', url: source.url };
    case 'file_id':
      return source.origin === 'anthropic' ? { type: 'file', file_id: source.id } : undefined;
    case 'text':
      return { type: 'text', media_type: PLAIN, data: source.text };
  }
}

function documentOfBytes(base64: string, type: string): JsonOut | undefined {
  if (type === PDF) return { type: 'base64', media_type: PDF, data: base64 };
  if (!isText(type)) return undefined;
  return { type: 'text', media_type: PLAIN, data: Buffer.from(base64, 'base64').toString('utf8') };
}

function isText(type: string): boolean {
  return (
    type.startsWith('text/') ||
    /^application\/(json|xml|yaml|x-yaml|javascript)$/.test(type) ||
    /\+(json|xml)$/.test(type)
  );
}

/** For warnings: never the content. */
function describe(source: MediaSource): string {
  if (source.kind === 'url') return 'a URL that it does not fetch';
  return source.kind === 'file_id' ? `a file id of ${source.origin}` : `of type ${source.mediaType.slice(0, 60)}`;
}
