/**
 * Makes calls ready for workers that take tokens, each once for every model that it is tried on. What takes time (a
 * tokenizer that is being loaded, a prompt so long that it is encoded elsewhere) is waited for before the call is placed,
 * because policies go by the tokens. Owns what is kept of a call between its attempts.
 */
import type { Clock } from '../../base/clock.ts';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TokenModel, TokenModels } from '../../domain/token-model.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import type { Encoding, Reading, TokenCall } from './token-prompt.ts';
import { TokenWait } from './token-wait.ts';

export interface TokenCallsDeps {
  readonly models: TokenModels;
  readonly clock: Clock;
  /** How long a call waits for the tokenizer of its model. */
  readonly waitMs: number;
  /** What the call asks, without its tokens. Throws a GatewayError. */
  read(call: Call, model: TokenModel, name: string): Reading;
}

type State =
  | { readonly kind: 'loading'; readonly endsAt: number }
  | { readonly kind: 'encoding'; readonly settled: Promise<void> }
  | { readonly kind: 'ready'; readonly tokens: TokenCall }
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** Characters that are encoded in one go: some 10 ms at the slowest. */
const TURN_CHARS = 65_536;
const NO_END = Number.POSITIVE_INFINITY;

interface Beginning {
  readonly name: string;
  readonly key: string;
  readonly since: State | undefined;
}

interface Asked {
  readonly name: string;
  readonly key: string;
  readonly model: TokenModel;
}

export class TokenCalls {
  readonly #deps: TokenCallsDeps;
  readonly #calls = new WeakMap<Call, Map<string, State>>();

  constructor(deps: TokenCallsDeps) {
    this.#deps = deps;
  }

  /**
   * `model` is the canonical id, or empty for a call that names none; `name` is what it is known by in either case. A
   * wait: ask again when it is done.
   */
  prepare(call: Call, model: string, name: string): TokenCall | GatewayError | TokenWait {
    const states = this.#statesOf(call);
    let state = states.get(model);
    if (!state || state.kind === 'loading') {
      state = this.#begin(call, { name, key: model, since: state });
      states.set(model, state);
    }
    switch (state.kind) {
      case 'ready':
        return state.tokens;
      case 'failed':
        return state.error;
      case 'encoding':
        return new TokenWait({ settled: state.settled, clock: this.#deps.clock, endsAt: NO_END });
      case 'loading': {
        const found = this.#deps.models.of(name);
        const settled = found.kind === 'loading' ? found.settled : Promise.resolve();
        return new TokenWait({ settled, clock: this.#deps.clock, endsAt: state.endsAt });
      }
    }
  }

  /** What `prepare` has come to, without beginning anything. */
  find(call: Call, model: string): TokenCall | GatewayError | undefined {
    const state = this.#calls.get(call)?.get(model);
    if (state?.kind === 'ready') return state.tokens;
    return state?.kind === 'failed' ? state.error : undefined;
  }

  #statesOf(call: Call): Map<string, State> {
    let states = this.#calls.get(call);
    if (!states) {
      states = new Map();
      this.#calls.set(call, states);
    }
    return states;
  }

  #begin(call: Call, { name, key, since }: Beginning): State {
    const { models, clock, waitMs } = this.#deps;
    const found = models.of(name);
    if (found.kind === 'failed') return { kind: 'failed', error: found.error };
    if (found.kind === 'ready') return this.#encode(call, { name, key, model: found.model });
    const endsAt = since?.kind === 'loading' ? since.endsAt : clock.now() + waitMs;
    if (clock.now() < endsAt) return { kind: 'loading', endsAt };
    const text = `The tokenizer of \`${name}\` is still being loaded; try again in a moment.`;
    return { kind: 'failed', error: new GatewayError('tokenizer_unavailable', text, { retryAfterSeconds: 1 }) };
  }

  /** So much text at a time, and one long prompt at a time, so that others get their turn. */
  async #inTurns(prompts: readonly Encoding[]): Promise<TokenIds[]> {
    const all: TokenIds[] = [];
    let chars = 0;
    for (const prompt of prompts) {
      chars += prompt.chars;
      if (chars > TURN_CHARS && all.length > 0) {
        await new Promise<void>((resolve) => this.#deps.clock.setTimer(resolve, 0));
        chars = prompt.chars;
      }
      all.push(await prompt.encode());
    }
    return all;
  }

  #encode(call: Call, { name, key, model }: Asked): State {
    try {
      const reading = this.#deps.read(call, model, name);
      const { prompts } = reading;
      const isBatch = prompts.length > 1 && prompts.reduce((sum, { chars }) => sum + chars, 0) > TURN_CHARS;
      const encoded = isBatch ? [] : prompts.map((prompt) => prompt.encode());
      if (!isBatch && encoded.every((ids) => ids instanceof Uint32Array))
        return { kind: 'ready', tokens: reading.complete(encoded) };
      const all = isBatch ? this.#inTurns(prompts) : Promise.all(encoded.map((ids) => Promise.resolve(ids)));
      const settled = all
        .then((ids): State => ({ kind: 'ready', tokens: reading.complete(ids) }))
        .catch(failed)
        .then((state) => void this.#statesOf(call).set(key, state));
      return { kind: 'encoding', settled };
    } catch (thrown) {
      return failed(thrown);
    }
  }
}

function failed(thrown: unknown): State {
  return { kind: 'failed', error: GatewayError.from(thrown) };
}
