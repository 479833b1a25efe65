/**
 * What Gemini refuses in contents: roles, parts, the order of calls and responses, thought signatures.
 * Source: Gemini API reference "Content", guides "Function calling", "Thought signatures", "File input methods"; error
 * messages as users report them.
 */

import { type JsonRecord, listOf, recordOf, stringOf } from '../../json.ts';
import { decodeBase64, sniffMedia } from '../media.ts';
import type { Sealer } from '../seal.ts';
import { invalidArgument, wrongField } from './errors.ts';
import { needsSignatures } from './models.ts';

const DATA = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
];

/** Stand-ins that the thought signature guide allows for calls made elsewhere. */
const DUMMY_SIGNATURES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

const MEDIA = /^(image\/(png|jpeg|webp|heic|heif|gif)|application\/(pdf|json|xml)|audio\/|video\/|text\/)/;

/** Throws the Refusal of the first thing that is wrong. */
export function checkContents(value: unknown, model: string, sealer: Sealer): void {
  const contents = listOf(value).map(recordOf);
  if (contents.length === 0) throw wrongField('contents', 'contents is not specified');
  contents.forEach((content, index) => checkContent(content, `contents[${index}]`, sealer));
  checkOrder(contents);
  if (needsSignatures(model)) checkSignatures(contents);
}

function checkContent(content: JsonRecord, at: string, sealer: Sealer): void {
  if (!['user', 'model', 'function', undefined].includes(stringOf(content['role']))) {
    throw invalidArgument('Please use a valid role: user, model.');
  }
  const parts = partsOf(content);
  if (parts.length === 0) throw wrongField(`${at}.parts`, 'contents.parts must not be empty.');
  parts.forEach((part, index) => checkPart(part, `${at}.parts[${index}]`, sealer));
}

/** The parts of a content. */
export function partsOf(content: JsonRecord | undefined): readonly JsonRecord[] {
  return listOf(content?.['parts']).map(recordOf);
}

function checkPart(part: JsonRecord, at: string, sealer: Sealer): void {
  const data = DATA.filter((name) => part[name] !== undefined);
  if (data.length === 0) throw wrongField(`${at}.data`, "required oneof field 'data' must have one initialized field");
  if (data.length > 1) {
    throw invalidArgument(
      `Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${String(data[1])}'`,
    );
  }
  if (part['inlineData'] !== undefined) checkBlob(recordOf(part['inlineData']), `${at}.inline_data`);
  if (part['fileData'] !== undefined) checkFile(recordOf(part['fileData']), `${at}.file_data`);
  if (part['functionCall'] !== undefined) checkNamed(recordOf(part['functionCall']), `${at}.function_call`, 'args');
  const response = part['functionResponse'];
  if (response !== undefined) checkNamed(recordOf(response), `${at}.function_response`, 'response');
  checkSignature(part, sealer);
}

function checkNamed(value: JsonRecord, at: string, payload: 'args' | 'response'): void {
  if ((stringOf(value['name']) ?? '') === '') throw wrongField(`${at}.name`, 'Name cannot be empty.');
  const inner = value[payload];
  if (inner === undefined && payload === 'args') return;
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return;
  if (inner === undefined) throw wrongField(`${at}.${payload}`, 'must be set.');
  throw invalidArgument(
    `Invalid value at '${at}.${payload}' (type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(inner)}`,
  );
}

function checkBlob(blob: JsonRecord, at: string): void {
  const type = stringOf(blob['mimeType']) ?? '';
  if (type === '') throw wrongField(`${at}.mime_type`, 'mime_type must be set.');
  if (!MEDIA.test(type)) throw invalidArgument(`Unsupported MIME type: ${type}`);
  const bytes = decodeBase64(stringOf(blob['data']) ?? '');
  if (bytes === undefined) throw wrongField(`${at}.data`, 'must be base64 and not empty.');
  const isReal = !/^(image\/(png|jpeg|webp|gif)|application\/pdf)$/.test(type) || sniffMedia(bytes) === type;
  if (!isReal)
    throw invalidArgument(
      'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
    );
}

