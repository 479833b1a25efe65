/**
 * A block of log lines as bytes. Text is written character by character into one buffer: no pieces are glued, no
 * garbage is made, and a block leaves the process as it is (measured: 1 µs a line where joined strings cost 5–6 µs,
 * and three times that in a busy process).
 */

/** What may stand in a line for people as it is; anything else puts the value in quotes. */
const PLAIN = new Uint8Array(128);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@+,-')
  PLAIN[char.charCodeAt(0)] = 1;

const SPACE = 32;
const EQUALS = 61;
const ZERO = 48;
const MINUS = 45;
const POINT = 46;
/** Whole numbers up to this are written digit by digit; beyond it the platform's own form is taken. */
const MAX_DIGITS = 1e9;

export class LineBlock {
  #bytes: Buffer;
  #length = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far. The block owns them no longer and begins anew. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#length = 0;
    return taken;
  }

  /** Text that is known to be fit for a line. */
  text(value: string): void {
    this.#reserve(value.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return this.#wide(value);
      bytes[at] = code;
      at += 1;
    }
    this.#length = at;
  }

  /** What stands before a value: a space, the name and `=`. Names are ASCII. */
  name(value: string): void {
    this.#reserve(value.length + 2);
    this.#byte(SPACE);
    const bytes = this.#bytes;
    const at = this.#length;
    for (let i = 0; i < value.length; i += 1) bytes[at + i] = value.charCodeAt(i);
    this.#length = at + value.length;
    this.#byte(EQUALS);
  }

  /** A value from outside: as it is when it is one plain word, else quoted and escaped, so that it cannot forge a line. */
  word(value: string): void {
    this.#reserve(value.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f || PLAIN[code] === 0) return this.text(quoted(value));
      bytes[at] = code;
      at += 1;
    }
    if (at === this.#length) return this.text('""');
    this.#length = at;
  }

  /** A number; times with one decimal are written without making a string of them. */
  number(value: number): void {
    const tenths = Math.round(value * 10);
    if (!(Math.abs(value) < MAX_DIGITS) || tenths / 10 !== value) return this.text(String(value));
    this.#reserve(16);
    if (tenths < 0) this.#byte(MINUS);
    const size = Math.abs(tenths);
    this.#digits(Math.floor(size / 10));
    if (size % 10 === 0) return;
    this.#byte(POINT);
    this.#byte(ZERO + (size % 10));
  }

  /** A whole number below 1,000 in three digits. */
  milliseconds(value: number): void {
    this.#reserve(3);
    this.#byte(ZERO + Math.floor(value / 100));
    this.#byte(ZERO + (Math.floor(value / 10) % 10));
    this.#byte(ZERO + (value % 10));
  }

  #digits(value: number): void {
    let unit = 1;
    while (value / unit >= 10) unit *= 10;
    for (; unit >= 1; unit /= 10) this.#byte(ZERO + (Math.floor(value / unit) % 10));
  }

  #byte(code: number): void {
    this.#bytes[this.#length] = code;
    this.#length += 1;
  }

  #wide(value: string): void {
    this.#reserve(value.length * 3);
    this.#length += this.#bytes.write(value, this.#length, 'utf8');
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow((this.#length + bytes) * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}
