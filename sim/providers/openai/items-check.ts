/**
 * What OpenAI refuses in the input items of a responses request: types, parts, calls and their outputs, reasoning.
 * Source: OpenAI API reference "Create a model response", guide "Reasoning models"; error messages as users report them.
 */

import { type JsonRecord, listOf, recordOf, shown, stringOf } from '../../json.ts';
import { Refusal } from '../refusal.ts';
import type { Sealer } from '../seal.ts';
import { invalidRequest, invalidValue, missingParameter, unknownParameter } from './errors.ts';
import { checkFileData, checkImage } from './messages-check.ts';
import { tooLong } from './schema-check.ts';

/** Item types that are checked, and their fields; others of the API are taken as they are. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  message: ['type', 'role', 'content', 'id', 'status', 'phase'],
  function_call: ['type', 'call_id', 'name', 'arguments', 'id', 'status', 'namespace', 'caller', 'async'],
  function_call_output: ['type', 'call_id', 'output', 'id', 'status', 'name', 'namespace', 'caller'],
  reasoning: ['type', 'id', 'summary', 'content', 'encrypted_content', 'status'],
  custom_tool_call: ['type', 'call_id', 'name', 'input', 'id', 'status', 'namespace', 'caller'],
  custom_tool_call_output: ['type', 'call_id', 'output', 'id', 'status', 'name', 'caller'],
};

const OTHERS =
  /^(item_reference|file_search_call|web_search_call|computer_call|image_generation_call|code_interpreter_call|local_shell|shell|apply_patch|mcp_|compaction|tool_search|program)/;

const MOST_ID_LENGTH = 64;
/** PDF, text, code, documents and sheets. Source: OpenAI guide "File inputs". */
const FILE_TYPES = /^(text\/|application\/(pdf|json|xml|rtf|msword|vnd\.(ms-|openxmlformats-|oasis\.)))/;
const INPUT_PARTS = ['input_text', 'input_image', 'input_file'];
const OUTPUT_PARTS = ['output_text', 'refusal'];

/** Throws the Refusal of the first thing that is wrong. `earlier`: calls of the response this one goes on from. */
export function checkItems(value: unknown, sealer: Sealer, earlier: readonly string[]): void {
  if (!Array.isArray(value))
    throw invalidValue('input', 'expected a string or an array of input items.', 'invalid_type');
  const items = value.map(recordOf);
  items.forEach((item, index) => checkItem(item, `input[${index}]`, sealer));
  checkCalls(items, earlier);
  checkReasoning(items);
}

function typeOf(item: JsonRecord): string {
  return stringOf(item['type']) ?? (item['role'] === undefined ? '' : 'message');
}

function checkItem(item: JsonRecord, param: string, sealer: Sealer): void {
  const type = typeOf(item);
  if (OTHERS.test(type)) return;
  const fields = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (fields === undefined) {
    const known = Object.keys(FIELDS).map((name) => `'${name}'`);
    throw new Refusal({
      status: 400,
      message: `Invalid value: '${type}'. Supported values are: ${known.join(', ')}, and others.`,
      param,
      code: 'invalid_value',
    });
  }
  const unknown = Object.keys(item).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw unknownParameter(`${param}.${unknown}`);
  CHECKS[type]?.(item, param, sealer);
}

const CHECKS: Readonly<Record<string, (item: JsonRecord, param: string, sealer: Sealer) => void>> = {
  message: checkMessage,
  function_call: checkCall,
  function_call_output: checkOutput,
  reasoning: checkReasoningItem,
};

function checkMessage(item: JsonRecord, param: string): void {
  const { role, content } = item;
  if (!['user', 'assistant', 'system', 'developer'].includes(String(role))) {
    throw invalidValue(`${param}.role`, `'${String(role)}' is not a supported role.`);
  }
  checkId(item, param, 'msg');
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) throw missingParameter(`${param}.content`);
  const allowed = role === 'assistant' ? OUTPUT_PARTS : INPUT_PARTS;
  content.forEach((part, index) => checkPart(recordOf(part), `${param}.content[${index}]`, allowed));
}

function checkPart(part: JsonRecord, param: string, allowed: readonly string[]): void {
  const type = stringOf(part['type']) ?? '';
  if (!allowed.includes(type)) {
    const list = allowed.map((one) => `'${one}'`).join(', ');
    const message = `Invalid value: '${type}'. Supported values are: ${list}.`;
    throw new Refusal({ status: 400, message, param, code: 'invalid_value' });
  }
  const text = type === 'refusal' ? part['refusal'] : part['text'];
  if (type.endsWith('text') && typeof text !== 'string') throw missingParameter(`${param}.text`);
  if (type === 'input_image' && stringOf(part['file_id']) === undefined) {
    checkImage(part['image_url'], `${param}.image_url`);
  }
  const data = part['file_data'];
  if (type === 'input_file' && typeof data === 'string') checkFileData(data, `${param}.file_data`, FILE_TYPES);
}

