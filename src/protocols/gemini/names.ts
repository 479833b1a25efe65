/**
 * Gemini takes every member in two spellings, `inlineData` and `inline_data`. Source: Protocol Buffers, ProtoJSON
 * format: parsers accept both the camel-case name and the original one.
 */
import type { ObjectReader } from '../hub/object-reader.ts';

/** The spelling in which the member stands in the object; the camel-case one when it is absent. */
export function spelled(reader: ObjectReader, camelCase: string): string {
  if (reader.node.get(camelCase) !== undefined) return camelCase;
  const snakeCase = snakeCaseOf(camelCase);
  return reader.node.get(snakeCase) === undefined ? camelCase : snakeCase;
}

/** `inlineData` is `inline_data`. */
export function snakeCaseOf(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
