/**
 * Made-up values that satisfy a JSON schema: arguments of forced tool calls and structured answers.
 * Knows what the providers' own subsets know: types (also upper case and lists), enum, const, properties, items, anyOf,
 * local references, and lower bounds.
 */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, shown, stringOf } from '../json.ts';

const MOST_DEPTH = 12;

/** A value for the schema; null when the schema says nothing usable. */
export function exampleOf(schema: unknown, root: JsonRecord = recordOf(schema), depth = 0): unknown {
  if (!isRecord(schema) || depth > MOST_DEPTH) return null;
  if (schema['const'] !== undefined) return schema['const'];
  const choices = listOf(schema['enum']);
  if (choices.length > 0) return choices[0];
  const next = referred(schema, root) ?? listOf(schema['anyOf'])[0] ?? listOf(schema['oneOf'])[0];
  if (next !== undefined) return exampleOf(next, root, depth + 1);
  const first = listOf(schema['type'])[0] ?? schema['type'] ?? (schema['properties'] === undefined ? '' : 'object');
  return exampleOfType(shown(first).toLowerCase(), schema, (inner) => exampleOf(inner, root, depth + 1));
}

function exampleOfType(type: string, schema: JsonRecord, inner: (schema: unknown) => unknown): unknown {
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(recordOf(schema['properties'])).map(([name, property]) => [name, inner(property)]),
      );
    case 'array':
      return Array.from({ length: Math.max(1, Math.min(numberOf(schema['minItems']) ?? 1, 10)) }, () =>
        inner(schema['items']),
      );
    case 'string':
      return 'Zürich';
    case 'integer':
      return Math.max(7, Math.ceil(numberOf(schema['minimum']) ?? 7));
    case 'number':
      return Math.max(1.5, numberOf(schema['minimum']) ?? 1.5);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function referred(schema: JsonRecord, root: JsonRecord): unknown {
  const path = stringOf(schema['$ref']);
  if (path === undefined || !path.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const key of path.split('/').slice(1)) found = recordOf(found)[key];
  return found;
}
