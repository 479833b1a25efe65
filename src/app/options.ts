/** From the one configuration to the options of each part; seconds become milliseconds here. */
import { chooserOf, onlyClass } from '../admission/choose-class.ts';
import type { ClassOptions } from '../admission/classes.ts';
import type { GateOptions } from '../admission/gate.ts';
import { DEFAULT_SETTINGS } from '../admission/settings.ts';
import type { OwnedKey } from '../auth/api-keys.ts';
import type { Config } from '../config/schema.ts';
import { providerOfKey } from '../domain/credentials.ts';
import { providerNamed, providerOf } from '../domain/providers/index.ts';
import { readWorkerSpec, specOfUrl } from '../domain/worker-spec.ts';
import type { SpecDefaults } from '../domain/worker-spec.ts';
import type { WorkerSpec } from '../domain/worker.ts';
import type { BreakerOptions } from '../resilience/circuit-breaker.ts';
import type { ClockOptions } from '../resilience/clocks.ts';
import type { RetryOptions } from '../resilience/retry.ts';
import type { PolicyScope } from '../routing/policy-set.ts';
import type { ServerOptions } from '../server/deps.ts';
import type { FleetOptions } from '../workers/fleet.ts';

/** Adapters are loaded while an engine runs: its models are listed anew this often. */
const LOOK_INTERVAL_MS = 300_000;

export function breakerOptions(config: Config): BreakerOptions {
  return {
    failureThreshold: config.disableCircuitBreaker ? Number.POSITIVE_INFINITY : config.cbFailureThreshold,
    successThreshold: config.cbSuccessThreshold,
    openMs: config.cbTimeoutDurationSecs * 1_000,
    windowMs: config.cbWindowDurationSecs * 1_000,
  };
}

export function retryOptions(config: Config): RetryOptions {
  return {
    maxAttempts: config.disableRetries ? 1 : config.retryMaxRetries,
    retryAfterMaxMs: config.retryAfterMaxWaitMs,
    backoff: {
      initialMs: config.retryInitialBackoffMs,
      maxMs: config.retryMaxBackoffMs,
      multiplier: config.retryBackoffMultiplier,
      jitter: config.retryJitterFactor,
    },
  };
}

/** Undefined: admission is off. `fleetCapacity` is what the fleet can run; it counts only with classes and no cap. */
export function gateOptions(config: Config, fleetCapacity: number): GateOptions | undefined {
  const { maxConcurrentRequests: cap, rateLimitTokensPerSecond: ratePerSecond } = config;
  if (!config.prioritySchedulerEnabled) {
    if (cap < 0 && ratePerSecond === 0) return undefined;
    const capacity = cap < 0 ? Number.POSITIVE_INFINITY : cap;
    return { classes: [onlyClassOptions(config)], chooser: onlyClass, capacity, ratePerSecond };
  }
  const { classes, maxClassOf } = config.prioritySchedulerConfig ?? DEFAULT_SETTINGS;
  const chooser = chooserOf({ defaultMaxClass: config.prioritySchedulerDefaultMaxClass, maxClassOf });
  return { classes, chooser, capacity: followsFleet(config) ? fleetCapacity : cap, ratePerSecond };
}

/** The number of places is what the workers say that they can run. */
export function followsFleet(config: Config): boolean {
  return config.prioritySchedulerEnabled && config.maxConcurrentRequests < 0;
}

function onlyClassOptions(config: Config): ClassOptions {
  const queueTimeoutMs = config.queueTimeoutSecs * 1_000;
  return {
    name: '',
    reservedFloor: 0,
    reservedPerSlot: 0,
    queueSize: config.queueSize,
    queueTimeoutMs,
    // Alone in the line, first come is first served.
    starvationMs: queueTimeoutMs,
    mayPreempt: false,
  };
}

export function clockOptions(config: Config): ClockOptions {
  return {
    headersMs: config.responseHeadersTimeoutSecs * 1_000,
    firstContentMs: config.firstContentTimeoutSecs * 1_000,
    idleMs: config.streamIdleTimeoutSecs * 1_000,
    callMs: config.requestTimeoutSecs * 1_000,
  };
}

