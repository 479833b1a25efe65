/**
 * Continuous batching in virtual time: the engine's heart, without timers, sockets or chance.
 *
 *   submit -> waiting --admit (slot + memory)--> running: prefill in chunks, then one token per step -> finished
 *
 * The owner of the clock (a timer driver, or a laboratory replaying a trace over many engines) asks
 * `nextEventMs()` and calls `advance(now)`; every step that ends by `now` is played in order.
 * The same calls give the same events, always.
 */

import { type CostModel, stepMs } from './cost.ts';
import { PrefixCache } from './prefix-cache.ts';
import { Sequence, type SequenceRequest } from './sequence.ts';

/** A look at the scheduler. Units: sequences and tokens. */
export interface Load {
  readonly running: number;
  readonly waiting: number;
  readonly usedTokens: number;
  readonly capacityTokens: number;
  /** Prompt tokens of waiting sequences that the cache does not hold. Costs a cache look per sequence. */
  readonly waitingUncachedTokens: number;
  /** Tokens per virtual second in the last step; 0 when idle. */
  readonly throughput: number;
}

/** Sums since the start. */
export interface Totals {
  submitted: number;
  finished: number;
  aborted: number;
  steps: number;
  promptTokens: number;
  prefixHitTokens: number;
  generatedTokens: number;
  peakRunning: number;
  /** Virtual time of all finished steps. */
  busyMs: number;
}

interface Step {
  readonly startMs: number;
  readonly endMs: number;
}

/** A continuous-batching scheduler over a cost model. Owner: one engine. */
export class Scheduler {
  readonly cost: CostModel;
  readonly totals: Totals = {
    submitted: 0,
    finished: 0,
    aborted: 0,
    steps: 0,
    promptTokens: 0,
    prefixHitTokens: 0,
    generatedTokens: 0,
    peakRunning: 0,
    busyMs: 0,
  };
  readonly #cache: PrefixCache;
  readonly #waiting: Sequence[] = [];
  #running: Sequence[] = [];
  #runningCount = 0;
  #step: Step | undefined;
  #nowMs = 0;
  #isBlocked = false;
  #throughput = 0;

  constructor(cost: CostModel) {
    this.cost = cost;
    this.#cache = new PrefixCache(Math.max(1, Math.floor(cost.kvTokens / cost.blockSize)));
  }

  /** Virtual time reached so far. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Sequences in the batch. */
  get running(): number {
    return this.#runningCount;
  }

  /** Sequences not yet admitted. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** True when a request of that size could ever be admitted. */
  fits(promptTokens: number, outputTokens: number): boolean {
    return this.#blocksFor(promptTokens + outputTokens) <= this.#cache.capacity;
  }

  /** Queues a request; it joins a step that starts at `nowMs` or later. Throws RangeError when it can never fit. */
  submit(request: SequenceRequest, nowMs: number): Sequence {
    if (!this.fits(request.promptTokens, request.outputTokens)) {
      throw new RangeError(`${request.promptTokens + request.outputTokens} tokens exceed the KV cache`);
    }
    const sequence = new Sequence(request, nowMs);
    this.#waiting.push(sequence);
    this.totals.submitted++;
    return sequence;
  }

  /** Takes a sequence out at once and frees its slot and memory; false when it had already ended. */
  abort(sequence: Sequence): boolean {
    if (sequence.state === 'waiting') this.#waiting.splice(this.#waiting.indexOf(sequence), 1);
    else if (sequence.state === 'running') this.#leave(sequence);
    else return false;
    sequence.state = 'aborted';
    this.#isBlocked = false;
    this.totals.aborted++;
    return true;
  }

