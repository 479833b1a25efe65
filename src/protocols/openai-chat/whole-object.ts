/**
 * Tells of a text that comes in pieces whether it is a whole JSON object yet, without reading it anew each time.
 * Cost   O(piece), and one parse when the last brace has closed        Owner  one tool call of an answer
 */
import { isObjectText } from '../hub/json-text.ts';

export class WholeObject {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Something has come. */
  #hasBegun = false;
  /** It was closed, and whatever but space comes behind that makes it none. */
  #isClosed = false;
  #isNone = false;
  #isChecked = false;

  push(piece: string): void {
    for (let at = 0; at < piece.length && !this.#isNone; at += 1) this.#character(piece.charCodeAt(at));
  }

  /** `text`: all pieces together. */
  is(text: string): boolean {
    if (!this.#isClosed || this.#isNone) return false;
    if (this.#isChecked) return true;
    this.#isChecked = isObjectText(text);
    this.#isNone = !this.#isChecked;
    return this.#isChecked;
  }

  #character(code: number): void {
    if (this.#isInString) return this.#inString(code);
    if (code <= SPACE) return;
    if (this.#isClosed || (!this.#hasBegun && code !== OPEN_BRACE)) {
      this.#isNone = true;
      return;
    }
    this.#hasBegun = true;
    if (code === QUOTE) this.#isInString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      this.#depth -= 1;
      this.#isClosed = this.#depth === 0;
    }
  }

  #inString(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInString = false;
  }
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
