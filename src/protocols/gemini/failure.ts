/**
 * Errors of a Gemini worker: `google.rpc.Status` in JSON, by itself, in a list of one (streams that are no event
 * streams), or in the middle of a stream.
 * Source: Google APIs, errors (`Status`, `RetryInfo`, `QuotaFailure`, `ErrorInfo`, `BadRequest`); Gemini API
 * documentation, troubleshooting and rate limits; wording as seen in reports.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { Failure, FailureKind } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';

const CONTEXT =
  /token count.*exceeds|exceeds the maximum number of (?:input )?tokens|context (?:window|length)|too many tokens/i;
const REFUSED = /\b(?:prompt|request|content|input|image) (?:was|were|is|has been) blocked|prohibited[ _]content/i;
/** Of the key's account, not of the minute: no use in asking again soon. */
const QUOTA = /\blimit: 0\b|credits? (?:are|is) depleted|billing|spend(?:ing)? (?:cap|limit)/i;
const OVERLOADED = /overloaded|high demand/i;

/** Undefined when the body is not as this API's errors are. */
export function readFailure(status: number, body: Buffer): Failure | undefined {
  const error = errorIn(body);
  if (!error) return undefined;
  const message = error.get('message')?.string ?? 'The worker gave no message.';
  const word = error.get('status')?.string;
  const details = error.get('details')?.items ?? [];
  return {
    kind: kindOf({ status, word, message, details }),
    message,
    type: word,
    code: detailOf(details, 'ErrorInfo')?.get('reason')?.string,
    param: detailOf(details, 'BadRequest')?.get('fieldViolations')?.items[0]?.get('field')?.string,
    retryAfterMs: delayOf(detailOf(details, 'RetryInfo')),
  };
}

/** The error that a chunk of a stream is, or undefined. */
export function inBandError(node: JsonNode): GatewayError | undefined {
  const error = node.get('error');
  if (error?.kind !== 'object') return undefined;
  const message = error.get('message')?.string ?? 'The worker gave no message.';
  const code = error.get('code')?.scalar;
  const isRateLimited = code === 429 || error.get('status')?.string === 'RESOURCE_EXHAUSTED';
  return new GatewayError(isRateLimited ? 'rate_limited' : 'upstream_error', message);
}

function errorIn(body: Buffer): JsonNode | undefined {
  let node: JsonNode | undefined;
  try {
    node = parseNode(body.toString('utf8'));
  } catch (thrown) {
    // Not JSON: what a proxy in between says.
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
  const error = (node.kind === 'array' ? node.items[0] : node)?.get('error');
  return error?.kind === 'object' ? error : undefined;
}

interface Said {
  readonly status: number;
  readonly word: string | undefined;
  readonly message: string;
  readonly details: readonly JsonNode[];
}

function kindOf({ status, word, message, details }: Said): FailureKind {
  if (status === 429 || word === 'RESOURCE_EXHAUSTED')
    return isDaily(details) || QUOTA.test(message) ? 'quota' : 'rate_limited';
  if (status === 503 || status === 529 || word === 'UNAVAILABLE' || (status >= 500 && OVERLOADED.test(message)))
    return 'overloaded';
  if (detailOf(details, 'ErrorInfo')?.get('reason')?.string === 'BILLING_DISABLED') return 'quota';
  if (status !== 400 && word !== 'INVALID_ARGUMENT') return 'other';
  if (CONTEXT.test(message)) return 'context';
  return REFUSED.test(message) ? 'refused' : 'other';
}

/** A quota of the day, as `quotaId` says: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
function isDaily(details: readonly JsonNode[]): boolean {
  const violations = detailOf(details, 'QuotaFailure')?.get('violations')?.items ?? [];
  return violations.some((violation) => /PerDay/i.test(violation.get('quotaId')?.string ?? ''));
}

function detailOf(details: readonly JsonNode[], type: string): JsonNode | undefined {
  return details.find((detail) => detail.get('@type')?.string === `type.googleapis.com/google.rpc.${type}`);
}

/** A duration of Protocol Buffers: seconds with an `s`, such as `34.07s`. */
function delayOf(info: JsonNode | undefined): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(info?.get('retryDelay')?.string ?? '')?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}
