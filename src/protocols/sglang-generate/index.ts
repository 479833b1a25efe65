/** SGLang's native `/generate`: `data: {"text","meta_info":{…}}` frames with `[DONE]` at the end. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { encodeDataError, inBandFailure, isClientFault, isRateLimit } from '../choices-tap.ts';
import type { TextCodec } from '../hub/text-codec.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { promptReader } from '../prompt.ts';
import type { FrameKind, Protocol, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { hasValue, lastObject, usageFromMetaInfo } from '../usage.ts';
import { createEncoder, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';

/** Both ends for workers that take tokens. */
const generateText: TextCodec = { decodeRequest, createEncoder, encodeAnswer };

const META = '"meta_info"';
const FINISH = '"finish_reason"';

class GenerateTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  readonly endTellsAll = true;
  failure: string | undefined;
  isRateLimited = false;

  frame(frame: Buffer): FrameKind {
    if (frame.includes(META)) {
      return hasValue(frame, FINISH) ? this.#finished(readJson(readFrame(frame).data)) : 'content';
    }
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    if (view.data.trim() === '[DONE]') {
      this.isComplete = true;
      return 'end';
    }
    const json = readJson(view.data);
    const failure = json && inBandFailure(json, view.event);
    if (!json || failure === undefined) return 'content';
    return this.#failed(json, failure);
  }

  encodeError(error: GatewayError): Buffer {
    return encodeDataError(error);
  }

  /** Undefined: the frame is cut, and the stream with it. */
  #finished(json: Record<string, unknown> | undefined): FrameKind {
    if (!json) return 'content';
    const meta = json['meta_info'] as Record<string, unknown> | null | undefined;
    this.usage = usageFromMetaInfo(meta) ?? this.usage;
    const reason = meta?.['finish_reason'] as Record<string, unknown> | null | undefined;
    // Inside a stream the scheduler tells of its faults, and of bad requests, as a reason to finish.
    if (reason?.['type'] === 'abort' && typeof reason['status_code'] === 'number') {
      return this.#failed({ error: { code: reason['status_code'] } }, String(reason['message']));
    }
    this.isComplete = true;
    return 'content';
  }

  /** An error without a code is a ValueError of the engine: outside of a stream it is a 400. */
  #failed(json: Record<string, unknown>, failure: string): FrameKind {
    this.failure = failure;
    this.isRateLimited = isRateLimit(json);
    const error = (json['error'] ?? json) as Record<string, unknown>;
    if (error['code'] !== undefined && !isClientFault(json)) return 'error';
    this.isComplete = true;
    return 'content';
  }
}

export const sglangGenerate: Protocol = {
  ...openaiChat,
  name: 'sglang-generate',
  idPrefix: 'gnt-',
  modelOptional: true,
  codec: undefined,
  text: generateText,
  ...promptReader({
    // The pictures first: the same text with another picture is another prompt from where the picture stands.
    content: ['image_data', 'video_data', 'audio_data', 'input_ids', 'text', 'input_embeds'],
    salt: ['lora_path', 'cache_salt', 'extra_key', 'session_params'],
  }),
  createTap: () => new GenerateTap(),
  readUsage: (body) => usageFromMetaInfo(lastObject(body, META)),
};
