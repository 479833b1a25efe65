/** The tokenizers that are loaded or being loaded, for those who look at them and change them; `tokenizers/store.ts` is one. */
import type { Clock } from '../base/clock.ts';
import { GatewayError } from './errors.ts';
import type { TokenModel, TokenModels, TokenModelState } from './token-model.ts';

/** `pending` before the first attempt and between two of them. */
export type TokenizerStatus = 'pending' | 'processing' | 'completed' | 'failed';

/** One tokenizer with its model, as it stands now. */
export interface TokenizerView {
  readonly id: string;
  /** The model that it is for. */
  readonly name: string;
  /** Where it came from, or what is tried now; empty before the first try. */
  readonly source: string;
  /** Who named it: the command line, a worker that serves the model, or the API. */
  readonly origin: 'flags' | 'workers' | 'api';
  readonly status: TokenizerStatus;
  readonly attempts: number;
  /** Why the last attempt failed. */
  readonly error: string | undefined;
  /** As soon as it is loaded. */
  readonly vocabularySize: number | undefined;
}

export interface TokenizerSpec {
  readonly name: string;
  /** A path or the id of a model of the hub. */
  readonly source: string;
  /** Path of a chat template in place of the model's own. */
  readonly templatePath: string | undefined;
}

export interface TokenizerControl extends TokenModels {
  /** In the order in which they came. */
  list(): readonly TokenizerView[];
  view(idOrName: string): TokenizerView | undefined;
  /** Begins to load it. Throws `tokenizer_exists`; one that has failed is replaced. */
  add(spec: TokenizerSpec): TokenizerView;
  /** Undefined: there is none. Calls that use it go on. */
  remove(idOrName: string): TokenizerView | undefined;
  /** As `of`, but undefined for a name that is neither a tokenizer's nor that of a model with one; empty: the first one's. */
  lookUp(model: string): TokenModelState | undefined;
}

export interface TokenModelWait {
  readonly clock: Clock;
  readonly waitMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * The model as soon as it is ready. Rejects with what made it fail, with `tokenizer_unavailable` when it is still loading
 * after `waitMs`, or with `client_closed_request`.
 */
export async function awaitTokenModel(ask: () => TokenModelState, wait: TokenModelWait): Promise<TokenModel> {
  const { clock, waitMs, signal } = wait;
  const endsAt = clock.now() + waitMs;
  for (;;) {
    const state = ask();
    if (state.kind === 'ready') return state.model;
    if (state.kind === 'failed') throw state.error;
    if (signal.aborted) throw new GatewayError('client_closed_request', 'The client left.');
    const left = endsAt - clock.now();
    if (left <= 0) {
      const text = `The tokenizer of the model is still being loaded after ${waitMs / 1_000} s; try again.`;
      throw new GatewayError('tokenizer_unavailable', text, { retryAfterSeconds: 5 });
    }
    await settledWithin(state.settled, left, wait);
  }
}

function settledWithin(settled: Promise<void>, ms: number, { clock, signal }: TokenModelWait): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clock.clearTimer(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.setTimer(wake, ms);
    signal.addEventListener('abort', wake);
    void settled.then(() => wake());
  });
}
