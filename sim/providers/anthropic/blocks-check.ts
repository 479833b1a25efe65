/**
 * What Anthropic refuses in single content blocks: fields, texts, images, documents, signatures.
 * Source: Anthropic API reference "Create a message", guides on vision, PDF support, thinking and prompt caching; error
 * messages as users report them.
 */

import { isRecord, type JsonRecord, recordOf, stringOf } from '../../json.ts';
import { decodeBase64, sniffMedia } from '../media.ts';
import type { Sealer } from '../seal.ts';
import { invalid, onlyFields } from './errors.ts';

interface BlockRules {
  readonly fields: readonly string[];
  readonly roles: readonly ('user' | 'assistant' | 'system' | 'result')[];
}

const CACHED = ['type', 'cache_control'];

/** Blocks, their fields, and where they may stand; `result` is inside a tool result. */
const BLOCKS: Readonly<Record<string, BlockRules>> = {
  text: { fields: [...CACHED, 'text', 'citations'], roles: ['user', 'assistant', 'system', 'result'] },
  image: { fields: [...CACHED, 'source', 'transformations'], roles: ['user', 'result'] },
  document: { fields: [...CACHED, 'source', 'citations', 'context', 'title'], roles: ['user', 'result'] },
  search_result: { fields: [...CACHED, 'source', 'title', 'content', 'citations'], roles: ['user', 'result'] },
  thinking: { fields: ['type', 'thinking', 'signature'], roles: ['assistant'] },
  redacted_thinking: { fields: ['type', 'data'], roles: ['assistant'] },
  tool_use: { fields: [...CACHED, 'id', 'name', 'input', 'caller', 'toolset_name'], roles: ['assistant'] },
  tool_result: { fields: [...CACHED, 'tool_use_id', 'content', 'is_error', 'toolset_name'], roles: ['user'] },
  server_tool_use: { fields: [...CACHED, 'id', 'name', 'input', 'caller'], roles: ['assistant'] },
  web_search_tool_result: { fields: [...CACHED, 'tool_use_id', 'content', 'caller'], roles: ['assistant'] },
};

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const TOOL_ID = /^[a-zA-Z0-9_-]+$/;

/** Where a block stands. */
export interface BlockPlace {
  readonly at: string;
  readonly role: 'user' | 'assistant' | 'system' | 'result';
  readonly sealer: Sealer;
}

/** Throws the Refusal of the first thing that is wrong with a block. */
export function checkBlock(value: unknown, place: BlockPlace): void {
  const { at, role } = place;
  const block = recordOf(value);
  const type = stringOf(block['type']) ?? '';
  const rules = Object.hasOwn(BLOCKS, type) ? BLOCKS[type] : undefined;
  if (rules === undefined) {
    const tags = Object.keys(BLOCKS).map((name) => `'${name}'`);
    const why = `Input tag '${type}' found using 'type' does not match any of the expected tags: ${tags.join(', ')}`;
    throw invalid(at, why);
  }
  onlyFields(block, rules.fields, `${at}.${type}`);
  if (!rules.roles.includes(role)) throw invalid(at, `\`${type}\` blocks are not allowed in \`${role}\` content`);
  checkCacheControl(block['cache_control'], `${at}.${type}.cache_control`);
  CHECKS[type]?.(block, place);
}

/** A cache breakpoint is `ephemeral`, for five minutes or an hour. */
export function checkCacheControl(value: unknown, at: string): void {
  if (value === undefined || value === null) return;
  const control = recordOf(value);
  onlyFields(control, ['type', 'ttl'], at);
  if (control['type'] !== 'ephemeral') throw invalid(`${at}.type`, "Input should be 'ephemeral'");
  if (![undefined, '5m', '1h'].includes(stringOf(control['ttl']))) {
    throw invalid(`${at}.ttl`, "Input should be '5m' or '1h'");
  }
}

const CHECKS: Readonly<Record<string, (block: JsonRecord, place: BlockPlace) => void>> = {
  text: checkText,
  image: checkImage,
  document: checkDocument,
  thinking: checkThinking,
  redacted_thinking: checkRedacted,
  tool_use: checkToolUse,
  tool_result: checkToolResult,
};

function checkText(block: JsonRecord, { at }: BlockPlace): void {
  const { text } = block;
  if (typeof text !== 'string') throw invalid(`${at}.text.text`, 'Field required');
  if (text === '' && block['cache_control'] !== undefined) {
    throw invalid(`${at}.text`, 'cache_control cannot be set for empty text blocks');
  }
  if (text === '') throw invalid('messages', 'text content blocks must be non-empty');
  if (text.trim() === '') throw invalid('messages', 'text content blocks must contain non-whitespace text');
}

