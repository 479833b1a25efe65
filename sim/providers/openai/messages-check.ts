/**
 * What OpenAI refuses in the messages of a chat completions request: roles, parts, and the order of tool messages.
 * Source: OpenAI API reference "Create chat completion" and the error messages that users report.
 */

import { isRecord, type JsonRecord, listOf, recordOf, stringOf } from '../../json.ts';
import { readDataUrl, sniffMedia } from '../media.ts';
import { Refusal } from '../refusal.ts';
import { invalidRequest, invalidValue, missingParameter, unknownParameter } from './errors.ts';
import { type ChatProfile, refusedField } from './profile.ts';
import { tooLong } from './schema-check.ts';

/** Fields of a message by role, and the parts its content may have. */
const ROLES: Readonly<Record<string, { readonly fields: readonly string[]; readonly parts: readonly string[] }>> = {
  system: { fields: ['name'], parts: ['text'] },
  developer: { fields: ['name'], parts: ['text'] },
  user: { fields: ['name'], parts: ['text', 'image_url', 'input_audio', 'file'] },
  // An answered message may be sent back as it came, as OpenAI's guide to function calling does.
  assistant: {
    fields: ['name', 'refusal', 'tool_calls', 'audio', 'function_call', 'annotations'],
    parts: ['text', 'refusal'],
  },
  tool: { fields: ['tool_call_id'], parts: ['text'] },
  function: { fields: ['name'], parts: ['text'] },
};

const PART_FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ['type', 'text', 'prompt_cache_breakpoint'],
  refusal: ['type', 'refusal'],
  image_url: ['type', 'image_url', 'prompt_cache_breakpoint'],
  input_audio: ['type', 'input_audio', 'prompt_cache_breakpoint'],
  file: ['type', 'file', 'prompt_cache_breakpoint'],
};

/** Throws the Refusal of the first thing that is wrong. */
export function checkMessages(messages: readonly unknown[], profile: ChatProfile): void {
  if (messages.length === 0)
    throw invalidValue('messages', 'empty array. Expected an array with minimum length 1.', 'empty_array');
  messages.forEach((message, index) => checkMessage(recordOf(message), `messages[${index}]`, profile));
  checkToolOrder(messages.map(recordOf), profile.mostIdLength);
}

function checkMessage(message: JsonRecord, param: string, profile: ChatProfile): void {
  const role = stringOf(message['role']);
  const rules = role !== undefined && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (rules === undefined) throw invalidValue(`${param}.role`, `'${String(role)}' is not a supported role.`);
  const known = ['role', 'content', ...rules.fields, ...(role === 'assistant' ? profile.messageFields : [])];
  for (const name of Object.keys(message)) {
    if (profile.refusedFields.has(`messages[].${name}`)) throw refusedField(`${param}.${name}`, profile);
    if (known.includes(name)) continue;
    throw profile.refusalStatus === 400
      ? unknownParameter(`${param}.${name}`)
      : refusedField(`${param}.${name}`, profile);
  }
  checkContent(message, param, rules.parts);
  if (role === 'assistant') checkCalls(message, param);
  if (role === 'tool' && typeof message['tool_call_id'] !== 'string') throw missingParameter(`${param}.tool_call_id`);
}

function checkContent(message: JsonRecord, param: string, parts: readonly string[]): void {
  const { content, role } = message;
  if (typeof content === 'string') return;
  if (content === null || content === undefined) {
    const mayLack = role === 'assistant' && (message['tool_calls'] ?? message['function_call'] ?? message['refusal']);
    if (mayLack) return;
    throw invalidRequest(`Invalid value for 'content': expected a string, got null.`, `${param}.content`);
  }
  if (!Array.isArray(content)) throw invalidValue(`${param}.content`, 'expected a string or an array of parts.');
  if (content.length === 0) throw invalidValue(`${param}.content`, 'empty array.', 'empty_array');
  content.forEach((part, index) => checkPart(part, `${param}.content[${index}]`, parts));
}

