/** Both ends of chat completions, for translation. */
import type { Codec } from '../hub/codec.ts';
import { readOpenAiFailure } from '../hub/openai-failure.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { needsBytes } from './media-needs.ts';
import { createDecoder } from './stream-decoder.ts';
import { createEncoder } from './stream-encoder.ts';

export const openaiChatCodec: Codec = {
  protocol: 'openai-chat',
  streamType: () => 'text/event-stream; charset=utf-8',
  decodeRequest,
  encodeRequest,
  needsBytes,
  createDecoder,
  decodeAnswer,
  createEncoder,
  encodeAnswer,
  readFailure: readOpenAiFailure,
};
