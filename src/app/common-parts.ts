/** What every part is built with: time, chance, the log and the telemetry; and the policies, which fleet and spine share. */
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { systemRandom } from '../base/random.ts';
import type { Config } from '../config/schema.ts';
import type { ModelAliases } from '../dispatch/resolve-model.ts';
import { createLogger } from '../observability/logging.ts';
import type { Logger } from '../observability/logging.ts';
import { DEFAULT_BUCKETS } from '../observability/metric-table.ts';
import { Metrics } from '../observability/metrics.ts';
import { GatewayTelemetry } from '../observability/telemetry.ts';
import { PolicySet } from '../routing/policy-set.ts';
import { policyScope } from './options.ts';

export interface CommonParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Undefined when they are switched off. */
  readonly metrics: Metrics | undefined;
  readonly telemetry: GatewayTelemetry;
  readonly aliases: ModelAliases;
  readonly policies: PolicySet;
}

export function commonParts(config: Config): CommonParts {
  const clock = systemClock;
  const random = systemRandom;
  const logger = createLogger({ level: config.logLevel, json: config.logJson, dir: config.logDir }, () =>
    clock.wallTime(),
  );
  const buckets = config.prometheusDurationBuckets.length > 0 ? config.prometheusDurationBuckets : DEFAULT_BUCKETS;
  const metrics = config.disableMetrics ? undefined : new Metrics(buckets);
  const telemetry = new GatewayTelemetry(logger, metrics);
  const aliases = new Map(config.modelAlias.map(({ alias, models }) => [alias, models]));
  const policies = new PolicySet(policyScope(config), {
    random,
    now: () => clock.now(),
    unknownPolicy: (policy, worker) => logger.log('warn', 'unknown policy in a label', { policy, worker }),
  });
  return { clock, random, logger, metrics, telemetry, aliases, policies };
}
