/** Both ends of Responses. Source: OpenAI API reference, responses. */
import { readOpenAiFailure } from '../hub/openai-failure.ts';
import type { Codec } from '../hub/codec.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { createDecoder } from './stream-decoder.ts';
import { ResponsesEncoder } from './stream-encoder.ts';

export const responsesCodec: Codec = {
  protocol: 'openai-responses',
  streamType: () => 'text/event-stream; charset=utf-8',
  decodeRequest,
  encodeRequest,
  // Everyone who speaks this fetches images and files by itself.
  needsBytes: () => false,
  createDecoder,
  decodeAnswer,
  createEncoder: (facts) => new ResponsesEncoder(facts),
  encodeAnswer,
  readFailure: readOpenAiFailure,
};
