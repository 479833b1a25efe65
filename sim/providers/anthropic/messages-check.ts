/**
 * What Anthropic refuses in the order of messages: roles, tool results and their calls, prefills, thinking before calls.
 * Source: Anthropic guides "Tool use", "Extended thinking" and API reference "Errors"; error messages as users report them.
 */

import { type JsonRecord, listOf, recordOf, stringOf } from '../../json.ts';
import type { Sealer } from '../seal.ts';
import { checkBlock } from './blocks-check.ts';
import { invalid, onlyFields } from './errors.ts';

/** What the rest of the request says that matters here. */
export interface MessagesContext {
  readonly sealer: Sealer;
  /** Manual thinking: an assistant turn that still goes on must start with its thought. */
  readonly mustStartWithThinking: boolean;
  readonly mayPrefill: boolean;
  /** System messages may stand behind user turns. */
  readonly takesSystem: boolean;
  /** Texts of users may not carry citations. */
  readonly refusesCitations: boolean;
}

/** Throws the Refusal of the first thing that is wrong. */
export function checkMessages(value: unknown, context: MessagesContext): void {
  if (value === undefined) throw invalid('messages', 'Field required');
  if (!Array.isArray(value)) throw invalid('messages', 'Input should be a valid list');
  const messages = value.map(recordOf);
  if (messages.length === 0) throw invalid('messages', 'at least one message is required');
  messages.forEach((message, index) => checkMessage(message, index, messages.length, context));
  if (messages[0]?.['role'] !== 'user') throw invalid('messages', 'first message must use the "user" role');
  checkSystemPlaces(messages);
  const merged = mergeTurns(messages.filter(({ role }) => role !== 'system'));
  checkToolPairs(merged);
  checkEnd(merged, context);
}

interface Turn {
  readonly role: string;
  readonly blocks: readonly JsonRecord[];
  /** Index of its first message. */
  readonly index: number;
}

function checkMessage(message: JsonRecord, index: number, count: number, context: MessagesContext): void {
  const at = `messages.${index}`;
  const { role, content } = message;
  if (role === 'system' && index > 0 && !context.takesSystem) {
    throw invalid('', "role 'system' is not supported on this model");
  }
  if (role === 'system' && index === 0) {
    const why =
      'Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an input message role.';
    throw invalid('messages', why);
  }
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw invalid(`${at}.role`, "Input should be 'user' or 'assistant'");
  onlyFields(message, ['role', 'content'], at);
  if (content === undefined) throw invalid(`${at}.content`, 'Field required');
  if (typeof content !== 'string' && !Array.isArray(content)) {
    throw invalid(`${at}.content`, 'Input should be a valid string or list');
  }
  const isEmpty = content.length === 0 || (typeof content === 'string' && content.trim() === '');
  if (isEmpty && !(role === 'assistant' && index === count - 1)) {
    throw invalid(at, 'all messages must have non-empty content except for the optional final assistant message');
  }
  blocksOf(content).forEach((block, place) => {
    if (typeof content === 'string') return;
    const here = `${at}.content.${place}`;
    checkBlock(block, { at: here, role, sealer: context.sealer });
    const isCited = role === 'user' && context.refusesCitations && listOf(block['citations']).length > 0;
    if (isCited) throw invalid(`${here}.text.citations`, 'citations are not allowed in user messages');
  });
}

/** A system message follows a user turn and is followed by the assistant or by nothing. */
function checkSystemPlaces(messages: readonly JsonRecord[]): void {
  messages.forEach(({ role }, index) => {
    if (role !== 'system') return;
    const isPlaced = messages[index - 1]?.['role'] === 'user' && messages[index + 1]?.['role'] !== 'user';
    if (!isPlaced)
      throw invalid(`messages.${index}`, '`system` messages must directly follow a `user` message and end its turn');
  });
}

function blocksOf(content: unknown): readonly JsonRecord[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content).map(recordOf);
}

/** Consecutive messages of one role are one turn to the API. */
function mergeTurns(messages: readonly JsonRecord[]): readonly Turn[] {
  const turns: Turn[] = [];
  messages.forEach((message, index) => {
    const role = String(message['role']);
    const blocks = blocksOf(message['content']);
    const last = turns.at(-1);
    if (last?.role === role) turns[turns.length - 1] = { ...last, blocks: [...last.blocks, ...blocks] };
    else turns.push({ role, blocks, index });
  });
  return turns;
}

function checkToolPairs(turns: readonly Turn[]): void {
  const seen = new Set<string>();
  turns.forEach((turn, position) => {
    const before = idsOf(turns[position - 1], 'tool_use', 'id');
    turn.blocks.forEach((block, place) => {
      if (block['type'] !== 'tool_result' || before.includes(String(block['tool_use_id']))) return;
      const rule = 'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.';
      const id = String(block['tool_use_id']);
      const why = `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ${rule}`;
      throw invalid(`messages.${turn.index}.content.${place}`, why);
    });
    const asked = idsOf(turn, 'tool_use', 'id');
    for (const id of asked) {
      if (seen.has(id)) throw invalid(`messages.${turn.index}.content`, '`tool_use` ids must be unique');
      seen.add(id);
    }
    if (asked.length > 0) checkAnswered(turn, asked, turns[position + 1]);
  });
}

/** Every call is answered, and the answers stand before anything else in the next turn. */
function checkAnswered(turn: Turn, asked: readonly string[], next: Turn | undefined): void {
  const leading = next?.blocks.findIndex((block) => block['type'] !== 'tool_result') ?? 0;
  const answers = leading < 0 ? (next?.blocks ?? []) : (next?.blocks.slice(0, leading) ?? []);
  const answered = answers.map((block) => String(block['tool_use_id']));
  const missing = asked.filter((id) => !answered.includes(id));
  if (missing.length > 0) {
    const rule = 'Each `tool_use` block must have a corresponding `tool_result` block in the next message.';
    const why = `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. ${rule}`;
    throw invalid(`messages.${turn.index}`, why);
  }
  const twice = answered.find((id, index) => answered.indexOf(id) !== index);
  if (twice === undefined) return;
  const why = `each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`;
  throw invalid(`messages.${next?.index ?? 0}.content`, why);
}

function idsOf(turn: Turn | undefined, type: string, field: string): readonly string[] {
  return (turn?.blocks ?? []).flatMap((block) => (block['type'] === type ? [String(block[field])] : []));
}

function checkEnd(turns: readonly Turn[], context: MessagesContext): void {
  const last = turns.at(-1);
  if (last?.role === 'assistant') checkPrefill(last, context);
  if (!context.mustStartWithThinking) return;
  const started = turns.findLastIndex((turn) => turn.role === 'user' && !turn.blocks.every(isResult));
  const first = turns[started + 1];
  const type = stringOf(first?.blocks[0]?.['type']);
  if (type === undefined || type === 'thinking' || type === 'redacted_thinking') return;
  const rule =
    'When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).';
  const why = `Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. ${rule}`;
  throw invalid(`messages.${first?.index ?? 0}.content.0.type`, why);
}

function checkPrefill(last: Turn, context: MessagesContext): void {
  if (!context.mayPrefill) {
    const why = 'This model does not support assistant message prefill. The conversation must end with a user message.';
    throw invalid('', why);
  }
  if (/\s$/.test(stringOf(last.blocks.at(-1)?.['text']) ?? '')) {
    throw invalid('messages', 'final assistant content cannot end with trailing whitespace');
  }
}

function isResult(block: JsonRecord): boolean {
  return block['type'] === 'tool_result';
}