/** Files are web addresses that Google fetches itself, uploaded files among them, and say what they are. */
function checkFile(file: JsonRecord, at: string): void {
  const uri = stringOf(file['fileUri']) ?? '';
  if (uri === '') throw wrongField(`${at}.file_uri`, 'file_uri must be set.');
  if (!/^https:\/\/./.test(uri)) throw invalidArgument('Cannot fetch content from the provided URL.');
  const type = stringOf(file['mimeType']) ?? '';
  if (type === '' && !uri.includes('youtu')) throw wrongField(`${at}.mime_type`, 'mime_type must be set.');
  if (type !== '' && !MEDIA.test(type)) throw invalidArgument(`Unsupported MIME type: ${type}`);
}

/** Signatures come back as they were issued, each with the call it was issued for. */
function checkSignature(part: JsonRecord, sealer: Sealer): void {
  const signature = stringOf(part['thoughtSignature']);
  if (signature === undefined || isDummy(signature)) return;
  if (!sealer.isIssued(signature)) throw invalidArgument('Corrupted thought signature.');
  const name = recordOf(part['functionCall'])['name'];
  if (part['functionCall'] === undefined || sealer.isFor(signature, `call ${String(name)}`)) return;
  throw invalidArgument('Thought signature is not valid.');
}

function isDummy(signature: string): boolean {
  return DUMMY_SIGNATURES.some((dummy) => signature === dummy || Buffer.from(signature, 'base64').toString() === dummy);
}

function checkOrder(contents: readonly JsonRecord[]): void {
  contents.forEach((content, index) => {
    const before = contents[index - 1];
    const calls = namesOf(content, 'functionCall');
    const answers = namesOf(content, 'functionResponse');
    if (calls.length > 0 && before === undefined) {
      throw invalidArgument(
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      );
    }
    if (before !== undefined && roleOf(before) === roleOf(content)) {
      throw invalidArgument('Please ensure that multiturn requests alternate between user and model.');
    }
    const asked = namesOf(before, 'functionCall');
    if (answers.length > 0 && asked.length === 0) {
      throw invalidArgument('Please ensure that function response turn comes immediately after a function call turn.');
    }
    if (asked.length !== answers.length) throw invalidArgument(COUNTS);
    if (asked.toSorted().join() !== answers.toSorted().join()) {
      throw invalidArgument(
        'Please ensure that the names of function response parts match those of the function call parts of the function call turn.',
      );
    }
  });
  const last = contents.at(-1);
  if (namesOf(last, 'functionCall').length > 0) throw invalidArgument(COUNTS);
  if (last !== undefined && roleOf(last) === 'model') {
    throw invalidArgument('Please ensure that multiturn requests end with a user role or a function response.');
  }
}

const COUNTS =
  'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';

function roleOf(content: JsonRecord): string {
  return content['role'] === 'model' ? 'model' : 'user';
}

function namesOf(content: JsonRecord | undefined, kind: 'functionCall' | 'functionResponse'): readonly string[] {
  return partsOf(content).flatMap((part) => (part[kind] === undefined ? [] : [String(recordOf(part[kind])['name'])]));
}

/** In the turn that still goes on, the first call of every step carries its signature. */
function checkSignatures(contents: readonly JsonRecord[]): void {
  const start = contents.findLastIndex(
    (content) => roleOf(content) === 'user' && namesOf(content, 'functionResponse').length === 0,
  );
  contents.forEach((content, index) => {
    const first = partsOf(content).find((part) => part['functionCall'] !== undefined);
    if (index < start || first === undefined || first['thoughtSignature'] !== undefined) return;
    const name = String(recordOf(first['functionCall'])['name']);
    const rule =
      'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance.';
    const data = `Additional data, function call \`default_api:${name}\` , position ${index + 1}.`;
    throw invalidArgument(
      `${rule} ${data} Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
    );
  });
}
