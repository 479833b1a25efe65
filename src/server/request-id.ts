/** The id of a request: the client's own if it is fit to travel, else a new one with the prefix of its API. */
import type { IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;
/** Ids are written into logs and headers: visible ASCII only, and not endless. */
const FIT = /^[\x21-\x7e]{1,128}$/;

/** Random bytes are drawn in blocks: one system call serves many ids. */
const BLOCK = 4_096;
let pool: Buffer = Buffer.alloc(0);
let used = 0;

export function newRequestId(prefix: string): string {
  if (used + LENGTH > pool.length) {
    pool = randomBytes(BLOCK);
    used = 0;
  }
  let id = prefix;
  for (let i = 0; i < LENGTH; i += 1) id += ALPHABET[(pool[used + i] as number) % ALPHABET.length];
  used += LENGTH;
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
