/**
 * Pictures, sound and files as parts of a `Content`, and which of them have to be fetched first.
 * Source: Gemini API documentation, file input methods: inline data, uploaded files and public HTTPS URLs with the types
 * that are fetched from them; models before 2.5 fetch none.
 */
import type { AudioPart, FilePart, ImagePart, MediaSource } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { familyOf } from './model-family.ts';
import { uploadedFile } from './uploaded-file.ts';

type MediaPart = ImagePart | FilePart | AudioPart;

const FETCHED: ReadonlySet<string> = new Set([
  ...['text/html', 'text/css', 'text/plain', 'text/xml', 'text/csv', 'text/rtf', 'text/javascript', 'application/json'],
  ...['application/pdf', 'image/bmp', 'image/jpeg', 'image/png', 'image/webp'],
]);

const TYPES_BY_ENDING: Readonly<Record<string, string>> = {
  bmp: 'image/bmp',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  webp: 'image/webp',
};

/** True for a URL that the model does not fetch by itself. */
export function needsBytes(source: MediaSource, _type: 'image' | 'file' | 'audio', target: EncodeTarget): boolean {
  if (source.kind !== 'url' || isGoogles(source.url)) return false;
  if (dataUrlOf(source.url)) return false;
  const mediaType = typeOf(source.url, source.mediaType);
  const isFetched = source.url.startsWith('https://') && mediaType !== undefined && FETCHED.has(mediaType);
  return !(isFetched && familyOf(target.model).fetchesUrls);
}

/** Cloud storage and videos, which Gemini reads where they are. */
function isGoogles(url: string): boolean {
  return /^(gs:\/\/|https:\/\/(www\.|m\.)?youtube\.com\/|https:\/\/youtu\.be\/)/.test(url);
}

function typeOf(url: string, mediaType: string | undefined): string | undefined {
  if (mediaType !== undefined) return mediaType;
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  return TYPES_BY_ENDING[path.slice(path.lastIndexOf('.') + 1).toLowerCase()];
}

interface InlineData {
  readonly mimeType: string;
  readonly data: string;
}

/** Undefined when the part is no data but a reference. */
export function inlineDataOf(source: MediaSource): InlineData | undefined {
  if (source.kind === 'base64') return { mimeType: source.mediaType, data: source.base64 };
  if (source.kind === 'text') return { mimeType: source.mediaType, data: Buffer.from(source.text).toString('base64') };
  return source.kind === 'url' ? dataUrlOf(source.url) : undefined;
}

function dataUrlOf(url: string): InlineData | undefined {
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1;
  if (comma < 0) return undefined;
  const [mimeType = '', ...options] = url.slice('data:'.length, comma).split(';');
  const data = url.slice(comma + 1);
  const isBase64 = options.includes('base64');
  return { mimeType: mimeType || 'text/plain', data: isBase64 ? data : Buffer.from(decoded(data)).toString('base64') };
}

/** What is not well encoded is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Undefined, with a warning, for what Gemini cannot be given. */
export function encodeMedia(
  part: MediaPart,
  path: string,
  { target, warnings }: { readonly target: EncodeTarget; readonly warnings: Warnings },
): JsonOut | undefined {
  const { source, type } = part;
  warnMarks(part, path, warnings);
  const inlineData = inlineDataOf(source);
  if (inlineData) return { inlineData: { ...inlineData } };
  if (source.kind === 'file_id') {
    if (source.origin === 'gemini') return { fileData: { ...uploadedFile(source.id) } };
    warnings.lost(path, 'is a file that only another provider has');
    return undefined;
  }
  if (source.kind !== 'url') return undefined;
  if (!needsBytes(source, type, target))
    return { fileData: { mimeType: typeOf(source.url, source.mediaType), fileUri: source.url } };
  warnings.lost(path, 'could not be fetched, and this model does not fetch it by itself');
  return undefined;
}

function warnMarks(part: MediaPart, path: string, warnings: Warnings): void {
  if (part.type === 'audio') return;
  const lost: readonly (readonly [string, unknown])[] =
    part.type === 'image'
      ? [['detail', part.detail === 'auto' ? undefined : part.detail]]
      : [
          ['filename', part.filename],
          ['title', part.title],
          ['context', part.context],
          ['citations', part.isCitable || undefined],
        ];
  if (part.cache) warnings.changed(`${path}.cache`, 'is not sent: prompts are cached by themselves here');
  for (const [name, value] of lost)
    if (value !== undefined) warnings.lost(`${path}.${name}`, 'has no place in this API');
}
