/** The event stream of `streamGenerateContent?alt=sse` to events: each frame is one `GenerateContentResponse`. */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { FrameReader } from '../hub/sse-decoder.ts';
import { SseDecoder } from '../hub/sse-decoder.ts';
import { ResponseReader } from './response-reader.ts';

/** Lives as long as the stream. */
export function createDecoder(facts: DecodeFacts): Transform<Buffer, GenerationEvent> {
  const reader = new ResponseReader(facts);
  const frames: FrameReader = {
    frame({ data }, emit) {
      const node = parseObject(data);
      if (node) return reader.response(node, emit);
      reader.fail(new GatewayError('upstream_invalid_answer', 'A chunk of the stream is not JSON.'), emit);
    },
    end: (emit) => reader.end(emit),
  };
  return new SseDecoder(frames);
}

function parseObject(data: string): JsonNode | undefined {
  try {
    const node = parseNode(data);
    return node.kind === 'object' ? node : undefined;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
}
