/**
 * Encodes long texts on threads, so that the loop goes on meanwhile. Threads start when they are first needed and load a
 * tokenizer when it is first asked of them; one that dies or hangs is replaced, and its text is tried once more.
 * Bound   threads, texts and characters that wait, time of one text     Errors  `tokenizer_unavailable`
 * Memory  a second copy of each tokenizer that is used on it, for each thread, until it is idle for a while
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { TokenIds } from '../domain/tokenizer.ts';
import type { FromThread, PackedFiles, ToThread } from './encode-messages.ts';

export interface EncodePoolOptions {
  /** The module that serves as a thread. */
  readonly script: URL;
  readonly threads: number;
  readonly maxWaiting: number;
  /** UTF-16 units of all texts that wait. */
  readonly maxWaitingChars: number;
  /** For one text, once a thread has it; includes the loading of its tokenizer. */
  readonly limitMs: number;
  /** A thread without work ends after this. */
  readonly idleMs: number;
}

export const ENCODE_POOL: Omit<EncodePoolOptions, 'script' | 'threads'> = {
  maxWaiting: 256,
  maxWaitingChars: 256 * 1024 * 1024,
  limitMs: 60_000,
  idleMs: 300_000,
};

/** A tokenizer as the threads know it. */
export interface PooledTokenizer {
  readonly key: string;
  files(): Promise<PackedFiles>;
}

interface Job {
  readonly tokenizer: PooledTokenizer;
  readonly text: string;
  readonly addSpecialTokens: boolean;
  tries: number;
  resolve(ids: TokenIds): void;
  reject(error: GatewayError): void;
}

interface Thread {
  readonly worker: Worker;
  readonly loaded: Set<string>;
  job: Job | undefined;
  timer: Timer | undefined;
  isDead: boolean;
}

const MAX_TRIES = 2;

export class EncodePool {
  readonly #options: EncodePoolOptions;
  readonly #clock: Clock;
  readonly #threads: Thread[] = [];
  readonly #waiting: Job[] = [];
  #waitingChars = 0;
  #isClosed = false;

  constructor(options: EncodePoolOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get threads(): number {
    return this.#threads.length;
  }

  encode(tokenizer: PooledTokenizer, text: string, addSpecialTokens: boolean): Promise<TokenIds> {
    const { maxWaiting, maxWaitingChars } = this.#options;
    if (this.#isClosed) return Promise.reject(closed());
    const isFull = this.#waiting.length >= maxWaiting || this.#waitingChars + text.length > maxWaitingChars;
    if (isFull && this.#waiting.length > 0) {
      const why = 'Too many long prompts are waiting to be tokenized; try again.';
      return Promise.reject(new GatewayError('tokenizer_unavailable', why, { retryAfterSeconds: 1 }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ tokenizer, text, addSpecialTokens, tries: 0, resolve, reject });
      this.#waitingChars += text.length;
      this.#next();
    });
  }

  /** The tokenizer is not used any more. */
  forget(key: string): void {
    for (const { worker, loaded } of this.#threads) if (loaded.delete(key)) tell(worker, { kind: 'forget', key });
  }

  /** Ends the threads; whoever waits is refused. */
  close(): void {
    this.#isClosed = true;
    for (const job of this.#waiting.splice(0)) job.reject(closed());
    this.#waitingChars = 0;
    for (const thread of [...this.#threads]) {
      const { job } = thread;
      this.#end(thread);
      job?.reject(closed());
    }
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.find(({ job }) => job === undefined) ?? this.#start();
      if (!thread) return;
      const job = this.#waiting.shift();
      if (!job) return;
      this.#waitingChars -= job.text.length;
      void this.#give(thread, job);
    }
  }

  #start(): Thread | undefined {
    if (this.#threads.length >= this.#options.threads) return undefined;
    const worker = new Worker(this.#options.script, { name: 'encode', stdout: false, stderr: false });
    worker.unref();
    const thread: Thread = { worker, loaded: new Set(), job: undefined, timer: undefined, isDead: false };
    worker.on('message', (message: FromThread) => this.#answered(thread, message));
    worker.on('error', () => this.#died(thread));
    worker.on('exit', () => this.#died(thread));
    this.#threads.push(thread);
    return thread;
  }

  async #give(thread: Thread, job: Job): Promise<void> {
    thread.job = job;
    job.tries += 1;
    this.#setTimer(thread, this.#options.limitMs, () => this.#died(thread));
    const { key } = job.tokenizer;
    try {
      if (!thread.loaded.has(key)) {
        const files = await job.tokenizer.files();
        if (thread.isDead) return;
        tell(thread.worker, { kind: 'load', key, files });
        thread.loaded.add(key);
      }
      tell(thread.worker, { kind: 'encode', key, text: job.text, addSpecialTokens: job.addSpecialTokens });
    } catch {
      // Nothing can be told to it, or there is nothing to tell: for the job that is the same as a dead thread.
      this.#died(thread);
    }
  }

  #answered(thread: Thread, message: FromThread): void {
    const { job } = thread;
    if (!job) return;
    thread.job = undefined;
    this.#setTimer(thread, this.#options.idleMs, () => this.#end(thread));
    if (message.kind === 'ids') job.resolve(message.ids);
    else job.reject(new GatewayError('tokenizer_unavailable', 'The prompt could not be tokenized.'));
    this.#next();
  }

  #died(thread: Thread): void {
    if (thread.isDead) return;
    const { job } = thread;
    this.#end(thread);
    if (job && !this.#isClosed) {
      if (job.tries < MAX_TRIES) {
        this.#waiting.unshift(job);
        this.#waitingChars += job.text.length;
      } else {
        const why = 'The prompt could not be tokenized: the thread that did it has ended.';
        job.reject(new GatewayError('tokenizer_unavailable', why));
      }
    }
    this.#next();
  }

  #end(thread: Thread): void {
    thread.isDead = true;
    thread.job = undefined;
    if (thread.timer) this.#clock.clearTimer(thread.timer);
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    // It ends by itself; nobody is left to hear that it does not.
    thread.worker.terminate().catch(() => undefined);
  }

  #setTimer(thread: Thread, ms: number, then: () => void): void {
    if (thread.timer) this.#clock.clearTimer(thread.timer);
    thread.timer = this.#clock.setTimer(then, ms);
  }
}

function tell(worker: Worker, message: ToThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage(message);
}

function closed(): GatewayError {
  return new GatewayError('shutting_down', 'The gateway is shutting down.');
}
