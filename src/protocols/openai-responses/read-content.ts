/**
 * Content of messages and tool results, from the wire to parts of the hub.
 * Source: OpenAI API reference, create a response: `input_text`, `input_image`, `input_file`, `output_text`, `refusal`.
 */
import type {
  CacheMark,
  FilePart,
  ImagePart,
  MediaSource,
  Part,
  TextPart,
  ThoughtOrigin,
} from '../../domain/generation.ts';
import { ObjectReader } from '../hub/object-reader.ts';
import type { ContentBlock } from './own-forms.ts';
import { ANNOTATIONS, nativePart, OWN } from './own-forms.ts';

export function textPart(text: string, cache?: CacheMark): TextPart {
  return { type: 'text', text, cache, signature: undefined };
}

/** `content` of a message: a string or a list of parts. `origin` is whose uploaded files are named. */
export function readContent(message: ObjectReader, origin: ThoughtOrigin): { parts: Part[]; isPlain: boolean } {
  const node = message.value('content');
  if (node === undefined) throw message.refuse('content', 'is missing');
  if (node.string !== undefined) return { parts: [textPart(node.string)], isPlain: true };
  const parts = message.objects('content').flatMap((part) => readPart(part, origin));
  return { parts, isPlain: false };
}

/** `output` of a function call. What no tool result of the hub can hold is reported. */
export function readOutput(
  item: ObjectReader,
  origin: ThoughtOrigin,
): {
  parts: (TextPart | ImagePart | FilePart)[];
  isPlain: boolean;
} {
  const node = item.value('output');
  if (node === undefined) throw item.refuse('output', 'is missing');
  if (node.string !== undefined) return { parts: [textPart(node.string)], isPlain: true };
  const parts = item.objects('output').flatMap((reader) =>
    readPart(reader, origin).flatMap((part) => {
      if (part.type === 'text' || part.type === 'image' || part.type === 'file') return [part];
      reader.warnings.lost(reader.path, `is of a kind (${part.type}) that no result of a tool can hold`);
      return [];
    }),
  );
  return { parts, isPlain: false };
}

function readPart(part: ObjectReader, origin: ThoughtOrigin): Part[] {
  const type = part.textOf('type');
  switch (type) {
    case 'input_text':
    case 'output_text':
      return readText(part);
    case 'input_image':
      return [readImage(part, origin)];
    case 'input_file':
      return [readFile(part, origin)];
    case 'refusal': {
      const text = part.textOf('refusal');
      part.finish();
      return [{ type: 'refusal', text }];
    }
    case 'input_audio':
      return [readAudio(part)];
    default: {
      const block: ContentBlock = { type: 'native', origin: OWN, name: type, json: part.node.text, isContent: true };
      return [block];
    }
  }
}

function readText(part: ObjectReader): Part[] {
  const text = textPart(part.textOf('text'), readCache(part));
  const annotations = part.list('annotations').length > 0 ? part.raw('annotations') : undefined;
  if (part.list('logprobs').length > 0) part.warnings.lost(part.at('logprobs'), 'of past text are of use to nobody');
  part.finish();
  return annotations === undefined ? [text] : [text, nativePart(ANNOTATIONS, annotations)];
}

function readImage(part: ObjectReader, origin: ThoughtOrigin): ImagePart {
  const url = part.text('image_url');
  const id = part.text('file_id');
  if (url === undefined && id === undefined) throw part.refuse('image_url', 'or `file_id` must be given');
  const source: MediaSource = url === undefined ? { kind: 'file_id', id: id ?? '', origin } : sourceOf(url);
  const image: ImagePart = { type: 'image', source, detail: part.text('detail'), cache: readCache(part) };
  part.finish();
  return image;
}

function readFile(part: ObjectReader, origin: ThoughtOrigin): FilePart {
  const content = part.text('file_data');
  const url = part.text('file_url');
  const id = part.text('file_id');
  const filename = part.text('filename');
  const file: FilePart = {
    type: 'file',
    source: fileSource({ content, url, id, filename }, part, origin),
    filename,
    title: undefined,
    context: undefined,
    isCitable: undefined,
    cache: readCache(part),
  };
  if (part.text('detail') !== undefined)
    part.warnings.lost(part.at('detail'), 'of a file is an option of Responses only');
  part.finish();
  return file;
}

interface GivenFile {
  readonly content: string | undefined;
  readonly url: string | undefined;
  readonly id: string | undefined;
  readonly filename: string | undefined;
}

function fileSource({ content, url, id, filename }: GivenFile, part: ObjectReader, origin: ThoughtOrigin): MediaSource {
  if (content !== undefined) {
    const source = sourceOf(content);
    if (source.kind === 'base64') return source;
    return { kind: 'base64', base64: content, mediaType: mediaTypeOf(filename) };
  }
  if (url !== undefined) return sourceOf(url);
  if (id !== undefined) return { kind: 'file_id', id, origin };
  throw part.refuse('file_data', 'or `file_url` or `file_id` must be given');
}

/** Of files that come as bare base64 and say so by their name only. */
function mediaTypeOf(filename: string | undefined): string {
  const types: Readonly<Record<string, string>> = { txt: 'text/plain', md: 'text/markdown', csv: 'text/csv' };
  return types[filename?.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/pdf';
}

function readAudio(part: ObjectReader): Part {
  const audio = part.object('input_audio');
  if (audio === undefined) throw part.refuse('input_audio', 'is missing');
  const source: MediaSource = {
    kind: 'base64',
    base64: audio.textOf('data'),
    mediaType: `audio/${audio.textOf('format')}`,
  };
  audio.finish();
  part.finish();
  return { type: 'audio', source };
}

/** A data URL is bytes; every other URL stays one. */
function sourceOf(url: string): MediaSource {
  const comma = url.indexOf(',');
  const [, mediaType] = /^data:([^;,]+);base64$/i.exec(url.slice(0, Math.max(0, comma))) ?? [];
  if (mediaType === undefined) return { kind: 'url', url, mediaType: undefined };
  return { kind: 'base64', base64: url.slice(comma + 1), mediaType };
}

function readCache(part: ObjectReader): CacheMark | undefined {
  const mark = part.object('prompt_cache_breakpoint');
  if (mark === undefined) return undefined;
  mark.ignore('mode');
  const cache: CacheMark = { ttl: mark.text('ttl') };
  mark.finish();
  return cache;
}

/** Members whose values only this API understands: reported, when they hold one. */
export function loseMembers(item: ObjectReader, names: readonly string[]): void {
  for (const name of names)
    if (item.value(name) !== undefined) item.warnings.lost(item.at(name), 'is an option of Responses only');
}
