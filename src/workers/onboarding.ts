/**
 * Finds out what a worker is: the named steps in order. Each step asks through the Prober and returns facts. Without
 * `connect` and `list_models` the round fails; what a worker does not say of its engine is left open.
 */
import { GatewayError } from '../domain/errors.ts';
import type { Prober, ProbeReply } from '../domain/ports.ts';
import type { Engine, OnboardingStep, Worker, WorkerFacts } from '../domain/worker.ts';

export interface OnboardingOptions {
  readonly healthPath: string;
  readonly timeoutMs: number;
}

type Ask = (path: string) => Promise<ProbeReply>;

const MODELS_PATH = '/v1/models';

/** Runs all steps; `onStep` hears the name of each as it begins. Rejects with the reason why the worker is not ready. */
export async function onboard(
  worker: Worker,
  prober: Prober,
  options: OnboardingOptions,
  onStep: (step: OnboardingStep) => void,
): Promise<WorkerFacts> {
  const ask: Ask = (path) => prober.ask(worker.address, { method: 'GET', path }, options.timeoutMs);
  onStep('connect');
  const healthPath = await connect(ask, options.healthPath);
  onStep('list_models');
  const listing = await listModels(ask);
  onStep('detect_engine');
  const { engine, version } = await detectEngine(ask, listing.owner);
  return {
    url: worker.spec.url,
    engine,
    version,
    models: listing.models,
    contextLength: listing.contextLength,
    healthPath,
    dataParallelSize: 1,
    maxRunning: undefined,
    capacityTokens: undefined,
    instance: undefined,
    labels: {},
  };
}

function refusal(path: string, reply: ProbeReply): GatewayError {
  const hint = reply.status === 401 || reply.status === 403 ? '; it may need a key (--worker-api-key)' : '';
  return new GatewayError('upstream_unreachable', `GET ${path} answered ${reply.status}${hint}`);
}

function isOk(reply: ProbeReply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** The path that says whether the worker is well: the configured one, or the model list where there is none. */
async function connect(ask: Ask, healthPath: string): Promise<string> {
  const health = await ask(healthPath);
  if (isOk(health)) return healthPath;
  if (health.status !== 404 && health.status !== 405) throw refusal(healthPath, health);
  const models = await ask(MODELS_PATH);
  if (!isOk(models)) throw refusal(healthPath, health);
  return MODELS_PATH;
}

interface Listing {
  readonly models: readonly string[];
  readonly owner: string;
  readonly contextLength: number | undefined;
}

const NO_LISTING: Listing = { models: [], owner: '', contextLength: undefined };

/** Every id that the worker lists, base models and adapters alike. A key that is refused here is a failure: calls would fail too. */
async function listModels(ask: Ask): Promise<Listing> {
  const reply = await ask(MODELS_PATH);
  if (reply.status === 401 || reply.status === 403 || reply.status >= 500) throw refusal(MODELS_PATH, reply);
  const cards = asArray(asObject(parseJson(reply.text))?.['data']);
  if (!isOk(reply) || cards.length === 0) return NO_LISTING;
  const entries = cards.map(asObject).filter((card) => typeof card?.['id'] === 'string');
  const first = entries[0] ?? {};
  return {
    models: [...new Set(entries.map((card) => card?.['id'] as string))],
    owner: typeof first['owned_by'] === 'string' ? first['owned_by'] : '',
    contextLength: typeof first['max_model_len'] === 'number' ? first['max_model_len'] : undefined,
  };
}

/** By the owner of its models, else by which engine's own endpoint it has. */
async function detectEngine(ask: Ask, owner: string): Promise<{ engine: Engine; version: string | undefined }> {
  if (owner === 'sglang') return { engine: 'sglang', version: await readVersion(ask, '/server_info') };
  if (owner === 'vllm') return { engine: 'vllm', version: await readVersion(ask, '/version') };
  const viaSglang = await readVersion(ask, '/server_info');
  if (viaSglang !== undefined) return { engine: 'sglang', version: viaSglang };
  const viaVllm = await readVersion(ask, '/version');
  if (viaVllm !== undefined) return { engine: 'vllm', version: viaVllm };
  return { engine: 'openai-compatible', version: undefined };
}

async function readVersion(ask: Ask, path: string): Promise<string | undefined> {
  // No answer here is an answer too: a worker that hangs at a path it does not know serves calls all the same.
  const reply = await ask(path).catch(() => undefined);
  if (!reply) return undefined;
  const version = isOk(reply) ? asObject(parseJson(reply.text))?.['version'] : undefined;
  return typeof version === 'string' ? version : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the worker does not have this endpoint, which is an answer too.
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
