/**
 * Content events of any provider, in any order, made into blocks that never overlap: one is written at a time, and what
 * comes for a later one meanwhile (calls that interleave) is held until its turn. Text and thoughts end when
 * something else begins; a call ends when it is said to, or with the answer.
 * Bound   what is held is counted; beyond 32 MiB `upstream_invalid_answer` is thrown
 */
import { GatewayError } from '../../domain/errors.ts';
import type { JsonOut, RawJson } from '../hub/json-text.ts';

const MAX_HELD_LENGTH = 32 * 1024 * 1024;

/** `content_block` of its start; raw: JSON of the API's own, whole. */
export type BlockStart = RawJson | Readonly<Record<string, JsonOut>>;

/** Who writes the blocks: each call in its order, one block after the other. */
export interface BlockSink {
  open(start: BlockStart): void;
  delta(delta: Readonly<Record<string, JsonOut>>): void;
  close(): void;
}

type Step = (sink: BlockSink) => void;

/** A block that is written or waits; only the queue looks into it. */
export interface QueuedBlock {
  readonly kind: 'text' | 'thinking' | 'other';
  readonly held: Step[];
  isClosed: boolean;
}

export class BlockQueue {
  readonly #sink: BlockSink;
  /** The first one is being written. */
  readonly #blocks: QueuedBlock[] = [];
  #heldLength = 0;
  /** The text or the thought that goes on with the next delta of its kind. */
  #running: QueuedBlock | undefined;

  constructor(sink: BlockSink) {
    this.#sink = sink;
  }

  /** The running block of this kind; another one that runs is closed, and a new one opened by `start`. */
  running(kind: 'text' | 'thinking', start: BlockStart): QueuedBlock {
    if (this.#running?.kind === kind) return this.#running;
    const block = this.#open(kind, start);
    this.#running = block;
    return block;
  }

  isRunning(kind: 'text' | 'thinking'): boolean {
    return this.#running?.kind === kind;
  }

  open(start: BlockStart): QueuedBlock {
    return this.#open('other', start);
  }

  /** `length` is that of its text. Nothing happens to a block that is closed. */
  delta(block: QueuedBlock, delta: Readonly<Record<string, JsonOut>>, length: number): void {
    if (!block.isClosed) this.#do(block, (sink) => sink.delta(delta), length);
  }

  close(block: QueuedBlock): void {
    if (block.isClosed) return;
    if (block === this.#running) this.#running = undefined;
    this.#do(block, (sink) => sink.close(), 0);
    block.isClosed = true;
    this.#advance();
  }

  closeRunning(): void {
    if (this.#running) this.close(this.#running);
  }

  closeAll(): void {
    for (const block of [...this.#blocks]) this.close(block);
  }

  #open(kind: QueuedBlock['kind'], start: BlockStart): QueuedBlock {
    this.closeRunning();
    const block: QueuedBlock = { kind, held: [], isClosed: false };
    this.#blocks.push(block);
    this.#do(block, (sink) => sink.open(start), 0);
    return block;
  }

  #do(block: QueuedBlock, step: Step, length: number): void {
    if (block === this.#blocks[0]) return step(this.#sink);
    block.held.push(step);
    this.#heldLength += length + 64;
    if (this.#heldLength > MAX_HELD_LENGTH)
      throw new GatewayError('upstream_invalid_answer', 'More than 32 MiB of interleaved calls had to be held.');
  }

  #advance(): void {
    while (this.#blocks[0]?.isClosed) {
      this.#blocks.shift();
      for (const step of this.#blocks[0]?.held.splice(0) ?? []) step(this.#sink);
    }
    if (this.#blocks.length === 0) this.#heldLength = 0;
  }
}
