/**
 * What Gemini refuses in a request as a whole: configuration, tools, schemas. Names of fields: `read-json.ts`.
 * Source: Gemini API reference "Generating content", guides "Function calling", "Structured output", "Thinking"; error
 * messages as users report them.
 */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, shown, stringOf } from '../../json.ts';
import type { Sealer } from '../seal.ts';
import { checkContents, partsOf } from './contents-check.ts';
import { invalidArgument, wrongField } from './errors.ts';
import { alwaysThinks, needsSignatures } from './models.ts';

/** Throws the Refusal of the first thing that is wrong. `body` has camel case names. */
export function checkGenerate(body: JsonRecord, model: string, sealer: Sealer): void {
  const config = recordOf(body['generationConfig']);
  const declared = declarationsOf(body);
  checkDeclarations(declared);
  checkToolConfig(recordOf(recordOf(body['toolConfig'])['functionCallingConfig']), declared);
  checkConfig(config);
  checkOutput(config, declared.length > 0, model);
  checkThinking(recordOf(config['thinkingConfig']), model);
  for (const part of partsOf(recordOf(body['systemInstruction']))) {
    if (typeof part['text'] !== 'string')
      throw wrongField('system_instruction.parts', 'only text parts are supported.');
  }
  checkContents(body['contents'], model, sealer);
}

/** All function declarations of a request, in order. */
export function declarationsOf(body: JsonRecord): readonly JsonRecord[] {
  return listOf(body['tools']).flatMap((tool) => listOf(recordOf(tool)['functionDeclarations']).map(recordOf));
}

const FUNCTION_NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/;

function checkDeclarations(declared: readonly JsonRecord[]): void {
  const seen = new Set<string>();
  declared.forEach((one, index) => {
    const at = `tools[0].function_declarations[${index}]`;
    const name = stringOf(one['name']) ?? '';
    if (!FUNCTION_NAME.test(name)) {
      const rule =
        'Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.';
      throw wrongField(`${at}.name`, `Invalid function name. ${rule}`);
    }
    if (seen.has(name)) throw invalidArgument(`Duplicate function declaration found: ${name}`);
    seen.add(name);
    if (one['parameters'] !== undefined && one['parametersJsonSchema'] !== undefined) {
      throw wrongField(at, 'only one of parameters and parameters_json_schema may be set.');
    }
    if (isRecord(one['parameters'])) checkSchema(one['parameters'], `${at}.parameters`);
    const json = one['parametersJsonSchema'];
    if (json !== undefined && !isRecord(json)) throw wrongField(`${at}.parameters_json_schema`, 'must be an object.');
  });
}

const TYPES = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'];
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
};

/** A `Schema` message says one thing at a time, and only what its type allows. */
function checkSchema(schema: JsonRecord, at: string): void {
  const given = stringOf(schema['type']);
  const type = given?.toUpperCase() ?? '';
  if (given !== undefined && !TYPES.includes(type)) {
    throw invalidArgument(
      `Invalid value at '${at}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), "${given}"`,
    );
  }
  if (given === undefined && schema['anyOf'] === undefined) throw wrongField(`${at}.type`, 'must be specified.');
  const properties = recordOf(schema['properties']);
  if (type === 'OBJECT' && Object.keys(properties).length === 0) {
    throw wrongField(`${at}.properties`, 'should be non-empty for OBJECT type');
  }
  for (const name of ['properties', 'required', 'propertyOrdering']) {
    const isMisplaced = type !== 'OBJECT' && given !== undefined && schema[name] !== undefined;
    if (isMisplaced) throw wrongField(`${at}.${name}`, 'only allowed for OBJECT type');
  }
  const undeclared = listOf(schema['required']).findIndex((name) => !Object.hasOwn(properties, String(name)));
  if (undeclared >= 0) throw wrongField(`${at}.required[${undeclared}]`, 'property is not defined');
  if (type === 'ARRAY' && schema['items'] === undefined) throw wrongField(`${at}.items`, 'missing field.');
  checkEnum(schema, type, at);
  const format = stringOf(schema['format']);
  if (format !== undefined && FORMATS[type]?.includes(format) !== true) {
    const list = (FORMATS[type] ?? []).map((one) => `'${one}'`).join(' and ');
    throw wrongField(`${at}.format`, `only ${list} are supported for ${type} type`);
  }
  Object.entries(properties).forEach(([name, inner]) => checkSchema(recordOf(inner), `${at}.properties[${name}]`));
  if (isRecord(schema['items'])) checkSchema(schema['items'], `${at}.items`);
  listOf(schema['anyOf']).forEach((inner, index) => checkSchema(recordOf(inner), `${at}.any_of[${index}]`));
}

