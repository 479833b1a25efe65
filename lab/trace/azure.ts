/**
 * Traces in the form of the Azure Public Dataset (2023): CSV with `TIMESTAMP,ContextTokens,GeneratedTokens`. They say
 * nothing about what the prompts share, so every prompt is taken as unlike all others.
 */
import { MAX_TOKENS, MOONCAKE_BLOCK, type LineReading } from './mooncake.ts';
import { chainWords } from './words.ts';

export const AZURE_HEADING = /^TIMESTAMP,ContextTokens,GeneratedTokens$/i;

/** UTC with up to seven digits of a second, as `2023-11-16 18:15:46.6805900`. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)?$/;

/** `lineNumber` makes the prompt's blocks its own. `arrivedMs` is since 1970: a trace starts at its first call. */
export function readAzureLine(text: string, lineNumber: number): LineReading {
  const cells = text.split(',');
  const [timestamp = '', input = '', output = ''] = cells;
  if (cells.length !== 3) return 'not three cells: TIMESTAMP,ContextTokens,GeneratedTokens';
  const arrivedMs = readTimestamp(timestamp);
  if (Number.isNaN(arrivedMs)) return 'TIMESTAMP is not a time such as 2023-11-16 18:15:46.6805900';
  const inputTokens = readCount(input);
  if (!(inputTokens >= 1)) return `ContextTokens is not a whole number from 1 to ${MAX_TOKENS}`;
  const outputTokens = readCount(output);
  if (!(outputTokens >= 0)) return `GeneratedTokens is not a whole number from 0 to ${MAX_TOKENS}`;
  const promptBlocks = Math.floor(inputTokens / MOONCAKE_BLOCK);
  const words = chainWords(Array.from({ length: promptBlocks }, (_, index) => lineNumber * 0x100_0000 + index));
  return { arrivedMs, inputTokens, outputTokens, words, promptBlocks, session: undefined };
}

/** Date knows milliseconds only; the rest of the fraction is added by hand. */
function readTimestamp(text: string): number {
  if (!TIMESTAMP.test(text)) return Number.NaN;
  const [, whole = '', fraction = '0'] = /^([^.Z+]+)(?:\.(\d+))?/.exec(text) ?? [];
  return Date.parse(`${whole.replace(' ', 'T')}Z`) + Number(`0.${fraction}`) * 1000;
}

function readCount(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_TOKENS ? value : Number.NaN;
}
