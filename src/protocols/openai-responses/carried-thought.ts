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
  /** It came from a worker of this API without the gateway between. */
  readonly isRaw: boolean;
}

/** To a client: always marked as carried, so that it is never taken for what the API wrote itself. */
export function carryThought(thing: SignedThing, signature: Signature): string {
  const mark = MARKS.find(([name]) => name === thing)?.[1] ?? '';
  return mark + carrySignature(signature, signature.origin === 'openai' ? 'xai' : 'openai');
}

/** Back from a client or from a worker. `own` is whose raw thoughts these are, `itemId` the id of their item. */
export function readThought(text: string, own: ThoughtOrigin, itemId: string | undefined): CarriedThought {
  const [thing, mark] = MARKS.find(([, each]) => text.startsWith(each)) ?? (['thought', ''] as const);
  const signature = readSignature(text.slice(mark.length), own);
  const isRaw = signature.value === text;
  if (!isRaw || itemId === undefined) return { thing, signature, isRaw };
  return { thing, signature: { origin: own, value: `${itemId}:${text}` }, isRaw };
}

/**
 * An encrypted thought belongs to the id of its item, and is refused under another one: both travel as one signature.
 * Source: OpenAI's answer `invalid_encrypted_content` to an id that does not match.
 */
export function splitThought(value: string): { readonly id: string | undefined; readonly encrypted: string } {
  const [, id, encrypted] = /^([\w-]+):(.*)$/s.exec(value) ?? [];
  return { id, encrypted: encrypted ?? value };
}

/** OpenAI and xAI write theirs alike; the name of the model tells them apart. */
export function thoughtsOf(model: string): ThoughtOrigin {
  return /(^|\/)grok-/.test(model) ? 'xai' : 'openai';
}
