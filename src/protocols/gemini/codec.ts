/** Both ends of Gemini's `generateContent` and `streamGenerateContent`. */
import type { Codec } from '../hub/codec.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { needsBytes } from './encode-media.ts';
import { encodeRequest } from './encode-request.ts';
import { readFailure } from './failure.ts';
import { createDecoder } from './stream-decoder.ts';
import { createEncoder } from './stream-encoder.ts';

/** See the contract in `hub/codec.ts`. */
export const geminiCodec: Codec = {
  protocol: 'gemini',
  streamType: ({ isEventStream }) => (isEventStream ? 'text/event-stream' : 'application/json; charset=UTF-8'),
  decodeRequest,
  encodeRequest,
  needsBytes,
  createDecoder,
  decodeAnswer,
  createEncoder,
  encodeAnswer,
  readFailure,
};
