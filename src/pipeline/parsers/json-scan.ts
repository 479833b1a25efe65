/**
 * Finds where a JSON value ends, in text that comes in pieces. Sees strings, brackets and the ends of numbers and words;
 * what is wrong inside is for whoever reads the value.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class JsonScan {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #kind: 'none' | 'string' | 'container' | 'scalar' = 'none';
  isDone = false;

  /** A number or a word: it ends with the text too. */
  get isScalar(): boolean {
    return this.#kind === 'scalar';
  }

  /** Reads `text` from `from` to `to`; returns where the value ends, or `to`. */
  advance(text: string, from: number, to: number): number {
    let at = from;
    for (; at < to && !this.isDone; at += 1) {
      const char = text.charCodeAt(at);
      if (this.#isInString) this.#string(char);
      else if (!this.#open(char)) return at;
    }
    return at;
  }

  #string(char: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (char === BACKSLASH) this.#isEscaped = true;
    else if (char === QUOTE) {
      this.#isInString = false;
      this.isDone = this.#depth === 0;
    }
  }

  /** Outside of strings; false: the value has ended before this character. */
  #open(char: number): boolean {
    if (this.#kind === 'scalar') {
      this.isDone = isDelimiter(char);
      return !this.isDone;
    }
    if (this.#kind === 'none' && !this.#begin(char)) return false;
    if (char === QUOTE) this.#isInString = true;
    else if (isOpening(char)) this.#depth += 1;
    else if (isClosing(char)) this.#close();
    return true;
  }

  /** False: no value begins with this character. */
  #begin(char: number): boolean {
    this.isDone = isDelimiter(char);
    this.#kind = char === QUOTE ? 'string' : isOpening(char) ? 'container' : 'scalar';
    return !this.isDone;
  }

  #close(): void {
    this.#depth -= 1;
    this.isDone = this.#depth <= 0;
  }
}

function isOpening(char: number): boolean {
  return char === 0x7b || char === 0x5b;
}

function isClosing(char: number): boolean {
  return char === 0x7d || char === 0x5d;
}

function isDelimiter(char: number): boolean {
  return char <= 0x20 || char === 0x2c || isClosing(char);
}
