/**
 * An answer of the Messages API read into events: the frames of a stream, or a whole message as if it were one.
 * `end` is emitted with `message_stop` only. After an error nothing is emitted any more.
 * Source: Anthropic API reference, streaming messages; handling stop reasons.
 */
import type { DecodeFacts } from '../hub/codec.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { FrameReader } from '../hub/sse-decoder.ts';
import type { FrameView } from '../sse.ts';
import { readJson } from '../sse.ts';
import { errorOf } from './failure.ts';
import type { Delta, Emit, OpenBlock } from './open-block.ts';
import { openBlock, unstartedBlock } from './open-block.ts';
import { finishOf, isKnownStop } from './wire.ts';
import { UsageReader } from './wire-usage.ts';

/** The API has one block open at a time; more than this is a stream that we do not want to hold. */
const MAX_OPEN_BLOCKS = 64;
/** Bytes of blocks that are gathered before they are given out. */
const MAX_HELD_LENGTH = 32 * 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

export class MessageReader implements FrameReader {
  readonly #facts: DecodeFacts;
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #usage = new UsageReader();
  #heldLength = 0;
  #isStarted = false;
  #isFinished = false;
  #isOver = false;

  constructor(facts: DecodeFacts) {
    this.#facts = facts;
  }

  frame({ event, data }: FrameView & { readonly data: string }, emit: Emit): void {
    if (this.#isOver) return;
    const json = readJson(data);
    if (!json) return this.#fail(unreadable(event, data), emit);
    const type = typeof json['type'] === 'string' ? json['type'] : event;
    this.#read(type, json, data, emit);
  }

  /** A stream without `message_stop` is cut, and it is not ours to say otherwise. */
  end(): void {
    this.#blocks.clear();
  }

  /** A whole message. */
  readMessage(message: JsonNode, emit: Emit): void {
    this.#start(message, emit);
    (message.get('content')?.items ?? []).forEach((block, index) => {
      this.#startBlock(index, block, emit);
      this.#stopBlock(index, emit);
    });
    this.#finish(asJson(message.text), emit);
    this.#stop(emit);
  }

  #read(type: string, json: Json, data: string, emit: Emit): void {
    switch (type) {
      case 'message_start':
        return this.#start(parseNode(data).get('message'), emit);
      case 'content_block_start':
        return this.#startBlock(indexOf(json), parseNode(data).get('content_block'), emit);
      case 'content_block_delta':
        return this.#delta(json, data, emit);
      case 'content_block_stop':
        return this.#stopBlock(indexOf(json), emit);
      case 'message_delta':
        return this.#finish({ ...asRecord(json['delta']), usage: json['usage'] }, emit);
      case 'message_stop':
        return this.#stop(emit);
      case 'error':
        return this.#fail(errorOf(json), emit);
      default:
        // A ping, or an event of a kind not known yet: the worker is alive.
        emit({ type: 'heartbeat' });
    }
  }

  #start(message: JsonNode | undefined, emit: Emit): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const id = message?.get('id')?.string || this.#facts.newId('msg_');
    emit({ type: 'start', id, model: message?.get('model')?.string ?? '', createdSeconds: undefined });
    this.#readUsage(asJson(message?.get('usage')?.text), emit);
  }

  #startBlock(index: number, node: JsonNode | undefined, emit: Emit): void {
    if (node?.kind !== 'object') return;
    this.#ensureStart(emit);
    this.#stopBlock(index, emit);
    if (this.#blocks.size >= MAX_OPEN_BLOCKS) return this.#fail(tooMuch('Too many blocks are open at once.'), emit);
    this.#blocks.set(
      index,
      openBlock(node, (prefix) => this.#facts.newId(prefix), emit),
    );
  }

  #delta(json: Json, data: string, emit: Emit): void {
    const delta = asRecord(json['delta']);
    const block = this.#blocks.get(indexOf(json)) ?? this.#unstarted(indexOf(json), delta, emit);
    const isShown = delta['type'] === 'text_delta' || delta['type'] === 'thinking_delta';
    if (!isShown) this.#heldLength += data.length;
    if (this.#heldLength > MAX_HELD_LENGTH) return this.#fail(tooMuch('A block is longer than 32 MiB.'), emit);
    block?.delta(delta, () => parseNode(data).get('delta'), emit);
  }

  #unstarted(index: number, delta: Delta, emit: Emit): OpenBlock | undefined {
    const block = unstartedBlock(delta);
    if (!block || this.#blocks.size >= MAX_OPEN_BLOCKS) return undefined;
    this.#ensureStart(emit);
    this.#blocks.set(index, block);
    return block;
  }

  #stopBlock(index: number, emit: Emit): void {
    this.#blocks.get(index)?.stop(emit);
    if (this.#blocks.delete(index)) this.#heldLength = 0;
  }

  /** `stop_reason`, `stop_sequence` and `usage`, wherever they stood. */
  #finish(json: Json, emit: Emit): void {
    const reason = json['stop_reason'];
    if (typeof reason === 'string' && !this.#isFinished) {
      this.#closeBlocks(emit);
      this.#isFinished = true;
      this.#emitFinish(reason, json, emit);
    }
    this.#readUsage(json['usage'], emit);
  }

  #emitFinish(stopReason: string, json: Json, emit: Emit): void {
    const { category, explanation } = asRecord(json['stop_details']);
    const reason = finishOf(stopReason);
    const stopSequence = typeof json['stop_sequence'] === 'string' ? json['stop_sequence'] : undefined;
    if (reason === 'refusal' && typeof explanation === 'string')
      emit({ type: 'refusal-delta', choice: 0, text: explanation });
    const word = isKnownStop(stopReason) ? undefined : stopReason;
    emit({ type: 'finish', choice: 0, reason, stopSequence, detail: typeof category === 'string' ? category : word });
  }

  #stop(emit: Emit): void {
    this.#ensureStart(emit);
    this.#closeBlocks(emit);
    if (!this.#isFinished)
      emit({ type: 'finish', choice: 0, reason: 'stop', stopSequence: undefined, detail: undefined });
    this.#isOver = true;
    emit({ type: 'end' });
  }

  #ensureStart(emit: Emit): void {
    if (!this.#isStarted) this.#start(undefined, emit);
  }

  #closeBlocks(emit: Emit): void {
    for (const index of [...this.#blocks.keys()]) this.#stopBlock(index, emit);
  }

  #readUsage(usage: unknown, emit: Emit): void {
    this.#ensureStart(emit);
    if (this.#usage.read(usage)) emit({ type: 'usage', usage: this.#usage.usage });
  }

  #fail(error: GatewayError, emit: Emit): void {
    this.#ensureStart(emit);
    this.#isOver = true;
    this.#blocks.clear();
    emit({ type: 'error', error });
  }
}

function unreadable(event: string, data: string): GatewayError {
  if (event === 'error') return new GatewayError('upstream_error', data.slice(0, 500));
  return tooMuch('An event of the stream is not a JSON object.');
}

function tooMuch(message: string): GatewayError {
  return new GatewayError('upstream_invalid_answer', message);
}

function indexOf(json: Json): number {
  return typeof json['index'] === 'number' ? json['index'] : 0;
}

function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asJson(text: string | undefined): Json {
  return readJson(text) ?? {};
}
