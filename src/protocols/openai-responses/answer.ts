/** Whole answers: the same events at once, read from the response object and written into one. */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { AnswerFacts, DecodeFacts, EncodedAnswer } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import { jsonBytes } from '../hub/json-text.ts';
import { failed, ResponsesReader } from './stream-decoder.ts';
import { ResponsesEncoder } from './stream-encoder.ts';

/** Throws `upstream_invalid_answer` for what is no response, and the response's own error when it failed. */
export function decodeAnswer(body: Buffer, facts: DecodeFacts): GenerationEvent[] {
  const response = parse(body);
  const status = response.get('status')?.string ?? 'completed';
  if (status === 'failed' || status === 'cancelled') throw failed(response);
  if (response.get('output')?.kind !== 'array' || status === 'in_progress' || status === 'queued')
    throw new GatewayError('upstream_invalid_answer', 'The answer is no finished response.');
  const events: GenerationEvent[] = [];
  new ResponsesReader(facts).readWhole(response, (event) => events.push(event));
  return events;
}

function parse(body: Buffer): JsonNode {
  try {
    return parseNode(body.toString('utf8'));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new GatewayError('upstream_invalid_answer', 'The answer is not JSON.');
  }
}

/** Throws the error that the events hold, and `upstream_invalid_answer` when they do not come to an end. */
export function encodeAnswer(events: readonly GenerationEvent[], facts: AnswerFacts): EncodedAnswer {
  const encoder = new ResponsesEncoder(facts);
  for (const event of events) {
    if (event.type === 'error') throw event.error;
    encoder.push(event, () => undefined);
  }
  if (encoder.response === undefined) throw new GatewayError('upstream_invalid_answer', 'The answer has no end.');
  return { body: jsonBytes(encoder.response), warnings: encoder.warnings };
}
