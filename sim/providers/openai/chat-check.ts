/**
 * What OpenAI refuses in a chat completions request: fields, ranges, combinations, tools. Messages: `messages-check.ts`.
 * Source: OpenAI API reference "Create chat completion", guides on reasoning and structured outputs, and the error
 * messages that users of the API report.
 */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, shown, stringOf } from '../../json.ts';
import { Refusal } from '../refusal.ts';
import {
  invalidRequest,
  invalidValue,
  missingParameter,
  noSuchModel,
  unknownParameter,
  unsupportedParameter,
} from './errors.ts';
import { checkMessages } from './messages-check.ts';
import { type ChatProfile, refusedField } from './profile.ts';
import { checkName, checkSchema } from './schema-check.ts';

/** Throws the Refusal of the first thing that is wrong. */
export function checkChat(body: JsonRecord, profile: ChatProfile, models: readonly string[]): void {
  checkFields(body, profile);
  const model = stringOf(body['model']);
  if (model === undefined || model === '') throw invalidRequest('you must provide a model parameter');
  if (!models.includes(model)) throw noSuchModel(model);
  if (!Array.isArray(body['messages'])) throw missingParameter('messages');
  checkRanges(body);
  checkModelFit(body, profile, model);
  checkTools(body);
  checkMessages(listOf(body['messages']), profile);
  checkFormat(body);
}

function checkFields(body: JsonRecord, profile: ChatProfile): void {
  for (const name of Object.keys(body)) {
    if (profile.refusedFields.has(name)) throw refusedField(name, profile);
    if (profile.fields.has(name)) continue;
    if (profile.refusalStatus !== 400) throw refusedField(name, profile);
    throw invalidRequest(`Unrecognized request argument supplied: ${name}`);
  }
}

const RANGES: readonly (readonly [name: string, least: number, most: number, whole?: boolean])[] = [
  ['temperature', 0, 2],
  ['top_p', 0, 1],
  ['presence_penalty', -2, 2],
  ['frequency_penalty', -2, 2],
  ['n', 1, 128, true],
  ['max_tokens', 1, Infinity, true],
  ['max_completion_tokens', 1, Infinity, true],
  ['max_output_tokens', 16, Infinity, true],
  ['top_logprobs', 0, 20, true],
];

/** Ranges of numbers and lists, for chat completions and responses alike. */
export function checkRanges(body: JsonRecord): void {
  for (const [name, least, most, whole] of RANGES) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    const number = numberOf(value);
    if (number === undefined || (whole === true && !Number.isInteger(number))) {
      throw typeError(name, whole === true ? 'an integer' : 'a decimal', value);
    }
    if (number < least)
      throw invalidValue(name, `below minimum value. Expected a value >= ${least}, but got ${number}.`);
    if (number > most) throw invalidValue(name, `above maximum value. Expected a value <= ${most}, but got ${number}.`);
  }
  const stop = body['stop'];
  if (Array.isArray(stop) && stop.length > 4) {
    throw invalidValue('stop', 'array too long. Expected an array with maximum length 4.', 'array_above_max_length');
  }
  if (body['stream'] !== true && isRecord(body['stream_options'])) {
    throw invalidRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
}

/** A value of the wrong type. */
export function typeError(param: string, expected: string, value: unknown): Refusal {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  const message = `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`;
  return new Refusal({ status: 400, message, param, code: 'invalid_type' });
}

