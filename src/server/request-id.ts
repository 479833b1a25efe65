/** The id of a request: the client's own if it is fit to travel, else a new one with the prefix of its API. */
import type { IncomingHttpHeaders } from 'node:http';
import { randomFillSync } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;
/** Ids are written into logs and headers: visible ASCII only, and not endless. */
const FIT = /^[\x21-\x7e]{1,128}$/;

/** Characters are drawn in blocks: one system call serves many ids, and an id is one slice. */
const block = Buffer.alloc(LENGTH * 256);
const characters = Buffer.from(ALPHABET);
let used = block.length;

function refill(): void {
  randomFillSync(block);
  for (let i = 0; i < block.length; i += 1) block[i] = characters[(block[i] as number) % characters.length] as number;
  used = 0;
}

/** The prefix and 24 alphanumeric characters. Unique, not secret. */
export function newRequestId(prefix: string): string {
  if (used === block.length) refill();
  used += LENGTH;
  return prefix + block.toString('latin1', used - LENGTH, used);
}

/** `names` are lower-case, the first non-empty one wins. */
export function requestIdOf(headers: IncomingHttpHeaders, names: readonly string[], prefix: string): string {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && FIT.test(value)) return value;
  }
  return newRequestId(prefix);
}
