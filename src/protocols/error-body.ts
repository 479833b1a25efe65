/**
 * What a worker's error means for what is to be done next, whatever API it speaks: OpenAI's and Anthropic's error
 * objects, Google's `google.rpc.Status`, the flat form of vLLM and SGLang, `detail` of FastAPI servers, and the error
 * objects inside of event streams. For APIs without a codec, and for what their codec has no name for.
 *
 * Source  the vendors' error references (OpenAI, Anthropic, Gemini, DeepSeek, OpenRouter, xAI, Groq, llama.cpp) and the
 *         texts that vLLM and SGLang are reported to answer with
 * Cost    one parse of the body, on failure only        Errors  none: what cannot be read is told by its status
 */
import type { Failure, FailureKind } from './hub/codec.ts';

/** `unknown_model`: the worker does not have the model, or the key may not use it. */
export type ErrorKind = FailureKind | 'unknown_model';

export interface ErrorReading extends Omit<Failure, 'kind'> {
  readonly kind: ErrorKind;
}

/** A longer body is not read: its status has to do. */
const MAX_READ_BYTES = 64 * 1024;

type Members = Readonly<Record<string, unknown>>;

/** The words of an error, wherever its API keeps them. */
interface ErrorWords {
  /** In-band errors tell their status as a code. */
  readonly status: number;
  readonly message: string;
  /** Codes, types and statuses, lower-case. */
  readonly names: readonly string[];
  readonly details: readonly unknown[];
}

/** `status` of the answer; 200 for an error inside of a stream. */
export function readErrorBody(status: number, body: Buffer): ErrorReading {
  const json = body.length <= MAX_READ_BYTES ? parse(body) : undefined;
  return readErrorObject(status, json ?? {});
}

/** The same for an error that has been parsed. */
export function readErrorObject(status: number, json: Members): ErrorReading {
  const error = errorOf(json);
  const words = wordsOf(status, error);
  const retryAfterMs = retryDelayOf(words.details);
  const text = (name: string) => (typeof error[name] === 'string' ? error[name] : undefined);
  return {
    kind: kindOf(words, retryAfterMs),
    message: words.message,
    type: text('type') ?? text('status'),
    code: text('code'),
    param: text('param'),
    retryAfterMs,
  };
}

