/** What a step of onboarding is, and what the steps hand on to each other. */
import { GatewayError } from '../../domain/errors.ts';
import type { ProbeReply } from '../../domain/ports.ts';
import type { EngineProber } from '../../domain/engine-prober.ts';
import type { Engine, OnboardingStep, Worker, WorkerFacts } from '../../domain/worker.ts';
import type { EngineProfile, Metadata } from './engines/engine-profile.ts';
import type { Questions } from './questions.ts';

/** What is asked of a worker behind gRPC before it serves. */
export type EngineQuestions = Pick<EngineProber, 'detect' | 'health' | 'describe'>;

/** One run through the steps. */
export interface Round {
  readonly worker: Worker;
  readonly questions: Questions;
  /** The configured path of health checks. */
  readonly healthPath: string;
  /** Asks workers behind gRPC. */
  readonly engines: EngineQuestions;
  /** Limit of each question to them. */
  readonly timeoutMs: number;
}

/** What has been found out so far in a round. */
export interface Findings {
  readonly url: string;
  readonly connection: WorkerFacts['connection'];
  readonly engine: Engine;
  readonly healthPath: string;
  /** Of an engine behind HTTP. */
  readonly profile: EngineProfile;
  readonly metadata: Metadata;
  readonly models: readonly string[];
  readonly contextLength: number | undefined;
  readonly modelLimits: WorkerFacts['modelLimits'];
  readonly lacks: WorkerFacts['lacks'];
  readonly samplingDefaults: WorkerFacts['samplingDefaults'];
}

export interface Step {
  readonly name: Exclude<OnboardingStep, 'ready'>;
  /** Adds to what is known. Rejects with a GatewayError that says why the worker is not ready. */
  run(round: Round, found: Findings): Promise<Partial<Findings>>;
}

/** Where the models are listed, by every engine that speaks OpenAI's API. */
export const MODELS_PATH = '/v1/models';

/** What servers answer for a path that they do not have. */
export const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 501]);

/** Why an answer does not do; says what to do about a key. */
export function refusal(path: string, reply: ProbeReply, hasKey: boolean): GatewayError {
  const needsKey = reply.status === 401 || reply.status === 403;
  const hint = hasKey ? '; it refuses the key that it was given' : '; it needs a key (api_key, or --worker-api-key)';
  return new GatewayError('upstream_unreachable', `GET ${path} answered ${reply.status}${needsKey ? hint : ''}`);
}
