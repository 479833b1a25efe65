/** Writes the parts of a message's content, each as chat completions have it. */
import type { AudioPart, CacheMark, FilePart, ImagePart, MediaSource, Part } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Writing } from './encode-target.ts';
import { titleOf } from './encode-target.ts';
import { ORIGIN } from './field-names.ts';

/** A part and where it stands in the hub request. */
export interface Placed<P extends Part = Part> {
  readonly part: P;
  readonly field: string;
}

/** The part, or undefined when it cannot be sent, which is told. */
export function writePart(placed: Placed, writing: Writing): JsonOut | undefined {
  const { part, field } = placed;
  switch (part.type) {
    case 'text':
      if (part.signature) writing.warnings.lost(`${field}.signature`, 'can be replayed by its own API only');
      return { type: 'text', text: part.text, ...writeCache(part.cache, field, writing) };
    case 'image':
      return writeImage({ part, field }, writing);
    case 'file':
      return writeFile({ part, field }, writing);
    case 'audio':
      return writeAudio({ part, field }, writing);
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'native':
      if (part.origin === ORIGIN) return raw(part.json);
      writing.warnings.lost(field, `is a part of type ${part.name}, which only its own API has`);
      return undefined;
    case 'reasoning':
    case 'tool_call':
    case 'tool_result':
      writing.warnings.lost(field, `cannot stand in the content of a message`);
      return undefined;
  }
}

/** The member that marks a cache breakpoint, or nothing, which is told. */
export function writeCache(
  cache: CacheMark | undefined,
  field: string,
  { traits, warnings }: Writing,
): { cache_control?: JsonOut } {
  if (!cache) return {};
  if (traits.cacheMarks === 'cache_control') return { cache_control: { type: 'ephemeral', ttl: cache.ttl } };
  if (traits.cacheMarks === 'automatic')
    warnings.changed(`${field}.cache`, 'is not needed: prefixes are cached anyway');
  else warnings.lost(`${field}.cache`, 'has no place in this API');
  return {};
}

function dataUrl(mediaType: string, base64: string): string {
  return `data:${mediaType};base64,${base64}`;
}

/** The URL under which the bytes are, or undefined when the target cannot have them so. */
function urlOf(source: MediaSource): string | undefined {
  if (source.kind === 'url') return source.url;
  return source.kind === 'base64' ? dataUrl(source.mediaType, source.base64) : undefined;
}

function writeImage({ part, field }: Placed<ImagePart>, writing: Writing): JsonOut | undefined {
  const { traits, warnings } = writing;
  const url = urlOf(part.source);
  if (url === undefined || (part.source.kind === 'url' && !traits.fetchesImages)) {
    warnings.lost(field, `is an image by ${part.source.kind}, which ${titleOf(writing)} does not take`);
    return undefined;
  }
  return { type: 'image_url', image_url: { url, detail: part.detail }, ...writeCache(part.cache, field, writing) };
}

/** Names for servers that want one. */
function nameOf(part: FilePart, mediaType: string): string {
  return part.filename ?? part.title ?? `document.${mediaType === 'application/pdf' ? 'pdf' : 'txt'}`;
}

function writeFile(placed: Placed<FilePart>, writing: Writing): JsonOut | undefined {
  const { part, field } = placed;
  const { source } = part;
  const { traits, warnings, origin } = writing;
  if (part.isCitable === true) warnings.lost(`${field}.isCitable`, 'has no place in this API');
  // Source: OpenAI, file inputs: chat completions take PDFs alone, and text of other files as text.
  const text = textOf(source);
  if (text !== undefined) return writeText(placed, text, writing);
  if (part.context !== undefined) warnings.lost(`${field}.context`, 'has no place in this API');
  if (source.kind === 'base64' && source.mediaType.startsWith('video/') && traits.takesEngineFields)
    return { type: 'video_url', video_url: { url: dataUrl(source.mediaType, source.base64) } };
  if (source.kind === 'file_id' && source.origin === origin && traits.takesFiles)
    return { type: 'file', file: { file_id: source.id, filename: part.filename } };
  if (source.kind === 'base64' && traits.takesFiles) {
    const file = { filename: nameOf(part, source.mediaType), file_data: dataUrl(source.mediaType, source.base64) };
    return { type: 'file', file, ...writeCache(part.cache, field, writing) };
  }
  warnings.lost(field, `is a file by ${source.kind}, which ${titleOf(writing)} does not take`);
  return undefined;
}

/** The text of a document that is text. */
function textOf(source: MediaSource): string | undefined {
  if (source.kind === 'text') return source.text;
  if (source.kind !== 'base64' || !source.mediaType.startsWith('text/')) return undefined;
  return Buffer.from(source.base64, 'base64').toString('utf8');
}

/** A document as text, under what is known of it. */
function writeText({ part, field }: Placed<FilePart>, text: string, writing: Writing): JsonOut {
  writing.warnings.changed(field, 'is sent as text');
  const known = [part.title ?? part.filename, part.context].filter((line) => line !== undefined && line !== '');
  const heading = known.length === 0 ? '' : `${known.join('\n')}\n\n`;
  return { type: 'text', text: heading + text, ...writeCache(part.cache, field, writing) };
}

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
};

function writeAudio({ part, field }: Placed<AudioPart>, writing: Writing): JsonOut | undefined {
  const { source } = part;
  if (source.kind === 'base64') {
    const format = AUDIO_FORMATS[source.mediaType] ?? source.mediaType.replace(/^audio\//, '');
    return { type: 'input_audio', input_audio: { data: source.base64, format } };
  }
  if (source.kind === 'url' && writing.traits.takesEngineFields)
    return { type: 'audio_url', audio_url: { url: source.url } };
  writing.warnings.lost(field, `is sound by ${source.kind}, which ${titleOf(writing)} does not take`);
  return undefined;
}
