/**
 * Log probabilities as completions have them: four lists in step, offsets in characters from the start of the prompt.
 * Source: OpenAI API reference, the completion object, `choices[].logprobs`.
 */
import type { JsonOut } from '../hub/json-text.ts';
import type { ShownToken } from '../hub/text-codec.ts';

/** What JSON cannot say and what OpenAI's own servers write for it. */
const LEAST_LOGPROB = -9999;

/** Finds where each token stands in a text that grows. Characters are code points, as Python counts them. */
export class TextOffset {
  #at: number;

  constructor(start: number) {
    this.#at = start;
  }

  /**
   * The places of tokens that this text came from. A token that is a part of a character takes no place of its own;
   * whatever the texts of the tokens add up to, the next ones begin behind `text`.
   */
  place(text: string, tokens: readonly ShownToken[]): number[] {
    let unit = 0;
    let characters = 0;
    const places = tokens.map((token) => {
      const place = this.#at + characters;
      if (text.startsWith(token.text, unit)) {
        unit += token.text.length;
        characters += charactersIn(token.text);
      }
      return place;
    });
    this.#at += charactersIn(text);
    return places;
  }
}

export function charactersIn(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index += 1) if ((text.charCodeAt(index) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

/** The four lists of one choice, of one chunk or of a whole answer. */
export class LogprobsBlock {
  readonly #tokens: string[] = [];
  readonly #logprobs: (number | null)[] = [];
  readonly #top: (ReadonlyMap<string, number> | null)[] = [];
  readonly #offsets: number[] = [];

  add(tokens: readonly ShownToken[], places: readonly number[]): void {
    for (const [index, token] of tokens.entries()) {
      this.#tokens.push(token.text);
      this.#logprobs.push(token.logprob === undefined ? null : finite(token.logprob));
      this.#top.push(topOf(token));
      this.#offsets.push(places[index] ?? 0);
    }
  }

  write(): JsonOut {
    return {
      text_offset: this.#offsets,
      token_logprobs: this.#logprobs,
      tokens: this.#tokens,
      top_logprobs: this.#top,
    };
  }
}

/** The likeliest by their texts, and always the token itself; null where the engine had nothing to say. */
function topOf({ text, logprob, top }: ShownToken): ReadonlyMap<string, number> | null {
  if (logprob === undefined) return null;
  const byText = new Map<string, number>();
  // Parts of characters may look alike: the likeliest of them is named.
  for (const each of top) if (!byText.has(each.text)) byText.set(each.text, finite(each.logprob));
  if (!byText.has(text)) byText.set(text, finite(logprob));
  return byText;
}

/** JSON has no infinity. */
export function finite(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : LEAST_LOGPROB;
}
