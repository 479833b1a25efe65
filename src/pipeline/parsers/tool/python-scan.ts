/** Finds where a Python literal ends, in text that comes in pieces: at a comma or a closing bracket outside of it. */
import type { Scan } from '../text-reader.ts';

const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x28, 0x5b, 0x7b]);
const CLOSING = new Set([0x29, 0x5d, 0x7d]);

export class PythonScan implements Scan {
  #depth = 0;
  /** The quote of the string that it is in; 0: none. */
  #quote = 0;
  #isEscaped = false;
  isDone = false;
  readonly isScalar = false;

  advance(text: string, from: number, to: number): number {
    for (let at = from; at < to; at += 1) if (this.#ends(text.charCodeAt(at))) return at;
    return to;
  }

  #ends(char: number): boolean {
    if (this.#quote !== 0) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === BACKSLASH) this.#isEscaped = true;
      else if (char === this.#quote) this.#quote = 0;
      return false;
    }
    this.isDone = this.#depth === 0 && (char === COMMA || CLOSING.has(char));
    if (char === 0x22 || char === 0x27) this.#quote = char;
    else if (OPENING.has(char)) this.#depth += 1;
    else if (CLOSING.has(char)) this.#depth -= 1;
    return this.isDone;
  }
}
