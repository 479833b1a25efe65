/** The ways in which a provider fails, what the client sees of each, and a call that is told why it went where. */
import type { FaultSpec, SimProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { chatBody, post } from './rig.ts';
import type { GatewayFlags } from './rig.ts';

export const NO_QUOTA = {
  error: {
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    param: null,
    code: 'insufficient_quota',
  },
};
export const FLAGS: GatewayFlags = {
  retryInitialBackoffMs: 1,
  firstContentTimeoutSecs: 0.3,
  responseHeadersTimeoutSecs: 0.3,
};
export const always = (fault: FaultSpec): FaultSpec => ({ rate: 1, path: '/v1/chat/completions', ...fault });

export interface Case {
  readonly name: string;
  readonly fault: FaultSpec;
  /** Streams only, or whole answers only; both when left out. */
  readonly only?: 'stream' | 'whole';
  /** Status and code when nobody else can be asked. */
  readonly alone: readonly [status: number, code: string];
  /** The provider's own words come through then. */
  readonly words?: RegExp;
  /** How the model is passed over by the next call: not asked at all, or asked again. */
  readonly rests: boolean;
  readonly why: string;
}

export const cases: readonly Case[] = [
  {
    name: 'answers 529',
    fault: { kind: 'status', status: 529 },
    alone: [529, 'upstream_error'],
    rests: false,
    why: 'failed',
  },
  {
    name: 'answers 503',
    fault: { kind: 'status', status: 503 },
    alone: [503, 'upstream_error'],
    rests: false,
    why: 'failed',
  },
  {
    name: 'answers 429 with Retry-After',
    fault: { kind: 'status', status: 429, retryAfter: 30 },
    alone: [429, 'upstream_error'],
    rests: true,
    why: 'rate_limited',
  },
  {
    name: 'answers 402',
    fault: { kind: 'status', status: 402, body: { error: { message: 'Insufficient Balance' } } },
    alone: [402, 'upstream_error'],
    words: /Insufficient Balance/,
    rests: true,
    why: 'quota',
  },
  {
    name: 'has no quota left',
    fault: { kind: 'status', status: 429, body: NO_QUOTA },
    alone: [429, 'upstream_error'],
    words: /insufficient_quota/,
    rests: true,
    why: 'quota',
  },
  {
    name: 'hangs before its headers',
    fault: { kind: 'hang_before_headers' },
    alone: [504, 'upstream_timeout'],
    rests: false,
    why: 'failed',
  },
  {
    name: 'hangs before its first content',
    fault: { kind: 'hang_before_first_byte' },
    only: 'stream',
    alone: [504, 'upstream_timeout'],
    rests: false,
    why: 'failed',
  },
  {
    name: 'says in its stream, before any content, that it is overloaded',
    fault: { kind: 'error_event', events: 0, code: 529, message: 'busy' },
    only: 'stream',
    alone: [502, 'upstream_error'],
    words: /busy/,
    rests: false,
    why: 'failed',
  },
  {
    name: 'says in its stream, before any content, that it is too much',
    fault: { kind: 'error_event', events: 0, code: 429, message: 'slow down' },
    only: 'stream',
    alone: [429, 'rate_limited'],
    words: /slow down/,
    rests: true,
    why: 'rate_limited',
  },
  {
    name: 'cuts its answer before any content',
    fault: { kind: 'reset_before_first_byte' },
    alone: [502, 'upstream_broken'],
    rests: false,
    why: 'failed',
  },
];

export async function ask(gateway: Gateway, body: Record<string, unknown>, more: Record<string, string> = {}) {
  const headers = { 'x-smg-explain': 'true', ...more };
  const reply = await post(gateway, '/v1/chat/completions', chatBody(body), { headers });
  const header = (name: string) => reply.headers.get(name);
  const text = await reply.text();
  return { status: reply.status, text, header, model: header('x-smg-model'), decision: header('x-smg-decision') ?? '' };
}

export const chatsOf = (provider: SimProvider) => provider.requests().filter(({ method }) => method === 'POST').length;
