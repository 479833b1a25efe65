/**
 * A value that a model wrote as bare text, as the JSON that the tool's schema asks for. Strings stay as they are; the
 * rest is read as JSON, then as a Python literal; what is neither is a string after all.
 */
import type { JsonText } from '../../../domain/generation.ts';
import { jsonOfPython } from './python-literal.ts';

/** Types by property; a property that says nothing has none. */
export type PropertyTypes = ReadonlyMap<string, ReadonlySet<string>>;

const MAX_DEPTH = 8;

export function typesOf(schemaText: JsonText | undefined): PropertyTypes {
  const types = new Map<string, ReadonlySet<string>>();
  const properties = memberOf(parsed(schemaText ?? ''), 'properties');
  if (typeof properties !== 'object' || properties === null) return types;
  for (const [name, schema] of Object.entries(properties)) types.set(name, new Set(typesIn(schema, 0)));
  return types;
}

function typesIn(schema: unknown, depth: number): string[] {
  const type = memberOf(schema, 'type');
  const own = [type].flat().filter((one) => typeof one === 'string');
  if (own.length > 0 || depth > MAX_DEPTH) return own;
  const choices = ['anyOf', 'oneOf', 'allOf'].flatMap((name) => memberOf(schema, name) ?? []);
  const values = [memberOf(schema, 'enum') ?? memberOf(schema, 'const') ?? []].flat();
  return [...choices.flatMap((choice) => typesIn(choice, depth + 1)), ...values.map(typeOfValue)];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // No JSON: nothing is known of it.
    return undefined;
  }
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** A whole number is a `number` too. */
function isAllowed(value: unknown, types: ReadonlySet<string>): boolean {
  const type = typeOfValue(value);
  return types.has(type) || (type === 'number' && types.has('integer'));
}

/** `types`: those that the schema allows; undefined or empty: any. */
export function coerce(text: string, types: ReadonlySet<string> | undefined): JsonText {
  const isAny = !types || types.size === 0;
  if (!isAny && types.size === 1 && types.has('string')) return JSON.stringify(text);
  const bare = text.trim();
  const json = parsed(bare) === undefined ? jsonOfPython(bare) : bare;
  if (json === undefined) return JSON.stringify(text);
  const mayBeText = !isAny && types.has('string');
  return mayBeText && !isAllowed(parsed(json), types) ? JSON.stringify(text) : json;
}
