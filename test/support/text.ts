/** Text of every kind: any UTF-16 unit, lone surrogates included, mixed with plain letters. */
import fc from 'fast-check';

/** Cheaper to make than fast-check's `binary` unit, which takes seconds to build. */
const anyUnit = fc.oneof(
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  fc.nat(0x7f).map((code) => String.fromCharCode(code)),
  fc.constantFrom('\\', '"', '\n', '\r', '\u2028', '\u0000', '\u001b', 'é', '€', '😀'),
);

export function anyText(maxLength = 20): fc.Arbitrary<string> {
  return fc.string({ unit: anyUnit, maxLength });
}