function parse(body: Buffer): Members | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    // Gemini writes the error of an unary stream as a list of one.
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return isMembers(first) ? first : undefined;
  } catch {
    // A page or a plain text: what it means is told by its status.
    return undefined;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

/** The object that holds message, type and code. `response.failed` of Responses has it one level deeper. */
function errorOf(json: Members): Members {
  const { error, response } = json;
  if (isMembers(error)) return error;
  if (typeof error === 'string') return { message: error };
  return isMembers(response) && isMembers(response['error']) ? response['error'] : json;
}

function wordsOf(status: number, error: Members): ErrorWords {
  const { message, detail, type, code, details } = error;
  const code1 = Number(code ?? Number.NaN);
  const inBand = status < 400 && code1 >= 400 && code1 < 600 ? code1 : status;
  const text = typeof message === 'string' ? message : typeof detail === 'string' ? detail : '';
  const names = [code, type, error['status']].filter((name) => typeof name === 'string');
  return {
    status: inBand,
    message: text,
    names: names.map((name) => name.toLowerCase()),
    details: Array.isArray(details) ? details : [],
  };
}

function kindOf(words: ErrorWords, retryAfterMs: number | undefined): ErrorKind {
  const { status, message, names } = words;
  const isNamed = (known: ReadonlySet<string>) => names.some((name) => known.has(name));
  // First: such a text may quote anything.
  if (isNamed(REFUSALS)) return 'refused';
  if (isNamed(CONTEXT_NAMES) || (mayBeContext(status) && CONTEXT_TEXTS.test(message))) return 'context';
  if (status === 402 || isQuota(words, retryAfterMs)) return 'quota';
  if (status === 429 || isNamed(RATE_NAMES)) return 'rate_limited';
  if (status === 529 || status === 503 || isNamed(OVERLOAD_NAMES)) return 'overloaded';
  if (names.includes('model_not_found')) return 'unknown_model';
  // A path that does not exist is a 404 too.
  return status === 404 && /\bmodels?\b/i.test(message) ? 'unknown_model' : 'other';
}

const REFUSALS = new Set([
  'content_filter',
  'content_policy_violation',
  'moderation_blocked',
  'responsibleaipolicyviolation',
]);

const CONTEXT_NAMES = new Set(['context_length_exceeded', 'exceed_context_size_error']);

/** 0 and 200: inside of a stream. llama.cpp has said it with a 500, Groq with a 413, OpenAI with a 429. */
function mayBeContext(status: number): boolean {
  return status < 300 || status === 400 || status === 413 || status === 422 || status === 429 || status === 500;
}

const CONTEXT_TEXTS = new RegExp(
  [
    // OpenAI, vLLM, SGLang, Mistral, DeepSeek; the next for OpenAI's Responses and llama.cpp.
    "maximum context length|model's context length|maximum model length|maximum allowed length",
    'context (size|window|limit)',
    // Anthropic.
    'prompt is too long',
    // Gemini, xAI.
    'exceeds the maximum number of tokens|maximum prompt length',
    // OpenAI and Groq: one request with more tokens than the key may send in a minute can never be sent.
    '^request too large for',
  ].join('|'),
  'i',
);

const QUOTA_NAMES = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'credit_balance_too_low',
  'organization_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'project_spend_limit_exceeded',
  'billing_error',
  'billing_hard_limit_reached',
  'billing_not_active',
  'insufficient_balance',
]);

/** Anthropic (400), DeepSeek, OpenRouter, xAI (403 or 429). */
const QUOTA_TEXTS =
  /credit balance is too low|insufficient (balance|credits?|funds|quota)|usage limits\. you will regain|used all available credits|monthly spending limit/i;

/** Of Gemini's quotas those of a day are spent until tomorrow; those of a minute are a limit of its rate. */
const DAILY = /perday/i;

function isQuota({ status, message, names, details }: ErrorWords, retryAfterMs: number | undefined): boolean {
  if (names.some((name) => QUOTA_NAMES.has(name))) return true;
  if (status !== 400 && status !== 403 && status !== 429 && status >= 300) return false;
  if (QUOTA_TEXTS.test(message)) return true;
  if (quotaIdsOf(details).some((id) => DAILY.test(id))) return true;
  // Gemini says so for every quota, and OpenAI for its own under another code too; a delay means that it comes back.
  return /exceeded your current quota/i.test(message) && retryAfterMs === undefined;
}

const RATE_NAMES = new Set([
  'rate_limit_exceeded',
  'rate_limit_error',
  'ratelimiterror',
  'resource_exhausted',
  'slow_down',
  'too_many_requests',
]);

const OVERLOAD_NAMES = new Set(['overloaded_error', 'server_is_overloaded', 'unavailable']);

function quotaIdsOf(details: readonly unknown[]): string[] {
  return details.filter(isMembers).flatMap(({ violations }) =>
    Array.isArray(violations)
      ? violations
          .filter(isMembers)
          .map(({ quotaId }) => quotaId)
          .filter((id) => typeof id === 'string')
      : [],
  );
}

/** `google.rpc.RetryInfo`: seconds with an `s` behind, e.g. `34.07s`. */
function retryDelayOf(details: readonly unknown[]): number | undefined {
  for (const { retryDelay } of details.filter(isMembers)) {
    const [, seconds] = (typeof retryDelay === 'string' ? /^(\d{1,9}(?:\.\d+)?)s$/.exec(retryDelay) : null) ?? [];
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1_000);
  }
  return undefined;
}
