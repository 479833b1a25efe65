/**
 * Signatures of one provider in the place that another API has for its own: Anthropic's `signature`, Gemini's
 * `thoughtSignature`, Responses' `encrypted_content`. The client keeps what it gets and sends it back, and what comes
 * back is the signature that its provider gave, byte for byte.
 */
import type { Signature, ThoughtOrigin } from '../../domain/generation.ts';

/** Base64 begins with none of these characters in this order; no provider's own signature does. */
const MARK = 'smg.';
const ORIGINS: ReadonlySet<string> = new Set(['anthropic', 'gemini', 'openai', 'xai']);

/** What to write where `own` keeps its signatures. */
export function carrySignature({ origin, value }: Signature, own: ThoughtOrigin): string {
  return origin === own ? value : `${MARK}${origin}.${Buffer.from(value).toString('base64')}`;
}

/** What was written there: a carried one, else one of `own`. */
export function readSignature(text: string, own: ThoughtOrigin): Signature {
  const [origin = '', base64 = '', ...rest] = text.startsWith(MARK) ? text.slice(MARK.length).split('.') : [];
  if (!ORIGINS.has(origin) || rest.length > 0) return { origin: own, value: text };
  return { origin: origin as ThoughtOrigin, value: Buffer.from(base64, 'base64').toString('utf8') };
}
