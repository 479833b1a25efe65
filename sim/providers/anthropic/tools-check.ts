/**
 * What Anthropic refuses in tools, the choice among them, and structured outputs.
 * Source: Anthropic guides "Tool use", "Structured outputs"; API reference "Create a message".
 */

import { isRecord, type JsonRecord, listOf, recordOf, shown, stringOf } from '../../json.ts';
import { checkCacheControl } from './blocks-check.ts';
import { invalid, onlyFields } from './errors.ts';

const TOOL_FIELDS = [
  'name',
  'description',
  'input_schema',
  'type',
  'cache_control',
  'strict',
  'defer_loading',
  'allowed_callers',
  'eager_input_streaming',
  'input_examples',
];
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const SERVER_TOOL = /^[a-z_]+_\d{8}$/;

/** Throws the Refusal of the first thing that is wrong. */
export function checkTools(body: JsonRecord): void {
  const tools = listOf(body['tools']).map(recordOf);
  tools.forEach((tool, index) => checkTool(tool, `tools.${index}`));
  const names = tools.map((tool) => tool['name']);
  if (new Set(names).size < names.length) throw invalid('tools', 'Tool names must be unique.');
  checkChoice(body['tool_choice'], names);
}

function checkTool(tool: JsonRecord, at: string): void {
  const type = stringOf(tool['type']) ?? 'custom';
  checkCacheControl(tool['cache_control'], `${at}.${type}.cache_control`);
  if (SERVER_TOOL.test(type)) return;
  if (type !== 'custom')
    throw invalid(at, `Input tag '${type}' found using 'type' does not match any of the expected tags`);
  onlyFields(tool, TOOL_FIELDS, `${at}.custom`);
  if (tool['name'] === undefined) throw invalid(`${at}.custom.name`, 'Field required');
  if (!TOOL_NAME.test(shown(tool['name']))) {
    throw invalid(`${at}.custom.name`, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
  }
  const schema = tool['input_schema'];
  if (schema === undefined) throw invalid(`${at}.custom.input_schema`, 'Field required');
  if (!isRecord(schema)) throw invalid(`${at}.custom.input_schema`, 'Input should be a valid dictionary');
  if (schema['type'] === undefined) throw invalid(`${at}.custom.input_schema.type`, 'Field required');
  if (schema['type'] !== 'object') throw invalid(`${at}.custom.input_schema.type`, "Input should be 'object'");
  if (['oneOf', 'allOf', 'anyOf'].some((name) => schema[name] !== undefined)) {
    throw invalid(`${at}.custom.input_schema`, 'input_schema does not support oneOf, allOf, or anyOf at the top level');
  }
  if (tool['strict'] === true) checkClosed(schema, `${at}.custom.input_schema`);
}

function checkChoice(choice: unknown, names: readonly unknown[]): void {
  if (choice === undefined) return;
  const record = recordOf(choice);
  const type = stringOf(record['type']) ?? '';
  const fields = { auto: [], any: [], tool: ['name'], none: undefined }[type];
  if (fields === undefined && type !== 'none') {
    const why = `Input tag '${type}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'`;
    throw invalid('tool_choice', why);
  }
  const parallel = type === 'none' ? [] : ['disable_parallel_tool_use'];
  onlyFields(record, ['type', ...(fields ?? []), ...parallel], `tool_choice.${type}`);
  if (names.length === 0 && type !== 'none') {
    throw invalid('tool_choice', 'tool_choice may only be specified while providing tools');
  }
  if (type !== 'tool') return;
  if (record['name'] === undefined) throw invalid('tool_choice.tool.name', 'Field required');
  if (!names.includes(record['name'])) throw invalid('', `Tool '${shown(record['name'])}' not found in provided tools`);
}

/** `output_config`: an effort and a closed JSON schema. */
export function checkFormat(body: JsonRecord): void {
  if (body['output_config'] === undefined) return;
  const config = recordOf(body['output_config']);
  onlyFields(config, ['effort', 'format', 'task_budget'], 'output_config');
  const effort = config['effort'] ?? 'high';
  if (!['low', 'medium', 'high', 'xhigh', 'max'].includes(shown(effort))) {
    throw invalid('output_config.effort', "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'");
  }
  if (config['format'] === undefined || config['format'] === null) return;
  const format = recordOf(config['format']);
  onlyFields(format, ['type', 'schema'], 'output_config.format');
  if (format['type'] !== 'json_schema') throw invalid('output_config.format.type', "Input should be 'json_schema'");
  if (!isRecord(format['schema'])) throw invalid('output_config.format.schema', 'Field required');
  checkClosed(format['schema'], 'output_config.format.schema');
}

/** Keywords that constrain values are not supported where the grammar of an answer is made from the schema. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength'],
  array: ['maxItems', 'uniqueItems'],
};

function checkClosed(schema: JsonRecord, at: string): void {
  if (schema['type'] === 'object' && schema['additionalProperties'] !== false) {
    throw invalid(at, "For 'object' type, 'additionalProperties' must be explicitly set to false");
  }
  const type = String(schema['type']);
  const bad = UNSUPPORTED[type]?.filter((name) => schema[name] !== undefined) ?? [];
  if (bad.length > 0) throw invalid(at, `For '${type}' type, properties ${bad.join(', ')} are not supported`);
  for (const name of ['properties', '$defs', 'definitions']) {
    for (const inner of Object.values(recordOf(schema[name]))) if (isRecord(inner)) checkClosed(inner, at);
  }
  for (const inner of [schema['items'], ...listOf(schema['anyOf']), ...listOf(schema['allOf'])]) {
    if (isRecord(inner)) checkClosed(inner, at);
  }
}
