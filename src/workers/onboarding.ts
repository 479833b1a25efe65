/**
 * Finds out what a worker is: the steps in order, each in its own file under onboarding/.
 *
 *   classify -> connect -> detect_engine -> read_metadata -> list_models -> ready      a self-hosted engine, over HTTP
 *                                                                                      or gRPC, each with its own steps
 *   classify -> list_models -> ready                                                   a provider's API
 *
 * A round fails at the first step that rejects. What a worker does not say of its engine is left open.
 */
import type { Clock } from '../base/clock.ts';
import type { Prober } from '../domain/ports.ts';
import type { OnboardingStep, Worker, WorkerFacts } from '../domain/worker.ts';
import { classify } from './onboarding/classify.ts';
import { connect } from './onboarding/connect.ts';
import { detectEngine } from './onboarding/detect-engine.ts';
import { NO_METADATA } from './onboarding/engines/engine-profile.ts';
import { external, openaiCompatible } from './onboarding/engines/index.ts';
import { cloudListPath, listCloudModels } from './onboarding/list-cloud-models.ts';
import { listModels } from './onboarding/list-models.ts';
import { tokenSteps } from './onboarding/over-grpc.ts';
import { Questions } from './onboarding/questions.ts';
import { readMetadata } from './onboarding/read-metadata.ts';
import type { EngineQuestions, Findings, Round, Step } from './onboarding/step.ts';

/** In the order in which they run. */
const engineSteps: readonly Step[] = [connect, detectEngine, readMetadata, listModels];
/** Providers are not asked what engine they have, and nothing at all without a key. */
const cloudSteps: readonly Step[] = [listCloudModels];

export interface OnboardingDeps {
  readonly prober: Prober;
  readonly engines: EngineQuestions;
  readonly clock: Pick<Clock, 'now'>;
  /** Where health is asked unless the worker has no such path. */
  readonly healthPath: string;
  /** Limit of each question. */
  readonly timeoutMs: number;
}

/** Runs all steps; `onStep` hears the name of each as it begins. Rejects with the reason why the worker is not ready. */
export async function onboard(
  worker: Worker,
  deps: OnboardingDeps,
  onStep: (step: OnboardingStep) => void,
): Promise<WorkerFacts> {
  const questions = new Questions(worker.address, deps);
  const round: Round = { worker, questions, ...deps };
  const isCloud = worker.address.provider !== undefined;
  let found: Findings = {
    url: worker.spec.url,
    connection: 'http',
    engine: isCloud ? 'external' : 'openai-compatible',
    healthPath: isCloud ? (cloudListPath(worker) ?? '') : deps.healthPath,
    profile: isCloud ? external : openaiCompatible,
    metadata: NO_METADATA,
    models: [],
    contextLength: undefined,
    modelLimits: new Map(),
    lacks: [],
    samplingDefaults: undefined,
  };
  const run = async (step: Step) => {
    onStep(step.name);
    found = { ...found, ...(await step.run(round, found)) };
  };
  await run(classify);
  for (const step of isCloud ? cloudSteps : found.connection === 'grpc' ? tokenSteps : engineSteps) await run(step);
  return factsOf(found);
}

function factsOf(found: Findings): WorkerFacts {
  const { url, connection, engine, metadata, models, contextLength, modelLimits, lacks, samplingDefaults } = found;
  const { version, dataParallelSize, maxRunning, capacityTokens, instance, labels } = metadata;
  return {
    url,
    engine,
    connection,
    models,
    contextLength,
    modelLimits,
    version,
    // Over gRPC it is a method of the engine's service.
    healthPath: connection === 'grpc' ? '' : found.healthPath,
    dataParallelSize,
    maxRunning,
    capacityTokens,
    instance,
    lacks,
    samplingDefaults,
    labels,
  };
}
