/**
 * The event stream of a worker that speaks Responses, to events of the hub.
 * Source: OpenAI API reference, responses streaming events. The stream is complete with `response.completed` or
 * `response.incomplete`; there is no terminator after it.
 */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { FinishReason, GenerationEvent } from '../../domain/generation-event.ts';
import type { FrameView } from '../sse.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import { errorOf, failureOf } from '../hub/openai-failure.ts';
import type { FrameReader } from '../hub/sse-decoder.ts';
import { SseDecoder } from '../hub/sse-decoder.ts';
import { thoughtsOf } from './carried-thought.ts';
import type { Emit } from './output-item.ts';
import { OutputItem } from './output-item.ts';
import { readUsage } from './read-usage.ts';

/** Items whose end has not come. An answer has one or two at a time. */
const MAX_OPEN_ITEMS = 1_024;

export function createDecoder(facts: DecodeFacts): Transform<Buffer, GenerationEvent> {
  return new SseDecoder(new ResponsesReader(facts));
}

export class ResponsesReader implements FrameReader {
  readonly #facts: DecodeFacts;
  readonly #items = new Map<number, OutputItem>();
  /** Indexes of items that have had their final form. */
  readonly #done = new Set<number>();
  /** Of items that came without an index, by their ids. */
  readonly #indexes = new Map<string, number>();
  #emit: Emit = () => undefined;
  #model = '';
  #isStarted = false;
  #isOver = false;
  #hasCall = false;
  #hasRefusal = false;

  constructor(facts: DecodeFacts) {
    this.#facts = facts;
  }

  frame(view: FrameView & { readonly data: string }, emit: Emit): void {
    if (this.#isOver || view.data.trim() === '[DONE]') return;
    this.#emit = emit;
    const node = parse(view.data);
    const type = node?.get('type')?.string ?? view.event;
    if (node !== undefined && node.kind === 'object') return this.#event(type, node);
    const isTold = type === 'error' && view.data.trim() !== '';
    this.#fail(
      isTold
        ? new GatewayError('upstream_error', view.data.slice(0, 4_000))
        : new GatewayError('upstream_invalid_answer', 'An event of the stream is not JSON.'),
    );
  }

  /** Nothing: a stream that ends here without its last event was cut. */
  end(): void {}

  /** A whole response, as the last event of a stream holds it. Throws what it reports as failed. */
  readWhole(response: JsonNode, emit: Emit): void {
    this.#emit = emit;
    this.#start(response);
    this.#finish(response);
  }

