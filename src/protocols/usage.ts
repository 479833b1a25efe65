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
  return {
    inputTokens: count(fields['prompt_tokens'] ?? fields['input_tokens']),
    outputTokens: count(fields['completion_tokens'] ?? fields['output_tokens']),
    cachedInputTokens: count(
      inner(fields['prompt_tokens_details'], 'cached_tokens') ?? inner(fields['input_tokens_details'], 'cached_tokens'),
    ),
  };
}

/** Anthropic's usage: `input_tokens` leaves out what was read from or written to the cache, so they are added. */
export function usageFromAnthropic(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const fields = usage as Record<string, unknown>;
  const cached = count(fields['cache_read_input_tokens']);
  return {
    inputTokens: count(fields['input_tokens']) + cached + count(fields['cache_creation_input_tokens']),
    outputTokens: count(fields['output_tokens']),
    cachedInputTokens: cached,
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

/** The index after `"name":` and white space where the key last occurs, or -1. A key inside a JSON string is escaped and never matches. */
function valueOfLastKey(bytes: Buffer, quotedName: string): number {
  const key = bytes.lastIndexOf(quotedName);
  if (key < 0) return -1;
  const colon = skipSpace(bytes, key + quotedName.length);
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1;
}

/** The object behind the last `"name":` in the bytes, or undefined (absent, null, cut). Parses nothing else. */
export function lastObject(bytes: Buffer, quotedName: string): unknown {
  const start = valueOfLastKey(bytes, quotedName);
  if (start < 0 || bytes[start] !== OPEN_BRACE) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', start, skipValue(bytes, start)));
  } catch (thrown) {
    if (thrown instanceof JsonScanError || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** True when the last `"name":` has a value other than null. */
export function hasValue(bytes: Buffer, quotedName: string): boolean {
  const start = valueOfLastKey(bytes, quotedName);
  return start >= 0 && bytes[start] !== 0x6e;
}
