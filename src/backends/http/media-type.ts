/** What bytes are, by their first ones: what a server or a URL says of them is not believed. Pure. */
import type { MediaKind } from '../../domain/ports.ts';

/** Bytes at the start that must be these; `at` skips the size that comes before them in RIFF and ISO files. */
interface Mark {
  readonly type: string;
  readonly at: number;
  readonly text: string;
  /** What stands before `at`. */
  readonly start?: string;
}

/** Longer marks before those that they begin with. */
const MARKS: readonly Mark[] = [
  { type: 'image/png', at: 0, text: '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', at: 0, text: '\xff\xd8\xff' },
  { type: 'image/gif', at: 0, text: 'GIF87a' },
  { type: 'image/gif', at: 0, text: 'GIF89a' },
  { type: 'image/webp', at: 8, text: 'WEBP', start: 'RIFF' },
  { type: 'image/avif', at: 4, text: 'ftypavif' },
  { type: 'image/heic', at: 4, text: 'ftypheic' },
  { type: 'image/heic', at: 4, text: 'ftypheix' },
  { type: 'image/heif', at: 4, text: 'ftypmif1' },
  { type: 'image/bmp', at: 0, text: 'BM' },
  { type: 'application/pdf', at: 0, text: '%PDF-' },
  { type: 'audio/wav', at: 8, text: 'WAVE', start: 'RIFF' },
  { type: 'audio/mpeg', at: 0, text: 'ID3' },
  { type: 'audio/mpeg', at: 0, text: '\xff\xfb' },
  { type: 'audio/mpeg', at: 0, text: '\xff\xf3' },
  { type: 'audio/mpeg', at: 0, text: '\xff\xf2' },
  { type: 'audio/aac', at: 0, text: '\xff\xf1' },
  { type: 'audio/aac', at: 0, text: '\xff\xf9' },
  { type: 'audio/ogg', at: 0, text: 'OggS' },
  { type: 'audio/flac', at: 0, text: 'fLaC' },
  { type: 'audio/mp4', at: 4, text: 'ftypM4A' },
  { type: 'video/mp4', at: 4, text: 'ftyp' },
  { type: 'video/webm', at: 0, text: '\x1aE\xdf\xa3' },
];

function hasText(bytes: Buffer, at: number, text: string): boolean {
  return bytes.toString('latin1', at, at + text.length) === text;
}

/** Undefined: neither a known kind of file nor text. `declared` only says which text it is. */
export function mediaTypeOf(bytes: Buffer, declared: string | undefined): string | undefined {
  const mark = MARKS.find(({ at, text, start }) => hasText(bytes, at, text) && (!start || hasText(bytes, 0, start)));
  if (mark) return mark.type;
  if (bytes.length === 0 || bytes.includes(0) || !isUtf8(bytes)) return undefined;
  const type = declared?.split(';')[0]?.trim().toLowerCase() ?? '';
  return type.startsWith('text/') || type === 'application/json' ? type : 'text/plain';
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    // That it is none is the answer.
    return false;
  }
}

/** Is it what the part says that it is? A file may be nearly anything, but not what a browser would run. */
export function isOfKind(type: string, kind: MediaKind): boolean {
  switch (kind) {
    case 'image':
      return type.startsWith('image/');
    case 'audio':
      return type.startsWith('audio/') || type === 'video/webm' || type === 'video/mp4';
    case 'file':
      return type !== 'text/html';
  }
}
