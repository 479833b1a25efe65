/**
 * Traces in Mooncake's form: one JSON object a line with `timestamp` (ms), `input_length` and `output_length` (tokens)
 * and `hash_ids`, one number for each 512 tokens of the prompt that stands for them and all before them.
 * Source: the format of the traces released with the Mooncake paper (FAST'25).
 */
import type { TraceCall } from './call.ts';
import { chainWords } from './words.ts';

/** Tokens that one id stands for. */
export const MOONCAKE_BLOCK = 512;

/** Nothing sane is longer; a mistyped number would keep a simulated engine busy for days. */
export const MAX_TOKENS = 10_000_000;
const MAX_TIMESTAMP_MS = 1e12;

/** A call, or what is wrong with the line. */
export type LineReading = TraceCall | string;

export function readMooncakeLine(text: string): LineReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not a JSON object';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const fields = value as Readonly<Record<string, unknown>>;
  return (
    wrongNumber(fields, 'timestamp', { least: 0, most: MAX_TIMESTAMP_MS }) ??
    wrongCount(fields, 'input_length', 1) ??
    wrongCount(fields, 'output_length', 0) ??
    wrongIds(fields['hash_ids']) ??
    callOf(fields as unknown as MooncakeLine)
  );
}

interface MooncakeLine {
  readonly timestamp: number;
  readonly input_length: number;
  readonly output_length: number;
  readonly hash_ids: readonly number[];
}

/** The last id may stand for less than a block, which no engine shares. */
function callOf({ timestamp, input_length: inputTokens, output_length: outputTokens, hash_ids: ids }: MooncakeLine) {
  const complete = Math.min(ids.length, Math.floor(inputTokens / MOONCAKE_BLOCK));
  const words = chainWords(ids.slice(0, complete));
  return { arrivedMs: timestamp, inputTokens, outputTokens, words, promptBlocks: complete, session: undefined };
}

type Fields = Readonly<Record<string, unknown>>;

function wrongNumber(fields: Fields, name: string, { least, most }: { least: number; most: number }) {
  const value = fields[name];
  if (typeof value === 'number' && value >= least && value <= most) return undefined;
  return `${name} is not a number from ${least} to ${most}`;
}

function wrongCount(fields: Fields, name: string, least: number): string | undefined {
  if (!Number.isInteger(fields[name])) return `${name} is not a whole number`;
  return wrongNumber(fields, name, { least, most: MAX_TOKENS });
}

function wrongIds(ids: unknown): string | undefined {
  const isList = Array.isArray(ids) && ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0);
  return isList ? undefined : 'hash_ids is not a list of whole numbers from 0';
}
