/** OpenAI responses as the gateway sees them on their way through. Source: OpenAI API reference, responses streaming events. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { inBandFailure } from '../choices-tap.ts';
import { openaiDialect } from '../dialect.ts';
import type { FrameKind, Protocol, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { lastObject, usageFromOpenAi } from '../usage.ts';

const DELTA = '.delta"';
const PRELUDES = new Set(['response.created', 'response.in_progress', 'response.queued']);
const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled']);

class ResponsesTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  /** False: the last event repeats the whole answer and may be long. */
  readonly endTellsAll = false;
  failure: string | undefined;
  #sawContent = false;
  #responseId: string | undefined;
  #frames = 0;

  frame(frame: Buffer): FrameKind {
    if (this.#sawContent && frame.includes(DELTA)) {
      this.#frames += 1;
      return 'content';
    }
    // The later pieces of a last event that was too long to be read at once: the usage stands near its end.
    if (this.isComplete) this.usage ??= usageFromOpenAi(lastObject(frame, '"usage"'));
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    if (view.data.trim() === '[DONE]') {
      this.isComplete = true;
      return 'end';
    }
    this.#frames += 1;
    const json = readJson(view.data) ?? {};
    return this.#classify(typeof json['type'] === 'string' ? json['type'] : view.event, json, view.event);
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
    if (type === 'error' || (type === 'response.failed' && !this.#sawContent)) {
      this.isComplete = type !== 'error';
      this.failure =
        inBandFailure(response ?? json, event) ?? inBandFailure(json, event) ?? 'the worker gave no message';
      return 'error';
    }
    this.#sawContent = true;
    if (!ENDS.has(type)) return 'content';
    this.isComplete = true;
    this.usage = usageFromOpenAi(response?.['usage']) ?? this.usage;
    return 'end';
  }
}

export const openaiResponses: Protocol = {
  name: 'openai-responses',
  dialect: openaiDialect,
  idPrefix: 'resp_',
  modelOptional: false,
  createTap: () => new ResponsesTap(),
  readUsage: (body) => usageFromOpenAi(lastObject(body, '"usage"')),
};
