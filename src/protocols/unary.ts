/** The APIs that answer in one piece: embeddings, rerank, score, classify. A stream from one of them ends when it ends. */
import type { ProtocolName } from '../domain/call.ts';
import type { GatewayError } from '../domain/errors.ts';
import { encodeDataError } from './choices-tap.ts';
import { openaiDialect } from './dialect.ts';
import { embedCodec } from './openai-embeddings/codec.ts';
import { promptReader } from './prompt.ts';
import type { PromptFields } from './prompt.ts';
import type { FrameKind, Protocol, StreamTap } from './protocol.ts';
import { lastObject, usageFromOpenAi } from './usage.ts';

/** Knows nothing of the frames; takes the end of the bytes for the end of the answer. */
class OpaqueTap implements StreamTap {
  readonly usage = undefined;
  readonly isComplete = true;
  readonly endTellsAll = true;
  readonly failure = undefined;
  readonly isRateLimited = false;

  frame(): FrameKind {
    return 'content';
  }

  encodeError(error: GatewayError): Buffer {
    return encodeDataError(error);
  }
}

function unary(name: ProtocolName, idPrefix: string, modelOptional: boolean, fields: PromptFields): Protocol {
  return {
    name,
    dialect: openaiDialect,
    idPrefix,
    modelOptional,
    codec: undefined,
    createTap: () => new OpaqueTap(),
    ...promptReader(fields),
    readUsage: (body) => usageFromOpenAi(lastObject(body, '"usage"')),
  };
}

/** vLLM embeds and classifies chats too; SGLang's own `/classify` takes what `/generate` takes. */
const ADAPTER = ['lora_path', 'chat_template', 'cache_salt'];

export const openaiEmbeddings: Protocol = {
  ...unary('openai-embeddings', 'embd-', false, { content: ['input', 'messages'], salt: ADAPTER }),
  embed: embedCodec,
};
export const rerank = unary('rerank', 'rerank-', true, { content: ['query', 'documents'], salt: ADAPTER });
export const score = unary('score', 'score-', true, {
  content: ['query', 'text_1', 'items', 'text_2'],
  salt: ADAPTER,
});
export const classify = unary('classify', 'classify-', true, {
  content: ['input', 'messages', 'input_ids', 'text'],
  salt: ADAPTER,
});
