/** Names of blocks: 64 bits from a chain of numbers, and from there the one number that an engine's cache is keyed by. */

/** Spreads the bits of a 32-bit number. Source: the finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The words of a chain of content numbers (whole, up to 2^53): each pair depends on all numbers up to its own. */
export function chainWords(contents: readonly number[]): Uint32Array {
  const words = new Uint32Array(contents.length * 2);
  let high = 0x9e3779b9;
  let low = 0x7f4a7c15;
  contents.forEach((content, index) => {
    const upper = Math.floor(content / 0x1_0000_0000);
    high = mix(Math.imul(high, 31) ^ content ^ mix(upper));
    low = mix(Math.imul(low, 37) ^ mix(content ^ 0x5bd1e995) ^ upper ^ high);
    words[index * 2] = high;
    words[index * 2 + 1] = low;
  });
  return words;
}

/** The first `count` blocks as single numbers of 53 bits, for the scheduler. */
export function numbersOf(words: Uint32Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const low = words[index * 2 + 1] as number;
    return (words[index * 2] as number) * 0x20_0000 + (low >>> 11);
  });
}
