/**
 * What stands in `encrypted_content` of a reasoning item: the API's own encrypted thought, or the signature of another
 * provider with a word on what it signs. Clients keep reasoning items and send them back with the next turn, so this
 * is the place where signatures of calls and of text survive, which Responses has no place for.
 */
import type { Signature, ThoughtOrigin } from '../../domain/generation.ts';
import { carrySignature, readSignature } from '../hub/carried-signature.ts';

/**
 * `thought`: the item's own text · `redacted`: a thought that came encrypted whole · `call`: the function call that
 * follows the item · `text`: the text before it.
 */
export type SignedThing = 'thought' | 'redacted' | 'call' | 'text';

const MARKS: readonly (readonly [SignedThing, string])[] = [
  ['redacted', 'smg-redacted:'],
  ['call', 'smg-call:'],
  ['text', 'smg-text:'],
];

export interface CarriedThought {
  readonly thing: SignedThing;
  readonly signature: Signature;
}

/** To a client: raw only what OpenAI encrypted itself. */
export function carryThought(thing: SignedThing, signature: Signature): string {
  const mark = MARKS.find(([name]) => name === thing)?.[1] ?? '';
  return mark + carrySignature(signature, 'openai');
}

/** Back from a client or from a worker. `own` is whose raw thoughts these are. */
export function readThought(text: string, own: ThoughtOrigin): CarriedThought {
  const [thing, mark] = MARKS.find(([, each]) => text.startsWith(each)) ?? (['thought', ''] as const);
  return { thing, signature: readSignature(text.slice(mark.length), own) };
}

/** OpenAI and xAI write theirs alike; the name of the model tells them apart. */
export function thoughtsOf(model: string): ThoughtOrigin {
  return /(^|\/)grok-/.test(model) ? 'xai' : 'openai';
}
