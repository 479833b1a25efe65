/** Reads the content of chat messages: one text, or a list of parts. */
import type {
  AudioPart,
  CacheMark,
  FilePart,
  ImagePart,
  MediaSource,
  NativePart,
  Part,
  ReasoningPart,
  RefusalPart,
  TextPart,
} from '../../domain/generation.ts';
import { ObjectReader } from '../hub/object-reader.ts';
import { ORIGIN } from './field-names.ts';

export interface Content {
  readonly parts: readonly Part[];
  /** It was one text, or there was none. */
  readonly isPlain: boolean;
}

/** The content of a message: a text, a list of parts, or nothing. Throws for any other type. */
export function readContent(message: ObjectReader): Content {
  const node = message.value('content');
  if (node === undefined) return { parts: [], isPlain: true };
  if (node.kind === 'string') return { parts: [textPart(node.string ?? '', undefined)], isPlain: true };
  if (node.kind !== 'array') throw message.refuse('content', 'must be a text or a list of parts');
  const parts = node.items.map((item, index) => {
    const path = `${message.at('content')}[${index}]`;
    // Some clients put bare texts into the list.
    if (item.kind === 'string') return textPart(item.string ?? '', undefined);
    return readPart(new ObjectReader(item, path, message.warnings));
  });
  return { parts, isPlain: false };
}

export function textPart(text: string, cache: CacheMark | undefined): TextPart {
  return { type: 'text', text, cache, signature: undefined };
}

/** A part that chat alone knows, kept as it is. */
function nativePart(part: ObjectReader, name: string): NativePart {
  return { type: 'native', origin: ORIGIN, name, json: part.node.text };
}

/** `cache_control` as several compatible servers take it, or OpenAI's own breakpoint. */
export function readCache(part: ObjectReader): CacheMark | undefined {
  const mark = part.object('cache_control') ?? part.object('prompt_cache_breakpoint');
  if (!mark) return undefined;
  mark.ignore('type', 'mode');
  const ttl = mark.text('ttl');
  mark.finish();
  return { ttl };
}

function readPart(part: ObjectReader): Part {
  const type = part.textOf('type');
  const read = READERS.get(type);
  const result = read?.(part) ?? nativePart(part, type);
  if (result.type !== 'native') part.finish();
  return result;
}

const READERS: ReadonlyMap<string, (part: ObjectReader) => Part | undefined> = new Map<
  string,
  (part: ObjectReader) => Part | undefined
>([
  ['text', (part) => textPart(part.textOf('text'), readCache(part))],
  ['image_url', readImage],
  ['input_audio', readAudio],
  ['audio_url', readAudioUrl],
  ['video_url', readVideo],
  ['file', readFile],
  ['refusal', (part): RefusalPart => ({ type: 'refusal', text: part.textOf('refusal') })],
  ['thinking', readThinking],
  ['reasoning', readThinking],
]);

const DATA_URL = /^data:([^,;]+(?:;[^,;]+)*);base64,/i;

/** `data:` URLs hold the bytes themselves. */
export function sourceOfUrl(url: string): MediaSource {
  const match = DATA_URL.exec(url);
  if (!match) return { kind: 'url', url, mediaType: undefined };
  return { kind: 'base64', base64: url.slice(match[0].length), mediaType: match[1] ?? '' };
}

function readImage(part: ObjectReader): ImagePart {
  const cache = readCache(part);
  const node = part.value('image_url');
  if (node?.kind === 'string')
    return { type: 'image', source: sourceOfUrl(node.string ?? ''), detail: undefined, cache };
  const image = part.object('image_url');
  if (!image) throw part.refuse('image_url', 'is missing');
  const result: ImagePart = {
    type: 'image',
    source: sourceOfUrl(image.textOf('url')),
    detail: image.text('detail'),
    cache,
  };
  image.finish();
  return result;
}

const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg' };

function readAudio(part: ObjectReader): AudioPart {
  const audio = part.object('input_audio');
  if (!audio) throw part.refuse('input_audio', 'is missing');
  const format = audio.textOf('format');
  const base64 = audio.textOf('data');
  audio.finish();
  return { type: 'audio', source: { kind: 'base64', base64, mediaType: AUDIO_TYPES[format] ?? `audio/${format}` } };
}

/** As vLLM has it. */
function readAudioUrl(part: ObjectReader): AudioPart {
  return { type: 'audio', source: sourceOfUrl(urlOf(part, 'audio_url')) };
}

/** As vLLM, SGLang and OpenRouter have it. Without its bytes nobody knows its type, so that it stays as it is. */
function readVideo(part: ObjectReader): FilePart | undefined {
  const source = sourceOfUrl(urlOf(part, 'video_url'));
  return source.kind === 'base64' ? filePart(source, { filename: undefined, cache: undefined }) : undefined;
}

function urlOf(part: ObjectReader, name: string): string {
  const holder = part.object(name);
  if (!holder) throw part.refuse(name, 'is missing');
  const url = holder.textOf('url');
  holder.finish();
  return url;
}

function readFile(part: ObjectReader): FilePart {
  const cache = readCache(part);
  const file = part.object('file');
  if (!file) throw part.refuse('file', 'is missing');
  const filename = file.text('filename');
  const id = file.text('file_id');
  // OpenRouter takes a URL in either place.
  const given = file.text('file_data') ?? file.text('file_url');
  file.finish();
  if (given !== undefined) return filePart(sourceOfFile(given, filename), { filename, cache });
  if (id === undefined) throw part.refuse('file', 'needs `file_data` or `file_id`');
  return filePart({ kind: 'file_id', id, origin: 'openai' }, { filename, cache });
}

/** A `data:` URL, any other URL, or base64 without either. */
function sourceOfFile(given: string, filename: string | undefined): MediaSource {
  if (/^[a-z]+:/i.test(given)) return sourceOfUrl(given);
  const mediaType = filename?.toLowerCase().endsWith('.txt') ? 'text/plain' : 'application/pdf';
  return { kind: 'base64', base64: given, mediaType };
}

function filePart(source: MediaSource, { filename, cache }: Pick<FilePart, 'filename' | 'cache'>): FilePart {
  return { type: 'file', source, filename, title: undefined, context: undefined, isCitable: undefined, cache };
}

/** Thoughts as a part of an assistant's content: Mistral has a list of texts in it, SGLang one text. */
function readThinking(part: ObjectReader): ReasoningPart {
  const node = part.value('thinking');
  const text =
    node?.kind === 'array' ? node.items.map((item) => item.get('text')?.string ?? '').join('') : node?.string;
  part.ignore('closed');
  return {
    type: 'reasoning',
    text: text ?? part.text('text') ?? '',
    signature: undefined,
    isRedacted: false,
    itemId: undefined,
  };
}
