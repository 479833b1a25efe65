/** Parts of turns, written as blocks. Source: Anthropic API reference, Messages; tool use; thinking. */
import { GatewayError } from '../../domain/errors.ts';
import type { Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { isObjectText, raw } from '../hub/json-text.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import type { Block, Writer } from './encode-block.ts';
import { originOf } from './encode-block.ts';
import { fileBlocks, imageBlocks } from './encode-media.ts';
import { NATIVE_ORIGIN, TOOL_ID_RULE, TOOL_NAME } from './wire.ts';

/** All but results of tools, which have their own place. Throws `invalid_request` for a name that is refused. */
export function partBlocks(part: Exclude<Part, ToolResultPart>, field: string, writer: Writer): Block[] {
  const { warnings } = writer;
  switch (part.type) {
    case 'text':
      return textBlocks(part, field, writer);
    case 'image':
      return imageBlocks(part, field, writer);
    case 'file':
      return fileBlocks(part, field, writer);
    case 'audio':
      warnings.lost(field, 'is audio, which this API does not take');
      return [];
    case 'tool_call':
      return [toolCallBlock(part, field, writer)];
    case 'reasoning':
      return thoughtBlocks(part, field, writer);
    case 'refusal':
      warnings.changed(field, 'is a refusal and is sent as text');
      return textBlocks({ ...part, type: 'text', cache: undefined, signature: undefined }, field, writer);
    case 'native':
      if (part.origin === NATIVE_ORIGIN) return [{ members: raw(part.json), cache: undefined, field }];
      warnings.lost(field, `is a \`${part.name}\` block, which only its own API has`);
      return [];
  }
}

/** The API refuses text that is empty or blank. */
export function textBlocks(part: TextPart, field: string, { warnings }: Writer): Block[] {
  if (part.signature) warnings.lost(`${field}.signature`, `can be replayed to ${part.signature.origin} only`);
  if (part.text.trim() === '') {
    if (part.text !== '') warnings.changed(field, 'is blank text, which this API refuses, and is left out');
    if (part.cache) warnings.lost(`${field}.cache_control`, 'stands on empty text, which is left out');
    return [];
  }
  return [{ members: { type: 'text', text: part.text }, cache: part.cache, field }];
}

function toolCallBlock(part: ToolCallPart, field: string, { warnings }: Writer): Block {
  const { name, argumentsText, signature } = part;
  checkToolName(name, `${field}.name`);
  if (signature) warnings.lost(`${field}.signature`, `can be replayed to ${signature.origin} only`);
  const isObject = isObjectText(argumentsText);
  if (!isObject) warnings.changed(`${field}.arguments`, 'is no JSON object and is sent as the text in one');
  const input: JsonOut = isObject ? raw(argumentsText) : { arguments: argumentsText };
  const members = { type: 'tool_use', id: fitToolId(part.callId, TOOL_ID_RULE), name, input };
  return { members, cache: part.cache, field };
}

export function checkToolName(name: string, field: string): void {
  if (TOOL_NAME.test(name)) return;
  const text = `\`${field}\` must have letters, digits, \`_\` and \`-\` only, 128 at most, for this model.`;
  throw new GatewayError('invalid_request', text, { param: field });
}

/** Thoughts go to whom they are from, with their proof; an engine takes its own without one. */
function thoughtBlocks(part: ReasoningPart, field: string, { target, warnings }: Writer): Block[] {
  const { signature, text, isRedacted } = part;
  if (signature && signature.origin !== originOf(target)) {
    warnings.lost(field, `is a thought that can be replayed to ${signature.origin} only`);
    return [];
  }
  if (!signature && (target.provider !== undefined || isRedacted)) {
    warnings.lost(field, 'is a thought without a signature, which cannot be replayed');
    return [];
  }
  const proof = signature?.value ?? '';
  const members = isRedacted
    ? { type: 'redacted_thinking', data: proof }
    : { type: 'thinking', thinking: text, signature: proof };
  return [{ members, cache: undefined, field }];
}

export function toolResultBlock(part: ToolResultPart, field: string, writer: Writer): Block {
  const plain = plainResult(part);
  const inner = plain === undefined ? innerBlocks(part, field, writer) : [];
  const members = {
    type: 'tool_result',
    tool_use_id: fitToolId(part.callId, TOOL_ID_RULE),
    content: plain === '' ? undefined : plain,
    is_error: part.isError || undefined,
  };
  return { members, cache: part.cache, field, ...(inner.length > 0 ? { inner } : {}) };
}

/** A result for a call that got none: the API refuses a conversation that leaves one open. */
export function missingResultBlock(callId: string, field: string): Block {
  const members = { type: 'tool_result', tool_use_id: callId, content: 'No result was given.', is_error: true };
  return { members, cache: undefined, field };
}

/** A result whose call is not in the turn before it, as text. */
export function orphanBlocks(part: ToolResultPart, field: string, writer: Writer): Block[] {
  writer.warnings.changed(field, 'is a result without its call before it and is sent as text');
  const head = `Result of tool call ${part.name ?? part.callId}${part.isError ? ' (failed)' : ''}:`;
  const first: Block = { members: { type: 'text', text: head }, cache: undefined, field };
  return [first, ...innerBlocks(part, field, writer)];
}

/** The one text that a result is, if it is no more. */
function plainResult({ isPlain, parts }: ToolResultPart): string | undefined {
  const [only] = parts;
  const isOne = isPlain && parts.length === 1 && only?.type === 'text';
  return isOne && !only.cache && !only.signature ? only.text : undefined;
}

function innerBlocks(part: ToolResultPart, field: string, writer: Writer): Block[] {
  return part.parts.flatMap((each, index) => partBlocks(each, `${field}.parts[${index}]`, writer));
}
