/**
 * Answers whose form is bound: a text that a schema, an expression, a grammar or a structural tag allows. A constraint
 * that cannot be read is the caller's fault (INVALID_ARGUMENT), as with the real engines.
 */

import { isRecord, type JsonRecord, listOf, recordOf, stringOf } from '../json.ts';
import { exampleOf } from '../providers/example.ts';
import { exampleOfGrammar } from './grammar-example.ts';
import { exampleOfRegex } from './regex-example.ts';
import { invalid } from './status.ts';

/** What bounds an answer. */
export interface Constraint {
  readonly kind: 'json_schema' | 'regex' | 'grammar' | 'structural_tag' | 'choice';
  readonly text: string;
}

/** A text that fits; undefined when the constraint lets the model say what it wants. Throws RpcRefusal. */
export function exampleOfConstraint({ kind, text }: Constraint): string | undefined {
  switch (kind) {
    case 'json_schema':
      return exampleOfSchema(parse(text, 'JSON schema'));
    case 'regex':
      return orRefuse(exampleOfRegex(text), 'regular expression');
    case 'grammar':
      return orRefuse(exampleOfGrammar(text), 'grammar');
    case 'structural_tag':
      return exampleOfTag(recordOf(parse(text, 'structural tag')));
    case 'choice':
      return text;
  }
}

function exampleOfSchema(schema: unknown): string {
  const value = exampleOf(schema);
  // A schema that says no more than "object" is answered with an object.
  return JSON.stringify(value ?? {});
}

/** Both forms in use: `structures` with `triggers`, and a `format`. Source: XGrammar's documentation, structural tag. */
function exampleOfTag(tag: JsonRecord): string | undefined {
  if (isRecord(tag['format'])) return exampleOfFormat(tag['format']);
  if (Array.isArray(tag['structures'])) return undefined;
  throw invalid('Invalid structural tag: it has neither a format nor structures.');
}

function exampleOfFormat(format: JsonRecord): string | undefined {
  const elements = listOf(format['elements']).map((one) => exampleOfFormat(recordOf(one)) ?? '');
  const tags = listOf(format['tags']).map(recordOf);
  switch (format['type']) {
    case 'const_string':
      return stringOf(format['value']) ?? '';
    case 'json_schema':
    case 'qwen_xml_parameter':
      return exampleOfSchema(format['json_schema']);
    case 'regex':
      return orRefuse(exampleOfRegex(stringOf(format['pattern']) ?? ''), 'regular expression');
    case 'grammar':
      return orRefuse(exampleOfGrammar(stringOf(format['grammar']) ?? ''), 'grammar');
    case 'sequence':
      return elements.join('');
    case 'or':
      return elements[0];
    case 'tag':
      return exampleOfOneTag(format);
    case 'triggered_tags':
    case 'tags_with_separator':
      return format['at_least_one'] === true ? exampleOfOneTag(tags[0] ?? {}) : undefined;
    case 'any_text':
      return undefined;
    default:
      throw invalid(`Invalid structural tag: unknown format ${JSON.stringify(format['type'])}.`);
  }
}

function exampleOfOneTag(tag: JsonRecord): string {
  const end = stringOf(tag['end']) ?? stringOf(listOf(tag['end'])[0]) ?? '';
  return `${stringOf(tag['begin']) ?? ''}${exampleOfFormat(recordOf(tag['content'])) ?? ''}${end}`;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`Invalid ${what}: ${error instanceof Error ? error.message : 'it is no JSON'}.`);
  }
}

function orRefuse(text: string | undefined, what: string): string {
  if (text === undefined) throw invalid(`Invalid ${what}: it cannot be compiled.`);
  return text;
}
