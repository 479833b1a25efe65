/** Ids for answers and items whose worker gave none. */
import type { Random } from '../../base/random.ts';
import { OWN_REASONING_ID } from '../../protocols/hub/foreign-marks.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;

/** The prefix and 24 letters and digits; ids of reasoning items say that they are the gateway's. Unique, not secret. */
export function newId(prefix: string, random: Random): string {
  let id = prefix === 'rs_' ? OWN_REASONING_ID : prefix;
  for (let i = 0; i < LENGTH; i += 1) id += ALPHABET[Math.floor(random.next() * ALPHABET.length)];
  return id;
}
