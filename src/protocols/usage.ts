/** Usage blocks as the APIs write them, read into the one shape of the domain. */
import type { Usage } from '../domain/usage.ts';
import { JsonScanError, skipSpace, skipValue } from './json-scan.ts';

const COLON = 0x3a;
const OPEN_BRACE = 0x7b;

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function inner(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** OpenAI's two namings (`prompt_tokens`… and `input_tokens`… of Responses); cached tokens are part of the input. */
export function usageFromOpenAi(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const fields = usage as Record<string, unknown>;
  const input = fields['prompt_tokens'] ?? fields['input_tokens'];
  const output = fields['completion_tokens'] ?? fields['output_tokens'];
  if (input === undefined && output === undefined) return undefined;
  return {
    inputTokens: count(input),
    outputTokens: count(output),
    cachedInputTokens: count(
      inner(fields['prompt_tokens_details'], 'cached_tokens') ?? inner(fields['input_tokens_details'], 'cached_tokens'),
    ),
  };
}

/** Anthropic's usage: `input_tokens` leaves out what was read from or written to the cache, so they are added. */
export function usageFromAnthropic(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const fields = usage as Record<string, unknown>;
  if (fields['input_tokens'] === undefined && fields['output_tokens'] === undefined) return undefined;
  const cached = count(fields['cache_read_input_tokens']);
  return {
    inputTokens: count(fields['input_tokens']) + cached + count(fields['cache_creation_input_tokens']),
    outputTokens: count(fields['output_tokens']),
    cachedInputTokens: cached,
  };
}

/**
 * Gemini's `usageMetadata`: cached tokens are part of the prompt's, thoughts are not part of the candidates', prompts of
 * Google's own tools are counted beside.
 */
export function usageFromGemini(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const fields = usage as Record<string, unknown>;
  if (fields['promptTokenCount'] === undefined && fields['candidatesTokenCount'] === undefined) return undefined;
  return {
    inputTokens: count(fields['promptTokenCount']) + count(fields['toolUsePromptTokenCount']),
    outputTokens: count(fields['candidatesTokenCount']) + count(fields['thoughtsTokenCount']),
    cachedInputTokens: count(fields['cachedContentTokenCount']),
  };
}

/** SGLang's native `meta_info`. */
export function usageFromMetaInfo(meta: unknown): Usage | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined;
  const fields = meta as Record<string, unknown>;
  if (fields['completion_tokens'] === undefined && fields['prompt_tokens'] === undefined) return undefined;
  return {
    inputTokens: count(fields['prompt_tokens']),
    outputTokens: count(fields['completion_tokens']),
    cachedInputTokens: count(fields['cached_tokens']),
  };
}

/**
 * The last place before `end` where `"name"` stands as a key, or -1. Text that holds the name escapes the quotes, so
 * that only a string of just the name looks like the key; no colon follows it.
 */
function lastKey(bytes: Buffer, quotedName: string, end: number): number {
  let key = end;
  while (key > 0) {
    key = bytes.lastIndexOf(quotedName, key - 1);
    if (key >= 0 && bytes[skipSpace(bytes, key + quotedName.length)] === COLON) return key;
  }
  return -1;
}

function valueAfter(bytes: Buffer, quotedName: string, key: number): number {
  return skipSpace(bytes, skipSpace(bytes, key + quotedName.length) + 1);
}

/** The last object in the bytes that stands behind `"name":`, or undefined (absent, null, cut). Parses nothing else. */
export function lastObject(bytes: Buffer, quotedName: string): unknown {
  let key = lastKey(bytes, quotedName, bytes.length);
  while (key >= 0 && bytes[valueAfter(bytes, quotedName, key)] !== OPEN_BRACE) key = lastKey(bytes, quotedName, key);
  if (key < 0) return undefined;
  const start = valueAfter(bytes, quotedName, key);
  try {
    return JSON.parse(bytes.toString('utf8', start, skipValue(bytes, start)));
  } catch (thrown) {
    if (thrown instanceof JsonScanError || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** True when the last `"name":` has a value other than null. */
export function hasValue(bytes: Buffer, quotedName: string): boolean {
  const key = lastKey(bytes, quotedName, bytes.length);
  if (key < 0) return false;
  const first = bytes[valueAfter(bytes, quotedName, key)];
  return first !== undefined && first !== 0x6e;
}
