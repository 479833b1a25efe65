/** Ids for answers and items whose worker gave none. */
import type { Random } from '../../base/random.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;

/** The prefix and 24 letters and digits. Unique, not secret. */
export function newId(prefix: string, random: Random): string {
  let id = prefix;
  for (let i = 0; i < LENGTH; i += 1) id += ALPHABET[Math.floor(random.next() * ALPHABET.length)];
  return id;
}
