/** Bytes to text in pieces: what is whole comes out, what may yet become a character waits. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes that are no character become U+FFFD, one for each longest part that could have begun one. */
export function textOfBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** How many bytes the character has that `lead` begins; 0 for none. */
function lengthOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether `second` may follow `lead`: no overlong forms, no surrogates, nothing above U+10FFFF. */
function mayFollow(lead: number, second: number): boolean {
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= lowest && second <= highest;
}

/** How many bytes at the end of `bytes[0..end)` are the beginning of a character that could still become whole. */
export function unfinishedBytes(bytes: Uint8Array, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0;
    if (byte >= 0x80 && byte < 0xc0) continue;
    if (lengthOf(byte) <= back) return 0;
    return back === 1 || mayFollow(byte, bytes[end - back + 1] ?? 0) ? back : 0;
  }
  return 0;
}

/** Whether a run of bytes can still be whole characters, byte by byte. */
export class RunCheck {
  #lead = 0;
  #missing = 0;
  #isSecond = false;

  get isWhole(): boolean {
    return this.#missing === 0;
  }

  /** False once it can never be. */
  push(byte: number): boolean {
    if (this.#missing === 0) {
      const length = lengthOf(byte);
      this.#lead = byte;
      this.#missing = length - 1;
      this.#isSecond = true;
      return length > 0;
    }
    const fits = this.#isSecond ? mayFollow(this.#lead, byte) : byte >= 0x80 && byte < 0xc0;
    this.#isSecond = false;
    this.#missing--;
    return fits;
  }
}