function checkModelFit(body: JsonRecord, profile: ChatProfile, model: string): void {
  const isSet = (name: string) => body[name] !== undefined && body[name] !== null && body[name] !== false;
  if (isSet('max_tokens') && isSet('max_completion_tokens')) {
    throw invalidRequest("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.");
  }
  if (isSet('top_logprobs') && body['logprobs'] !== true) {
    throw invalidRequest("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs');
  }
  if (!profile.isReasoner(model)) {
    if (profile.refusesEffort && isSet('reasoning_effort')) {
      throw invalidRequest('Unrecognized request argument supplied: reasoning_effort');
    }
    return;
  }
  for (const name of profile.reasonerRefuses) if (isSet(name)) throw unsupportedParameter(name);
  if (!profile.refusesEffort) return;
  if (isSet('max_tokens')) throw unsupportedParameter('max_tokens', " Use 'max_completion_tokens' instead.");
  const temperature = numberOf(body['temperature']);
  if (temperature !== undefined && temperature !== 1) throw onlyDefault('temperature', temperature);
  const effort = body['reasoning_effort'];
  if (isSet('reasoning_effort') && !EFFORTS.has(String(effort))) throw unsupportedEffort('reasoning_effort', effort);
}

const EFFORTS = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

/** An effort that no model knows. */
export function unsupportedEffort(param: string, effort: unknown): Refusal {
  const message = `Invalid value: '${String(effort)}'. Supported values are: ${[...EFFORTS].map((one) => `'${one}'`).join(', ')}.`;
  return new Refusal({ status: 400, message, param, code: 'invalid_value' });
}

/** True for an effort the API knows. */
export function isEffort(value: unknown): boolean {
  return typeof value === 'string' && EFFORTS.has(value);
}

/** A parameter that reasoning models only take at its default. */
export function onlyDefault(param: string, value: number): Refusal {
  const message = `Unsupported value: '${param}' does not support ${value} with this model. Only the default (1) value is supported.`;
  return new Refusal({ status: 400, message, param, code: 'unsupported_value' });
}

function checkTools(body: JsonRecord): void {
  const tools = listOf(body['tools']);
  if (Array.isArray(body['tools']) && tools.length === 0) {
    throw invalidValue('tools', 'empty array. Expected an array with minimum length 1.', 'empty_array');
  }
  for (const name of ['tool_choice', 'parallel_tool_calls']) {
    if (tools.length === 0 && body[name] !== undefined && body[name] !== 'none') {
      throw invalidRequest(`'${name}' is only allowed when 'tools' are specified.`, name);
    }
  }
  tools.forEach((tool, index) => checkTool(tool, `tools[${index}]`));
  checkChoice(body['tool_choice'], tools);
}

function checkTool(tool: unknown, param: string): void {
  const { type, function: declared, ...rest } = recordOf(tool);
  if (type !== 'function' && type !== 'custom')
    throw invalidValue(`${param}.type`, `'${String(type)}' is not supported.`);
  if (type === 'custom') return;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw unknownParameter(`${param}.${unknown}`);
  if (!isRecord(declared)) throw missingParameter(`${param}.function`);
  const { name, description, parameters, strict, ...more } = declared;
  const extra = Object.keys(more)[0];
  if (extra !== undefined) throw unknownParameter(`${param}.function.${extra}`);
  checkName(name, `${param}.function.name`);
  if (description !== undefined && typeof description !== 'string') {
    throw typeError(`${param}.function.description`, 'a string', description);
  }
  if (parameters === undefined) return;
  const place = {
    owner: `function '${String(name)}'`,
    param: `${param}.function.parameters`,
    code: 'invalid_function_parameters',
  };
  checkSchema(parameters, place, strict === true);
}

function checkChoice(choice: unknown, tools: readonly unknown[]): void {
  if (choice === undefined || choice === null) return;
  if (typeof choice === 'string') {
    if (['none', 'auto', 'required'].includes(choice)) return;
    throw invalidValue('tool_choice', `'${choice}' is not one of 'none', 'auto' and 'required'.`);
  }
  const record = recordOf(choice);
  if (record['type'] === 'allowed_tools' || record['type'] === 'custom') return;
  const name = recordOf(record['function'])['name'];
  if (record['type'] !== 'function' || typeof name !== 'string') throw missingParameter('tool_choice.function.name');
  if (tools.some((tool) => recordOf(recordOf(tool)['function'])['name'] === name)) return;
  throw invalidRequest(`Tool choice 'function ${name}' not found in 'tools' parameter.`, 'tool_choice');
}

function checkFormat(body: JsonRecord): void {
  const format = body['response_format'];
  if (format === undefined || format === null) return;
  const { type, json_schema: inner } = recordOf(format);
  if (type === 'text') return;
  if (type === 'json_object') {
    if (/json/i.test(JSON.stringify(body['messages']))) return;
    const message =
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
    throw invalidRequest(message, 'messages');
  }
  if (type !== 'json_schema') throw invalidValue('response_format.type', `'${String(type)}' is not supported.`);
  if (!isRecord(inner)) throw missingParameter('response_format.json_schema');
  checkNamedSchema(inner, 'response_format.json_schema', 'response_format');
}

/** The name, schema and strictness of a structured output. */
export function checkNamedSchema(inner: JsonRecord, param: string, owner: string): void {
  const known = ['name', 'description', 'schema', 'strict', 'type'];
  const unknown = Object.keys(inner).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownParameter(`${param}.${unknown}`);
  if (inner['name'] === undefined) throw missingParameter(`${param}.name`);
  checkName(inner['name'], `${param}.name`);
  if (inner['schema'] === undefined) throw missingParameter(`${param}.schema`);
  const place = { owner: `response_format '${shown(inner['name'])}'`, param: owner, code: undefined };
  checkSchema(inner['schema'], place, inner['strict'] === true);
}
