/** The composition root: joins fleet, spine and edge. With the files beside it that it calls, the only place that makes concrete parts. */
import { createServer } from 'node:http';
import { capacityOf } from '../admission/capacity.ts';
import { Gate } from '../admission/gate.ts';
import { KeyRing } from '../auth/api-keys.ts';
import { LineAudit, noAudit } from '../auth/audit.ts';
import { KeyGatekeeper } from '../auth/gatekeeper.ts';
import type { Config } from '../config/schema.ts';
import { GatewayError } from '../domain/errors.ts';
import type { FleetSnapshot } from '../domain/ports.ts';
import type { Logger } from '../observability/logging.ts';
import { protocols } from '../protocols/index.ts';
import { answerClientErrors } from '../server/client-error.ts';
import { createListener } from '../server/listener.ts';
import { createMetricsListener } from '../server/metrics-listener.ts';
import { Admission } from '../server/middleware/admit.ts';
import type { Registry } from '../workers/registry.ts';
import { answerParsers } from './answer-parsers.ts';
import { commonParts } from './common-parts.ts';
import { fleetParts } from './fleet-parts.ts';
import { listen } from './listen.ts';
import { OpenConnections } from './open-connections.ts';
import { followsFleet, gateOptions, ownedKeys, serverOptions, workerSpecs } from './options.ts';
import { buildSpine } from './spine.ts';
import { tokenizerParts } from './tokenizer-parts.ts';
import type { StopOptions } from './shutdown.ts';
import { shutDown } from './shutdown.ts';

export interface Gateway {
  /** Where clients connect, e.g. `http://127.0.0.1:30000`. */
  readonly url: string;
  /** Where metrics are read; undefined when they are off. */
  readonly metricsUrl: string | undefined;
  /** Resolves as soon as that many workers are ready at once. */
  whenReady(count?: number): Promise<void>;
  /** Drains and ends; a second call with `force` ends at once. */
  stop(options?: StopOptions): Promise<void>;
}