function checkImage(block: JsonRecord, { at }: BlockPlace): void {
  const source = recordOf(block['source']);
  const here = `${at}.image.source`;
  if (source['type'] === 'base64') return checkBase64Image(source, `${here}.base64`);
  if (source['type'] === 'file') return onlyFields(source, ['type', 'file_id'], `${here}.file`);
  if (source['type'] !== 'url')
    throw invalid(here, 'Input tag does not match any of the expected tags: base64, file, url');
  checkUrl(source, `${here}.url`);
}

function checkUrl(source: JsonRecord, at: string): void {
  onlyFields(source, ['type', 'url'], at);
  if (!/^https:\/\/./.test(stringOf(source['url']) ?? '')) throw invalid(`${at}.url`, 'Only HTTPS URLs are supported.');
}

function checkBase64Image(source: JsonRecord, at: string): void {
  onlyFields(source, ['type', 'media_type', 'data'], at);
  const type = stringOf(source['media_type']) ?? '';
  if (!IMAGE_TYPES.includes(type)) {
    throw invalid(`${at}.media_type`, `Input should be ${IMAGE_TYPES.map((one) => `'${one}'`).join(', ')}`);
  }
  const bytes = decodeBase64(stringOf(source['data']) ?? '');
  if (bytes === undefined) throw invalid(`${at}.data`, 'invalid base64 data');
  const real = sniffMedia(bytes);
  if (real === undefined) throw invalid('', 'Could not process image');
  if (real === type) return;
  throw invalid(
    at,
    `The image was specified using the ${type} media type, but the image appears to be a ${real} image`,
  );
}

function checkDocument(block: JsonRecord, { at }: BlockPlace): void {
  const source = recordOf(block['source']);
  const here = `${at}.document.source`;
  const data = stringOf(source['data']) ?? '';
  switch (source['type']) {
    case 'base64': {
      onlyFields(source, ['type', 'media_type', 'data'], `${here}.base64`);
      if (source['media_type'] !== 'application/pdf') {
        throw invalid(`${here}.base64.media_type`, "Input should be 'application/pdf'");
      }
      const bytes = decodeBase64(data);
      if (bytes === undefined) throw invalid(`${here}.base64.data`, 'invalid base64 data');
      if (sniffMedia(bytes) !== 'application/pdf')
        throw invalid(`${here}.base64.data`, 'The PDF specified was not valid.');
      return;
    }
    case 'text':
      onlyFields(source, ['type', 'media_type', 'data'], `${here}.text`);
      if (source['media_type'] !== 'text/plain')
        throw invalid(`${here}.text.media_type`, "Input should be 'text/plain'");
      if (data === '') throw invalid(`${here}.text.data`, 'Field required');
      return;
    case 'url':
      return checkUrl(source, `${here}.url`);
    case 'content':
    case 'file':
      return;
    default:
      throw invalid(here, 'Input tag does not match any of the expected tags: base64, content, file, text, url');
  }
}

function checkThinking(block: JsonRecord, { at, sealer }: BlockPlace): void {
  const { thinking, signature } = block;
  if (typeof thinking !== 'string') throw invalid(`${at}.thinking.thinking`, 'Field required');
  if (typeof signature !== 'string') throw invalid(`${at}.thinking.signature`, 'Field required');
  if (!sealer.isFor(signature, thinking)) throw invalid(at, 'Invalid `signature` in `thinking` block');
}

function checkRedacted(block: JsonRecord, { at, sealer }: BlockPlace): void {
  if (sealer.isIssued(stringOf(block['data']) ?? '')) return;
  throw invalid(at, 'Invalid `data` in `redacted_thinking` block');
}

function checkToolUse(block: JsonRecord, { at }: BlockPlace): void {
  if (!TOOL_ID.test(stringOf(block['id']) ?? '')) {
    throw invalid(`${at}.tool_use.id`, "String should match pattern '^[a-zA-Z0-9_-]+$'");
  }
  if (!/^[a-zA-Z0-9_-]{1,200}$/.test(stringOf(block['name']) ?? '')) {
    throw invalid(`${at}.tool_use.name`, "String should match pattern '^[a-zA-Z0-9_-]{1,200}$'");
  }
  if (!isRecord(block['input'])) throw invalid(`${at}.tool_use.input`, 'Input should be a valid dictionary');
}

function checkToolResult(block: JsonRecord, place: BlockPlace): void {
  const at = `${place.at}.tool_result`;
  if (!TOOL_ID.test(stringOf(block['tool_use_id']) ?? '')) {
    throw invalid(`${at}.tool_use_id`, "String should match pattern '^[a-zA-Z0-9_-]+$'");
  }
  const error = block['is_error'];
  if (error !== undefined && typeof error !== 'boolean')
    throw invalid(`${at}.is_error`, 'Input should be a valid boolean');
  const { content } = block;
  if (content === undefined || typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalid(`${at}.content`, 'Input should be a valid string or list');
  content.forEach((inner, index) => checkBlock(inner, { ...place, at: `${at}.content.${index}`, role: 'result' }));
}
