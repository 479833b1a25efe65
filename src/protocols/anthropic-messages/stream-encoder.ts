/**
 * Events to the stream of a message: `message_start`, then blocks one after the other, then `message_delta` and
 * `message_stop` once the answer is said to be complete. `message_start` waits for the first content, so that it can
 * tell the counts that are known by then. Source: Anthropic API reference, streaming messages.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import { anthropicErrorObject } from '../dialect.ts';
import type { AnswerFacts, EventEncoder } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonText } from '../hub/json-text.ts';
import { AnswerWriter } from './answer-writer.ts';
import type { BlockSink } from './block-queue.ts';
import { encodeUsage } from './wire-usage.ts';

type Emit = (frame: Buffer) => void;

export function createEncoder(facts: AnswerFacts): EventEncoder {
  return new StreamEncoder(facts);
}

class StreamEncoder implements EventEncoder {
  readonly #facts: AnswerFacts;
  readonly #writer: AnswerWriter;
  /** Of the call under way: the queue writes through the sink. */
  #emit: Emit = () => undefined;
  #id = '';
  #isStarted = false;
  #isOver = false;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
    this.#writer = new AnswerWriter(this.#sink());
  }

  get warnings(): readonly TranslationWarning[] {
    return this.#writer.warnings.list;
  }

  push(event: GenerationEvent, emit: Emit): void {
    if (this.#isOver) return;
    this.#emit = emit;
    switch (event.type) {
      case 'start':
        this.#id ||= event.id;
        return;
      case 'heartbeat':
        if (this.#id !== '') this.#start();
        return this.#frame('ping', {});
      case 'error':
        return emit(this.encodeError(event.error));
      case 'end':
        return this.#end();
      case 'usage':
        return this.#writer.push(event);
      default:
        this.#start();
        this.#content(event);
    }
  }

  /** Without an `end` before it the answer broke off, and `encodeError` is what says so. */
  end(): void {
    this.#isOver = true;
  }

  encodeError(error: GatewayError): Buffer {
    this.#isOver = true;
    return frameOf('error', { error: anthropicErrorObject(error) as { readonly [name: string]: JsonOut } });
  }

  #content(event: GenerationEvent): void {
    try {
      this.#writer.push(event);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      this.#emit(this.encodeError(thrown));
    }
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const message = {
      id: this.#id || this.#facts.newId('msg_'),
      type: 'message',
      role: 'assistant',
      model: this.#facts.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: encodeUsage(this.#writer.usage),
    };
    this.#frame('message_start', { message });
  }

  #end(): void {
    this.#start();
    this.#writer.closeAll();
    this.#frame('message_delta', { delta: this.#writer.stop, usage: encodeUsage(this.#writer.usage) });
    this.#frame('message_stop', {});
    this.#isOver = true;
  }

  #sink(): BlockSink {
    let index = -1;
    return {
      open: (content_block) => {
        index += 1;
        this.#frame('content_block_start', { index, content_block });
      },
      delta: (delta) => this.#delta(index, delta),
      close: () => this.#frame('content_block_stop', { index }),
    };
  }

  /** Most frames of most streams are a piece of text: written without its object, in 0.3 in place of 1.0 us. */
  #delta(index: number, delta: Readonly<Record<string, JsonOut>>): void {
    const { type, text } = delta;
    if (type !== 'text_delta' || typeof text !== 'string') return this.#frame('content_block_delta', { index, delta });
    const written = `{"type":"text_delta","text":${JSON.stringify(text)}}`;
    const data = `{"type":"content_block_delta","index":${index},"delta":${written}}`;
    this.#emit(Buffer.from(`event: content_block_delta\ndata: ${data}\n\n`));
  }

  #frame(type: string, members: { readonly [name: string]: JsonOut | undefined }): void {
    this.#emit(frameOf(type, members));
  }
}

/** A line end within JSON is blank space, and would end the line of the event. */
function frameOf(type: string, members: { readonly [name: string]: JsonOut | undefined }): Buffer {
  const data = jsonText({ type, ...members }).replaceAll(/[\r\n]+/g, ' ');
  return Buffer.from(`event: ${type}\ndata: ${data}\n\n`);
}
