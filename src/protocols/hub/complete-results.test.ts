/** Calls and results are made whole before a request is written for any API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationRequest, Part, Turn } from '../../domain/generation.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { completeResults } from './complete-results.ts';

function requestOf(messages: readonly object[]): GenerationRequest {
  const body = Buffer.from(JSON.stringify({ model: 'm', messages }));
  const read = openaiChat.codec?.decodeRequest(body, { model: undefined, isStream: undefined, headers: {} });
  assert.ok(read);
  return read.request;
}

const call = (...ids: string[]) => ({
  role: 'assistant',
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: `f_${id}`, arguments: '{}' } })),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: `of ${id}` });
const user = (content: string) => ({ role: 'user', content });

function shown(part: Part): string {
  if (part.type === 'text') return part.text;
  if (part.type === 'tool_call') return `call ${part.callId}`;
  if (part.type !== 'tool_result') return part.type;
  return `${part.isError ? 'error' : 'result'} ${part.callId}`;
}

function turnsOf({ turns }: GenerationRequest): string[] {
  return turns.map(({ role, parts }: Turn) => `${role}: ${parts.map(shown).join(', ')}`);
}

test('a conversation in which every call is answered stays the same object', () => {
  const request = requestOf([user('a'), call('1', '2'), result('2'), result('1'), user('b'), call('3'), result('3')]);
  assert.equal(completeResults(request).request, request);
});

test('a call without a result is answered with an error right behind it, at the end of the conversation too', () => {
  const { request, warnings } = completeResults(requestOf([call('1', '2'), result('1'), user('stop'), call('3')]));
  assert.deepEqual(turnsOf(request), [
    'assistant: call 1, call 2',
    'tool: result 1, error 2',
    'user: stop',
    'assistant: call 3',
    'tool: error 3',
  ]);
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['changed turns[0].parts[1]', 'changed turns[3].parts[0]'],
  );
});

test('results behind other words of the user go before them', () => {
  const { request, warnings } = completeResults(requestOf([call('1'), user('wait'), result('1')]));
  assert.deepEqual(turnsOf(request), ['assistant: call 1', 'tool: result 1', 'user: wait']);
  assert.equal(warnings.length, 1);
});

test('a result whose call is gone, or that is the second of its call, becomes text of the user', () => {
  const messages = [result('gone'), user('a'), call('1'), result('1'), result('1')];
  const { request, warnings } = completeResults(requestOf(messages));
  assert.deepEqual(turnsOf(request), [
    'user: Result of tool call gone:, of gone',
    'user: a',
    'assistant: call 1',
    'tool: result 1',
    'user: Result of tool call f_1:, of 1',
  ]);
  assert.equal(warnings.length, 2);
});

test('calls that are followed by more of the assistant are one turn with it, so that their results can follow', () => {
  const messages = [
    { role: 'assistant', content: 'a' },
    call('1'),
    { role: 'assistant', content: 'b' },
    call('2'),
    result('1'),
    result('2'),
  ];
  const { request } = completeResults(requestOf(messages));
  assert.deepEqual(turnsOf(request), [
    'assistant: a',
    'assistant: call 1, b, call 2',
    'tool: result 1',
    'tool: result 2',
  ]);
});
