/** What a worker is: its spec as given, its facts as found out, its state. All of it immutable; `workers/` owns the changes. */
import type { ProtocolName } from './call.ts';
import type { SamplingDefaults } from './token-model.ts';
import type { Provider } from './providers/provider.ts';

export const workerStates = ['pending', 'probing', 'ready', 'unhealthy', 'draining', 'failed'] as const;
export type WorkerState = (typeof workerStates)[number];

/** What answers at the URL. `openai-compatible` is a server known by its API only, `external` a provider's API. */
export type Engine =
  | 'sglang'
  | 'vllm'
  | 'trtllm'
  | 'tokenspeed'
  | 'mlx'
  | 'llama_cpp'
  | 'ollama'
  | 'openai-compatible'
  | 'external';

/** Engines that can be asked by tokens, over gRPC. */
export type TokenEngineName = Extract<Engine, 'sglang' | 'vllm' | 'trtllm' | 'tokenspeed' | 'mlx'>;

/** What an operator says that a worker runs; `external` is somebody else's API. */
export type Runtime = Exclude<Engine, 'openai-compatible'>;

export type WorkerType = 'regular' | 'prefill' | 'decode';

/** A model as an operator describes it. */
export interface ModelCard {
  readonly id: string;
  readonly displayName: string | undefined;
  readonly aliases: readonly string[];
  readonly contextLength: number | undefined;
}

/** What a worker has its own way with; undefined = as the gateway is configured. */
export interface HealthOverrides {
  readonly timeoutSecs: number | undefined;
  readonly checkIntervalSecs: number | undefined;
  readonly successThreshold: number | undefined;
  readonly failureThreshold: number | undefined;
  readonly disableHealthCheck: boolean | undefined;
  /** How long a removed worker stays at least in state `draining`. */
  readonly drainSettleSecs: number | undefined;
}

export interface ResilienceOverrides {
  readonly cbFailureThreshold: number | undefined;
  readonly cbSuccessThreshold: number | undefined;
  readonly cbTimeoutSecs: number | undefined;
  readonly cbWindowSecs: number | undefined;
  readonly disableCircuitBreaker: boolean | undefined;
  /** Attempts of a call whose first attempt went to this worker. */
  readonly maxRetries: number | undefined;
  readonly disableRetry: boolean | undefined;
}

export const NO_HEALTH_OVERRIDES: HealthOverrides = {
  timeoutSecs: undefined,
  checkIntervalSecs: undefined,
  successThreshold: undefined,
  failureThreshold: undefined,
  disableHealthCheck: undefined,
  drainSettleSecs: undefined,
};

export const NO_RESILIENCE_OVERRIDES: ResilienceOverrides = {
  cbFailureThreshold: undefined,
  cbSuccessThreshold: undefined,
  cbTimeoutSecs: undefined,
  cbWindowSecs: undefined,
  disableCircuitBreaker: undefined,
  maxRetries: undefined,
  disableRetry: undefined,
};

/** What an operator says about a worker. */
export interface WorkerSpec {
  /** Normalised: lower-case host, no trailing slash, no trailing `/v1`. Without a scheme until it has been probed. */
  readonly url: string;
  /** Sent to this worker only; never shown, never logged. */
  readonly apiKey: string | undefined;
  /** Tier of the worker, 0 to 100: a higher tier serves first. */
  readonly priority: number;
  /** Weight of load: a worker of cost 2 is given half of what a worker of cost 1 is given. */
  readonly cost: number;
  /** 0 = unlimited. */
  readonly maxInFlight: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: found out. */
  readonly runtime: Runtime | undefined;
  readonly workerType: WorkerType;
  /** As given, lower-case; undefined: found out. */
  readonly provider: string | undefined;
  /** Models as given; empty: those that the worker lists. */
  readonly models: readonly ModelCard[];
  readonly bootstrapPort: number | undefined;
  readonly health: HealthOverrides;
  readonly resilience: ResilienceOverrides;
  /** Given at the start of the gateway, or over REST. */
  readonly origin: 'start_up' | 'api';
}

/** What fits one model, in tokens, as far as it is known. */
export interface ModelLimits {
  readonly contextLength: number | undefined;
  readonly maxOutputTokens: number | undefined;
}

/** What onboarding found out. */
export interface WorkerFacts {
  /** Where calls go: the spec's URL, with the scheme that answered if it had none. */
  readonly url: string;
  readonly engine: Engine;
  /** How calls reach it: as bytes of an API over HTTP, or as tokens over gRPC. */
  readonly connection: 'http' | 'grpc';
  /**
   * Every model id that the worker serves, adapters too. Empty: an engine takes any model ("wildcard"), a provider's
   * worker those whose name is the provider's.
   */
  readonly models: readonly string[];
  readonly contextLength: number | undefined;
  /** Limits of single models, where they are told. */
  readonly modelLimits: ReadonlyMap<string, ModelLimits>;
  readonly version: string | undefined;
  /** Where health is asked: the configured path, or one that this worker has. */
  readonly healthPath: string;
  /** Ranks of a data-parallel engine; 1 for all others. */
  readonly dataParallelSize: number;
  /** Most calls that the engine runs at once, as it says. */
  readonly maxRunning: number | undefined;
  /** Tokens that its KV cache holds, as it says. */
  readonly capacityTokens: number | undefined;
  /** Changes when the engine is started anew; undefined when it does not tell. */
  readonly instance: string | undefined;
  /** APIs that a self-hosted engine is known not to have; calls for them are translated. */
  readonly lacks: readonly ProtocolName[];
  /** What its engine samples with where nobody says, as it says; for workers behind gRPC. */
  readonly samplingDefaults: SamplingDefaults | undefined;
  /** Further facts by name, for display. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The onboarding steps in order. */
export const onboardingSteps = [
  'classify',
  'connect',
  'detect_engine',
  'read_metadata',
  'list_models',
  'ready',
] as const;

export type OnboardingStep = (typeof onboardingSteps)[number];

/** How far onboarding has come, shown at `GET /workers/{id}`. */
export interface OnboardingProgress {
  /** The step that runs or ran last; `queued` before the first, `health` when a check of a ready worker failed. */
  readonly step: OnboardingStep | 'queued' | 'health';
  readonly attempts: number;
  readonly lastError: string | undefined;
}

/** Where a worker is, and with which stored key it is asked. */
export interface WorkerAddress {
  readonly id: string;
  /** With its scheme. */
  readonly url: string;
  readonly apiKey: string | undefined;
  /** Whose API it is: how it is asked. Undefined for a self-hosted engine. */
  readonly provider: Provider | undefined;
}

const NO_LIMITS: ModelLimits = { contextLength: undefined, maxOutputTokens: undefined };

/** What fits the model on this worker: as it is told of the model, else of the worker. */
export function limitsOf({ facts }: Pick<Worker, 'facts'>, model: string): ModelLimits {
  if (!facts) return NO_LIMITS;
  const { contextLength = facts.contextLength, maxOutputTokens } = facts.modelLimits.get(model) ?? NO_LIMITS;
  return { contextLength, maxOutputTokens };
}

export interface Worker {
  /** 8 hex digits derived from the URL, the same after a restart. */
  readonly id: string;
  readonly address: WorkerAddress;
  readonly spec: WorkerSpec;
  readonly facts: WorkerFacts | undefined;
  readonly state: WorkerState;
  readonly progress: OnboardingProgress;
}
