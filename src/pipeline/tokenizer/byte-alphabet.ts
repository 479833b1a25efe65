/** The alphabet of byte-level vocabularies: each byte as one printable character (`Ġ` is a space, `Ċ` a line feed). */

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/** By byte: the code unit that stands for it. */
export const unitOfByte = new Uint16Array(256);
/** By code unit below 512: the byte, or -1. Units above stand for none. */
export const byteOfUnit = new Int16Array(512).fill(-1);

let next = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const unit = isPrintable(byte) ? byte : next++;
  unitOfByte[byte] = unit;
  byteOfUnit[unit] = byte;
}

/** `bytes` in the alphabet. */
export function spellBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(unitOfByte[byte] ?? 0);
  return text;
}
