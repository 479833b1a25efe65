/**
 * JSON that is read by those who know what they look for: each value knows its own text, so that what only passes
 * through keeps its bytes (key order, number text, escapes). The text is checked once, whole; children are found when
 * asked for.
 * Cost   one native parse for the check, then one pass over an object's text for each level that is looked into
 * Errors `parseNode` throws a SyntaxError; `members` a GatewayError for an object with too many of them
 */
import { GatewayError } from '../../domain/errors.ts';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

export class JsonNode {
  readonly #source: string;
  readonly #start: number;
  readonly #end: number;
  readonly kind: JsonKind;
  #members: ReadonlyMap<string, JsonNode> | undefined;
  #items: readonly JsonNode[] | undefined;

  /** `source` is valid JSON; the value stands from `start` to `end`. */
  constructor(source: string, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.#end = end;
    this.kind = kindAt(source, start);
  }

  /** The value as it was written, without the space around it. */
  get text(): string {
    return this.#source.slice(this.#start, this.#end);
  }

  get isNull(): boolean {
    return this.kind === 'null';
  }

  /** The value of a string, a number or a boolean; undefined for the others. */
  get scalar(): string | number | boolean | undefined {
    if (this.kind === 'object' || this.kind === 'array' || this.kind === 'null') return undefined;
    if (this.kind === 'string') return readString(this.#source, this.#start, this.#end);
    return JSON.parse(this.text) as number | boolean;
  }

  get string(): string | undefined {
    return this.kind === 'string' ? (this.scalar as string) : undefined;
  }

  /** Of an object, in the order of their first mention; of a key given twice the last value counts. Else empty. */
  get members(): ReadonlyMap<string, JsonNode> {
    this.#members ??= this.kind === 'object' ? readMembers(this.#source, this.#start) : NO_MEMBERS;
    return this.#members;
  }

  /** Of an array; else empty. */
  get items(): readonly JsonNode[] {
    this.#items ??= this.kind === 'array' ? readItems(this.#source, this.#start) : NO_ITEMS;
    return this.#items;
  }

  get(name: string): JsonNode | undefined {
    return this.members.get(name);
  }
}

const NO_MEMBERS: ReadonlyMap<string, JsonNode> = new Map();
const NO_ITEMS: readonly JsonNode[] = [];

/** Throws a SyntaxError for text that is no JSON. A byte order mark before it is ignored. */
export function parseNode(text: string): JsonNode {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  JSON.parse(source);
  const start = skipSpace(source, 0);
  return new JsonNode(source, start, skipValue(source, start));
}

function kindAt(source: string, at: number): JsonKind {
  switch (source[at]) {
    case '{':
      return 'object';
    case '[':
      return 'array';
    case '"':
      return 'string';
    case 't':
    case 'f':
      return 'boolean';
    case 'n':
      return 'null';
    default:
      return 'number';
  }
}

/** Far beyond any request; a million of them would hold the loop for a second. */
const MAX_MEMBERS = 65_536;

function tooMany(): GatewayError {
  return new GatewayError('invalid_request', `An object has more than ${MAX_MEMBERS} members.`);
}

function readMembers(source: string, start: number): ReadonlyMap<string, JsonNode> {
  const members = new Map<string, JsonNode>();
  let at = skipSpace(source, start + 1);
  while (source[at] === '"') {
    const keyEnd = skipString(source, at);
    const key = readString(source, at, keyEnd);
    const valueAt = skipSpace(source, skipSpace(source, keyEnd) + 1);
    const end = skipValue(source, valueAt);
    members.set(key, new JsonNode(source, valueAt, end));
    if (members.size > MAX_MEMBERS) throw tooMany();
    at = afterComma(source, end);
  }
  return members;
}

function readItems(source: string, start: number): readonly JsonNode[] {
  const items: JsonNode[] = [];
  let at = skipSpace(source, start + 1);
  while (source[at] !== ']') {
    const end = skipValue(source, at);
    items.push(new JsonNode(source, at, end));
    at = afterComma(source, end);
  }
  return items;
}

function afterComma(source: string, from: number): number {
  const at = skipSpace(source, from);
  return source[at] === ',' ? skipSpace(source, at + 1) : at;
}

function skipSpace(source: string, from: number): number {
  let at = from;
  while (at < source.length && source.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** `from` is the opening quote; returns the index after the closing one. */
function skipString(source: string, from: number): number {
  for (let at = source.indexOf('"', from + 1); ; at = source.indexOf('"', at + 1)) {
    let slashes = 0;
    while (source[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

/** The text of a string token; most have no escapes, and then it is a view of the source. */
function readString(source: string, start: number, end: number): string {
  const text = source.slice(start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(source.slice(start, end)) as string) : text;
}

/** No recursion: depth costs no stack. */
function skipValue(source: string, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    const character = source[at];
    if (character === '"') at = skipString(source, at);
    else if (character === '{' || character === '[') {
      depth += 1;
      at += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      at += 1;
    } else if (depth === 0) return endOfWord(source, at);
    else at += 1;
    if (depth === 0) return at;
  }
}

function endOfWord(source: string, from: number): number {
  let at = from;
  while (at < source.length && !/[\s,\]}]/.test(source[at] as string)) at += 1;
  return at;
}