export function fleetOptions(config: Config): FleetOptions {
  return {
    healthPath: config.healthCheckEndpoint,
    probeTimeoutMs: config.healthCheckTimeoutSecs * 1_000,
    intervalMs: config.healthCheckIntervalSecs * 1_000,
    failureThreshold: config.healthFailureThreshold,
    successThreshold: config.healthSuccessThreshold,
    isActive: !config.disableHealthCheck,
    maxRetryMs: config.workerStartupCheckInterval * 1_000,
    startupTimeoutMs: config.workerStartupTimeoutSecs * 1_000,
    drainLimitMs: config.drainTimeoutSecs * 1_000,
    lookIntervalMs: LOOK_INTERVAL_MS,
  };
}

/** Every key of the gateway with its owner. */
export function ownedKeys({ apiKey, tenantApiKey, controlPlaneApiKeys }: Config): OwnedKey[] {
  return [
    ...(apiKey === undefined ? [] : [{ key: apiKey, owner: { kind: 'api' } as const }]),
    ...tenantApiKey.map(({ tenant, key }) => ({ key, owner: { kind: 'tenant', tenant } as const })),
    ...controlPlaneApiKeys.map(({ key, ...who }) => ({ key, owner: { kind: 'control', ...who } as const })),
  ];
}

/** A policy that is named for an alias is that of its models. */
export function policyScope(config: Config): PolicyScope {
  const aliases = new Map(config.modelAlias.map(({ alias, models }) => [alias, models]));
  const models = config.modelPolicies.flatMap(({ model, policy }) =>
    (aliases.get(model) ?? [model]).map((each) => [each, policy] as const),
  );
  const { policy, policyOptions: options, routingKeyOverride } = config;
  return { policy, models: new Map(models), options, routingKeyOverride };
}

export function serverOptions(config: Config): ServerOptions {
  return {
    maxPayloadBytes: config.maxPayloadSize,
    requestIdHeaders: config.requestIdHeaders.map((name) => name.toLowerCase()),
    corsAllowedOrigins: config.corsAllowedOrigins,
    proxyTimeoutMs: 30_000,
    tokenizerWaitMs: config.tokenizerWaitTimeoutSecs * 1_000,
  };
}

/** The workers of command line and file, with the keys that they are asked with (behaviour §5). */
export function workerSpecs(config: Config): WorkerSpec[] {
  const defaults: SpecDefaults = { apiKey: undefined, maxInFlight: config.maxInFlightPerWorker, origin: 'start_up' };
  const named = config.workerUrls.map((url) => withBackend(specOfUrl(url, defaults), config.backend));
  const specs = [...named, ...config.workers.map(({ fields }) => specOf(fields, defaults))];
  const owners = new Set(specs.map((spec) => providerOf(spec)?.name));
  return specs.map((spec) => ({ ...spec, apiKey: spec.apiKey ?? keyOfStart(spec, config, owners.size === 1) }));
}

/** `--backend` speaks for URLs whose host does not say whose they are; the name of an engine says nothing. */
function withBackend(spec: WorkerSpec, backend: string | undefined): WorkerSpec {
  const isProvider = backend !== undefined && providerNamed(backend) !== undefined;
  return isProvider && !providerOf(spec) ? { ...spec, provider: backend } : spec;
}

/**
 * A self-hosted worker takes `--worker-api-key`. A provider's takes the provider's key from the environment, if its spec or
 * its host says whose it is; else `--worker-api-key` where that can be meant for nobody else.
 */
function keyOfStart(spec: WorkerSpec, config: Config, isAlone: boolean): string | undefined {
  const { workerApiKey, providerKeys } = config;
  const provider = providerOf(spec);
  if (!provider) return workerApiKey;
  const isSure = spec.provider !== undefined || providerOf({ ...spec, runtime: undefined }) !== undefined;
  const own = isSure ? providerKeys.get(provider.name) : undefined;
  if (own !== undefined || workerApiKey === undefined) return own;
  return isAlone || providerOfKey(workerApiKey) === provider.name ? workerApiKey : undefined;
}

function specOf(fields: unknown, defaults: SpecDefaults): WorkerSpec {
  const reading = readWorkerSpec(fields, defaults);
  if (!reading.ok) throw new Error('A worker of the configuration was checked and is bad all the same.');
  return reading.spec;
}
