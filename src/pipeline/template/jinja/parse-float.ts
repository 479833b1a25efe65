/** Texts as floats, as Python's `float()` reads them. */

const FLOAT = /^[-+]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?|inf(?:inity)?|nan)$/i;

/** Undefined: it is none. */
export function parseFloatText(text: string): number | undefined {
  const trimmed = text.trim();
  if (!FLOAT.test(trimmed)) return undefined;
  const plain = trimmed.replaceAll('_', '').toLowerCase();
  if (plain.includes('inf')) return plain.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return plain.includes('nan') ? Number.NaN : Number(plain);
}
