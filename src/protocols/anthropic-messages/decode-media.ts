/** Images and documents of a message, read into the hub. Source: Anthropic API reference, Messages; PDF support; files. */
import type { CacheMark, FilePart, ImagePart, MediaSource, TextPart } from '../../domain/generation.ts';
import { ObjectReader } from '../hub/object-reader.ts';

/** Undefined when there is none. Throws for a wrong type. */
export function readCache(block: ObjectReader): CacheMark | undefined {
  const mark = block.object('cache_control');
  if (!mark) return undefined;
  mark.ignore('type');
  const ttl = mark.text('ttl');
  mark.finish();
  return { ttl };
}

export function readImage(block: ObjectReader): ImagePart {
  const source = readSource(sourceOf(block));
  return { type: 'image', source, detail: undefined, cache: readCache(block) };
}

/** A document; one made of blocks becomes one text, with its images after it. */
export function readDocument(block: ObjectReader): (FilePart | ImagePart)[] {
  const source = sourceOf(block);
  const citations = block.object('citations');
  const part = {
    type: 'file',
    filename: undefined,
    title: block.text('title'),
    context: block.text('context'),
    isCitable: citations?.flag('enabled'),
    cache: readCache(block),
  } as const;
  citations?.finish();
  if (source.text('type') !== 'content') return [{ ...part, source: readSource(source) }];
  const { text, images } = readBlocksOfDocument(source);
  return [{ ...part, source: { kind: 'text', text, mediaType: 'text/plain' } }, ...images];
}

/** What a search found, given by the client to be cited: for others it is text. */
export function readSearchResult(block: ObjectReader): TextPart {
  const texts = block.objects('content').map((each) => each.textOf('text'));
  const head = [block.text('title'), block.text('source')].filter((text) => text !== undefined);
  block.ignore('citations');
  block.warnings.changed(block.path, 'is a search result and is translated as text');
  return { type: 'text', text: [...head, ...texts].join('\n'), cache: readCache(block), signature: undefined };
}

function sourceOf(block: ObjectReader): ObjectReader {
  const source = block.object('source');
  if (!source) throw block.refuse('source', 'is missing');
  return source;
}

function readSource(source: ObjectReader): MediaSource {
  const type = source.textOf('type');
  const read = Object.hasOwn(sourceReaders, type) ? sourceReaders[type] : undefined;
  if (!read) throw source.refuse('type', 'must be `base64`, `url`, `file`, `text` or `content`');
  const media = read(source);
  source.finish();
  return media;
}

const sourceReaders: Readonly<Record<string, (source: ObjectReader) => MediaSource>> = {
  base64: (source) => ({
    kind: 'base64',
    base64: source.textOf('data').replaceAll(/\s/g, ''),
    mediaType: source.textOf('media_type'),
  }),
  url: (source) => ({ kind: 'url', url: source.textOf('url'), mediaType: undefined }),
  file: (source) => ({ kind: 'file_id', id: source.textOf('file_id'), origin: 'anthropic' }),
  text: (source) => ({
    kind: 'text',
    text: source.textOf('data'),
    mediaType: source.text('media_type') ?? 'text/plain',
  }),
};

function readBlocksOfDocument(source: ObjectReader): { readonly text: string; readonly images: ImagePart[] } {
  const whole = source.value('content')?.string;
  if (whole !== undefined) return { text: whole, images: [] };
  const texts: string[] = [];
  const images: ImagePart[] = [];
  for (const block of source.objects('content')) {
    if (block.textOf('type') === 'image') images.push(readImage(block));
    else texts.push(block.textOf('text'));
    block.finish();
  }
  source.finish();
  source.warnings.changed(source.path, 'is a list of blocks and is translated as one text');
  return { text: texts.join('\n\n'), images };
}
