/**
 * What OpenAI-style streams share: frames, usage objects, error frames, and chunk templates.
 * A template is a frame cut at the place of the token's text, so that a token costs two concatenations.
 */

import { engineError, errorBody } from '../http/errors.ts';
import type { EngineKind } from '../options.ts';
import type { Piece } from '../text/pieces.ts';
import type { Usage } from './generation.ts';

/** The frame that ends OpenAI-style streams. */
export const DONE_FRAME = 'data: [DONE]\n\n';

/** Stands for the token's text while a template is built. */
export const SLOT = '\u0001piece\u0001';

const SLOT_JSON = JSON.stringify(SLOT).slice(1, -1);

/** A JSON value as one SSE frame. */
export function dataFrame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A JSON value as one named SSE frame. */
export function namedFrame(event: string, value: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`;
}

/** Turns a frame that contains `SLOT` into a function from token to frame. */
export function pieceTemplate(frame: string): (piece: Piece) => string {
  const [before = '', after = ''] = frame.split(SLOT_JSON);
  return (piece) => before + piece.json + after;
}

/** OpenAI's usage object as both engines fill it in. */
export function openaiUsage(usage: Usage): unknown {
  return {
    prompt_tokens: usage.promptTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    completion_tokens: usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

/** An in-band failure of chat and completions streams: the error, then the end marker, as both engines do. */
export function openaiErrorFrames(kind: EngineKind, message: string, code: number): readonly string[] {
  const body = errorBody(kind, '/v1/chat/completions', engineError(code, message));
  return [dataFrame(kind === 'vllm' ? body : { error: body }), DONE_FRAME];
}
