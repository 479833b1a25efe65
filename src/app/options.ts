/** From the one configuration to the options of each part; seconds become milliseconds here. */
import type { OwnedKey } from '../auth/api-keys.ts';
import type { Config } from '../config/schema.ts';
import { NO_HEALTH_OVERRIDES, NO_RESILIENCE_OVERRIDES } from '../domain/worker.ts';
import type { WorkerSpec } from '../domain/worker.ts';
import type { BreakerOptions } from '../resilience/circuit-breaker.ts';
import type { ClockOptions } from '../resilience/clocks.ts';
import type { RetryOptions } from '../resilience/retry.ts';
import type { PolicyScope } from '../routing/policy-set.ts';
import type { ServerOptions } from '../server/deps.ts';
import type { FleetOptions } from '../workers/fleet.ts';

const DEFAULT_PRIORITY = 50;
const DEFAULT_COST = 1;

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

/** A policy that is named for an alias is that of its model. */
export function policyScope(config: Config, aliases: ReadonlyMap<string, string>): PolicyScope {
  const models = config.modelPolicies.map(({ model, policy }) => [aliases.get(model) ?? model, policy] as const);
  const { policy, policyOptions: options, routingKeyOverride } = config;
  return { policy, models: new Map(models), options, routingKeyOverride };
}

export function serverOptions(config: Config): ServerOptions {
  return {
    maxPayloadBytes: config.maxPayloadSize,
    requestIdHeaders: config.requestIdHeaders.map((name) => name.toLowerCase()),
    corsAllowedOrigins: config.corsAllowedOrigins,
    proxyTimeoutMs: 30_000,
  };
}

/** The workers of the command line; a URL without a scheme is taken for HTTP. */
export function workerSpecs(config: Config): WorkerSpec[] {
  return config.workerUrls.map((url) => ({
    url: url.includes('://') ? url : `http://${url}`,
    apiKey: config.workerApiKey,
    priority: DEFAULT_PRIORITY,
    cost: DEFAULT_COST,
    maxInFlight: config.maxInFlightPerWorker,
    labels: {},
    runtime: undefined,
    workerType: 'regular',
    provider: undefined,
    models: [],
    bootstrapPort: undefined,
    health: NO_HEALTH_OVERRIDES,
    resilience: NO_RESILIENCE_OVERRIDES,
    origin: 'start_up',
  }));
}
