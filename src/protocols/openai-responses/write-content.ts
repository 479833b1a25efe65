/**
 * Parts of messages and tool results to the wire.
 * Source: OpenAI API reference, create a response: content of messages and `output` of function calls; file inputs
 * guide (a name is needed beside bytes); prompt caching guide for breakpoints.
 */
import type { CacheMark, FilePart, ImagePart, MediaSource, Part, TextPart } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { ModelTraits } from './model-traits.ts';

export interface ContentRules {
  readonly target: EncodeTarget;
  readonly traits: ModelTraits;
  readonly warnings: Warnings;
}

/** One part on the wire; members can still be added at its end. */
export type ContentOut = Record<string, JsonOut | undefined>;

interface Place {
  readonly path: string;
  /** The assistant's messages hold `output_text` and refusals only. */
  readonly isAssistant: boolean;
  readonly rules: ContentRules;
}

/** Undefined for what has no place there; that is reported. */
export function writeContentPart(part: Part, place: Place): ContentOut | undefined {
  switch (part.type) {
    case 'text':
      return writeText(part, place);
    case 'refusal':
      return place.isAssistant ? { type: 'refusal', refusal: part.text } : { type: 'input_text', text: part.text };
    case 'image':
      return place.isAssistant ? lose(place, 'is an image of the assistant') : writeImage(part, place);
    case 'file':
      return place.isAssistant ? lose(place, 'is a file of the assistant') : writeFile(part, place);
    default:
      return lose(place, `is of a kind (${part.type}) that the API does not take`);
  }
}

function lose({ path, rules }: Place, reason: string): undefined {
  rules.warnings.lost(path, reason);
}

function writeText({ text, cache, signature }: TextPart, place: Place): ContentOut {
  if (signature) place.rules.warnings.lost(`${place.path}.signature`, 'belongs to another provider');
  if (!place.isAssistant) return { type: 'input_text', text, ...writeCache(cache, place) };
  if (cache) place.rules.warnings.changed(`${place.path}.cache`, 'is not sent: prompts are cached by themselves here');
  return { type: 'output_text', text };
}

function writeImage({ source, detail, cache }: ImagePart, place: Place): ContentOut | undefined {
  const out = sourceOut(source, place, { url: 'image_url', bytes: 'image_url' });
  return out && { type: 'input_image', ...out, detail, ...writeCache(cache, place) };
}

function writeFile(part: FilePart, place: Place): ContentOut | undefined {
  const { source, title, context, isCitable } = part;
  if (source.kind === 'text') return writeTextFile(part, place, source.text);
  const out = sourceOut(source, place, { url: 'file_url', bytes: 'file_data' });
  if (out === undefined) return undefined;
  loseFacts({ title: part.filename === undefined ? undefined : title, context, isCitable }, place);
  return { type: 'input_file', ...out, filename: nameOf(part, place), ...writeCache(part.cache, place) };
}

/** A document of plain text is text to every model. */
function writeTextFile({ title, context, isCitable, cache }: FilePart, place: Place, text: string): ContentOut {
  place.rules.warnings.changed(place.path, 'is a document of plain text, which is sent as text');
  loseFacts({ title, context, isCitable }, place);
  return { type: 'input_text', text, ...writeCache(cache, place) };
}

function loseFacts(facts: Pick<FilePart, 'title' | 'context' | 'isCitable'>, { path, rules }: Place): void {
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined && value !== false) rules.warnings.lost(`${path}.${name}`, 'has no place in Responses');
}

/** Bytes need a name whose ending says what they are. */
function nameOf({ source, filename, title }: FilePart, { path, rules }: Place): string | undefined {
  const name = filename ?? title;
  if (name !== undefined || source.kind !== 'base64') return name;
  const ending = /^[^/]+\/([a-z0-9]+)$/.exec(source.mediaType)?.[1] ?? 'bin';
  const made = `document.${ending === 'plain' ? 'txt' : ending}`;
  rules.warnings.changed(`${path}.filename`, `must be given with bytes, so it is ${made}`);
  return made;
}

function sourceOut(
  source: MediaSource,
  place: Place,
  names: { readonly url: string; readonly bytes: string },
): ContentOut | undefined {
  switch (source.kind) {
    case 'url':
      return { [names.url]: source.url };
    case 'base64':
      return { [names.bytes]: `data:${source.mediaType};base64,${source.base64}` };
    case 'file_id':
      return source.origin === place.rules.target.provider?.thoughts
        ? { file_id: source.id }
        : lose(place, 'was uploaded to another provider');
    case 'text':
      return lose(place, 'is text where an image is needed');
  }
}

/** Source: prompt caching guide: a breakpoint lasts 30 minutes or 12 hours. */
function writeCache(cache: CacheMark | undefined, { path, rules }: Place): ContentOut {
  if (cache === undefined) return {};
  if (!rules.traits.takesCacheMarks) {
    rules.warnings.changed(`${path}.cache`, 'is not sent: prompts are cached by themselves here');
    return {};
  }
  const isKnown = cache.ttl === undefined || cache.ttl === '30m' || cache.ttl === '12h';
  if (!isKnown) rules.warnings.changed(`${path}.cache`, 'lasts 30 minutes at this provider');
  return { prompt_cache_breakpoint: { mode: 'explicit', ttl: isKnown ? cache.ttl : undefined } };
}
