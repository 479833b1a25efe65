/** From JSON to a worker's spec or to a change of one. Pure; the fields are worker-fields.ts. */
import { nearest } from '../base/nearest.ts';
import type { FieldProblem, FieldReader, FieldValues } from './fields.ts';
import { isObject, readFields } from './fields.ts';
import { MAX_LABELS, healthFields, labelsPatch, usedCardFields, workerFields } from './worker-fields.ts';
import type { WorkerPatch } from './ports.ts';
import { providerNamed, providers } from './providers/index.ts';
import type { HealthOverrides, ResilienceOverrides, WorkerSpec } from './worker.ts';
import { NO_HEALTH_OVERRIDES, NO_RESILIENCE_OVERRIDES } from './worker.ts';
import { isGrpcUrl, readWorkerUrl } from './worker-url.ts';

const DEFAULT_PRIORITY = 50;
const DEFAULT_COST = 1;

/** What counts for a field that is not given. */
export interface SpecDefaults {
  readonly apiKey: string | undefined;
  readonly maxInFlight: number;
  readonly origin: WorkerSpec['origin'];
}

/**
 * A spec, the paths of fields that were given and have no effect, and what may have been meant otherwise; or all that is
 * wrong, at least one.
 */
export type SpecReading =
  | {
      readonly ok: true;
      readonly spec: WorkerSpec;
      readonly withoutEffect: readonly string[];
      readonly doubts: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

export type PatchReading =
  | { readonly ok: true; readonly patch: WorkerPatch }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

/** The spec of a worker of which only the URL is known. */
export function specOfUrl(url: string, defaults: SpecDefaults): WorkerSpec {
  return {
    url,
    ...defaults,
    priority: DEFAULT_PRIORITY,
    cost: DEFAULT_COST,
    labels: {},
    runtime: undefined,
    workerType: 'regular',
    provider: undefined,
    models: [],
    bootstrapPort: undefined,
    health: NO_HEALTH_OVERRIDES,
    resilience: NO_RESILIENCE_OVERRIDES,
  };
}

export function readWorkerSpec(body: unknown, defaults: SpecDefaults): SpecReading {
  const reader: FieldReader = { problems: [] };
  const fields = readFields(workerFields, body, '', reader);
  if (!fields) return { ok: false, problems: reader.problems };
  const { runtime, runtime_type: runtimeType } = fields;
  const url = urlFor(fields, reader);
  const hasUrl = isObject(body) && 'url' in body && body['url'] !== null;
  if (!hasUrl) reader.problems.unshift({ path: 'url', text: 'is missing' });
  if (runtime !== undefined && runtimeType !== undefined && runtime !== runtimeType)
    reader.problems.push({ path: 'runtime_type', text: 'differs from `runtime`, which is the same field' });
  if (url === undefined || reader.problems.length > 0) return { ok: false, problems: reader.problems };
  const basis = specOfUrl(url, defaults);
  const spec: WorkerSpec = {
    ...basis,
    apiKey: fields.api_key ?? basis.apiKey,
    runtime: runtime ?? runtimeType,
    provider: fields.provider?.toLowerCase(),
    models: fields.models ?? basis.models,
    priority: fields.priority ?? basis.priority,
    cost: fields.cost ?? basis.cost,
    labels: fields.labels ?? basis.labels,
    maxInFlight: fields.max_in_flight ?? basis.maxInFlight,
    bootstrapPort: fields.bootstrap_port,
    health: healthOf(fields.health),
    resilience: resilienceOf(fields.resilience),
  };
  return { ok: true, spec, withoutEffect: withoutEffect(body, spec), doubts: doubtsOf(spec) };
}

/** The URL as `connection_mode` wants it. */
function urlFor({ url, connection_mode: mode }: WorkerValues, reader: FieldReader): string | undefined {
  if (url === undefined || mode === undefined) return url;
  if (!url.includes('://')) {
    if (mode === 'http') return url;
    const reading = readWorkerUrl(`grpc://${url}`);
    if (reading.ok) return reading.url;
    reader.problems.push({ path: 'url', text: reading.problem });
    return undefined;
  }
  if (isGrpcUrl(url) !== (mode === 'grpc'))
    reader.problems.push({ path: 'connection_mode', text: 'does not agree with the scheme of the URL' });
  return url;
}

/** `current` is the worker's spec now: labels and health settings are merged into it. */
export function readWorkerPatch(body: unknown, current: WorkerSpec): PatchReading {
  const reader: FieldReader = { problems: [] };
  if (!isObject(body)) return { ok: false, problems: [{ path: '', text: 'must be an object' }] };
  const patch: { -readonly [Name in keyof WorkerPatch]: WorkerPatch[Name] } = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'priority') patch.priority = workerFields.priority.read(value, name, reader) ?? current.priority;
    else if (name === 'cost') patch.cost = workerFields.cost.read(value, name, reader) ?? current.cost;
    else if (name === 'labels') patch.labels = mergeLabels(value, current, reader);
    else if (name === 'health') patch.health = mergeHealth(value, current, reader);
    else if (name === 'api_key')
      patch.apiKey = value === null ? undefined : workerFields.api_key.read(value, name, reader);
    else reader.problems.push({ path: name, text: whyNotPatched(name) });
  }
  if (Object.keys(body).length === 0) reader.problems.push({ path: '', text: 'names nothing to change' });
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, patch };
}

