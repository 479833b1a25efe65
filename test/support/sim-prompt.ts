/** What a simulated gRPC engine was asked last, whichever it is: the prompt's text and its tokens. */
import assert from 'node:assert/strict';
import type { SimGrpcEngine } from '../../sim/grpc/engine.ts';

export interface SentPrompt {
  readonly text: string;
  readonly ids: readonly number[];
}

/** `back` 1 is the request before the last one. */
export function promptSent(engine: SimGrpcEngine, back = 0): SentPrompt {
  const tokenized = engine.lastRequest(back)?.message['tokenized'] as Readonly<Record<string, unknown>> | undefined;
  // TensorRT-LLM has its own name for them.
  const ids = tokenized?.['input_ids'] ?? tokenized?.['input_token_ids'];
  const text = tokenized?.['original_text'];
  assert.ok(typeof text === 'string' && Array.isArray(ids), 'it was asked');
  return { text, ids: ids.map(Number) };
}
