/**
 * The keys of the gateway, as digests, and the search for the owner of a key that somebody sent.
 * Cost    find: one SHA-256 and one comparison of 32 bits for each key there is (bench/micro/keys.ts)
 * Errors  none        Owner  one for the life of the process; it never holds a key
 *
 * A digest is SHA-256 over a random value of this process and the key. Whoever measures how long a search takes would
 * learn about a digest that he can neither compute nor choose; and every key is looked at whatever the first ones say.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyKinds, KeyOwner } from './roles.ts';

export interface OwnedKey {
  readonly key: string;
  readonly owner: KeyOwner;
}

export class KeyRing {
  readonly kinds: KeyKinds;
  readonly #salt: string;
  readonly #owners: readonly KeyOwner[];
  readonly #digests: readonly Buffer[];
  /** The first 32 bits of each digest, side by side; no two are equal. */
  readonly #words: Uint32Array;

  /** Every key differs from every other one. */
  constructor(keys: readonly OwnedKey[]) {
    this.kinds = new Set(keys.map(({ owner }) => owner.kind));
    this.#owners = keys.map(({ owner }) => owner);
    let seal: { readonly salt: string; readonly digests: readonly Buffer[]; readonly words: Uint32Array };
    // Among a thousand keys two share these bits once in ten thousand starts: then another salt is taken.
    do seal = sealed(keys);
    while (new Set(seal.words).size < keys.length);
    this.#salt = seal.salt;
    this.#digests = seal.digests;
    this.#words = seal.words;
  }

  get isEmpty(): boolean {
    return this.#owners.length === 0;
  }

  /** Whose key it is; undefined for a key that is not one of these. */
  find(key: string): KeyOwner | undefined {
    const digest = digestOf(this.#salt, key);
    const word = digest.readUInt32LE();
    let at = 0;
    // To the end, without leaving at a hit: the place of a key in the list is not to be measured either.
    for (let i = 0; i < this.#words.length; i += 1) at |= -Number(this.#words[i] === word) & i;
    const known = this.#digests[at];
    return known && timingSafeEqual(digest, known) ? this.#owners[at] : undefined;
  }
}

function sealed(keys: readonly OwnedKey[]) {
  const salt = randomBytes(24).toString('base64');
  const digests = keys.map(({ key }) => digestOf(salt, key));
  return { salt, digests, words: Uint32Array.from(digests, (digest) => digest.readUInt32LE()) };
}

function digestOf(salt: string, key: string): Buffer {
  // As text first: node makes a string of a digest faster than a buffer.
  return Buffer.from(hash('sha256', salt + key, 'binary'), 'binary');
}
