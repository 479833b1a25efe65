/**
 * Schemas and names of tools and structured outputs, as strict mode wants them.
 * Source: OpenAI guide "Structured outputs", supported schemas; error messages as users report them.
 */

import { isRecord, type JsonRecord, listOf, recordOf } from '../../json.ts';
import { Refusal } from '../refusal.ts';
import { invalidValue } from './errors.ts';

const NAME = /^[a-zA-Z0-9_-]+$/;
const MOST_NAME = 64;

/** Checks a function's or schema's name. */
export function checkName(value: unknown, param: string): void {
  if (typeof value !== 'string' || !NAME.test(value)) {
    const why = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.";
    throw invalidValue(param, why);
  }
  if (value.length > MOST_NAME) throw tooLong(param, MOST_NAME, value.length);
}

/** A text longer than the API takes. */
export function tooLong(param: string, most: number, length: number): Refusal {
  const why = `string too long. Expected a string with maximum length ${most}, but got a string with length ${length} instead.`;
  return invalidValue(param, why, 'string_above_max_length');
}

/** What a schema belongs to, for its error. */
export interface SchemaPlace {
  /** `function 'get_weather'` or `response_format 'answer'`. */
  readonly owner: string;
  readonly param: string;
  readonly code: string | undefined;
}

/** Checks an object schema; in strict mode every object in it. */
export function checkSchema(schema: unknown, place: SchemaPlace, isStrict: boolean): void {
  if (!isRecord(schema)) throw wrong(place, `schema must be a JSON Schema of 'type: "object"'`);
  if (schema['type'] !== 'object') {
    throw wrong(place, `schema must be a JSON Schema of 'type: "object"', got 'type: "${String(schema['type'])}"'.`);
  }
  if (isStrict) checkStrict(schema, place, []);
}

function checkStrict(schema: JsonRecord, place: SchemaPlace, context: readonly string[]): void {
  const at = `In context=(${context.map((key) => `'${key}'`).join(', ')}), `;
  if (schema['type'] === 'object' || schema['properties'] !== undefined) {
    if (schema['additionalProperties'] !== false) {
      throw wrong(place, `${at}'additionalProperties' is required to be supplied and to be false.`);
    }
    const names = Object.keys(recordOf(schema['properties']));
    const missing = names.find((name) => !listOf(schema['required']).includes(name));
    if (missing !== undefined) {
      const rule = "'required' is required to be supplied and to be an array including every key in properties.";
      throw wrong(place, `${at}${rule} Missing '${missing}'.`);
    }
  }
  for (const [path, inner] of innerSchemas(schema)) checkStrict(inner, place, [...context, ...path]);
}

function innerSchemas(schema: JsonRecord): readonly (readonly [readonly string[], JsonRecord])[] {
  const found: [string[], unknown][] = [[['items'], schema['items']]];
  for (const name of ['properties', '$defs', 'definitions']) {
    for (const [key, value] of Object.entries(recordOf(schema[name]))) found.push([[name, key], value]);
  }
  listOf(schema['anyOf']).forEach((value, index) => found.push([['anyOf', String(index)], value]));
  return found.flatMap(([path, value]) => (isRecord(value) ? [[path, value] as const] : []));
}

function wrong({ owner, param, code }: SchemaPlace, why: string): Refusal {
  const message = `Invalid schema for ${owner}: ${why}`;
  return new Refusal({ status: 400, message, param, ...(code === undefined ? {} : { code }) });
}
