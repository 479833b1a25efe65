/**
 * What of a client's body is neither in the body for the worker nor named by a warning. Every text and every number is
 * searched for; a warning of the decoder names it by its path in the client's body, one of the encoder by its place in
 * the hub's request.
 */
import type { GenerationRequest, TranslationWarning } from '../../../src/domain/generation.ts';
import { isObjectText } from '../../../src/protocols/hub/json-text.ts';

/** Leaves that a translation uses up: what they say is in the other body in another form. */
const CONSUMED: readonly (readonly [path: RegExp, why: string])[] = [
  [/(^|[.\]])(type|role)$/, 'says what stands beside it, in the words of its API'],
  [/^model$/, 'is the name that the client knows; the worker has its own'],
  [/^(contents|messages|input|tools|system)\[.*\.(media_type|mimeType|mime_type)$/, 'goes with the bytes'],
  [/\.(tool_call_id|tool_use_id|call_id|id)$/, 'is made to fit; that call and result belong together is tested apart'],
  [/functionResponse\.name$/, 'is the name of the call'],
  [/^(reasoning_effort|reasoning\.(effort|summary)|thinking\.type)$/, 'is asked in the way of the model'],
  [/thinkingConfig\.thinkingLevel$/, 'is asked in the way of the model'],
  [/^(tool_choice(\.type)?|toolConfig\.functionCallingConfig\.mode)$/, 'is asked in the words of the API'],
  [/^(response_format|text\.format|output_config\.format)\.type$/, 'is asked in the words of the API'],
  [/^generationConfig\.responseMimeType$/, 'is asked in the words of the API'],
  [/thinkingConfig\.thinkingBudget$/, 'none and as much as the model finds right are words of the API'],
  [/^service_tier$/, 'is `auto` or `default` without being said'],
  [/\.detail$/, 'is `auto` without being said'],
  [/reasoning_details\[\d+\]\.(index|format)$/, 'says whose the proof is and where it stands'],
  [/^(response_format\.json_schema|text\.format)\.name$/, 'is a name that only OpenAI has for a schema'],
  [/(^|\.)parameters(\.properties\.\w+)?\.type$/, 'is a type of JSON schema'],
];

export interface Leaf {
  readonly path: string;
  readonly value: string | number;
}

