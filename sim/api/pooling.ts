/**
 * Work that reads without writing: embeddings and scores go through the batch as sequences without output.
 * Owns those sequences until the last is done or the client leaves.
 */

import type { Sequence } from '../core/sequence.ts';
import { countTokens } from '../core/tokens.ts';
import { sendError } from '../http/answers.ts';
import { engineError } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { createRandom, hashText } from '../random.ts';
import type { EngineParts } from './generation.ts';

/** Reads all texts on the simulated accelerator, then answers; texts of the wrong length are refused first. */
export function readThen(
  parts: EngineParts,
  exchange: Exchange,
  texts: readonly string[],
  answer: (promptTokens: number) => void,
): void {
  const { driver, options, scheduler } = parts;
  const counts = texts.map(countTokens);
  if (counts.some((tokens) => tokens > options.maxModelTokens || !scheduler.fits(tokens, 0))) {
    const message = `This model's maximum context length is ${options.maxModelTokens} tokens.`;
    return sendError(exchange, engineError(400, message));
  }
  const sum = counts.reduce((total, tokens) => total + tokens, 0);
  let left = counts.length;
  const listener = {
    onToken: () => undefined,
    onFinish: () => {
      left--;
      if (left === 0 && exchange.isOpen) answer(sum);
    },
  };
  const sequences: Sequence[] = counts.map((promptTokens) =>
    driver.submit({ promptTokens, blocks: [], promptBlocks: 0, outputTokens: 0, listener }),
  );
  exchange.onEnd(() => {
    for (const sequence of sequences) driver.abort(sequence);
  });
}

/** A unit vector determined by model and text. */
export function embed(model: string, text: string, dimensions: number): readonly number[] {
  const random = createRandom(hashText(text, hashText(model)));
  const values = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

/** How well a document answers a query, 0..1: shared words first, a touch of hash to break ties. */
export function relevance(query: string, document: string): number {
  const wanted = new Set(wordsOf(query));
  const found = new Set(wordsOf(document).filter((word) => wanted.has(word)));
  const overlap = wanted.size === 0 ? 0 : found.size / wanted.size;
  return overlap * 0.95 + (hashText(document, hashText(query)) / 4294967296) * 0.05;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
