/** What a worker is: its spec as given, its facts as found out, its state. All of it immutable; `workers/` owns the changes. */

export type WorkerState = 'pending' | 'probing' | 'ready' | 'unhealthy' | 'draining' | 'failed';

export type Engine = 'sglang' | 'vllm' | 'openai-compatible';

/** What an operator says about a worker. */
export interface WorkerSpec {
  /** Normalised: lower-case host, no trailing slash, no trailing `/v1`. */
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
}

/** What onboarding found out. */
export interface WorkerFacts {
  readonly engine: Engine;
  /** Every model id that the worker lists; empty means that it takes any model ("wildcard"). */
  readonly models: readonly string[];
  readonly contextLength: number | undefined;
  readonly version: string | undefined;
  /** Where health is asked: the configured path, or one that this worker has. */
  readonly healthPath: string;
}

/** The onboarding step that runs or ran last, shown at `GET /workers/{id}`. */
export interface OnboardingProgress {
  readonly step: string;
  readonly attempts: number;
  readonly lastError: string | undefined;
}

export interface Worker {
  /** 8 hex digits derived from the URL, the same after a restart. */
  readonly id: string;
  readonly spec: WorkerSpec;
  readonly facts: WorkerFacts | undefined;
  readonly state: WorkerState;
  readonly progress: OnboardingProgress;
}