function checkEnum(schema: JsonRecord, type: string, at: string): void {
  if (schema['enum'] === undefined) return;
  if (type !== 'STRING') throw wrongField(`${at}.enum`, 'only allowed for STRING type');
  const empty = listOf(schema['enum']).indexOf('');
  if (empty >= 0) throw wrongField(`${at}.enum[${empty}]`, 'cannot be empty');
}

function checkToolConfig(config: JsonRecord, declared: readonly JsonRecord[]): void {
  const mode = stringOf(config['mode'])?.toUpperCase() ?? 'AUTO';
  if (!['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(mode)) {
    throw invalidArgument(`Invalid value at 'tool_config.function_calling_config.mode', "${mode}"`);
  }
  if (mode === 'ANY' && declared.length === 0) {
    throw invalidArgument('Function calling config is set without function_declarations.');
  }
  const allowed = listOf(config['allowedFunctionNames']);
  if (allowed.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED') {
    throw invalidArgument('Please set allowed_function_names only when function calling mode is ANY.');
  }
  const unknown = allowed.find((name) => !declared.some((one) => one['name'] === name));
  if (unknown === undefined) return;
  throw invalidArgument(
    `allowed_function_names contains '${shown(unknown)}', which is not declared in function_declarations.`,
  );
}

const RANGES: readonly (readonly [name: string, least: number, most: number])[] = [
  ['temperature', 0, 2],
  ['topP', 0, 1],
  ['topK', 1, Infinity],
  ['candidateCount', 1, 8],
  ['maxOutputTokens', 1, Infinity],
  ['presencePenalty', -2, 2],
  ['frequencyPenalty', -2, 2],
  ['logprobs', 0, 20],
];

function checkConfig(config: JsonRecord): void {
  for (const [name, least, most] of RANGES) {
    const value = numberOf(config[name]);
    if (value === undefined || (value >= least && value <= most)) continue;
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    throw wrongField(`generation_config.${field}`, `${field} must be in the range [${least}, ${most}].`);
  }
  if (listOf(config['stopSequences']).length > 5) {
    throw wrongField('generation_config.stop_sequences', 'the number of stop sequences must be at most 5.');
  }
  if (config['logprobs'] !== undefined && config['responseLogprobs'] !== true) {
    throw wrongField('generation_config.logprobs', 'logprobs requires response_logprobs to be true.');
  }
}

function checkOutput(config: JsonRecord, hasFunctions: boolean, model: string): void {
  const type = stringOf(config['responseMimeType']) ?? 'text/plain';
  if (!['text/plain', 'application/json', 'text/x.enum'].includes(type)) {
    throw wrongField(
      'generation_config.response_mime_type',
      'allowed mimetypes are `text/plain`, `application/json`, `text/x.enum`.',
    );
  }
  const schemas = ['responseSchema', 'responseJsonSchema', '_responseJsonSchema'].filter(
    (name) => config[name] !== undefined,
  );
  if (schemas.length > 1) throw invalidArgument('Only one of response_schema and response_json_schema may be set.');
  if (schemas.length > 0 && type === 'text/plain') {
    throw wrongField(
      'generation_config.response_mime_type',
      'must be `application/json` or `text/x.enum` when a response schema is set.',
    );
  }
  if (isRecord(config['responseSchema'])) checkSchema(config['responseSchema'], 'generation_config.response_schema');
  if (type === 'application/json' && hasFunctions && !needsSignatures(model)) {
    throw invalidArgument("Function calling with a response mime type: 'application/json' is unsupported");
  }
}

function checkThinking(thinking: JsonRecord, model: string): void {
  const budget = numberOf(thinking['thinkingBudget']);
  const level = stringOf(thinking['thinkingLevel']);
  if (budget !== undefined && level !== undefined) {
    throw invalidArgument('You can only set only one of thinking budget and thinking level.');
  }
  if (level !== undefined && !needsSignatures(model))
    throw invalidArgument('Thinking level is not supported for this model.');
  if (level !== undefined && !['minimal', 'low', 'medium', 'high'].includes(level.toLowerCase())) {
    throw invalidArgument(`Invalid value at 'generation_config.thinking_config.thinking_level', "${level}"`);
  }
  if (budget === 0 && alwaysThinks(model)) {
    throw invalidArgument('Budget 0 is invalid. This model only works in thinking mode.');
  }
  if (budget !== undefined && (budget < -1 || budget > 32_768)) {
    throw invalidArgument(`The thinking budget ${budget} is invalid. Please choose a value between 0 and 24576.`);
  }
}
