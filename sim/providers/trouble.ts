/**
 * Overload and exhausted quotas as each provider answers them: fault rules ready for `setFaults`.
 * Sources: Anthropic "Errors" (529, retry-after), OpenAI "Error codes" and "Rate limits" (429 in two kinds, 503), Gemini
 * "Rate limits" and "Troubleshooting" (QuotaFailure, RetryInfo), xAI "Rate limits".
 */

import type { FaultSpec } from '../faults/fault.ts';
import type { ProviderKind } from './options.ts';

/** What may be wrong with a provider that is up. */
export interface Trouble {
  /** Busy for everybody: Anthropic's 529, elsewhere 503. */
  readonly overloaded: FaultSpec;
  /** Too many requests of this caller; come back after so many seconds. */
  readonly rateLimited: (retryAfterSeconds: number) => FaultSpec;
  /** The caller's money or daily quota is gone; coming back soon does not help. */
  readonly outOfQuota: FaultSpec;
}

/** The troubles of a kind of provider; spread one and add `key`, `times` or `rate` as needed. */
export function troubleOf(kind: ProviderKind): Trouble {
  if (kind === 'anthropic') return ANTHROPIC;
  if (kind === 'gemini') return GEMINI;
  return kind === 'xai' ? XAI : OPENAI;
}

function openaiError(message: string, type: string, code: string | null): unknown {
  return { error: { message, type, param: null, code } };
}

const OPENAI: Trouble = {
  overloaded: {
    kind: 'status',
    status: 503,
    body: openaiError('The engine is currently overloaded, please try again later.', 'server_error', null),
  },
  rateLimited: (seconds) => ({
    kind: 'status',
    status: 429,
    retryAfter: seconds,
    headers: {
      'retry-after-ms': seconds * 1000,
      'x-ratelimit-remaining-requests': 0,
      'x-ratelimit-reset-requests': `${seconds}s`,
    },
    body: openaiError(
      `Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in ${seconds}s.`,
      'requests',
      'rate_limit_exceeded',
    ),
  }),
  outOfQuota: {
    kind: 'status',
    status: 429,
    body: openaiError(
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
  },
};

const XAI: Trouble = {
  overloaded: {
    kind: 'status',
    status: 503,
    body: { code: 'The service is currently unavailable', error: 'The model is at capacity. Please try again later.' },
  },
  rateLimited: (seconds) => ({
    kind: 'status',
    status: 429,
    retryAfter: seconds,
    body: { code: 'Some resource has been exhausted', error: 'Too many requests for this team and model.' },
  }),
  outOfQuota: {
    kind: 'status',
    status: 429,
    body: { code: 'Some resource has been exhausted', error: 'Your team has used all available credits.' },
  },
};

function anthropicError(type: string, message: string): unknown {
  return { type: 'error', error: { type, message }, request_id: 'req_simulated' };
}

const ANTHROPIC: Trouble = {
  overloaded: { kind: 'status', status: 529, body: anthropicError('overloaded_error', 'Overloaded') },
  rateLimited: (seconds) => ({
    kind: 'status',
    status: 429,
    retryAfter: seconds,
    headers: { 'anthropic-ratelimit-requests-remaining': 0 },
    body: anthropicError('rate_limit_error', 'This request would exceed the rate limit of your organization.'),
  }),
  outOfQuota: {
    kind: 'status',
    status: 400,
    body: anthropicError('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
  },
};

function exhausted(message: string, details: readonly unknown[]): unknown {
  return { error: { code: 429, message, status: 'RESOURCE_EXHAUSTED', details } };
}

function violation(quotaId: string): unknown {
  const quotaMetric = 'generativelanguage.googleapis.com/generate_content_requests';
  return { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaMetric, quotaId }] };
}

const GEMINI_QUOTA = 'You exceeded your current quota, please check your plan and billing details.';

const GEMINI: Trouble = {
  overloaded: {
    kind: 'status',
    status: 503,
    body: { error: { code: 503, message: 'The model is overloaded. Please try again later.', status: 'UNAVAILABLE' } },
  },
  // Google says when to come back in the body alone.
  rateLimited: (seconds) => ({
    kind: 'status',
    status: 429,
    body: exhausted(`${GEMINI_QUOTA} Please retry in ${seconds}s.`, [
      violation('GenerateRequestsPerMinutePerProjectPerModel'),
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` },
    ]),
  }),
  outOfQuota: {
    kind: 'status',
    status: 429,
    body: exhausted(GEMINI_QUOTA, [violation('GenerateRequestsPerDayPerProjectPerModel')]),
  },
};
