/**
 * Gemini's own `Schema` (a part of OpenAPI 3.0 in Protocol Buffers' JSON) as JSON Schema, which is what the hub keeps:
 * types in small letters, `nullable` as a type, counts as numbers. What needs no change keeps its text.
 * Source: Gemini API reference, caching, `Schema`.
 */
import type { JsonText } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { snakeCaseOf } from './names.ts';
import type { MemberText } from './object-text.ts';
import { objectText, sameListOr, sameOr } from './object-text.ts';

const NAMES = [
  ...['anyOf', 'minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'],
  ...['propertyOrdering', 'additionalProperties'],
];
const CAMEL_CASES: ReadonlyMap<string, string> = new Map(NAMES.map((name) => [snakeCaseOf(name), name]));
/** Protocol Buffers write 64-bit numbers as strings. */
const COUNTS: ReadonlySet<string> = new Set(NAMES.filter((name) => /^m(in|ax)/.test(name)));
/** Deeper than any schema that a model could follow. */
const MAX_DEPTH = 100;

/** `path` is where the schema stands in the client's body. */
export function jsonSchemaOf(node: JsonNode, path: string, warnings: Warnings): JsonText {
  return new Reading(warnings).schema(node, path, 0);
}

class Reading {
  readonly #warnings: Warnings;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  schema(node: JsonNode, path: string, depth: number): JsonText {
    if (node.kind !== 'object' || depth > MAX_DEPTH) return node.text;
    const isNullable = node.get('nullable')?.text === 'true';
    const members: MemberText[] = [];
    let isChanged = false;
    for (const [written, value] of node.members) {
      const name = CAMEL_CASES.get(written) ?? written;
      const member = this.#member(name, value, { path: `${path}.${written}`, depth, isNullable });
      isChanged ||= member?.[0] !== written || member[1] !== value.text;
      if (member) members.push(member);
    }
    return isChanged ? objectText(members) : node.text;
  }

  #member(name: string, value: JsonNode, at: Place): MemberText | undefined {
    const { path, depth } = at;
    const inner = (node: JsonNode, key: string | number) => this.schema(node, `${path}.${key}`, depth + 1);
    switch (name) {
      case 'nullable':
        return undefined;
      case 'type':
        return typeOf(value, at.isNullable);
      case 'format':
        // Says only that there is an `enum`, which says so itself.
        return value.string === 'enum' ? undefined : [name, value.text];
      case 'example':
        return ['examples', `[${value.text}]`];
      case 'propertyOrdering':
        this.#warnings.lost(path, 'is known to Gemini only');
        return undefined;
      case 'properties':
        return [
          name,
          sameOr(
            value,
            [...value.members].map(([key, each]) => [key, inner(each, key)]),
          ),
        ];
      case 'anyOf':
        return [name, sameListOr(value, value.items.map(inner))];
      case 'items':
      case 'additionalProperties':
        return [name, this.schema(value, path, depth + 1)];
      default:
        return [name, COUNTS.has(name) ? countOf(value) : value.text];
    }
  }
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly isNullable: boolean;
}

function typeOf(value: JsonNode, isNullable: boolean): MemberText | undefined {
  const type = value.string?.toLowerCase();
  if (type === undefined) return ['type', value.text];
  if (type === 'type_unspecified') return undefined;
  return ['type', JSON.stringify(isNullable ? [type, 'null'] : type)];
}

function countOf(value: JsonNode): JsonText {
  const digits = value.string;
  return digits !== undefined && /^\d+$/.test(digits) ? digits : value.text;
}
