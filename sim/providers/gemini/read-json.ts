/**
 * Reads JSON as Google's JSON reader for protocol buffers does: camel case and snake case names are one, names that are
 * not there are all reported at once, values of the wrong type are refused. Numbers may come as text.
 * The result has camel case names only.
 */

import { isRecord, type JsonRecord } from '../../json.ts';
import { badPayload, type FieldViolation } from './errors.ts';
import { SHAPES } from './shapes.ts';

/** The value as that message. Throws the Refusal that names everything wrong with it. */
export function readMessage(value: unknown, shape: string): JsonRecord {
  const violations: FieldViolation[] = [];
  const read = readValue(value, shape, '', violations);
  if (violations.length > 0) throw badPayload(violations);
  return isRecord(read) ? read : {};
}

function readValue(value: unknown, type: string, at: string, violations: FieldViolation[]): unknown {
  if (type === 'any' || value === null) return value;
  if (type.startsWith('[')) return readList(value, type.slice(1, -1), at, violations);
  if (Array.isArray(value)) {
    violations.push(unknownName(at, 'Proto field is not repeating, cannot start list.'));
    return undefined;
  }
  if (type.startsWith('{')) return readMap(value, type.slice(1, -1), at, violations);
  return Object.hasOwn(SHAPES, type)
    ? readFields(value, type, at, violations)
    : readScalar(value, type, at, violations);
}

/** A single value stands for a list of one. */
function readList(value: unknown, type: string, at: string, violations: FieldViolation[]): unknown {
  const list = Array.isArray(value) ? value : [value];
  return list.map((item, index) => readValue(item, type, `${at}[${index}]`, violations));
}

function readMap(value: unknown, type: string, at: string, violations: FieldViolation[]): unknown {
  if (!isRecord(value)) {
    violations.push(invalidValue(at, 'Map', value));
    return {};
  }
  const entries = Object.entries(value).map(([name, inner], index) => [
    name,
    readValue(inner, type, `${at}[${index}].value`, violations),
  ]);
  return Object.fromEntries(entries);
}

function readFields(value: unknown, type: string, at: string, violations: FieldViolation[]): unknown {
  if (!isRecord(value)) {
    violations.push(invalidValue(at, `type.googleapis.com/google.ai.generativelanguage.v1beta.${type}`, value));
    return {};
  }
  const shape = SHAPES[type] ?? {};
  const read: Record<string, unknown> = {};
  for (const [given, inner] of Object.entries(value)) {
    const name = given.startsWith('_')
      ? given
      : given.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (field === undefined) violations.push(unknownField(given, at));
    else read[name] = readValue(inner, field, at === '' ? snake(name) : `${at}.${snake(name)}`, violations);
  }
  return read;
}

const SCALARS: Readonly<Record<string, { readonly word: string; fits(value: unknown): boolean }>> = {
  string: { word: 'TYPE_STRING', fits: (value) => typeof value === 'string' },
  boolean: { word: 'TYPE_BOOL', fits: (value) => typeof value === 'boolean' },
  number: {
    word: 'TYPE_FLOAT',
    fits: (value) => typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)),
  },
  bytes: { word: 'TYPE_BYTES', fits: (value) => typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) },
};

function readScalar(value: unknown, type: string, at: string, violations: FieldViolation[]): unknown {
  const scalar = SCALARS[type];
  if (scalar?.fits(value) === true) return type === 'number' ? Number(value) : value;
  const isText = type === 'bytes' && typeof value === 'string';
  const description = `Invalid value at '${at}' (TYPE_BYTES), Base64 decoding failed for ${JSON.stringify(value)}`;
  violations.push(isText ? { field: at, description } : invalidValue(at, scalar?.word ?? type, value));
  return undefined;
}

function invalidValue(at: string, type: string, value: unknown): FieldViolation {
  return { field: at, description: `Invalid value at '${at}' (${type}), ${JSON.stringify(value)}` };
}

function unknownField(name: string, at: string): FieldViolation {
  const where = at === '' ? '' : ` at '${at}'`;
  return {
    field: at,
    description: `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`,
  };
}

function unknownName(at: string, why: string): FieldViolation {
  const name = at.split('.').at(-1) ?? at;
  return { field: at, description: `Invalid JSON payload received. Unknown name "${name}" at '${at}': ${why}` };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
