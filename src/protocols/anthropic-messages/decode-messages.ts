/**
 * Messages and the system prompt of a request, read into turns. Blocks that only this API has, and those of a kind not
 * known yet, become native parts. Source: Anthropic API reference, Messages; mid-conversation system messages.
 */
import type { Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, Turn } from '../../domain/generation.ts';
import { ObjectReader } from '../hub/object-reader.ts';
import { readProof, withMarksOnParts } from './carried-marks.ts';
import { readCache, readDocument, readImage, readSearchResult } from './decode-media.ts';
import { NATIVE_ORIGIN } from './wire.ts';

/** Names of the calls seen so far, by id: a result does not say whose it is. */
type CallNames = Map<string, string>;

/** All turns, the system prompt first. Throws `invalid_request`. */
export function readTurns(body: ObjectReader): Turn[] {
  const names: CallNames = new Map();
  const messages = body.objects('messages').flatMap((message) => readMessage(message, names));
  return [...readSystem(body), ...messages];
}

function readSystem(body: ObjectReader): Turn[] {
  const node = body.value('system');
  if (node === undefined) return [];
  if (node.string !== undefined) return [plainTurn('system', node.string)];
  const parts = body.objects('system').flatMap((block) => readSystemBlock(block));
  return [{ role: 'system', parts, isPlain: false, name: undefined }];
}

function readSystemBlock(block: ObjectReader): TextPart[] {
  if (block.textOf('type') !== 'text') throw block.refuse('type', 'must be `text` in a system prompt');
  return finished(block, [readText(block)]);
}

function plainTurn(role: Turn['role'], text: string): Turn {
  return {
    role,
    parts: [{ type: 'text', text, cache: undefined, signature: undefined }],
    isPlain: true,
    name: undefined,
  };
}

function readMessage(message: ObjectReader, names: CallNames): Turn[] {
  const role = message.textOf('role');
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw message.refuse('role', 'must be `user`, `assistant` or `system`');
  const plain = message.value('content')?.string;
  const turns = plain === undefined ? readBlocks(message, role, names) : [plainTurn(role, plain)];
  message.finish();
  return turns;
}

/** One turn, and more where system blocks stand between the others. */
function readBlocks(message: ObjectReader, role: Turn['role'], names: CallNames): Turn[] {
  if (message.value('content') === undefined) throw message.refuse('content', 'is missing');
  const turns: Turn[] = [];
  let parts: Part[] = [];
  const close = (): void => {
    if (parts.length > 0) turns.push({ role, parts: withMarksOnParts(parts), isPlain: false, name: undefined });
    parts = [];
  };
  for (const block of message.objects('content')) {
    if (block.textOf('type') === 'mid_conv_system') {
      close();
      turns.push({ role: 'system', parts: readInnerSystem(block), isPlain: false, name: undefined });
    } else parts.push(...readBlock(block, names));
  }
  close();
  return turns;
}

function readInnerSystem(block: ObjectReader): TextPart[] {
  const cache = readCache(block);
  const parts = block.objects('content').map((each) => finished(each, readText(each)));
  block.finish();
  return parts.map((part, index) => (index === parts.length - 1 ? { ...part, cache: cache ?? part.cache } : part));
}

function readBlock(block: ObjectReader, names: CallNames): Part[] {
  const type = block.textOf('type');
  const read = Object.hasOwn(blockReaders, type) ? blockReaders[type] : undefined;
  if (!read) return [{ type: 'native', origin: NATIVE_ORIGIN, name: type, json: block.node.text }];
  const parts = read(block, names);
  block.finish();
  return parts;
}

const blockReaders: Readonly<Record<string, (block: ObjectReader, names: CallNames) => Part[]>> = {
  text: (block) => [readText(block)],
  image: (block) => [readImage(block)],
  document: (block) => readDocument(block),
  search_result: (block) => [readSearchResult(block)],
  thinking: (block) => [readThinking(block)],
  redacted_thinking: (block) => [readRedacted(block)],
  tool_use: (block, names) => [readToolCall(block, names)],
  tool_result: (block, names) => [readToolResult(block, names)],
};

function readText(block: ObjectReader): TextPart {
  block.ignore('type');
  const text = block.textOf('text');
  const cache = readCache(block);
  if (block.list('citations').length > 0) block.warnings.lost(block.at('citations'), 'are not translated');
  return { type: 'text', text, cache, signature: undefined };
}

function readThinking(block: ObjectReader): ReasoningPart {
  return {
    type: 'reasoning',
    text: block.textOf('thinking'),
    signature: readProof(block.text('signature')),
    isRedacted: false,
    itemId: undefined,
  };
}

function readRedacted(block: ObjectReader): ReasoningPart {
  const signature = readProof(block.textOf('data'));
  return { type: 'reasoning', text: '', signature, isRedacted: true, itemId: undefined };
}

function readToolCall(block: ObjectReader, names: CallNames): ToolCallPart {
  const input = block.object('input');
  const callId = block.textOf('id');
  const name = block.textOf('name');
  const caller = block.object('caller');
  if (caller && caller.text('type') !== 'direct') block.warnings.lost(block.at('caller'), 'has no counterpart');
  names.set(callId, name);
  const argumentsText = input?.node.text ?? '{}';
  return { type: 'tool_call', callId, name, argumentsText, signature: undefined, cache: readCache(block) };
}

function readToolResult(block: ObjectReader, names: CallNames): ToolResultPart {
  const callId = block.textOf('tool_use_id');
  const plain = block.value('content')?.string;
  const text = { type: 'text', text: plain ?? '', cache: undefined, signature: undefined } as const;
  const cache = readCache(block);
  return {
    type: 'tool_result',
    callId,
    name: names.get(callId),
    parts: plain === undefined ? block.objects('content').flatMap((each) => readResultBlock(each)) : [text],
    isPlain: plain !== undefined,
    isError: block.flag('is_error') ?? false,
    responseText: undefined,
    cache,
  };
}

function readResultBlock(block: ObjectReader): ToolResultPart['parts'] {
  switch (block.textOf('type')) {
    case 'text':
      return finished(block, [readText(block)]);
    case 'image':
      return finished(block, [readImage(block)]);
    case 'document':
      return finished(block, readDocument(block));
    case 'search_result':
      return finished(block, [readSearchResult(block)]);
    default:
      block.warnings.lost(block.path, 'is of a kind that results of tools have in this API alone');
      return [];
  }
}

function finished<Value>(block: ObjectReader, value: Value): Value {
  block.finish();
  return value;
}
