/** The half of a tokenizer that gives text, and which of its two kinds a model has. */

import type { DecodeOptions, TokenDecoder } from '../../domain/tokenizer.ts';
import { isObject, type JsonObject, listOf } from './json-shape.ts';

export interface Decoding {
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  createDecoder(options?: DecodeOptions): TokenDecoder;
  bytesOf(id: number): Uint8Array;
}

/** `decoder` of tokenizer.json as a row of steps. */
export function decoderSteps(description: unknown): JsonObject[] {
  if (!isObject(description)) return [];
  if (description['type'] !== 'Sequence') return [description];
  return listOf(description['decoders'], 'sequence of decoders').flatMap(decoderSteps);
}

/** Whether tokens stand for bytes that are only then read as text. */
export function decodesBytes(description: unknown): boolean {
  const steps = decoderSteps(description).filter((step) => step['type'] !== 'Fuse');
  return steps.length === 1 && steps[0]?.['type'] === 'ByteLevel';
}
