/** The spine: what serves a call. */
import { createHmac, randomBytes } from 'node:crypto';
import { HttpMediaFetcher } from '../backends/http/media-fetcher.ts';
import type { Config } from '../config/schema.ts';
import { Dispatcher } from '../dispatch/dispatch.ts';
import { Ticker } from '../dispatch/ticker.ts';
import type { TokenModels } from '../domain/token-model.ts';
import { fnv1a } from '../domain/ids.ts';
import { protocols } from '../protocols/index.ts';
import { unaryTranslations } from '../protocols/translations.ts';
import { RetryBudget } from '../resilience/retry-budget.ts';
import { Leases } from '../workers/leases.ts';
import type { CommonParts } from './common-parts.ts';
import type { FleetParts } from './fleet-parts.ts';
import { clockOptions, retryOptions } from './options.ts';
import { tokenForms } from './token-forms.ts';

export interface SpineParts extends FleetParts {
  readonly tokenizers: TokenModels;
}

export function buildSpine(config: Config, common: CommonParts, parts: SpineParts): Dispatcher {
  const { clock, random, aliases, policies } = common;
  const { registry, loads, conditions, backend } = parts;
  const scopeKey = randomBytes(32);
  const keySeed = Math.floor(random.next() * 0xffffffff);
  const clocks = clockOptions(config);
  return new Dispatcher({
    directory: registry,
    leases: new Leases(loads, conditions, clock),
    backend,
    tokenBackend: parts.tokens.tokenBackend,
    tokenModels: parts.tokenizers,
    tokenizerWaitMs: config.tokenizerWaitTimeoutSecs * 1_000,
    formsOf: tokenForms(config),
    media: new HttpMediaFetcher(clock, { allowedHosts: config.mediaAllowHost.map((host) => host.toLowerCase()) }),
    protocols,
    unaryTranslations,
    strictTranslation: config.strictTranslation,
    policyFor: (model, members) => policies.policyFor(model, members),
    aliases,
    retry: retryOptions(config),
    budget: new RetryBudget({ ratio: config.retryBudgetRatio, minimum: config.retryBudgetMin }, clock.now()),
    clocks,
    ticker: new Ticker(clock, Object.values(clocks)),
    clock,
    random,
    scopeOf: ({ callerKey, record }) => {
      const digest = createHmac('sha256', scopeKey)
        .update(callerKey ?? '')
        .digest('base64');
      return `${record.tenant}|${digest}`;
    },
    keyDigest: (key) => fnv1a(key, keySeed) || 1,
  });
}
