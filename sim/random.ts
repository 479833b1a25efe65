/**
 * Deterministic chance: a small text hash and a seeded generator.
 * Not for secrets. Owns no state; each generator's state lives in its closure.
 */

/** 32-bit hash of a text (FNV-1a over UTF-16 units, then mixed). Cost: O(length), no allocation. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Spreads the bits of a 32-bit number; equal inputs give equal outputs. Source: MurmurHash3 finaliser. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A generator of numbers in [0, 1), fully determined by its seed. Source: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** `length` hexadecimal characters determined by the seed; shaped like the engines' random ids. */
export function hexId(seed: number, length: number): string {
  let hex = '';
  for (let part = 1; hex.length < length; part++) {
    hex += mix(seed + Math.imul(part, 0x9e3779b1))
      .toString(16)
      .padStart(8, '0');
  }
  return hex.slice(0, length);
}
