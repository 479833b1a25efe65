/** How workers are watched: as the gateway is configured, and what a worker has its own way with. */
import type { HealthOverrides } from '../domain/worker.ts';

export interface WatchOptions {
  readonly healthPath: string;
  readonly probeTimeoutMs: number;
  readonly intervalMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  /** False: a worker that became ready is not probed any more. */
  readonly isActive: boolean;
  /** Onboarding retries double from 1 s up to this. */
  readonly maxRetryMs: number;
  /** After this long without success a worker that never came up is called `failed`. */
  readonly startupTimeoutMs: number;
  /** How often the facts of a worker that is ready are read anew. */
  readonly lookIntervalMs: number;
}

export function watchOptionsFor(defaults: WatchOptions, own: HealthOverrides | undefined): WatchOptions {
  if (!own) return defaults;
  const { timeoutSecs, checkIntervalSecs, successThreshold, failureThreshold, disableHealthCheck } = own;
  return {
    ...defaults,
    probeTimeoutMs: timeoutSecs === undefined ? defaults.probeTimeoutMs : timeoutSecs * 1_000,
    intervalMs: checkIntervalSecs === undefined ? defaults.intervalMs : checkIntervalSecs * 1_000,
    successThreshold: successThreshold ?? defaults.successThreshold,
    failureThreshold: failureThreshold ?? defaults.failureThreshold,
    isActive: disableHealthCheck === undefined ? defaults.isActive : !disableHealthCheck,
  };
}
