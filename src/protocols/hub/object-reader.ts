/**
 * Reads the members of one JSON object and knows which of them nobody has read: what a decoder does not know becomes a
 * warning instead of vanishing. A member of the wrong type is the client's error, named by its path. `null` counts as
 * absent.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { JsonText, TranslationWarning } from '../../domain/generation.ts';
import { JsonNode, parseNode } from './json-node.ts';

/** Losses and changes, collected while a body is read or written. */
export class Warnings {
  readonly list: TranslationWarning[] = [];

  lost(field: string, reason: string): void {
    this.list.push({ kind: 'lost', field, reason });
  }

  changed(field: string, reason: string): void {
    this.list.push({ kind: 'changed', field, reason });
  }
}

/** Messages, parts, tools: each costs some microseconds in every step of a translation. */
const MAX_OBJECTS = 16_384;

const UNKNOWN = 'is not known to the gateway, so it cannot be translated';

export class ObjectReader {
  readonly node: JsonNode;
  /** Where it stands in the body; empty for the body itself. */
  readonly path: string;
  readonly warnings: Warnings;
  readonly #read = new Set<string>();

  constructor(node: JsonNode, path: string, warnings: Warnings) {
    if (node.kind !== 'object') throw wrongType(path, 'an object');
    this.node = node;
    this.path = path;
    this.warnings = warnings;
  }

  /** The path of a member, for messages. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Undefined when it is absent or null. */
  value(name: string): JsonNode | undefined {
    const node = this.node.get(name);
    if (node === undefined) return undefined;
    // Only of what is there: decoders ask for a hundred names that most bodies do not have.
    this.#read.add(name);
    return node.isNull ? undefined : node;
  }

  text(name: string): string | undefined {
    const node = this.value(name);
    if (node === undefined) return undefined;
    const text = node.string;
    if (text === undefined) throw wrongType(this.at(name), 'a string');
    return text;
  }

  /** Throws when it is missing. */
  textOf(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw missing(this.at(name));
    return text;
  }

  number(name: string): number | undefined {
    const node = this.value(name);
    if (node === undefined) return undefined;
    const value = node.scalar;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(this.at(name), 'a number');
    return value;
  }

  /** A whole number that a double holds exactly. */
  whole(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isSafeInteger(value)) throw wrongType(this.at(name), 'a whole number');
    return value;
  }

  flag(name: string): boolean | undefined {
    const node = this.value(name);
    if (node === undefined) return undefined;
    if (node.kind !== 'boolean') throw wrongType(this.at(name), 'true or false');
    return node.text === 'true';
  }

  object(name: string): ObjectReader | undefined {
    const node = this.value(name);
    return node && new ObjectReader(node, this.at(name), this.warnings);
  }

  /** Empty when it is absent. */
  list(name: string): readonly JsonNode[] {
    const node = this.value(name);
    if (node === undefined) return [];
    if (node.kind !== 'array') throw wrongType(this.at(name), 'a list');
    return node.items;
  }

  /** Empty when it is absent; each item with its path. Throws for more than anybody has use for. */
  objects(name: string): ObjectReader[] {
    const list = this.list(name);
    if (list.length > MAX_OBJECTS) throw this.refuse(name, `must have at most ${MAX_OBJECTS} entries`);
    return list.map((node, index) => new ObjectReader(node, `${this.at(name)}[${index}]`, this.warnings));
  }

  texts(name: string): string[] {
    return this.list(name).map((node, index) => {
      const text = node.string;
      if (text === undefined) throw wrongType(`${this.at(name)}[${index}]`, 'a string');
      return text;
    });
  }

  /** Any value, as it was written. */
  raw(name: string): JsonText | undefined {
    return this.value(name)?.text;
  }

  /** Known, and of no consequence for the translation. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Names that nobody has read and that hold a value, in order. */
  unread(): string[] {
    return [...this.node.members].flatMap(([name, node]) => (this.#read.has(name) || node.isNull ? [] : [name]));
  }

  /** To be called last: what nobody has read is reported. */
  finish(): void {
    for (const name of this.unread()) this.warnings.lost(this.at(name), UNKNOWN);
  }

  /** A client's error about a member. */
  refuse(name: string, text: string): GatewayError {
    const param = this.at(name);
    return new GatewayError('invalid_request', `\`${param}\` ${text}.`, { param });
  }
}

/** The reader of a whole body. Throws `invalid_json`. */
export function readBody(body: Buffer, warnings: Warnings): ObjectReader {
  return new ObjectReader(parseBody(body), '', warnings);
}

function parseBody(body: Buffer): JsonNode {
  let node: JsonNode;
  try {
    node = parseNode(body.toString('utf8'));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new GatewayError('invalid_json', 'The body is not valid JSON.');
  }
  if (node.kind !== 'object') throw new GatewayError('invalid_json', 'The body is not a JSON object.');
  return node;
}

function wrongType(path: string, accepted: string): GatewayError {
  return new GatewayError('invalid_request', `\`${path}\` must be ${accepted}.`, { param: path });
}

function missing(path: string): GatewayError {
  return new GatewayError('invalid_request', `\`${path}\` is missing.`, { param: path });
}
