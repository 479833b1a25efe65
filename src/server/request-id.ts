/** The id of a request: the client's own if it is fit to travel, else a new one with the prefix of its API. */
import type { IncomingHttpHeaders } from 'node:http';
import { randomFillSync } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** All pairs of characters: an id is made of twelve look-ups. */
const PAIRS = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second));
const PAIRS_IN_ID = 12;
/** Ids are written into logs and headers: visible ASCII only, and not endless. */
const FIT = /^[\x21-\x7e]{1,128}$/;

/** Random numbers are drawn in blocks: one system call serves many ids. */
const block = new Uint16Array(PAIRS_IN_ID * 256);
let used = block.length;

/** The prefix and 24 alphanumeric characters. Unique, not secret. */
export function newRequestId(prefix: string): string {
  if (used === block.length) {
    randomFillSync(block);
    used = 0;
  }
  let id = prefix;
  for (let i = 0; i < PAIRS_IN_ID; i += 1) id += PAIRS[(block[used + i] as number) % PAIRS.length];
  used += PAIRS_IN_ID;
  return id;
}

/** `names` are lower-case, the first non-empty one wins. */
export function requestIdOf(headers: IncomingHttpHeaders, names: readonly string[], prefix: string): string {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && FIT.test(value)) return value;
  }
  return newRequestId(prefix);
}
