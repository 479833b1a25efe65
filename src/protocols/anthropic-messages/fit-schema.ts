/**
 * JSON schemas as structured outputs take them: each object closed, no limits on numbers, lengths and counts. What is
 * taken away is told; the rest keeps its bytes. Source: Anthropic, structured outputs, JSON Schema limitations.
 */
import type { JsonText } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonText, raw } from '../hub/json-text.ts';

export interface FittedSchema {
  readonly text: JsonText;
  /** What was done to it, e.g. `without minimum`; empty: nothing. */
  readonly changes: readonly string[];
}

/** Deeper schemas go as they are: the API has a limit of its own long before. */
const MAX_DEPTH = 100;

const REFUSED: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
]);

/** Members whose value is one schema, a list of them, or an object of them by name. */
const ONE = new Set(['items', 'not']);
const LISTS = new Set(['anyOf', 'allOf', 'oneOf']);
const NAMED = new Set(['properties', '$defs', 'definitions']);

export function fitSchema(text: JsonText): FittedSchema {
  const changes = new Set<string>();
  const fitted = fit(parseNode(text), changes, 0);
  return changes.size === 0 ? { text, changes: [] } : { text: jsonText(fitted), changes: [...changes] };
}

function fit(node: JsonNode, changes: Set<string>, depth: number): JsonOut {
  if (node.kind !== 'object' || depth > MAX_DEPTH) return raw(node.text);
  const members: [string, JsonOut][] = [];
  for (const [name, value] of node.members) {
    if (isRefused(name, value)) changes.add(`without \`${name}\``);
    else members.push([name, fitMember(name, value, { changes, depth })]);
  }
  if (isObjectSchema(node) && node.get('additionalProperties')?.text !== 'false') {
    changes.add('with `additionalProperties: false`');
    return new Map([...members.filter(([name]) => name !== 'additionalProperties'), CLOSED]);
  }
  return new Map(members);
}

const CLOSED: [string, JsonOut] = ['additionalProperties', false];

function isObjectSchema(node: JsonNode): boolean {
  const type = node.get('type');
  return type === undefined ? node.get('properties') !== undefined : type.text.includes('"object"');
}

function isRefused(name: string, value: JsonNode): boolean {
  return REFUSED.has(name) || (name === 'minItems' && value.text !== '0' && value.text !== '1');
}

interface Place {
  readonly changes: Set<string>;
  readonly depth: number;
}

function fitMember(name: string, value: JsonNode, { changes, depth }: Place): JsonOut {
  const inner = (node: JsonNode): JsonOut => fit(node, changes, depth + 1);
  if (ONE.has(name)) return value.kind === 'array' ? value.items.map(inner) : inner(value);
  if (LISTS.has(name)) return value.items.map(inner);
  if (!NAMED.has(name) || value.kind !== 'object') return raw(value.text);
  return new Map([...value.members].map(([key, node]) => [key, inner(node)]));
}