/** Ids the caller sends back start with the prefix of their kind. */
function checkId(item: JsonRecord, param: string, prefix: string): void {
  const id = item['id'];
  if (id === undefined || id === null || (typeof id === 'string' && id.startsWith(prefix))) return;
  throw invalidValue(`${param}.id`, `'${shown(id)}'. Expected an ID that begins with '${prefix}'.`);
}

function checkCall(item: JsonRecord, param: string): void {
  checkId(item, param, 'fc');
  for (const name of ['call_id', 'name', 'arguments']) {
    if (typeof item[name] !== 'string') throw missingParameter(`${param}.${name}`);
  }
  checkCallId(item, param);
}

function checkCallId(item: JsonRecord, param: string): void {
  const id = String(item['call_id']);
  if (id === '') throw invalidValue(`${param}.call_id`, 'empty string.', 'empty_string');
  if (id.length > MOST_ID_LENGTH) throw tooLong(`${param}.call_id`, MOST_ID_LENGTH, id.length);
}

function checkOutput(item: JsonRecord, param: string): void {
  if (typeof item['call_id'] !== 'string') throw missingParameter(`${param}.call_id`);
  checkCallId(item, param);
  const { output } = item;
  if (typeof output === 'string') return;
  if (!Array.isArray(output)) throw missingParameter(`${param}.output`);
  output.forEach((part, index) => checkPart(recordOf(part), `${param}.output[${index}]`, INPUT_PARTS));
}

function checkReasoningItem(item: JsonRecord, param: string, sealer: Sealer): void {
  if (typeof item['id'] !== 'string') throw missingParameter(`${param}.id`);
  checkId(item, param, 'rs');
  if (!Array.isArray(item['summary'])) throw missingParameter(`${param}.summary`);
  const sealed = item['encrypted_content'];
  if (sealed === undefined || sealed === null) return;
  if (typeof sealed === 'string' && sealer.isFor(sealed, item['id'])) return;
  const why =
    typeof sealed === 'string' && sealer.isIssued(sealed)
      ? 'Encrypted content item_id did not match the target item id.'
      : 'Encrypted content could not be decrypted or parsed.';
  const message = `The encrypted content ${shown(sealed).slice(0, 8)}... could not be verified. Reason: ${why}`;
  throw new Refusal({ status: 400, message, param, code: 'invalid_encrypted_content' });
}

function checkCalls(items: readonly JsonRecord[], earlier: readonly string[]): void {
  const open = new Set(earlier);
  for (const item of items) {
    const type = typeOf(item);
    const id = String(item['call_id']);
    if (type === 'function_call' || type === 'custom_tool_call') open.add(id);
    if (type !== 'function_call_output' && type !== 'custom_tool_call_output') continue;
    if (!open.delete(id))
      throw invalidRequest(`No tool call found for function call output with call_id ${id}.`, 'input');
  }
  const [missing] = open;
  if (missing !== undefined) throw invalidRequest(`No tool output found for function call ${missing}.`, 'input');
}

/** A thought stands right before what it led to, and what a thought led to does not come back without it. */
function checkReasoning(items: readonly JsonRecord[]): void {
  const reasoned = new Set<string>();
  items.forEach((item, index) => {
    const id = String(item['id']);
    if (typeOf(item) === 'reasoning') {
      const next = items[index + 1];
      const isFollowed = next !== undefined && (typeOf(next) === 'function_call' || isAssistants(next));
      if (!isFollowed) {
        throw invalidRequest(
          `Item '${id}' of type 'reasoning' was provided without its required following item.`,
          'input',
        );
      }
      reasoned.add(id.slice('rs_'.length));
    }
    const thought = /^(?:fc|msg)_([0-9a-f]+)r\d+$/.exec(id)?.[1];
    if (thought === undefined || reasoned.has(thought)) return;
    const rule = `was provided without its required 'reasoning' item: 'rs_${thought}'.`;
    throw invalidRequest(`Item '${id}' of type '${typeOf(item)}' ${rule}`, 'input');
  });
}

function isAssistants(item: JsonRecord): boolean {
  return listOf(['message', 'custom_tool_call', 'web_search_call']).includes(typeOf(item)) && item['role'] !== 'user';
}
