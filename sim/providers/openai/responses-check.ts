/**
 * What OpenAI refuses in a responses request: fields, combinations, tools. Input items: `items-check.ts`.
 * Source: OpenAI API reference "Create a model response", guides on reasoning and structured outputs; error messages as
 * users report them.
 */

import { isRecord, type JsonRecord, listOf, recordOf, shown, stringOf } from '../../json.ts';
import { Refusal } from '../refusal.ts';
import type { Sealer } from '../seal.ts';
import { checkNamedSchema, checkRanges, isEffort, unsupportedEffort } from './chat-check.ts';
import {
  invalidRequest,
  invalidValue,
  missingParameter,
  noSuchModel,
  unknownParameter,
  unsupportedParameter,
} from './errors.ts';
import { checkItems } from './items-check.ts';
import type { ChatProfile } from './profile.ts';
import { checkName, checkSchema } from './schema-check.ts';

const FIELDS = new Set([
  'access_programs',
  'background',
  'context_management',
  'conversation',
  'image',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]);

/** Fields of chat completions that are elsewhere here. */
const MOVED: Readonly<Record<string, string>> = {
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  response_format: 'text.format',
  reasoning_effort: 'reasoning.effort',
  verbosity: 'text.verbosity',
};

const INCLUDES = new Set([
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
]);

/** What a check needs besides the body. */
export interface ResponsesContext {
  readonly profile: ChatProfile;
  readonly models: readonly string[];
  readonly sealer: Sealer;
  /** The response named by `previous_response_id` is remembered; calls in it may be answered. */
  readonly earlierCallIds: readonly string[];
}

/** Throws the Refusal of the first thing that is wrong. */
export function checkResponses(body: JsonRecord, context: ResponsesContext): void {
  for (const name of Object.keys(body)) if (!FIELDS.has(name)) throw unknownField(name);
  const model = stringOf(body['model']);
  if (model === undefined || model === '') throw missingParameter('model');
  if (!context.models.includes(model)) throw noSuchModel(model);
  checkRanges(body);
  checkStreamOptions(body);
  checkModelFit(body, context.profile, model);
  for (const name of listOf(body['include'])) {
    if (!INCLUDES.has(String(name))) throw invalidValue('include', `'${String(name)}' is not supported.`);
  }
  checkTools(body);
  checkFormat(recordOf(body['text']));
  if (body['input'] === undefined && body['prompt'] === undefined) throw missingParameter('input');
  if (typeof body['input'] !== 'string') checkItems(body['input'], context.sealer, context.earlierCallIds);
}

function unknownField(name: string): Refusal {
  const moved = MOVED[name];
  if (moved === undefined) return unknownParameter(name);
  const message = `Unsupported parameter: '${name}'. In the Responses API, this parameter has moved to '${moved}'.`;
  return new Refusal({ status: 400, message, param: name, code: 'unsupported_parameter' });
}

function checkStreamOptions(body: JsonRecord): void {
  const extra = Object.keys(recordOf(body['stream_options'])).find((name) => name !== 'include_obfuscation');
  if (extra !== undefined) throw unknownParameter(`stream_options.${extra}`);
}

function checkModelFit(body: JsonRecord, profile: ChatProfile, model: string): void {
  const reasoning = recordOf(body['reasoning']);
  const { effort } = reasoning;
  if (effort !== undefined && effort !== null && !isEffort(effort)) throw unsupportedEffort('reasoning.effort', effort);
  const extra = Object.keys(reasoning).find((name) => !REASONING.has(name));
  if (extra !== undefined) throw unknownParameter(`reasoning.${extra}`);
  if (!profile.refusesEffort) return;
  if (!profile.isReasoner(model)) {
    const asked = ['effort', 'summary'].find((name) => isSetIn(reasoning, name));
    if (asked !== undefined) throw unsupportedParameter(`reasoning.${asked}`);
    return;
  }
  for (const name of ['temperature', 'top_p', 'top_logprobs']) {
    if (isSetIn(body, name) && body[name] !== 1) throw unsupportedParameter(name);
  }
}

function isSetIn(record: JsonRecord, name: string): boolean {
  return record[name] !== undefined && record[name] !== null;
}

const REASONING = new Set(['effort', 'summary', 'generate_summary', 'context', 'mode']);
const FUNCTION_FIELDS = new Set([
  'type',
  'name',
  'description',
  'parameters',
  'strict',
  'allowed_callers',
  'async',
  'defer_loading',
  'output_schema',
]);
const HOSTED =
  /^(web_search|file_search|code_interpreter|image_generation|mcp|computer|local_shell|shell|apply_patch|tool_search|custom|namespace)/;

function checkTools(body: JsonRecord): void {
  const tools = listOf(body['tools']).map(recordOf);
  tools.forEach((tool, index) => checkTool(tool, `tools[${index}]`));
  const choice = body['tool_choice'];
  if (typeof choice === 'string' && !['none', 'auto', 'required'].includes(choice)) {
    throw invalidValue('tool_choice', `'${choice}' is not one of 'none', 'auto' and 'required'.`);
  }
  const record = recordOf(choice);
  if (record['type'] !== 'function') return;
  if (typeof record['name'] !== 'string') throw missingParameter('tool_choice.name');
  if (tools.some((tool) => tool['name'] === record['name'])) return;
  throw invalidRequest("Tool choice 'function' not found in 'tools' parameter.", 'tool_choice');
}

function checkTool(tool: JsonRecord, param: string): void {
  const type = stringOf(tool['type']) ?? '';
  if (HOSTED.test(type)) return;
  if (type !== 'function') throw invalidValue(`${param}.type`, `'${type}' is not supported.`);
  if (tool['name'] === undefined) throw missingParameter(`${param}.name`);
  const unknown = Object.keys(tool).find((name) => !FUNCTION_FIELDS.has(name));
  if (unknown !== undefined) throw unknownParameter(`${param}.${unknown}`);
  checkName(tool['name'], `${param}.name`);
  if (tool['parameters'] === undefined || tool['parameters'] === null) return;
  const owner = `function '${shown(tool['name'])}'`;
  const place = { owner, param: `${param}.parameters`, code: 'invalid_function_parameters' };
  checkSchema(tool['parameters'], place, tool['strict'] === true);
}

function checkFormat(text: JsonRecord): void {
  const { format } = text;
  if (format === undefined || format === null || !isRecord(format)) return;
  if (format['type'] === 'text' || format['type'] === 'json_object') return;
  if (format['type'] !== 'json_schema')
    throw invalidValue('text.format.type', `'${String(format['type'])}' is not supported.`);
  checkNamedSchema(format, 'text.format', 'text.format.schema');
}
