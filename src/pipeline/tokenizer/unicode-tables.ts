/**
 * The Unicode tables that tokenizers were trained and are run with, where they are older than those of the runtime: the
 * reference implementation classes characters by Unicode 16 and normalizes by tables older still. Ranges were found by
 * asking it for every code point; test/contracts/tokenizer-oracle.test.ts holds both together.
 */

/** Bits of a character class; `KNOWN` marks a table entry that was filled. */
export const UPPER = 1;
export const LOWER = 2;
export const OTHER_LETTER = 4;
export const MARK = 8;
export const NUMBER = 16;
export const SPACE = 32;
export const SYMBOL = 64;
const KNOWN = 128;
export const LETTER = UPPER | LOWER | OTHER_LETTER;

/** Code points that Unicode 17 has and 16 had not: no letters, marks, numbers or signs for a tokenizer. */
const AFTER_UNICODE_16 =
  '88f c5c cdc 1acf-1add 1ae0-1aeb 20c1 2b96 a7ce-a7cf a7d2 a7d4 a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce 10940-10959 ' +
  '10ec5-10ec7 10ed0-10ed8 10efa-10efb 11b60-11b67 11db0-11ddb 11de0-11de9 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6 ' +
  '187f8-187ff 18d09-18d1e 18d80-18df2 1ccfa-1ccfc 1ceba-1ced0 1cee0-1cef0 1e6c0-1e6de 1e6e0-1e6f5 1e6fe-1e6ff 1f6d8 ' +
  '1f777-1f77a 1f8d0-1f8d8 1fa54-1fa57 1fa8a 1fa8e 1fac8 1facd 1faea 1faef 1fbfa 2b73a-2b73f 2cea2-2cead 323b0-33479';

/** What the reference's canonical forms leave alone: marks and compositions that its tables do not know. */
const NOT_NORMALIZED =
  '7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa a82c 105c9 105d2 105da 105e4 10d24-10d27 ' +
  '10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b 11382-11385 1138b 1138e ' +
  '11390-11391 113c2 113c5 113c7-113c8 113ce-113d0 1145e 11839-1183a 11935 11938 1193d-1193e 11943 119e0 11a34 11a47 ' +
  '11a99 11d42 11d44-11d45 11d97 11f41-11f42 1611e 16121-16129 1612f 16d63 16d67-16d6a 16ff0-16ff1 1e08f 1e130-1e136 ' +
  '1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5';

/** The same for the compatibility forms, on top. */
const NOT_FOLDED = '32ff a7f1-a7f4 ab69 10781-10785 10787-107b0 107b2-107ba 1ccd6-1ccf9 1e030-1e06d 1f16c 1fbf0-1fbf9';

function asClass(ranges: string): string {
  return ranges.replaceAll(/[0-9a-f]+/g, (digits) => `\\u{${digits}}`).replaceAll(' ', '');
}

/** For use inside a class of a `v` regular expression. */
export const AFTER_UNICODE_16_CLASS = asClass(AFTER_UNICODE_16);

/** `\w` of the reference's own expressions, for use inside a class of a `v` regular expression. */
export const WORD_CLASS = `[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]--[${AFTER_UNICODE_16_CLASS}]`;

const newer = new RegExp(`[${AFTER_UNICODE_16_CLASS}]`, 'v');
const bitTests: readonly (readonly [number, RegExp])[] = [
  [UPPER, /[\p{Lu}\p{Lt}]/v],
  [LOWER, /[\p{Ll}\u0295]/v],
  [OTHER_LETTER, /[[\p{Lm}\p{Lo}]--\u0295]/v],
  [MARK, /\p{M}/v],
  [NUMBER, /\p{N}/v],
  [SPACE, /\p{White_Space}/v],
  [SYMBOL, /[\p{P}\p{S}]/v],
];

/** Classes by code point, filled by pages of 256 when first asked for. */
const classes = new Uint8Array(0x110000);

function fillPage(codePoint: number): number {
  const first = codePoint & ~0xff;
  for (let at = first; at < first + 256; at++) classes[at] = classify(at);
  return classes[codePoint] ?? KNOWN;
}

function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (newer.test(character)) return KNOWN;
  let bits = KNOWN;
  for (const [bit, test] of bitTests) if (test.test(character)) bits |= bit;
  return bits;
}

/** Bits of a code point. Cost: one load of a table. */
export function classOf(codePoint: number): number {
  const bits = classes[codePoint] ?? 0;
  return bits === 0 ? fillPage(codePoint) : bits;
}

const keptByCanonical = new RegExp(`([${asClass(NOT_NORMALIZED)}])`, 'v');
const keptByCompatible = new RegExp(`([${asClass(NOT_NORMALIZED)}${asClass(NOT_FOLDED)}])`, 'v');
/** Below this code unit no text changes under any form but the compatibility ones, and most text ends here. */
const latin = /^[\0-\u007f]*$/;

/** As `String.normalize`, by the tables of the reference. */
export function normalizeText(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  if (latin.test(text)) return text;
  const kept = form === 'NFC' || form === 'NFD' ? keptByCanonical : keptByCompatible;
  if (!kept.test(text)) return text.normalize(form);
  // Unknown characters are starters that join with nothing, so what stands between them can be normalized alone.
  const parts = text.split(kept);
  return parts.map((part, index) => (index % 2 === 0 ? part.normalize(form) : part)).join('');
}