function checkPart(part: unknown, param: string, allowed: readonly string[]): void {
  const record = recordOf(part);
  const type = stringOf(record['type']) ?? '';
  if (!allowed.includes(type)) {
    const list = allowed.map((one) => `'${one}'`).join(', ');
    const message = `Invalid value: '${type}'. Supported values are: ${list}.`;
    throw new Refusal({ status: 400, message, param: `${param}.type`, code: 'invalid_value' });
  }
  const unknown = Object.keys(record).find((name) => !PART_FIELDS[type]?.includes(name));
  if (unknown !== undefined) throw unknownParameter(`${param}.${unknown}`);
  if (type === 'text' && typeof record['text'] !== 'string') throw missingParameter(`${param}.text`);
  if (type === 'image_url') checkImage(recordOf(record['image_url'])['url'], `${param}.image_url.url`);
  if (type === 'file') checkFile(recordOf(record['file']), `${param}.file`);
}

/** An image is a web address or a data URL whose bytes are the image they claim to be. */
export function checkImage(url: unknown, param: string): void {
  if (typeof url !== 'string') throw missingParameter(param);
  if (/^https?:\/\/./.test(url)) return;
  const data = readDataUrl(url);
  if (data === undefined) {
    throw invalidValue(param, 'expected a valid URL, or base64-encoded data as a data URL.', 'invalid_base64');
  }
  const real = sniffMedia(data.bytes);
  if (real === data.mediaType || (real === 'image/jpeg' && data.mediaType === 'image/jpg')) return;
  const message = 'You uploaded an unsupported image. Please make sure your image is valid.';
  throw new Refusal({ status: 400, message, param, code: 'invalid_image_format' });
}

function checkFile(file: JsonRecord, param: string): void {
  if (typeof file['file_id'] === 'string') return;
  const data = file['file_data'];
  if (typeof data !== 'string') throw missingParameter(`${param}.file_id`);
  if (typeof file['filename'] !== 'string') throw missingParameter(`${param}.filename`);
  checkFileData(data, `${param}.file_data`);
}

/** Inline files are data URLs. Chat completions read PDFs alone; source: OpenAI guide "File inputs". */
export function checkFileData(data: string, param: string, taken = /^application\/pdf$/): void {
  const file = readDataUrl(data);
  if (file === undefined) {
    const why = `expected a base64-encoded data URL with a MIME type (e.g. 'data:application/pdf;base64,...').`;
    throw invalidValue(param, why);
  }
  if (!taken.test(file.mediaType)) {
    throw invalidValue(param, `MIME type '${file.mediaType}' is not supported.`, 'unsupported_mime_type');
  }
}

function checkCalls(message: JsonRecord, param: string): void {
  if (message['tool_calls'] === undefined || message['tool_calls'] === null) return;
  const calls = listOf(message['tool_calls']);
  if (calls.length === 0) throw invalidValue(`${param}.tool_calls`, 'empty array.', 'empty_array');
  calls.forEach((call, index) => {
    const place = `${param}.tool_calls[${index}]`;
    const { id, type, function: called, ...rest } = recordOf(call);
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined && unknown !== 'custom') throw unknownParameter(`${place}.${unknown}`);
    if (typeof id !== 'string') throw missingParameter(`${place}.id`);
    if (type === 'custom') return;
    if (type !== 'function') throw missingParameter(`${place}.type`);
    if (typeof recordOf(called)['name'] !== 'string') throw missingParameter(`${place}.function.name`);
    if (typeof recordOf(called)['arguments'] !== 'string') throw missingParameter(`${place}.function.arguments`);
  });
}

function checkToolOrder(messages: readonly JsonRecord[], mostIdLength: number): void {
  let open: string[] = [];
  messages.forEach((message, index) => {
    const param = `messages.[${index}].role`;
    if (message['role'] === 'tool') {
      const id = String(message['tool_call_id']);
      if (!open.includes(id)) {
        throw invalidRequest(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          param,
        );
      }
      open = open.filter((one) => one !== id);
      return;
    }
    if (open.length > 0) throw unanswered(open, param);
    open = idsOf(message, index, mostIdLength);
  });
  if (open.length > 0) throw unanswered(open, `messages.[${messages.length}].role`);
}

function idsOf(message: JsonRecord, index: number, most: number): string[] {
  return listOf(message['tool_calls']).flatMap((call, at) => {
    const id = isRecord(call) ? String(call['id']) : '';
    if (id.length > most) throw tooLong(`messages[${index}].tool_calls[${at}].id`, most, id.length);
    return [id];
  });
}

function unanswered(ids: readonly string[], param: string): Refusal {
  const rule =
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.";
  const message = `${rule} The following tool_call_ids did not have response messages: ${ids.join(', ')}`;
  return invalidRequest(message, param);
}
