/** Anthropic messages as the gateway sees them on their way through. Source: Anthropic API reference, streaming. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { inBandFailure, isClientFault, isRateLimit } from '../choices-tap.ts';
import { anthropicDialect, anthropicErrorObject } from '../dialect.ts';
import { promptReader } from '../prompt.ts';
import type { FrameKind, Protocol, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { lastObject, usageFromAnthropic } from '../usage.ts';
import { anthropicMessagesCodec } from './codec.ts';

const DELTA = '"content_block_delta"';

class MessagesTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  readonly endTellsAll = true;
  failure: string | undefined;
  isRateLimited = false;
  #sawContent = false;
  #counts: Readonly<Record<string, unknown>> = {};

  frame(frame: Buffer): FrameKind {
    if (this.#sawContent && frame.includes(DELTA)) return 'content';
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    const json = readJson(view.data);
    // Not JSON: an error in plain words, or a frame that is cut, which must not count as the end that its name promises.
    if (!json && view.event !== 'error') return this.#content();
    const type = typeof json?.['type'] === 'string' ? json['type'] : view.event;
    return this.#classify(type, json ?? {}, view.event);
  }

  encodeError(error: GatewayError): Buffer {
    const data = JSON.stringify({ type: 'error', error: anthropicErrorObject(error) });
    return Buffer.from(`event: error\ndata: ${data}\n\n`);
  }

  #classify(type: string, json: Record<string, unknown>, event: string): FrameKind {
    switch (type) {
      case 'ping':
        return 'heartbeat';
      case 'message_start':
        this.#merge((json['message'] as Record<string, unknown> | undefined)?.['usage']);
        return 'prelude';
      case 'content_block_start':
        return this.#startOf(json['content_block']);
      case 'message_delta':
        this.#merge(json['usage']);
        return this.#content();
      case 'message_stop':
        this.isComplete = true;
        return 'end';
      case 'error':
        this.failure = inBandFailure(json, event) ?? 'the worker gave no message';
        this.isRateLimited = isRateLimit(json);
        if (!isClientFault(json)) return 'error';
        this.isComplete = true;
        return this.#content();
      default:
        return this.#content();
    }
  }

  /** The start of a text block is empty; that of a tool call already says which tool. */
  #startOf(block: unknown): FrameKind {
    const type = (block as Record<string, unknown> | undefined)?.['type'];
    return type === 'text' || type === 'thinking' ? 'prelude' : this.#content();
  }

  /** Counts are cumulative: a later block replaces what it names, and the input counts may come at the start only. */
  #merge(usage: unknown): void {
    if (typeof usage !== 'object' || usage === null) return;
    const named = Object.entries(usage).filter(([, value]) => typeof value === 'number' && value > 0);
    this.#counts = { ...this.#counts, ...Object.fromEntries(named) };
    this.usage = usageFromAnthropic(this.#counts);
  }

  #content(): FrameKind {
    this.#sawContent = true;
    return 'content';
  }
}

export const anthropicMessages: Protocol = {
  name: 'anthropic-messages',
  dialect: anthropicDialect,
  idPrefix: 'msg_',
  modelOptional: false,
  codec: anthropicMessagesCodec,
  createTap: () => new MessagesTap(),
  ...promptReader({
    content: ['tools', 'system', 'messages'],
    salt: ['lora_path', 'chat_template_kwargs', 'thinking', 'output_config', 'cache_salt'],
  }),
  readUsage: (body) => usageFromAnthropic(lastObject(body, '"usage"')),
};

/** `/v1/messages/count_tokens`: the body of a message, the answer is a number. */
export const anthropicCountTokens: Protocol = {
  ...anthropicMessages,
  name: 'anthropic-count-tokens',
  codec: undefined,
};
