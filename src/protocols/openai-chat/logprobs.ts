/** Log probabilities of tokens, both ways. Source: OpenAI API reference, `choices[].logprobs`. */
import type { TokenLogprob } from '../../domain/generation-event.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { listOf, membersOf, textOf } from './wire-values.ts';

/** Undefined when there are none. Those of a refusal count as those of the text. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
  const holder = membersOf(value);
  const entries = [...listOf(holder?.['content']), ...listOf(holder?.['refusal'])];
  if (entries.length === 0) return undefined;
  return entries.map((entry) => ({
    ...readEntry(entry),
    top: listOf(membersOf(entry)?.['top_logprobs']).map(readEntry),
  }));
}

function readEntry(value: unknown): Omit<TokenLogprob, 'top'> {
  const entry = membersOf(value);
  const bytes = entry?.['bytes'];
  const logprob = entry?.['logprob'];
  return {
    token: textOf(entry?.['token']),
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : undefined,
  };
}

export function writeLogprobs(entries: readonly TokenLogprob[]): JsonOut {
  return {
    content: entries.map((entry) => ({ ...writeEntry(entry), top_logprobs: entry.top.map(writeEntry) })),
    refusal: null,
  };
}

function writeEntry({ token, logprob, bytes }: Omit<TokenLogprob, 'top'>): { [name: string]: JsonOut } {
  return { token, logprob, bytes: bytes ?? null };
}
