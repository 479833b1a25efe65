/**
 * Conversations as one prompt text: roles, content and tools, so that equal beginnings give equal blocks.
 * The same conversation renders alike from chat, messages and responses bodies. Images stand as their URL text.
 * A rendered prompt ends with the opening of the assistant's turn: prompt + answer is a prefix of the next turn.
 */

import { isRecord, type JsonRecord, listOf, recordOf, stringOf } from '../json.ts';

/** The prompt of a chat completions body. */
export function renderChat(body: JsonRecord): string {
  return prompt(body['tools'], listOf(body['messages']).map(renderTurn));
}

/** The prompt of an Anthropic messages body. */
export function renderMessages(body: JsonRecord): string {
  const system = renderContent(body['system']);
  const turns = listOf(body['messages']).map(renderTurn);
  return prompt(body['tools'], system === '' ? turns : [turn('system', system), ...turns]);
}

/** The prompt of an OpenAI responses body. */
export function renderResponses(body: JsonRecord): string {
  const instructions = stringOf(body['instructions']) ?? '';
  const input = body['input'];
  const turns = typeof input === 'string' ? [turn('user', input)] : listOf(input).map(renderTurn);
  return prompt(body['tools'], instructions === '' ? turns : [turn('system', instructions), ...turns]);
}

function prompt(tools: unknown, turns: readonly string[]): string {
  const list = listOf(tools);
  const head = list.length === 0 ? '' : turn('tools', JSON.stringify(list));
  return `${head}${turns.join('')}<|assistant|>`;
}

function turn(role: string, content: string): string {
  return `<|${role}|>${content}<|end|>`;
}

function renderTurn(message: unknown): string {
  const record = recordOf(message);
  const role = stringOf(record['role']);
  if (role === undefined) return turn('item', JSON.stringify(message) ?? '');
  const calls = record['tool_calls'] === undefined ? '' : JSON.stringify(record['tool_calls']);
  return turn(role, renderContent(record['content']) + calls);
}

function renderContent(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content).map(renderPart).join('');
}

function renderPart(part: unknown): string {
  if (!isRecord(part)) return JSON.stringify(part) ?? '';
  const text = stringOf(part['text']);
  if (text !== undefined) return text;
  const url = imageUrl(part);
  return url === undefined ? JSON.stringify(part) : `<|image|>${url}`;
}

function imageUrl(part: JsonRecord): string | undefined {
  const image = part['image_url'];
  const source = recordOf(part['source']);
  return stringOf(image) ?? stringOf(recordOf(image)['url']) ?? stringOf(source['url']) ?? stringOf(source['data']);
}
