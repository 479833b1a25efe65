/**
 * Hashes of texts for routing: spread well and cheap, not for secrets that somebody could guess and try.
 * Units  UTF-16 code units; results are unsigned 32-bit numbers, or 64 bits in a string of four code units
 * Cost   O(text), a few ns for each code unit; nothing of the text is kept
 */

/** Makes every bit of the result depend on every bit of the value (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function hash32(text: string, seed = 0): number {
  let h = seed ^ 0x9e3779b9;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(((h << 5) | (h >>> 27)) ^ text.charCodeAt(i), 0x9e3779b1);
  return mix(h ^ text.length);
}

/** 64 bits of two texts together, as a key for a Map: `hash64('a', 'bc')` is not `hash64('ab', 'c')`. */
export function hash64(scope: string, text: string, seed: number): string {
  const inner = hash32(scope, seed);
  const low = hash32(text, inner);
  // Another seed alone would let two texts that collide in one half collide in the other too often: this half rolls
  // with another factor.
  let high = mix(inner + 1);
  for (let i = 0; i < text.length; i += 1) high = Math.imul(high ^ text.charCodeAt(i), 0x85ebca77) ^ (high >>> 15);
  high = mix(high ^ low);
  return String.fromCharCode(low & 0xffff, low >>> 16, high & 0xffff, high >>> 16);
}
