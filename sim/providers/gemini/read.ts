/** A checked generateContent body as the simulated model sees it. */

import { type JsonRecord, listOf, numberOf, recordOf, shown, stringOf, stringsOf } from '../../json.ts';
import type { Asked } from '../plan.ts';
import type { Item, Media } from '../transcript.ts';
import { declarationsOf } from './check.ts';
import { partsOf } from './contents-check.ts';

/** What a body (with camel case names) asks for. */
export function readGenerate(body: JsonRecord, model: string): Asked {
  const config = recordOf(body['generationConfig']);
  const thinking = recordOf(config['thinkingConfig']);
  const isAsked = thinking['includeThoughts'] === true || (numberOf(thinking['thinkingBudget']) ?? 0) !== 0;
  return {
    model,
    items: readItems(body),
    tools: declarationsOf(body).map((one) => ({
      name: String(one['name']),
      schema: one['parameters'] ?? one['parametersJsonSchema'],
    })),
    toolChoice: readChoice(recordOf(recordOf(body['toolConfig'])['functionCallingConfig'])),
    isParallel: true,
    thinking: thinking['thinkingBudget'] === 0 ? 'off' : isAsked ? 'asked' : 'unsaid',
    schema: readSchema(config),
    maxTokens: numberOf(config['maxOutputTokens']),
    stop: stringsOf(config['stopSequences']) ?? [],
  };
}

function readSchema(config: JsonRecord): unknown {
  const schema = config['responseSchema'] ?? config['responseJsonSchema'] ?? config['_responseJsonSchema'];
  return schema ?? (config['responseMimeType'] === 'application/json' ? true : undefined);
}

function readChoice(config: JsonRecord): Asked['toolChoice'] {
  const mode = stringOf(config['mode'])?.toUpperCase();
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return 'auto';
  const [name, ...others] = stringsOf(config['allowedFunctionNames']) ?? [];
  return name === undefined || others.length > 0 ? 'required' : { name };
}

/** System instruction and contents as items. */
export function readItems(body: JsonRecord): readonly Item[] {
  const system = partsOf(recordOf(body['systemInstruction'])).map(
    (part): Item => ({ kind: 'text', role: 'system', text: String(part['text']) }),
  );
  const said = listOf(body['contents']).flatMap((content) => {
    const role = recordOf(content)['role'] === 'model' ? 'assistant' : 'user';
    return partsOf(recordOf(content)).flatMap((part) => readPart(part, role));
  });
  return [...system, ...said];
}

function readPart(part: JsonRecord, role: 'user' | 'assistant'): readonly Item[] {
  const text = stringOf(part['text']);
  if (text !== undefined) {
    if (text === '') return [];
    return [part['thought'] === true ? { kind: 'thinking', text } : { kind: 'text', role, text }];
  }
  if (part['functionCall'] !== undefined) {
    const { id, name, args } = recordOf(part['functionCall']);
    return [{ kind: 'call', id: String(id ?? name), name: String(name), argumentsText: JSON.stringify(args ?? {}) }];
  }
  if (part['functionResponse'] !== undefined) return [readResponse(recordOf(part['functionResponse']))];
  return [{ kind: 'media', role, media: readMedia(part) }];
}

/** A response's one `output`, `result` or `error` is its text; anything else is shown as JSON. */
function readResponse(response: JsonRecord): Item {
  const { id, name, response: given } = response;
  const values = Object.entries(recordOf(given));
  const [key, value] = values[0] ?? ['', ''];
  const isOne = values.length === 1 && ['output', 'result', 'error', 'content'].includes(key);
  const text = isOne && typeof value === 'string' ? value : JSON.stringify(isOne ? value : given);
  const media = listOf(response['parts']).map((part) => readMedia(recordOf(part)));
  return { kind: 'result', id: String(id ?? name), name: String(name), text, isError: key === 'error' && isOne, media };
}

function readMedia(part: JsonRecord): Media {
  const blob = recordOf(part['inlineData'] ?? part['inline_data']);
  const type = stringOf(blob['mimeType']) ?? stringOf(blob['mime_type']);
  if (type !== undefined) return { mediaType: type, bytes: Buffer.from(String(blob['data']), 'base64') };
  const file = recordOf(part['fileData'] ?? part['file_data']);
  return { mediaType: shown(file['mimeType'] ?? 'file'), url: shown(file['fileUri'] ?? '?') };
}
