/** A checked responses body as the simulated model sees it. */

import { type JsonRecord, listOf, numberOf, recordOf, stringOf } from '../../json.ts';
import type { Asked } from '../plan.ts';
import type { Item, Media } from '../transcript.ts';
import { readEffort, readMedia, readRole, readToolChoice } from './chat-read.ts';

/** What a body asks for. */
export function readResponses(body: JsonRecord): Asked {
  const format = recordOf(recordOf(body['text'])['format']);
  return {
    model: stringOf(body['model']) ?? '',
    items: [...readInstructions(body['instructions']), ...readInput(body['input'])],
    tools: listOf(body['tools'])
      .map(recordOf)
      .map((tool) => ({ name: stringOf(tool['name']) ?? '', schema: tool['parameters'] })),
    toolChoice: readToolChoice(body['tool_choice']),
    isParallel: body['parallel_tool_calls'] !== false,
    thinking: readEffort(recordOf(body['reasoning'])['effort']),
    schema: format['schema'] ?? (format['type'] === 'json_object' ? true : undefined),
    maxTokens: numberOf(body['max_output_tokens']),
    stop: [],
  };
}

function readInstructions(instructions: unknown): readonly Item[] {
  const text = stringOf(instructions);
  return text === undefined ? [] : [{ kind: 'text', role: 'system', text }];
}

function readInput(input: unknown): readonly Item[] {
  if (typeof input === 'string') return [{ kind: 'text', role: 'user', text: input }];
  const names = new Map<string, string>();
  return listOf(input).flatMap((value) => readItem(recordOf(value), names));
}

function readItem(item: JsonRecord, names: Map<string, string>): readonly Item[] {
  const id = String(item['call_id']);
  switch (item['type']) {
    case 'function_call':
    case 'custom_tool_call': {
      const name = String(item['name']);
      names.set(id, name);
      return [{ kind: 'call', id, name, argumentsText: String(item['arguments'] ?? item['input']) }];
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [readOutput(item, id, names.get(id) ?? '?')];
    case 'reasoning': {
      const text = listOf(item['summary']).map((part) => String(recordOf(part)['text']));
      return [{ kind: 'thinking', text: text.join('\n') }];
    }
    case 'message':
    case undefined:
      return readMessage(item);
    default:
      return [];
  }
}

function readMessage(item: JsonRecord): readonly Item[] {
  const role = readRole(item['role']);
  const { content } = item;
  const parts = typeof content === 'string' ? [{ type: 'input_text', text: content }] : listOf(content);
  return parts.map((value): Item => {
    const part = recordOf(value);
    const text = stringOf(part['text']) ?? stringOf(part['refusal']);
    if (text !== undefined) return { kind: 'text', role, text };
    return { kind: 'media', role: role === 'assistant' ? 'assistant' : 'user', media: readPart(part) };
  });
}

function readOutput(item: JsonRecord, id: string, name: string): Item {
  const { output } = item;
  const parts = typeof output === 'string' ? [{ text: output }] : listOf(output).map(recordOf);
  const texts = parts.flatMap((part) => stringOf(recordOf(part)['text']) ?? []);
  const media = parts.filter((part) => stringOf(recordOf(part)['text']) === undefined).map((part) => readPart(part));
  return { kind: 'result', id, name, text: texts.join(' '), isError: false, media };
}

function readPart(part: JsonRecord): Media {
  if (part['type'] === 'input_image') return readMedia('image', part['image_url'], part['file_id']);
  return readMedia('file', part['file_data'] ?? part['file_url'], part['file_id']);
}
