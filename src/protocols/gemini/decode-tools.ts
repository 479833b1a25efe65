/**
 * `tools` and `toolConfig` of a client's request. Tools that Google runs itself stay whole, for Gemini only.
 * Source: Gemini API reference, caching, `Tool`, `FunctionDeclaration` and `ToolConfig`.
 */
import type { ExtraField, FunctionTool, JsonText, Tool, ToolChoice } from '../../domain/generation.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { spelled } from './names.ts';
import { objectText } from './object-text.ts';
import { jsonSchemaOf } from './openapi-schema.ts';

/** Functions, and what Google runs by itself as native tools. Throws `invalid_request`. */
export function readTools(body: ObjectReader): Tool[] {
  return body.objects('tools').flatMap((tool): Tool[] => {
    const declarations = spelled(tool, 'functionDeclarations');
    const functions = tool.objects(declarations).map(readFunction);
    const native = tool.unread().map((name): Tool => {
      const json = objectText([[name, tool.raw(name) ?? 'null']]);
      return { type: 'native', origin: 'gemini', name, json };
    });
    return [...functions, ...native];
  });
}

function readFunction(reader: ObjectReader): FunctionTool {
  const name = reader.textOf('name');
  const description = reader.text('description');
  const schemaText = readSchema(reader, 'parametersJsonSchema', 'parameters');
  for (const member of ['response', 'responseJsonSchema', 'behavior'])
    if (reader.raw(spelled(reader, member)) !== undefined)
      reader.warnings.lost(reader.at(member), 'has no place in other APIs');
  reader.finish();
  return { type: 'function', name, description, schemaText, isStrict: undefined, cache: undefined };
}

/** Of a schema that may come as JSON Schema or as Gemini's own `Schema`. */
export function readSchema(reader: ObjectReader, json: string, own: string): JsonText | undefined {
  const jsonName = spelled(reader, json);
  const ownName = spelled(reader, own);
  const given = reader.raw(jsonName);
  if (given !== undefined) return given;
  const node = reader.value(ownName);
  return node && jsonSchemaOf(node, reader.at(ownName), reader.warnings);
}

/** The choice among the functions, and the members of `toolConfig` that only Gemini has. */
export interface ToolConfig {
  readonly choice: ToolChoice | undefined;
  readonly extras: readonly ExtraField[];
}

/** Throws `invalid_request` for a mode that is none. */
export function readToolConfig(body: ObjectReader): ToolConfig {
  const config = body.object(spelled(body, 'toolConfig'));
  if (!config) return { choice: undefined, extras: [] };
  const calling = config.object(spelled(config, 'functionCallingConfig'));
  const choice = calling && readChoice(calling);
  calling?.finish();
  const extras = ['retrievalConfig', 'includeServerSideToolInvocations'].flatMap((name): ExtraField[] => {
    const json = config.raw(spelled(config, name));
    return json === undefined ? [] : [{ origin: 'gemini', name: `toolConfig.${name}`, json }];
  });
  config.finish();
  return { choice, extras };
}

function readChoice(calling: ObjectReader): ToolChoice | undefined {
  const names = calling.texts(spelled(calling, 'allowedFunctionNames'));
  const mode = calling.text('mode')?.toUpperCase() ?? 'AUTO';
  switch (mode) {
    case 'AUTO':
    case 'MODE_UNSPECIFIED':
      return { mode: 'auto', names };
    case 'NONE':
      return { mode: 'none', names };
    case 'ANY':
      return { mode: names.length === 1 ? 'named' : 'required', names };
    case 'VALIDATED':
      if (names.length === 0)
        calling.warnings.changed(calling.at('mode'), 'becomes AUTO: only Gemini checks calls while it writes them');
      return { mode: 'auto', names };
    default:
      throw calling.refuse('mode', 'must be AUTO, ANY, NONE or VALIDATED');
  }
}
