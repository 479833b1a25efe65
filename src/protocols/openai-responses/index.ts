/** OpenAI responses as the gateway sees them on their way through. Source: OpenAI API reference, responses streaming events. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { inBandFailure, isClientFault, isRateLimit } from '../choices-tap.ts';
import { openaiDialect } from '../dialect.ts';
import { promptReader } from '../prompt.ts';
import type { FrameKind, Protocol, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { lastObject, usageFromOpenAi } from '../usage.ts';
import { responsesCodec } from './codec.ts';

const DELTA = '.delta"';
/** Members of the events that end a stream; text in one of them may end in `.delta` too. */
const RESPONSE = '"response"';
const ERROR = '"error"';
const PRELUDES = new Set(['response.created', 'response.in_progress', 'response.queued']);
const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled']);

class ResponsesTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  /** False: the last event repeats the whole answer and may be long. */
  readonly endTellsAll = false;
  failure: string | undefined;
  isRateLimited = false;
  #sawContent = false;
  /** The last event has begun and comes in pieces. */
  #isEnding = false;
  #responseId: string | undefined;
  #frames = 0;

  frame(frame: Buffer): FrameKind {
    if (this.#isEnding) return this.#pieceOfEnd(frame);
    if (this.#sawContent && frame.includes(DELTA) && !frame.includes(RESPONSE) && !frame.includes(ERROR)) {
      this.#frames += 1;
      return 'content';
    }
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    if (view.data.trim() === '[DONE]') {
      this.isComplete = true;
      return 'end';
    }
    this.#frames += 1;
    const json = readJson(view.data);
    const type = typeof json?.['type'] === 'string' ? json['type'] : view.event;
    if (json || type === 'error') return this.#classify(type, json ?? {}, view.event);
    // Not JSON: the first piece of an event that is too long to be read at once, or one that is cut.
    this.#isEnding = ENDS.has(type);
    return this.#content();
  }

  /** As the API itself ends a failed stream: an `error` event, then `response.failed`. */
  encodeError(error: GatewayError): Buffer {
    const at = this.#frames;
    const failed = {
      type: 'response.failed',
      sequence_number: at + 1,
      response: {
        id: this.#responseId ?? null,
        object: 'response',
        status: 'failed',
        error: { code: error.code, message: error.message },
        output: [],
      },
    };
    const first = { type: 'error', code: error.code, message: error.message, param: null, sequence_number: at };
    return Buffer.from(
      `event: error\ndata: ${JSON.stringify(first)}\n\nevent: response.failed\ndata: ${JSON.stringify(failed)}\n\n`,
    );
  }

  #classify(type: string, json: Record<string, unknown>, event: string): FrameKind {
    const response = json['response'] as Record<string, unknown> | undefined;
    if (PRELUDES.has(type)) {
      if (typeof response?.['id'] === 'string') this.#responseId = response['id'];
      return 'prelude';
    }
    if (type === 'error' || type === 'response.failed') {
      this.failure =
        inBandFailure(response ?? json, event) ?? inBandFailure(json, event) ?? 'the worker gave no message';
      this.isRateLimited = isRateLimit(response ?? json);
      const isClients = isClientFault(response ?? json);
      this.isComplete = isClients || type !== 'error';
      return isClients ? this.#content() : 'error';
    }
    if (!ENDS.has(type)) return this.#content();
    this.isComplete = true;
    this.usage = usageFromOpenAi(response?.['usage']) ?? this.usage;
    return 'end';
  }

  /** The data is one line of JSON: it is whole where that line ends, and the usage stands near there. */
  #pieceOfEnd(piece: Buffer): FrameKind {
    this.usage ??= usageFromOpenAi(lastObject(piece, '"usage"'));
    if (!piece.includes('\n') && !piece.includes('\r')) return 'content';
    this.isComplete = true;
    return 'end';
  }

  #content(): FrameKind {
    this.#sawContent = true;
    return 'content';
  }
}

export const openaiResponses: Protocol = {
  name: 'openai-responses',
  dialect: openaiDialect,
  idPrefix: 'resp_',
  modelOptional: false,
  codec: responsesCodec,
  ...promptReader({
    // What a conversation of the worker's holds comes before the input; here only its name is known.
    content: ['tools', 'instructions', 'prompt', 'conversation', 'previous_response_id', 'input'],
    salt: ['lora_path', 'chat_template_kwargs', 'reasoning', 'cache_salt'],
  }),
  createTap: () => new ResponsesTap(),
  readUsage: (body) => usageFromOpenAi(lastObject(body, '"usage"')),
};