/** Texts and numbers of a value, each with its path. */
export function leavesOf(value: unknown, path = ''): Leaf[] {
  if (typeof value === 'string' || typeof value === 'number') return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    leavesOf(each, Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`),
  );
}

export interface Translated {
  readonly client: unknown;
  readonly request: GenerationRequest;
  readonly decoded: readonly TranslationWarning[];
  readonly encoded: readonly TranslationWarning[];
  readonly body: Buffer;
  /** What was fetched for a URL, as base64. */
  readonly fetched: (url: string) => string | undefined;
}

/** Paths in the client's body. */
export function silentLosses(translated: Translated): string[] {
  const sent = new Haystack(JSON.parse(translated.body.toString()));
  return leavesOf(translated.client)
    .filter(({ path, value }) => !isConsumed(path, value) && !isSent(sent, value, translated))
    .filter((leaf) => !isTold(leaf, translated))
    .map(({ path, value }) => `${path}: ${JSON.stringify(value)}`);
}

function isConsumed(path: string, value: string | number): boolean {
  if (typeof value === 'string' && value.trim() === '') return true;
  const rule = CONSUMED.find(([pattern]) => pattern.test(path));
  if (rule?.[1].startsWith('is `auto`')) return value === 'auto' || value === 'default';
  if (path.endsWith('thinkingBudget')) return Number(value) <= 0;
  return rule !== undefined;
}

function isSent(sent: Haystack, value: string | number, { fetched }: Translated): boolean {
  if (typeof value === 'number') return sent.numbers.has(value);
  if (needlesOf(value).some((needle) => sent.text.includes(needle))) return true;
  const bytes = fetched(value);
  if (bytes !== undefined && sent.text.includes(bytes)) return true;
  if (!isObjectText(value)) return false;
  return leavesOf(JSON.parse(value)).every((leaf) => isSent(sent, leaf.value, { fetched } as Translated));
}

/** The leaf itself, its bytes without what stands before them, or the signature that it carries. */
function needlesOf(value: string): string[] {
  const needles = [value];
  const data = /^data:[^,]*,(.*)$/s.exec(value)?.[1];
  if (data !== undefined) needles.push(data);
  const carried = /smg\.\w+\.([A-Za-z0-9+/=]+)/.exec(value)?.[1];
  if (carried !== undefined) needles.push(...proofsIn(Buffer.from(carried, 'base64').toString()));
  // A document of plain text may be sent as text.
  const text = Buffer.from(value, 'base64').toString();
  if (/q\d+z/.test(text) && !text.startsWith('%PDF')) needles.push(text);
  return [...needles, ...proofsIn(value).slice(1)];
}

function proofsIn(text: string): string[] {
  const marked = text.startsWith('thought:') ? String(JSON.parse(text.slice('thought:'.length)).value) : text;
  const encrypted = /^rs_\w+:(.+)$/s.exec(marked)?.[1];
  return encrypted === undefined ? [marked] : [marked, encrypted];
}

/** All texts and numbers of a body, those within JSON that stands in a text and in base64 of plain text too. */
class Haystack {
  readonly numbers = new Set<number>();
  readonly #texts: string[] = [];

  constructor(body: unknown) {
    this.#read(body);
  }

  get text(): string {
    return this.#texts.join('\n');
  }

  #read(value: unknown): void {
    for (const { path, value: leaf } of leavesOf(value)) {
      if (typeof leaf === 'number') this.numbers.add(leaf);
      else {
        this.#texts.push(leaf);
        if (isObjectText(leaf)) this.#read(JSON.parse(leaf));
        if (path.endsWith('.data')) this.#texts.push(Buffer.from(leaf, 'base64').toString());
      }
    }
  }
}

function isTold(leaf: Leaf, { request, decoded, encoded }: Translated): boolean {
  if (decoded.some(({ field }) => isWithin(leaf.path, field))) return true;
  return placesOf(leaf.value, request).some((place) => encoded.some((warning) => covers(warning, place, request)));
}

/** Where it is in the hub's request. */
function placesOf(value: string | number, request: GenerationRequest): string[] {
  const leaves = leavesOf(request);
  if (typeof value === 'number')
    return leaves
      .filter((leaf) => leaf.value === value || (isJsonPlace(leaf) && String(leaf.value).includes(String(value))))
      .map(({ path }) => path);
  const word = /q\d+z/.exec(value)?.[0];
  const needles = word === undefined ? needlesOf(value) : [word, ...needlesOf(value)];
  return leaves.filter((leaf) => needles.some((needle) => String(leaf.value).includes(needle))).map(({ path }) => path);
}

function isJsonPlace({ path }: Leaf): boolean {
  return /(Text|json)$/.test(path);
}

function isWithin(path: string, field: string): boolean {
  return path === field || (path.startsWith(field) && /^[.[]/.test(path.slice(field.length)));
}

const NAMES: Readonly<Record<string, string>> = { n: 'choices', logprobs: 'wantsLogprobs' };

/** Does the warning speak of what stands there? That turns are in another order says nothing of what is in them. */
function covers({ field, kind }: TranslationWarning, place: string, { extras }: GenerationRequest): boolean {
  if (kind === 'changed' && /^turns(\[\d+\])?$/.test(field)) return false;
  const extra = extras[Number(/^extras\[(\d+)\]/.exec(place)?.[1] ?? -1)];
  if (extra) return isWithin(extra.name, field) || isWithin(field, extra.name);
  const stop = /^stop\[(\d+)\]$/.exec(field)?.[1];
  if (stop !== undefined) return Number(/^stop\[(\d+)\]$/.exec(place)?.[1] ?? -1) >= Number(stop);
  // A provider that refuses the field names it as it would have been written.
  const member = /^messages\[\d+\]\.(refusal|name)$/.exec(field)?.[1];
  if (member === 'refusal') return /^turns\[\d+\]\.parts\[\d+\]\.text$/.test(place);
  if (member === 'name') return /^turns\[\d+\]\.name$/.test(place);
  const name = NAMES[field] ?? hubName(field);
  return place === name || (place.startsWith(name) && /^([.[A-Z])/.test(place.slice(name.length)));
}

/** `response_format.json_schema.schema` is `responseFormat.schema`. */
function hubName(field: string): string {
  return field
    .replace('.cache_control', '.cache')
    .replace('.json_schema', '')
    .replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
