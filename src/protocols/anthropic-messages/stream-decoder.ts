/** Streams and whole answers of a worker that speaks the Messages API, to events. */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import { SseDecoder } from '../hub/sse-decoder.ts';
import { readJson } from '../sse.ts';
import { errorOf } from './failure.ts';
import { MessageReader } from './message-reader.ts';

export function createDecoder(facts: DecodeFacts): Transform<Buffer, GenerationEvent> {
  return new SseDecoder(new MessageReader(facts));
}

/** The events of a whole message. Throws `upstream_invalid_answer`, or the error that the body is. */
export function decodeAnswer(body: Buffer, facts: DecodeFacts): GenerationEvent[] {
  const message = parseMessage(body);
  const events: GenerationEvent[] = [];
  new MessageReader(facts).readMessage(message, (event) => events.push(event));
  return events;
}

function parseMessage(body: Buffer): JsonNode {
  const text = body.toString('utf8').trim();
  const json = readJson(text);
  if (json?.['type'] === 'error') throw errorOf(json);
  const node = json && parseNode(text);
  if (node?.get('content')?.kind === 'array') return node;
  throw new GatewayError('upstream_invalid_answer', 'The answer is not a message.');
}