  #event(type: string, node: JsonNode): void {
    const response = node.get('response');
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        return this.#start(response ?? node);
      case 'response.completed':
      case 'response.incomplete':
        this.#start(response ?? node);
        return this.#finish(response ?? node);
      case 'response.failed':
      case 'response.cancelled':
      case 'error':
        return this.#fail(failed(response ?? node));
      default:
        if (type.startsWith('response.')) this.#itemEvent(type.slice('response.'.length), node);
    }
  }

  #itemEvent(type: string, node: JsonNode): void {
    const index = this.#indexOf(node);
    // Some servers give every item the same index.
    if (type === 'output_item.added') this.#done.delete(index);
    else if (this.#done.has(index)) return;
    this.#start(undefined);
    const item = this.#item(index);
    const part = whole(node.get('content_index')) ?? 0;
    const delta = node.get('delta')?.string ?? '';
    switch (type) {
      case 'output_item.added':
        return item.add(node.get('item') ?? node);
      case 'output_item.done':
        return this.#itemDone(index, node.get('item') ?? node);
      case 'output_text.delta':
        return item.text(part, delta, node.get('logprobs'));
      case 'refusal.delta':
        return item.refusal(part, delta);
      case 'output_text.annotation.added': {
        const annotation = node.get('annotation');
        return annotation?.kind === 'object' ? item.annotation(part, annotation) : undefined;
      }
      case 'content_part.done':
        return isAnswer(node.get('part')) ? item.partDone(part, node.get('part') ?? node) : undefined;
      case 'function_call_arguments.delta':
        return item.callArguments(delta);
      case 'reasoning_summary_text.delta':
        return item.thought('summary', whole(node.get('summary_index')) ?? 0, delta);
      case 'reasoning_text.delta':
        return item.thought('content', part, delta);
      default:
      // All else is told again by `output_item.done`: built-in tools, custom tools, the ends of parts.
    }
  }

  /** Servers that leave the index out tell items apart by their ids. */
  #indexOf(node: JsonNode): number {
    const id = node.get('item_id')?.string ?? node.get('item')?.get('id')?.string ?? '';
    const index = whole(node.get('output_index')) ?? this.#indexes.get(id) ?? -1 - this.#indexes.size;
    if (index < 0) this.#indexes.set(id, index);
    return index;
  }

  #item(index: number): OutputItem {
    const known = this.#items.get(index);
    if (known) return known;
    const facts = { newId: (prefix: string) => this.#facts.newId(prefix), origin: thoughtsOf(this.#model) };
    const item = new OutputItem({ ...facts, emit: (event) => this.#emit(event) });
    this.#items.set(index, item);
    if (this.#items.size > MAX_OPEN_ITEMS)
      this.#fail(new GatewayError('upstream_invalid_answer', 'Too many items are open at once.'));
    return item;
  }

  #itemDone(index: number, node: JsonNode | undefined): void {
    const item = this.#item(index);
    if (node === undefined) item.close();
    else item.done(node);
    this.#hasCall ||= item.isCall;
    this.#hasRefusal ||= item.hasRefusal;
    this.#items.delete(index);
    this.#done.add(index);
  }

  #start(response: JsonNode | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#model = response?.get('model')?.string ?? '';
    this.#emit({
      type: 'start',
      id: response?.get('id')?.string ?? '',
      model: this.#model,
      createdSeconds: whole(response?.get('created_at')),
    });
  }

  #finish(response: JsonNode): void {
    const output = response.get('output')?.items ?? [];
    const isBare = this.#done.size === 0;
    for (const [index, item] of output.entries())
      if (this.#items.has(index) || (isBare && !this.#done.has(index))) this.#itemDone(index, item);
    for (const index of [...this.#items.keys()]) this.#itemDone(index, undefined);
    const { reason, detail } = this.#reason(response);
    this.#emit({ type: 'finish', choice: 0, reason, stopSequence: undefined, detail });
    const usage = readUsage(response.get('usage'));
    if (usage !== undefined) this.#emit({ type: 'usage', usage });
    this.#isOver = true;
    this.#emit({ type: 'end' });
  }

  #reason(response: JsonNode): { reason: FinishReason; detail: string | undefined } {
    const detail = response.get('incomplete_details')?.get('reason')?.string;
    if (response.get('status')?.string === 'incomplete' || detail !== undefined)
      return { reason: detail === 'content_filter' ? 'content_filter' : 'length', detail };
    if (this.#hasCall) return { reason: 'tool_calls', detail: undefined };
    return { reason: this.#hasRefusal ? 'refusal' : 'stop', detail: undefined };
  }

  #fail(error: GatewayError): void {
    this.#isOver = true;
    this.#emit({ type: 'error', error });
  }
}

/** The error that a failed response or an error event tells. */
export function failed(node: JsonNode): GatewayError {
  const failure = failureOf(0, node);
  return failure ? errorOf(failure) : new GatewayError('upstream_error', 'The worker gave up without saying why.');
}

function isAnswer(part: JsonNode | undefined): boolean {
  const type = part?.get('type')?.string;
  return type === 'output_text' || type === 'refusal';
}

function whole(node: JsonNode | undefined): number | undefined {
  const value = node?.scalar;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function parse(text: string): JsonNode | undefined {
  try {
    return parseNode(text);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
}
