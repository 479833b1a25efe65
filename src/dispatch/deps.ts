/** What the spine is given once, at start-up. */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { TurnEnd } from '../base/turn-end.ts';
import type { Call, ProtocolName } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { Backend, MediaFetcher, WorkerDirectory, WorkerLeases } from '../domain/ports.ts';
import type { TokenBackend } from '../domain/token-generation.ts';
import type { TokenModels } from '../domain/token-model.ts';
import type { UnaryTranslation } from '../protocols/hub/unary-translation.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { ClockOptions } from '../resilience/clocks.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import type { RetryOptions } from '../resilience/retry.ts';
import type { NamedPolicy } from '../routing/policy-set.ts';
import type { KeyDigest } from './call-key.ts';
import type { ModelAliases } from './resolve-model.ts';
import type { Ticker } from './ticker.ts';
import type { FormsOf } from './tokens/token-forms.ts';
import type { Reach } from './translation/way.ts';

export interface DispatchDeps {
  readonly directory: WorkerDirectory;
  readonly leases: WorkerLeases;
  readonly backend: Backend;
  /** Drives the workers that take tokens. */
  readonly tokenBackend: TokenBackend;
  /** Tokenizers and templates of the models that they serve. */
  readonly tokenModels: TokenModels;
  /** How long a call waits for a tokenizer that is being loaded. */
  readonly tokenizerWaitMs: number;
  /** How the answers of a model are read. */
  readonly formsOf: FormsOf;
  readonly media: MediaFetcher;
  readonly protocols: Readonly<Record<ProtocolName, Protocol>>;
  /** Translations that have no hub. */
  readonly unaryTranslations: readonly UnaryTranslation[];
  /** What a translation would lose is refused. */
  readonly strictTranslation: boolean;
  /** What stands for a caller where thoughts are kept for it: different for each key and each tenant. */
  scopeOf(call: Call): string;
  /** The policy for the calls of a model. `members` is its pool. */
  policyFor(model: string, members: readonly PoolMember[]): NamedPolicy;
  readonly aliases: ModelAliases;
  readonly retry: RetryOptions;
  readonly budget: RetryBudget;
  readonly clocks: ClockOptions;
  readonly ticker: Ticker;
  readonly clock: Clock;
  readonly random: Random;
  /** A number that stands for a key in cool-downs. */
  readonly keyDigest: KeyDigest;
}

/** And what it makes of that for itself. */
export interface SpineDeps extends DispatchDeps {
  readonly reach: Reach;
  readonly turnEnd: TurnEnd;
}
