/** Tokens of an output with their log probabilities, in the forms in which APIs show them. */
import type { TokenLogprob } from '../../domain/generation-event.ts';
import type { ShownToken } from '../../domain/text-event.ts';
import type { OutputLogprobs, PromptLogprobs } from '../../domain/token-generation.ts';
import type { Tokenizer } from '../../domain/tokenizer.ts';

/** Bytes that are no character become U+FFFD. */
function textOf(tokenizer: Tokenizer, id: number): string {
  const bytes = tokenizer.bytesOf(id);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The token at `index` of a chunk; `tops`: how many of the likeliest are wanted. */
export function shownToken(
  tokenizer: Tokenizer,
  at: { readonly id: number; readonly index: number; readonly tops: number },
  logprobs: OutputLogprobs | undefined,
): ShownToken {
  const { id, index, tops } = at;
  return {
    id,
    text: textOf(tokenizer, id),
    logprob: finite(logprobs?.logprobs[index]),
    top: topOf(tokenizer, tops, [logprobs?.topIds[index], logprobs?.topLogprobs[index]]),
  };
}

type Top = readonly [ids: ArrayLike<number> | undefined, logprobs: ArrayLike<number> | undefined];

/** Engines may tell more of them than were asked for. */
function topOf(tokenizer: Tokenizer, tops: number, [ids, logprobs]: Top): ShownToken['top'] {
  if (!ids || !logprobs) return [];
  return Array.from({ length: Math.min(tops, ids.length, logprobs.length) }, (_, i) => {
    const id = ids[i] ?? 0;
    return { id, text: textOf(tokenizer, id), logprob: finite(logprobs[i]) ?? NO_LOGPROB };
  });
}

export function shownPrompt(tokenizer: Tokenizer, tops: number, prompt: PromptLogprobs): readonly ShownToken[] {
  return Array.from({ length: prompt.ids.length }, (_, i) => {
    const id = prompt.ids[i] ?? 0;
    const top = topOf(tokenizer, tops, [prompt.topIds[i], prompt.topLogprobs[i]]);
    return { id, text: textOf(tokenizer, id), logprob: finite(prompt.logprobs[i]), top };
  });
}

/** JSON has no word for what engines give an impossible token. */
function finite(logprob: number | undefined): number | undefined {
  return logprob === undefined || Number.isFinite(logprob) ? logprob : NO_LOGPROB;
}

/** As chat answers show it: with the bytes, which are exact where the text is not. */
export function tokenLogprob(tokenizer: Tokenizer, { id, text, logprob, top }: ShownToken): TokenLogprob {
  const entry = (one: { readonly id: number; readonly text: string; readonly logprob: number }) => ({
    token: one.text,
    logprob: one.logprob,
    bytes: Array.from(tokenizer.bytesOf(one.id)),
  });
  // Engines leave out what is as good as impossible; JSON has no word for it either.
  return { ...entry({ id, text, logprob: logprob ?? NO_LOGPROB }), top: top.map(entry) };
}

/** What OpenAI gives for a token that is not among the likeliest. */
const NO_LOGPROB = -9999;
