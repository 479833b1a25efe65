/**
 * Error bodies of everyone who speaks an OpenAI API, and what they mean for what is to be done next. OpenAI's own
 * form is `{"error":{"message","type","param","code"}}`; compatible servers write parts of it in their own places.
 * Source: OpenAI error codes guide; Azure OpenAI content filtering; error pages of Groq, DeepSeek, Mistral, OpenRouter
 * and xAI; vLLM, SGLang and llama.cpp servers. Pure; never throws.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { Failure, FailureKind } from './codec.ts';
import type { JsonNode } from './json-node.ts';
import { parseNode } from './json-node.ts';

/** A message is shown to the client: nobody needs more of it. */
const MAX_MESSAGE = 4_000;

/** Codes and types that are sure of what they mean, in lower case. */
const KINDS: Readonly<Record<Exclude<FailureKind, 'other'>, ReadonlySet<string>>> = {
  refused: new Set([
    ...['content_policy_violation', 'content_filter', 'invalid_prompt', 'moderation_blocked', 'bio_policy'],
    ...['misalignment_policy_violation', 'image_content_policy_violation', 'cyber_policy_violation'],
    ...['responsibleaipolicyviolation', 'content_filter_error'],
  ]),
  context: new Set(['context_length_exceeded', 'exceed_context_size_error', 'context_window_exceeded']),
  quota: new Set([
    ...['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'insufficient_balance'],
    ...['insufficient_credits', 'credits_exhausted', 'payment_required', 'exceeded_current_quota_error'],
  ]),
  overloaded: new Set([
    ...['overloaded', 'overloaded_error', 'server_overloaded', 'engine_overloaded', 'engine_overloaded_error'],
    ...['slow_down', 'server_is_overloaded', 'service_tier_capacity_exceeded', 'capacity_exceeded'],
    ...['service_unavailable', 'service_unavailable_error'],
  ]),
  rate_limited: new Set([
    ...['rate_limit_exceeded', 'rate_limit_error', 'rate_limited', 'rate_limit_reached_error', 'too_many_requests'],
    ...['toomanyrequests', 'ratelimitreached'],
  ]),
};

/** What servers without codes say, each in its own words. */
const WORDINGS: readonly (readonly [FailureKind, RegExp])[] = [
  ['context', /maximum (context|prompt|model) length|maximum context size|context[ _](length|window|size|limit)/i],
  ['context', /(prompt|input|request|conversation)( text| tokens?)? (is|are) (too (long|large)|longer than)/i],
  ['context', /too large for model with|reduce the length of the (messages|prompt|input)/i],
  ['context', /exceeds? (the )?(model'?s? )?(maximum |available )?context|exceeded model token limit/i],
  ['context', /input token count.*exceeds|`inputs` tokens \+ `max_new_tokens` must be/i],
  ['quota', /insufficient (account )?(balance|credits?|quota|funds)|exceeded your current quota/i],
  ['quota', /(doesn't|does not) have any credits|used all available credits|(out of|no remaining) credits?/i],
  [
    'refused',
    /content management policy|content policy|usage (policies|guidelines)|safety system|flagged (as|by|for)/i,
  ],
  ['overloaded', /overloaded|over capacity|no capacity|queue is full/i],
  ['rate_limited', /rate limit|too many requests/i],
];

/** Statuses at which a wording is believed; else a message that quotes the prompt could mean anything. */
const WORDED: ReadonlySet<number> = new Set([400, 402, 403, 413, 422, 429, 500, 503]);

/** Undefined when the body is no JSON object that says what is wrong. */
export function readOpenAiFailure(status: number, body: Buffer): Failure | undefined {
  try {
    return failureOf(status, parseNode(body.toString('utf8')));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
}

/** The same for an error that stands in a stream; `status` 0 when there was none of its own. */
export function failureOf(status: number, node: JsonNode): Failure | undefined {
  if (node.kind !== 'object') return undefined;
  const error = node.get('error');
  const inner = error?.kind === 'object' ? error : node;
  const message = messageOf(inner) ?? error?.string ?? messageOf(node);
  if (message === undefined) return undefined;
  const codes = [inner, node].flatMap((each) => [wordOf(each, 'code'), wordOf(each, 'type')]);
  const code = wordOf(inner, 'code') ?? wordOf(node, 'code');
  const told = status > 0 ? status : Number(code);
  return {
    kind: kindOf(
      told,
      codes.map((each) => each?.toLowerCase()).filter((each) => each !== undefined),
      message,
    ),
    message: message.slice(0, MAX_MESSAGE),
    type: wordOf(inner, 'type') ?? wordOf(node, 'error_type'),
    code,
    param: inner.get('param')?.string,
    retryAfterMs: retryAfterOf(message),
  };
}

/** What a failure inside a stream is to the client. */
export function errorOf({ kind, message, param, retryAfterMs }: Failure): GatewayError {
  const options = param === undefined ? {} : { param };
  switch (kind) {
    case 'rate_limited':
    case 'quota':
      return new GatewayError('rate_limited', message, {
        ...options,
        ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1_000) }),
      });
    case 'context':
    case 'refused':
      return new GatewayError('invalid_request', message, options);
    default:
      return new GatewayError('upstream_error', message, options);
  }
}

function kindOf(status: number, codes: readonly string[], message: string): FailureKind {
  for (const [kind, words] of Object.entries(KINDS))
    if (codes.some((code) => words.has(code))) return kind as FailureKind;
  if (status === 402) return 'quota';
  if (WORDED.has(status) || Number.isNaN(status)) {
    const worded = WORDINGS.find(([, pattern]) => pattern.test(message));
    if (worded) return worded[0];
  }
  if (status === 503 || status === 529 || status === 498) return 'overloaded';
  return status === 429 ? 'rate_limited' : 'other';
}

/** Members that hold a message, as servers name them. */
function messageOf(node: JsonNode): string | undefined {
  return textOf(node.get('message')) ?? textOf(node.get('detail')) ?? textOf(node.get('msg'));
}

/** Text, or the messages of a list of problems as FastAPI writes it: `[{"loc":["body","x"],"msg":"…"}]`. */
function textOf(node: JsonNode | undefined): string | undefined {
  if (node?.kind === 'object') return messageOf(node) ?? node.text;
  if (node?.kind !== 'array') return node?.string;
  const texts = node.items.slice(0, 20).map((item) => {
    const place = item.get('loc')?.items.map((each) => String(each.scalar ?? '')) ?? [];
    const text = item.string ?? item.get('msg')?.string ?? item.text;
    return place.length > 0 ? `${place.join('.')}: ${text}` : text;
  });
  return texts.length > 0 ? texts.join('; ') : undefined;
}

/** A code may be a number. */
function wordOf(node: JsonNode, name: string): string | undefined {
  const value = node.get(name)?.scalar;
  return value === undefined || value === '' || typeof value === 'boolean' ? undefined : String(value);
}

/** OpenAI and Groq say it in words only: `Please try again in 1m2.5s`. */
function retryAfterOf(message: string): number | undefined {
  const told = /try again in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)/i.exec(message)?.[1];
  if (told === undefined) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const parts = [...told.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gi)];
  const total = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit.toLowerCase()] ?? 0), 0);
  return Math.ceil(total);
}
