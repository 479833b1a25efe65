/** A worker as the control plane shows it: names as on the wire, everything but its key. */
import type { PoolMember } from '../domain/candidate.ts';
import type { VerdictCounts, WorkerView } from '../domain/ports.ts';
import { onboardingSteps } from '../domain/worker.ts';
import type { ModelCard, OnboardingProgress, Worker } from '../domain/worker.ts';
import { isGrpcUrl } from '../domain/worker-url.ts';
import type { ServerDeps } from './deps.ts';

type Shown = Readonly<Record<string, unknown>>;

/** With what moves with every call: load, breaker and the counts of what calls came to. */
export function describeView(
  { worker, members }: WorkerView,
  deps: Pick<ServerDeps, 'conditionOf' | 'tokenizers'>,
): Shown {
  const conditions = members.map(({ id }) => deps.conditionOf(id));
  const breakers = conditions.map(({ breaker }) => breaker);
  // A worker takes calls as long as one of its ranks does.
  const breaker = breakers.find((state) => state === 'closed') ?? breakers.find((state) => state === 'half_open');
  const calls = describeCounts(conditions.map(({ counts }) => counts));
  const shown = describeWorker(worker);
  // A provider is asked rarely: what its calls come to is the newer news.
  const isShut = worker.address.provider !== undefined && breakers[0] === 'open';
  const isHealthy = worker.state === 'ready' && !isShut;
  const circuitBreaker = breaker ?? breakers[0];
  const tokenizer = describeTokenizer(worker, deps);
  const condition = { is_healthy: isHealthy, load: loadOf(members), circuit_breaker: circuitBreaker, calls };
  const live = { ...shown, ...condition, tokenizer };
  if (members.length < 2) return live;
  const ranks = members.map(({ id, rank, candidate }, at) => {
    return { id, rank, load: candidate.inFlight, circuit_breaker: breakers[at] };
  });
  return { ...live, ranks };
}

/** Of the model of a worker that takes tokens, which is ready before its tokenizer is; undefined for all others. */
function describeTokenizer({ facts }: Worker, { tokenizers }: Pick<ServerDeps, 'tokenizers'>): Shown | undefined {
  if (facts?.connection !== 'grpc') return undefined;
  const state = tokenizers.of(facts.models[0] ?? '');
  switch (state.kind) {
    case 'ready':
      return { status: 'ready', source: state.model.source };
    case 'loading':
      return { status: 'loading' };
    case 'failed':
      return { status: 'failed', error: state.error.message };
  }
}

/** Attempts that have ended since the worker joined; `neutral` are those whose client left or was refused for a fault of its own. */
function describeCounts(counts: readonly VerdictCounts[]): Shown {
  const sum = (kind: keyof VerdictCounts) => counts.reduce((total, each) => total + each[kind], 0);
  const [succeeded, failed] = [sum('success'), sum('failure')];
  const [rateLimited, neutral] = [sum('rate_limited'), sum('neutral')];
  return { total: succeeded + failed + rateLimited + neutral, succeeded, failed, rate_limited: rateLimited, neutral };
}

/** Calls that the gateway has under way on the worker. */
export function loadOf(members: readonly PoolMember[]): number {
  return members.reduce((sum, { candidate }) => sum + candidate.inFlight, 0);
}

/** What changes only with the worker itself. */
export function describeWorker(worker: Worker): Shown {
  const { spec, facts, progress } = worker;
  return {
    id: worker.id,
    // With the scheme that answered, where none was given.
    url: worker.address.url,
    model_id: facts?.models[0],
    models: facts?.models ?? [],
    model_cards: spec.models.length > 0 ? spec.models.map(describeCard) : undefined,
    worker_type: spec.workerType,
    connection_mode: facts?.connection ?? (isGrpcUrl(spec.url) ? 'grpc' : 'http'),
    runtime_type: facts?.engine ?? spec.runtime ?? 'unspecified',
    provider: worker.address.provider?.name ?? spec.provider,
    version: facts?.version,
    context_length: facts?.contextLength,
    labels: { ...facts?.labels, ...spec.labels },
    priority: spec.priority,
    cost: spec.cost,
    max_in_flight: spec.maxInFlight === 0 ? undefined : spec.maxInFlight,
    bootstrap_port: spec.bootstrapPort,
    health: overridesOf(spec.health),
    resilience: overridesOf(spec.resilience),
    has_api_key: spec.apiKey !== undefined,
    is_healthy: worker.state === 'ready',
    status: worker.state,
    onboarding: describeProgress(progress),
    last_error: progress.lastError ?? null,
  };
}

function describeCard({ id, displayName, aliases, contextLength }: ModelCard): Shown {
  return { id, display_name: displayName, aliases, context_length: contextLength };
}

/** Those that are set, in wire names; undefined for none. */
function overridesOf(overrides: object): Shown | undefined {
  const set = Object.entries(overrides).filter(([, value]) => value !== undefined);
  if (set.length === 0) return undefined;
  const wireName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(set.map(([name, value]) => [wireName(name), value]));
}

function describeProgress({ step, attempts }: OnboardingProgress): Shown {
  // A failed health check is of a worker that has been through all of them.
  const isDone = step === 'ready' || step === 'health';
  const at = step === 'queued' ? -1 : isDone ? onboardingSteps.length : onboardingSteps.indexOf(step);
  const statusOf = (index: number) => (index < at ? 'done' : index === at ? 'current' : 'pending');
  return { step, attempts, steps: onboardingSteps.map((name, index) => ({ name, status: statusOf(index) })) };
}
