/** SGLang's native `/generate`: `data: {"text","meta_info":{…}}` frames with `[DONE]` at the end. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { encodeDataError, inBandFailure } from '../choices-tap.ts';
import { openaiChat } from '../openai-chat/index.ts';
import type { FrameKind, Protocol, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { hasValue, lastObject, usageFromMetaInfo } from '../usage.ts';

const META = '"meta_info"';
const FINISH = '"finish_reason"';

class GenerateTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  readonly endTellsAll = true;
  failure: string | undefined;

  frame(frame: Buffer): FrameKind {
    if (frame.includes(META)) {
      if (hasValue(frame, FINISH)) this.#finished(readJson(readFrame(frame).data));
      return 'content';
    }
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    if (view.data.trim() === '[DONE]') {
      this.isComplete = true;
      return 'end';
    }
    const json = readJson(view.data);
    const failure = json && inBandFailure(json, view.event);
    if (failure === undefined) return 'content';
    this.failure = failure;
    return 'error';
  }

  encodeError(error: GatewayError): Buffer {
    return encodeDataError(error);
  }

  /** Undefined: the frame is cut, and the stream with it. */
  #finished(json: Record<string, unknown> | undefined): void {
    if (!json) return;
    this.isComplete = true;
    this.usage = usageFromMetaInfo(json['meta_info']) ?? this.usage;
  }
}

export const sglangGenerate: Protocol = {
  ...openaiChat,
  name: 'sglang-generate',
  idPrefix: 'gnt-',
  modelOptional: true,
  createTap: () => new GenerateTap(),
  readUsage: (body) => usageFromMetaInfo(lastObject(body, META)),
};
