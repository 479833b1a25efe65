/** Who serves: the fleet, what is known of it, and the ways to its workers. */
import { HttpProber } from '../backends/http/probe.ts';
import { HttpBackend } from '../backends/http/send.ts';
import type { Config } from '../config/schema.ts';
import { workerOfMember } from '../domain/ids.ts';
import type { FleetTelemetry } from '../domain/ports.ts';
import { isGrpcUrl } from '../domain/worker-url.ts';
import { ConditionBook } from '../workers/condition.ts';
import { Fleet } from '../workers/fleet.ts';
import { LoadBook } from '../workers/load.ts';
import { LoadMonitor } from '../workers/load-monitor.ts';
import { Registry } from '../workers/registry.ts';
import type { CommonParts } from './common-parts.ts';
import { breakerOptions, fleetOptions } from './options.ts';
import { tokenParts } from './token-parts.ts';
import type { TokenParts } from './token-parts.ts';

export interface FleetParts {
  readonly backend: HttpBackend;
  readonly prober: HttpProber;
  /** Workers behind gRPC. */
  readonly tokens: TokenParts;
  readonly loads: LoadBook;
  readonly conditions: ConditionBook;
  readonly registry: Registry;
  readonly fleet: Fleet;
  readonly loadMonitor: LoadMonitor;
}

export function fleetParts(config: Config, common: CommonParts): FleetParts {
  const { clock, random, telemetry, policies } = common;
  const backend = new HttpBackend({
    connectTimeoutMs: config.connectTimeoutSecs * 1_000,
    hostMap: new Map(config.mapHost.map(({ host, url }) => [host, url])),
  });
  const prober = new HttpProber(backend, clock);
  const tokens = tokenParts(config, common);
  const { engines } = tokens;
  const fleetTelemetry: FleetTelemetry = {
    stateChanged: (worker, from) => telemetry.stateChanged(worker, from),
    healthChecked: (id, isHealthy) => telemetry.healthChecked(id, isHealthy),
    breakerChanged: (id, from, to) => {
      telemetry.breakerChanged(id, from, to);
      if (to === 'open') fleet.probeSoon(workerOfMember(id));
    },
  };
  const loads = new LoadBook();
  const conditions = new ConditionBook(breakerOptions(config), fleetTelemetry, clock);
  const registry = new Registry({
    open: (id, { spec }) => ({ candidate: loads.open(id, spec), gate: conditions.open(id, spec.resilience) }),
    retune: ({ id, worker: { spec } }) => {
      loads.change(id, spec);
      conditions.change(id, spec.resilience);
    },
    close: ({ id, candidate }) => {
      policies.forget(candidate);
      loads.close(id);
      conditions.close(id);
    },
    onStateChange: (worker, from) => fleetTelemetry.stateChanged(worker, from),
    dpAware: config.dpAware,
  });
  registry.onEvent((event) => telemetry.fleetChanged(event));
  const fleet = new Fleet(fleetOptions(config), {
    registry,
    prober,
    engines,
    loads,
    telemetry: fleetTelemetry,
    clock,
    random,
    onCacheLost: ({ candidate }) => policies.forgetCache(candidate),
    successesOf: (id) => conditions.of(id)?.counts.success ?? 0,
    disconnect: ({ address }) => {
      if (!isGrpcUrl(address.url)) return backend.forget(address);
      tokens.tokenBackend.forget(address);
      tokens.channels.forget(address.url);
    },
  });
  const loadMonitor = new LoadMonitor(
    { intervalMs: config.loadMonitorInterval * 1_000 },
    { directory: registry, loads, prober, engines, clock, random, onRestarted: (id) => fleet.lookAgain(id) },
  );
  return { backend, prober, tokens, loads, conditions, registry, fleet, loadMonitor };
}
