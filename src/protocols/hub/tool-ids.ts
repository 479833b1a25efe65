/**
 * Ids of tool calls that another API made, as the target takes them. A pure function of the id: call and result are
 * changed alike, in this turn and in every later one, with nothing to remember.
 */

export interface IdRule {
  readonly maxLength: number;
  readonly pattern: RegExp;
}

/** The id itself when the target takes it; else what is left of it with a digest of all of it. */
export function fitToolId(id: string, { maxLength, pattern }: IdRule): string {
  if (id.length > 0 && id.length <= maxLength && pattern.test(id)) return id;
  const kept = id.replace(/[^a-zA-Z0-9]/g, '');
  const digest = digestOf(id);
  const room = Math.max(0, maxLength - digest.length);
  return `${kept.slice(0, Math.min(room, 16))}${digest}`.slice(0, maxLength);
}

/** 14 letters and digits: two FNV-1a hashes of 32 bits, in base 36. */
function digestOf(text: string): string {
  return [0x811c9dc5, 0x01000193].map((seed) => hash(text, seed).toString(36).padStart(7, '0')).join('');
}

function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
