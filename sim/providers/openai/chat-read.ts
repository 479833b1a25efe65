/** A checked chat completions body as the simulated model sees it. */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, shown, stringOf, stringsOf } from '../../json.ts';
import { readDataUrl } from '../media.ts';
import type { Asked, OfferedTool } from '../plan.ts';
import type { Item, Media } from '../transcript.ts';

/** What a body asks for. */
export function readChat(body: JsonRecord): Asked {
  const format = recordOf(body['response_format']);
  return {
    model: stringOf(body['model']) ?? '',
    items: readMessages(listOf(body['messages'])),
    tools: listOf(body['tools']).map(readTool),
    toolChoice: readToolChoice(body['tool_choice']),
    isParallel: body['parallel_tool_calls'] !== false,
    thinking: readEffort(body['reasoning_effort']),
    schema: recordOf(format['json_schema'])['schema'] ?? (format['type'] === 'json_object' ? true : undefined),
    maxTokens: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    stop: stringsOf(body['stop']) ?? [],
  };
}

/** An effort as a wish to think. */
export function readEffort(effort: unknown): Asked['thinking'] {
  if (effort === undefined || effort === null) return 'unsaid';
  return effort === 'none' ? 'off' : 'asked';
}

/** A tool choice in OpenAI's words, of chat completions or of responses. */
export function readToolChoice(choice: unknown): Asked['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice;
  const record = recordOf(choice);
  if (record['type'] === 'allowed_tools') {
    const mode = record['mode'] ?? recordOf(record['allowed_tools'])['mode'];
    return mode === 'required' ? 'required' : 'auto';
  }
  const name = stringOf(recordOf(record['function'])['name']) ?? stringOf(record['name']);
  return name === undefined ? 'auto' : { name };
}

/** Image and file parts of chat and responses, wherever their data is. */
export function readMedia(kind: 'image' | 'file', url: unknown, id: unknown): Media {
  const text = stringOf(url) ?? '';
  const data = readDataUrl(text);
  if (data !== undefined) return data;
  return { mediaType: kind === 'image' ? 'image/*' : 'file', url: text === '' ? String(id) : text };
}

function readTool(tool: unknown): OfferedTool {
  const declared = recordOf(recordOf(tool)['function'] ?? recordOf(tool)['custom']);
  return { name: stringOf(declared['name']) ?? '', schema: declared['parameters'] };
}

function readMessages(messages: readonly unknown[]): readonly Item[] {
  const names = new Map<string, string>();
  return messages.flatMap((value): readonly Item[] => {
    const message = recordOf(value);
    if (message['role'] === 'tool') return [readResult(message, names)];
    const calls = listOf(message['tool_calls']).map(readCall);
    for (const call of calls) if (call.kind === 'call') names.set(call.id, call.name);
    return [...readThought(message), ...readContent(message), ...calls];
  });
}

function readThought(message: JsonRecord): readonly Item[] {
  const text = stringOf(message['reasoning_content']) ?? stringOf(message['reasoning']);
  return text === undefined ? [] : [{ kind: 'thinking', text }];
}

function readContent(message: JsonRecord): readonly Item[] {
  const role = readRole(message['role']);
  const { content } = message;
  const refusal = stringOf(message['refusal']);
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
  const said = parts.flatMap((value): readonly Item[] => {
    const part = recordOf(value);
    const text = stringOf(part['text']) ?? stringOf(part['refusal']);
    if (text !== undefined) return [{ kind: 'text', role, text }];
    const owner = role === 'assistant' ? 'assistant' : 'user';
    return [{ kind: 'media', role: owner, media: readPart(part) }];
  });
  return refusal === undefined ? said : [...said, { kind: 'text', role, text: refusal }];
}

function readPart(part: JsonRecord): Media {
  if (isRecord(part['image_url'])) return readMedia('image', part['image_url']['url'], undefined);
  if (isRecord(part['file'])) return readMedia('file', part['file']['file_data'], part['file']['file_id']);
  const audio = recordOf(part['input_audio']);
  return { mediaType: `audio/${String(audio['format'])}`, bytes: Buffer.from(String(audio['data']), 'base64') };
}

/** System and developer are one. */
export function readRole(role: unknown): 'system' | 'user' | 'assistant' {
  if (role === 'system' || role === 'developer') return 'system';
  return role === 'assistant' ? 'assistant' : 'user';
}

function readCall(value: unknown): Item {
  const call = recordOf(value);
  const inner = recordOf(call['function'] ?? call['custom']);
  const argumentsText = shown(inner['arguments'] ?? inner['input'] ?? '');
  return { kind: 'call', id: String(call['id']), name: String(inner['name']), argumentsText };
}

function readResult(message: JsonRecord, names: ReadonlyMap<string, string>): Item {
  const id = String(message['tool_call_id']);
  const { content } = message;
  const text =
    typeof content === 'string'
      ? content
      : listOf(content)
          .map((part) => stringOf(recordOf(part)['text']) ?? '')
          .join(' ');
  return { kind: 'result', id, name: names.get(id) ?? '?', text, isError: false, media: [] };
}