  /** When `advance` next has something to do; undefined when idle. */
  nextEventMs(): number | undefined {
    if (this.#step !== undefined) return this.#step.endMs;
    const head = this.#waiting[0];
    return head === undefined ? undefined : Math.max(head.arrivedMs, this.#nowMs);
  }

  /** Plays every step that starts or ends by `nowMs`. */
  advance(nowMs: number): void {
    for (let due = this.nextEventMs(); due !== undefined && due <= nowMs; due = this.nextEventMs()) {
      this.#nowMs = due;
      if (this.#step !== undefined) this.#finishStep(this.#step);
      this.#step = this.#planStep(due);
      if (this.#step === undefined && this.#isBlocked) break;
    }
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** A snapshot for load reports. */
  load(): Load {
    const { blockSize } = this.cost;
    return {
      running: this.#runningCount,
      waiting: this.#waiting.length,
      usedTokens: this.#cache.heldBlocks * blockSize,
      capacityTokens: this.#cache.capacity * blockSize,
      waitingUncachedTokens: this.#waiting.reduce((sum, one) => sum + one.request.promptTokens - this.#hit(one), 0),
      throughput: this.#step === undefined ? 0 : this.#throughput,
    };
  }

  /** Prompt tokens of a request that the cache holds now. Changes nothing. */
  cachedTokens(request: Pick<SequenceRequest, 'blocks' | 'promptBlocks' | 'promptTokens'>): number {
    return this.#matchedBlocks(request) * this.cost.blockSize;
  }

  /** Forgets every cached prefix that no running sequence holds. */
  flushCache(): void {
    this.#cache.flush();
  }

  /** Lets `totals.peakRunning` start anew from what runs now. */
  resetPeak(): void {
    this.totals.peakRunning = this.#runningCount;
  }

  #planStep(startMs: number): Step | undefined {
    this.#running = this.#running.filter(isRunning);
    const { prefillChunkTokens } = this.cost;
    let budget = prefillChunkTokens;
    let decoding = 0;
    for (const sequence of this.#running) {
      if (sequence.isPrefilling) budget -= takeChunk(sequence, budget);
      else decoding++;
    }
    budget = this.#admit(startMs, budget);
    if (this.#running.length === 0) return undefined;
    const durationMs = stepMs(this.cost, prefillChunkTokens - budget, decoding);
    this.#throughput = durationMs > 0 ? (decoding * 1000) / durationMs : 0;
    return { startMs, endMs: startMs + durationMs };
  }

  /**
   * Lets sequences in while this step has prompt tokens to compute: what the cache holds of a prompt is looked up when
   * it is first computed, as engines do, so that a twin that waited finds the blocks of the first. Returns what is left.
   */
  #admit(startMs: number, budget: number): number {
    let left = budget;
    while (left > 0 && !this.#isBlocked && this.#runningCount < this.cost.maxRunning) {
      const head = this.#waiting[0];
      if (head === undefined || head.arrivedMs > startMs) break;
      const { request } = head;
      const matched = this.#matchedBlocks(request);
      const needed = this.#blocksFor(request.promptTokens + request.outputTokens);
      head.hold = this.#cache.acquire(request.blocks, matched, needed);
      this.#isBlocked = head.hold === undefined;
      if (this.#isBlocked) break;
      this.#waiting.shift();
      this.#enter(head, matched * this.cost.blockSize, startMs);
      left -= takeChunk(head, left);
    }
    return left;
  }

  #enter(sequence: Sequence, cachedTokens: number, startMs: number): void {
    sequence.state = 'running';
    sequence.admittedMs = startMs;
    sequence.cachedTokens = cachedTokens;
    sequence.computedTokens = cachedTokens;
    this.#running.push(sequence);
    this.#runningCount++;
    this.totals.promptTokens += sequence.request.promptTokens;
    this.totals.prefixHitTokens += cachedTokens;
    this.totals.peakRunning = Math.max(this.totals.peakRunning, this.#runningCount);
  }

  /** A listener may submit or abort meanwhile: the batch list itself changes only in #planStep. */
  #finishStep(step: Step): void {
    this.#step = undefined;
    this.totals.steps++;
    this.totals.busyMs += step.endMs - step.startMs;
    for (const sequence of this.#running) {
      if (sequence.state !== 'running') continue;
      if (sequence.isPrefilling) this.#prefill(sequence, step.endMs);
      else this.#decode(sequence, step.endMs);
    }
  }

  #prefill(sequence: Sequence, atMs: number): void {
    const { request } = sequence;
    sequence.computedTokens += sequence.chunkTokens;
    sequence.chunkTokens = 0;
    const complete = Math.floor(sequence.computedTokens / this.cost.blockSize);
    this.#shareBlocks(sequence, Math.min(request.promptBlocks, complete));
    if (sequence.isPrefilling) return;
    if (request.outputTokens === 0) this.#finish(sequence, atMs);
    else this.#decode(sequence, atMs);
  }

  #decode(sequence: Sequence, atMs: number): void {
    sequence.generated++;
    this.totals.generatedTokens++;
    if (sequence.generated === 1) sequence.firstTokenMs = atMs;
    sequence.request.listener.onToken(sequence, atMs);
    if (sequence.state === 'running' && sequence.generated >= sequence.request.outputTokens) {
      this.#finish(sequence, atMs);
    }
  }

  #finish(sequence: Sequence, atMs: number): void {
    this.#leave(sequence);
    sequence.state = 'finished';
    sequence.finishedMs = atMs;
    this.#isBlocked = false;
    this.totals.finished++;
    sequence.request.listener.onFinish(sequence, atMs);
  }

  /** What was generated stays cached too: the next turn of a conversation starts with it. */
  #leave(sequence: Sequence): void {
    const { request, hold } = sequence;
    this.#runningCount--;
    if (hold === undefined) return;
    const answered = Math.floor(sequence.generated / this.cost.blockSize);
    const isWhole = sequence.generated >= request.outputTokens && !sequence.isPrefilling;
    if (!sequence.isPrefilling) {
      this.#shareBlocks(sequence, isWhole ? request.blocks.length : request.promptBlocks + answered);
    }
    this.#cache.release(hold);
    sequence.hold = undefined;
  }

  #shareBlocks(sequence: Sequence, count: number): void {
    const { hold, request } = sequence;
    if (hold === undefined) return;
    const end = Math.min(count, request.blocks.length);
    for (let index = hold.shared.length; index < end; index++) {
      this.#cache.share(hold, request.blocks[index] as number);
      if (hold.shared.length === index) return;
    }
  }

  #hit(sequence: Sequence): number {
    return this.cachedTokens(sequence.request);
  }

  /** At least one prompt token is always computed: its logits give the first answer token. */
  #matchedBlocks(request: Pick<SequenceRequest, 'blocks' | 'promptBlocks' | 'promptTokens'>): number {
    const most = Math.floor((request.promptTokens - 1) / this.cost.blockSize);
    return this.#cache.match(request.blocks, Math.min(most, request.promptBlocks));
  }

  #blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.cost.blockSize);
  }
}

function isRunning(sequence: Sequence): boolean {
  return sequence.state === 'running';
}

/** Gives a sequence its part of the step's prompt tokens; returns how many. */
function takeChunk(sequence: Sequence, budget: number): number {
  sequence.chunkTokens = Math.min(budget, sequence.request.promptTokens - sequence.computedTokens);
  return sequence.chunkTokens;
}
