/** A checked messages body as the simulated model sees it, and what of it is in the prompt cache. */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, stringOf, stringsOf } from '../../json.ts';
import type { PrefixMemory } from '../dialect.ts';
import { type Asked, tokensOf } from '../plan.ts';
import { type Item, lastTurn, type Media, unitsOf } from '../transcript.ts';

/** What a body asks for. `isInterleaved`: manual thinking may also come after tool results. */
export function readRequest(body: JsonRecord, isInterleaved: boolean): Asked {
  const items = readItems(body);
  const choice = recordOf(body['tool_choice']);
  const thinking = recordOf(body['thinking'])['type'];
  const mayThink = thinking === 'adaptive' || isInterleaved || !lastTurn(items).some(({ kind }) => kind === 'result');
  const name = stringOf(choice['name']);
  return {
    model: stringOf(body['model']) ?? '',
    items,
    tools: listOf(body['tools']).map((tool) => ({
      name: stringOf(recordOf(tool)['name']) ?? '',
      schema: recordOf(tool)['input_schema'],
    })),
    toolChoice:
      choice['type'] === 'any'
        ? 'required'
        : choice['type'] === 'none'
          ? 'none'
          : name === undefined
            ? 'auto'
            : { name },
    isParallel: choice['disable_parallel_tool_use'] !== true,
    thinking: thinking === undefined ? 'unsaid' : thinking === 'disabled' || !mayThink ? 'off' : 'asked',
    schema: recordOf(recordOf(body['output_config'])['format'])['schema'],
    maxTokens: numberOf(body['max_tokens']),
    stop: stringsOf(body['stop_sequences']) ?? [],
  };
}

/** System and messages as items. */
export function readItems(body: JsonRecord): readonly Item[] {
  const system = blocksOf(body['system']).map(
    (block): Item => ({ kind: 'text', role: 'system', text: String(block['text']) }),
  );
  const names = new Map<string, string>();
  const said = listOf(body['messages']).flatMap((message) => {
    const { role, content } = recordOf(message);
    const owner = role === 'assistant' || role === 'system' ? role : 'user';
    return blocksOf(content).flatMap((block) => readBlock(block, owner, names));
  });
  return [...system, ...said];
}

function blocksOf(content: unknown): readonly JsonRecord[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(recordOf);
}

function readBlock(
  block: JsonRecord,
  role: 'user' | 'assistant' | 'system',
  names: Map<string, string>,
): readonly Item[] {
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', role, text: String(block['text']) }];
    case 'thinking':
      return [{ kind: 'thinking', text: String(block['thinking']) }];
    case 'redacted_thinking':
      return [{ kind: 'thinking', text: '(redacted)' }];
    case 'tool_use': {
      const [id, name] = [String(block['id']), String(block['name'])];
      names.set(id, name);
      return [{ kind: 'call', id, name, argumentsText: JSON.stringify(block['input']) }];
    }
    case 'tool_result':
      return [readResult(block, names)];
    default:
      return [{ kind: 'media', role: role === 'assistant' ? role : 'user', media: readMedia(block) }];
  }
}

function readResult(block: JsonRecord, names: ReadonlyMap<string, string>): Item {
  const id = String(block['tool_use_id']);
  const inner = block['content'] === undefined ? [] : blocksOf(block['content']);
  const texts = inner.filter((part) => part['type'] === 'text').map((part) => String(part['text']));
  const media = inner.filter((part) => part['type'] !== 'text').map(readMedia);
  const isError = block['is_error'] === true;
  return { kind: 'result', id, name: names.get(id) ?? '?', text: texts.join(' '), isError, media };
}

function readMedia(block: JsonRecord): Media {
  const source = recordOf(block['source']);
  const kind = block['type'] === 'image' ? 'image/*' : String(block['type']);
  const mediaType = stringOf(source['media_type']) ?? kind;
  if (source['type'] === 'base64') return { mediaType, bytes: Buffer.from(String(source['data']), 'base64') };
  if (source['type'] === 'text') return { mediaType, bytes: Buffer.from(String(source['data'])) };
  return { mediaType, url: stringOf(source['url']) ?? stringOf(source['file_id']) ?? stringOf(block['source']) ?? '?' };
}

/** Tokens of the prompt that came from the cache and that were written to it. */
export interface CacheUse {
  readonly read: number;
  readonly written: number;
  /** The part of `written` that is kept for an hour. */
  readonly writtenForAnHour: number;
}

/**
 * The longest prefix up to a breakpoint that was seen before is read; the rest up to the last breakpoint is written.
 * Tokens are counted over the texts of system and messages, as everywhere in the simulator; tools count nothing.
 */
export function useCache(body: JsonRecord, cache: PrefixMemory): CacheUse {
  const prefixes = prefixesOf(body);
  const visited = prefixes.map((prefix) => ({ ...prefix, isKnown: cache.visit(prefix.key) }));
  const read = visited.findLast(({ isKnown }) => isKnown)?.tokens ?? 0;
  const last = prefixes.at(-1);
  const written = Math.max(0, (last?.tokens ?? 0) - read);
  return { read, written, writtenForAnHour: last?.isForAnHour === true ? written : 0 };
}

interface Prefix {
  readonly key: string;
  readonly tokens: number;
  readonly isForAnHour: boolean;
}

function prefixesOf(body: JsonRecord): readonly Prefix[] {
  const system = blocksOf(body['system'] ?? []).map((block) => ({ block, role: 'system' }));
  const messages = listOf(body['messages']).flatMap((message) => {
    const { role, content } = recordOf(message);
    return blocksOf(content).map((block) => ({ block, role: String(role) }));
  });
  const all = [...system, ...messages];
  let key = `${String(body['model'])} ${JSON.stringify(body['tools'])}`;
  let units = 0;
  return all.flatMap(({ block, role }, index): readonly Prefix[] => {
    const { cache_control: control, ...plain } = block;
    key += `${role} ${JSON.stringify(plain)}`;
    units += readBlock(block, 'user', new Map()).reduce((sum, item) => sum + unitsOf(item), 0);
    const automatic = index === all.length - 1 ? body['cache_control'] : undefined;
    const breakpoint = isRecord(control) ? control : isRecord(automatic) ? automatic : undefined;
    if (breakpoint === undefined) return [];
    return [{ key, tokens: tokensOf(units), isForAnHour: breakpoint['ttl'] === '1h' }];
  });
}