/** Rejects with `code: 'port_in_use'` when a port is taken. */
export async function startGateway(config: Config): Promise<Gateway> {
  const common = commonParts(config);
  const { clock, logger, metrics, telemetry, aliases, policies } = common;
  const parts = fleetParts(config, common);
  const { backend, prober, tokens, conditions, registry, fleet, loadMonitor } = parts;
  const { store: tokenizers } = tokenizerParts(config, common, {
    directory: registry,
    bundles: tokens.bundles,
    env: process.env,
  });
  const dispatcher = buildSpine(config, common, { ...parts, tokenizers });

  // Who may call, and who of them comes in now.
  const gatekeeper = new KeyGatekeeper(new KeyRing(ownedKeys(config)));
  const audit = config.disableAuditLogging
    ? noAudit
    : new LineAudit((fields) => logger.log('audit', 'control plane', fields));
  const admitting = gateOptions(config, capacityOf(registry.snapshot()));
  const gate = admitting && new Gate(admitting, () => clock.now());
  const admission = gate && new Admission(gate, clock);
  if (followsFleet(config)) registry.subscribe((snapshot) => admission?.resize(capacityOf(snapshot)));

  // The edge.
  const stopping = new AbortController();
  const listener = createListener({
    options: serverOptions(config),
    dispatcher,
    directory: registry,
    prober,
    engines: tokens.engines,
    aliases,
    protocols,
    telemetry,
    clock,
    stopping: stopping.signal,
    fleet,
    gatekeeper,
    admission,
    audit,
    tokenizers,
    parsers: answerParsers(common.random),
    specDefaults: { apiKey: undefined, maxInFlight: config.maxInFlightPerWorker, origin: 'api' },
    conditionOf: (id) => {
      const condition = conditions.of(id);
      return { breaker: condition?.breaker.state ?? 'closed', counts: condition?.counts ?? NO_COUNTS };
    },
    cacheFlushed: (id) => {
      for (const { candidate } of registry.membersOf(id)) policies.forgetCache(candidate);
    },
  });
  const server = createServer(SERVER_OPTIONS, listener);
  answerClientErrors(server);
  const metricsServer =
    metrics &&
    createServer(
      SERVER_OPTIONS,
      createMetricsListener({
        check: (headers) => gatekeeper.check(headers, config.metricsPublic ? 'public' : 'control'),
        render: () => metrics.registry.render(),
      }),
    );
  const servers = metricsServer ? [server, metricsServer] : [server];
  const listeners = servers.map((each) => new OpenConnections(each));
  metrics?.watch(
    {
      snapshot: () => registry.snapshot(),
      breaker: (id) => {
        const breaker = conditions.of(id)?.breaker;
        return (
          breaker && {
            state: breaker.state,
            failures: breaker.consecutiveFailures,
            successes: breaker.consecutiveSuccesses,
          }
        );
      },
      openConnections: () => listeners[0]?.size ?? 0,
      admission: () => gate?.view(),
    },
    () => clock.now(),
  );

  const release = async () => {
    loadMonitor.stop();
    tokenizers.stop();
    fleet.stop();
    backend.close();
    await tokens.close();
    await logger.close();
  };
  try {
    const url = await listen(server, { name: 'the gateway', flag: '--port', host: config.host, port: config.port });
    const metricsAt = {
      name: 'metrics',
      flag: '--prometheus-port',
      host: config.prometheusHost,
      port: config.prometheusPort,
    };
    const metricsUrl = metricsServer && (await listen(metricsServer, metricsAt));
    tokenizers.start();
    for (const spec of workerSpecs(config)) fleet.add(spec);
    loadMonitor.start();
    logStart(logger, config, url);
    let stopped: Promise<void> | undefined;
    const force = Promise.withResolvers<void>();
    const times = { graceMs: config.shutdownGracePeriodSecs * 1_000, settleMs: config.drainSettleSecs * 1_000 };
    const cancelAll = (error: GatewayError) => {
      // Those that wait first: a place that becomes free must not let them in.
      admission?.refuseAll(error);
      dispatcher.cancelAll(error);
    };
    const steps = { clock, listeners, cancelAll, release, forced: force.promise, ...times };
    return {
      url,
      metricsUrl: metricsUrl && `${metricsUrl}/metrics`,
      whenReady: (count = 1) => readyWorkers(registry, count),
      stop: (options = {}) => {
        if (!stopping.signal.aborted) logger.log('info', 'gateway stopping', { forced: options.force === true });
        stopping.abort();
        if (options.force) {
          force.resolve();
          for (const each of servers) each.closeAllConnections();
          // Not left to their broken connections: engines are told of each call before their own connections close.
          cancelAll(new GatewayError('shutting_down', 'The gateway ends at once; this answer is not complete.'));
        }
        stopped ??= shutDown(steps, options);
        return stopped;
      },
    };
  } catch (thrown) {
    for (const each of servers) each.close();
    await release();
    throw thrown;
  }
}

const NO_COUNTS = { success: 0, failure: 0, rate_limited: 0, neutral: 0 };

const SERVER_OPTIONS = {
  /** What node buffers for one client before it says that the client is slow. */
  highWaterMark: 16 * 1024,
  maxHeaderSize: 32 * 1024,
  /** Node would take the first `Authorization` of several and say nothing; joined they are no key. */
  joinDuplicateHeaders: true,
  headersTimeout: 60_000,
  /** A body must arrive within this time, however slowly it is sent. */
  requestTimeout: 300_000,
  keepAliveTimeout: 75_000,
  noDelay: true,
};

function readyWorkers(registry: Registry, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = ({ workers }: FleetSnapshot) => {
    if (workers.filter((worker) => worker.state === 'ready').length < count) return;
    unsubscribe();
    resolve();
  };
  const unsubscribe = registry.subscribe(look);
  look(registry.snapshot());
  return promise;
}

function logStart(logger: Logger, config: Config, url: string): void {
  logger.log('info', 'gateway started', {
    url,
    workers: config.workerUrls.length + config.workers.length,
    policy: config.policy,
  });
}
