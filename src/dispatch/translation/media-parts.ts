/** The pictures and files of a request that are named by URL: which of them have to be fetched, and in with the bytes. */
import type {
  AudioPart,
  FilePart,
  GenerationRequest,
  ImagePart,
  MediaSource,
  Part,
  ToolResultPart,
} from '../../domain/generation.ts';
import type { FetchedMedia, MediaKind } from '../../domain/ports.ts';

export type MediaPart = ImagePart | FilePart | AudioPart;

export interface NamedMedia {
  /** Its part in the words of the hub, for messages. */
  readonly field: string;
  readonly url: string;
  readonly kind: MediaKind;
}

/** By what `mediaKey` makes of kind and URL. */
export type MediaBytes = ReadonlyMap<string, FetchedMedia>;

export function mediaKey({ kind, url }: Pick<NamedMedia, 'kind' | 'url'>): string {
  return `${kind} ${url}`;
}

/** Everything that `needsBytes` says has to be fetched; the same URL may be among it twice. */
export function namedMedia(
  { turns }: GenerationRequest,
  needsBytes: (source: MediaSource, kind: MediaKind) => boolean,
): NamedMedia[] {
  const found: NamedMedia[] = [];
  const look = (part: Part, field: string): void => {
    if (part.type === 'tool_result') return part.parts.forEach((inner, at) => look(inner, `${field}.parts[${at}]`));
    if (!isMedia(part)) return;
    const { source, type: kind } = part;
    if (source.kind === 'url' && needsBytes(source, kind)) found.push({ field, url: source.url, kind });
  };
  turns.forEach(({ parts }, turn) => parts.forEach((part, at) => look(part, `turns[${turn}].parts[${at}]`)));
  return found;
}

/** The request with the bytes in place of the URLs that `bytes` has; the same request when it has none. */
export function withBytes(request: GenerationRequest, bytes: MediaBytes): GenerationRequest {
  if (bytes.size === 0) return request;
  const turns = request.turns.map((turn) => ({ ...turn, parts: turn.parts.map((part) => filled(part, bytes)) }));
  return { ...request, turns };
}

function filled(part: Part, bytes: MediaBytes): Part {
  if (part.type === 'tool_result') return filledResult(part, bytes);
  return isMedia(part) ? filledMedia(part, bytes) : part;
}

function filledResult(part: ToolResultPart, bytes: MediaBytes): ToolResultPart {
  return { ...part, parts: part.parts.map((inner) => (inner.type === 'text' ? inner : filledMedia(inner, bytes))) };
}

function filledMedia<T extends MediaPart>(part: T, bytes: MediaBytes): T {
  if (part.source.kind !== 'url') return part;
  const media = bytes.get(mediaKey({ kind: part.type, url: part.source.url }));
  return media ? { ...part, source: { kind: 'base64', ...media } } : part;
}

function isMedia(part: Part): part is MediaPart {
  return part.type === 'image' || part.type === 'file' || part.type === 'audio';
}