function whyNotPatched(name: string): string {
  if (!Object.hasOwn(workerFields, name)) return 'is no known field';
  return 'cannot be changed alone; replace the worker with PUT';
}

function mergeLabels(value: unknown, { labels }: WorkerSpec, reader: FieldReader): WorkerSpec['labels'] {
  const change = labelsPatch.read(value, 'labels', reader) ?? {};
  const merged = Object.entries({ ...labels, ...change });
  const kept = merged.filter((entry): entry is [string, string] => entry[1] !== null);
  if (kept.length > MAX_LABELS)
    reader.problems.push({ path: 'labels', text: `would be ${kept.length}; at most ${MAX_LABELS} are kept` });
  return Object.fromEntries(kept);
}

/** `null` for one setting, or for all of them: as the gateway is configured. */
function mergeHealth(value: unknown, { health }: WorkerSpec, reader: FieldReader): HealthOverrides {
  if (value === null) return NO_HEALTH_OVERRIDES;
  const change = healthOf(readFields(healthFields, value, 'health', reader));
  const names = isObject(value) ? Object.keys(value) : [];
  const named = Object.entries(change).filter(([name]) => names.includes(wireName(name)));
  return { ...health, ...Object.fromEntries(named) };
}

/** `timeoutSecs` → `timeout_secs`. */
function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function healthOf(fields: FieldValues<typeof healthFields> | undefined): HealthOverrides {
  if (!fields) return NO_HEALTH_OVERRIDES;
  return {
    timeoutSecs: fields.timeout_secs,
    checkIntervalSecs: fields.check_interval_secs,
    successThreshold: fields.success_threshold,
    failureThreshold: fields.failure_threshold,
    disableHealthCheck: fields.disable_health_check,
    drainSettleSecs: fields.drain_settle_secs,
  };
}

type WorkerValues = FieldValues<typeof workerFields>;

function resilienceOf(fields: WorkerValues['resilience']): ResilienceOverrides {
  if (!fields) return NO_RESILIENCE_OVERRIDES;
  return {
    cbFailureThreshold: fields.cb_failure_threshold,
    cbSuccessThreshold: fields.cb_success_threshold,
    cbTimeoutSecs: fields.cb_timeout_secs,
    cbWindowSecs: fields.cb_window_secs,
    disableCircuitBreaker: fields.disable_circuit_breaker,
    maxRetries: fields.max_retries,
    disableRetry: fields.disable_retry,
  };
}

/** A name that is not known is a cloud of its own; one that is almost a known one is probably a slip. */
function doubtsOf({ provider }: WorkerSpec): string[] {
  if (provider === undefined || providerNamed(provider)) return [];
  const near = nearest(
    provider,
    providers.map(({ name }) => name),
  );
  return near === undefined
    ? []
    : [`\`provider\` ${provider} is taken for a cloud of that name; did you mean ${near}?`];
}

function withoutEffect(body: unknown, spec: WorkerSpec): string[] {
  const cards = isObject(body) && Array.isArray(body['models']) ? body['models'] : [];
  const names = cards.flatMap((card: unknown) => (isObject(card) ? Object.keys(card) : []));
  const unused = new Set(names.filter((name) => !usedCardFields.has(name)).map((name) => `models[].${name}`));
  return [...(spec.bootstrapPort === undefined ? [] : ['bootstrap_port']), ...unused];
}
