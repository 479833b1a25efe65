/** Both ends of the Messages API. Each part has its own file. */
import type { Codec } from '../hub/codec.ts';
import { encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { needsBytes } from './encode-media.ts';
import { encodeRequest } from './encode-request.ts';
import { readFailure } from './failure.ts';
import { createDecoder, decodeAnswer } from './stream-decoder.ts';
import { createEncoder } from './stream-encoder.ts';

export const anthropicMessagesCodec: Codec = {
  protocol: 'anthropic-messages',
  streamType: () => 'text/event-stream; charset=utf-8',
  decodeRequest,
  encodeRequest,
  needsBytes,
  createDecoder,
  decodeAnswer,
  createEncoder,
  encodeAnswer,
  readFailure,
};
