/**
 * One loading of one model in the background: its sources in turn, a few attempts, a limit for all of it. Says how far it
 * has come; what becomes of the model is for the store.
 */
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { TokenModel } from '../domain/token-model.ts';
import type { TokenizerStatus } from '../domain/tokenizers.ts';
import { SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';

export interface ModelSource {
  /** For people: a path, a hub id, or `worker <id>`. */
  readonly name: string;
  /** Rejects with a SourceError. */
  load(signal: AbortSignal): Promise<ModelFiles>;
}

export interface LoadingTimes {
  readonly attempts: number;
  readonly pauseMs: number;
  /** For all attempts together. */
  readonly limitMs: number;
}

export const LOADING_TIMES: LoadingTimes = { attempts: 3, pauseMs: 2_000, limitMs: 300_000 };

export interface LoadingParts {
  readonly clock: Clock;
  readonly times: LoadingTimes;
  /** What to try, asked anew for each attempt. */
  sources(): readonly ModelSource[];
  /** Rejects with a SourceError, or a GatewayError. */
  make(files: ModelFiles, source: string): Promise<TokenModel>;
}

export class Loading {
  readonly #name: string;
  readonly #parts: LoadingParts;
  readonly #ended = new AbortController();
  /** Never rejects. */
  readonly settled: Promise<void>;
  status: TokenizerStatus = 'pending';
  source = '';
  attempts = 0;
  error: GatewayError | undefined;
  model: TokenModel | undefined;

  constructor(name: string, parts: LoadingParts) {
    this.#name = name;
    this.#parts = parts;
    this.settled = this.#run();
  }

  /** Ends it where it stands; what has been loaded stays. */
  stop(): void {
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    const { clock, times } = this.#parts;
    let isLate = false;
    const timer = clock.setTimer(() => {
      isLate = true;
      this.#ended.abort();
    }, times.limitMs);
    // Whoever has made it shall have it before anything happens.
    await Promise.resolve();
    for (let attempt = 1; attempt <= times.attempts && !this.#ended.signal.aborted; attempt += 1) {
      if (attempt > 1) await this.#pause(times.pauseMs);
      if (await this.#attempt(attempt)) break;
    }
    clock.clearTimer(timer);
    if (this.model) return;
    this.status = 'failed';
    const why = this.error?.message ?? 'it was given up before the first attempt';
    const limit = isLate ? ` It was given up after ${times.limitMs / 1_000} s.` : '';
    this.error = new GatewayError('tokenizer_unavailable', `${why}${limit}`, { cause: this.error?.cause });
  }

  /** True when there is nothing more to try. */
  async #attempt(attempt: number): Promise<boolean> {
    const { signal } = this.#ended;
    if (signal.aborted) return true;
    this.attempts = attempt;
    this.status = 'processing';
    const failures: string[] = [];
    let cause: unknown;
    const sources = this.#parts.sources();
    for (const source of sources) {
      this.source = source.name;
      try {
        const files = await untilAborted(source.load(signal), signal);
        this.model = await untilAborted(this.#parts.make(files, source.name), signal);
        this.status = 'completed';
        this.error = undefined;
        return true;
      } catch (thrown) {
        failures.push(`${source.name}: ${reasonOf(thrown)}`);
        cause = thrown;
        if (signal.aborted) break;
      }
    }
    this.status = 'pending';
    const why =
      sources.length === 0 ? 'no source is known; --tokenizer-path or --model-path names one' : failures.join('; ');
    this.error = new GatewayError(
      'tokenizer_unavailable',
      `The tokenizer of \`${this.#name}\` could not be loaded: ${why}.`,
      { cause },
    );
    return false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#parts;
      const { signal } = this.#ended;
      const done = () => {
        clock.clearTimer(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = clock.setTimer(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}

/** Our own words for our own errors; of others nothing, because they may quote a file. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof SourceError || thrown instanceof GatewayError) return thrown.message.replace(/\.$/, '');
  return 'it could not be read';
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new SourceError('it took too long'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
