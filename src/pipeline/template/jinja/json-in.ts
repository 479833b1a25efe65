/**
 * JSON as Python reads it: ints stay ints of any size, `1.0` stays a float, keys keep their order. The text was checked
 * at the edge, or made by us; whatever is no JSON is refused all the same.
 * Cost   one pass; long strings by native search
 */
import { PythonError } from './errors.ts';
import { intOf } from './numbers.ts';
import { PyDict, PyFloat } from './values.ts';
import type { Value } from './values.ts';

/** As deep as Python's own reader goes, nearly. */
const MOST_DEPTH = 500;
const PLAIN = /[^"\\]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const QUOTE = 0x22;

export function readJson(text: string): Value {
  return new JsonReader(text).whole();
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Value {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#error();
    return value;
  }

  #error(): PythonError {
    return new PythonError('ValueError', `the input is no JSON at ${this.#at}`);
  }

  #space(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at += 1;
    }
  }

  #value(): Value {
    this.#space();
    const unit = this.#text.charCodeAt(this.#at);
    if (unit === QUOTE) return this.#string();
    if (unit === 0x7b) return this.#object();
    if (unit === 0x5b) return this.#array();
    if (unit === 0x74) return this.#word('true', true);
    if (unit === 0x66) return this.#word('false', false);
    return unit === 0x6e ? this.#word('null', null) : this.#number();
  }

  #word(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error();
    this.#at += word.length;
    return value;
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error();
    const [whole, fraction, exponent] = match;
    this.#at += whole.length;
    if (fraction !== undefined || exponent !== undefined) return new PyFloat(Number(whole));
    return whole.length < 16 ? Number(whole) + 0 : intOf(BigInt(whole.slice(0, 5000)));
  }

  #string(): string {
    const start = this.#at + 1;
    const end = this.#text.indexOf('"', start);
    if (end < 0) throw this.#error();
    const text = this.#text.slice(start, end);
    if (!text.includes('\\')) {
      this.#at = end + 1;
      return text;
    }
    return this.#escaped(start);
  }

  #escaped(start: number): string {
    let text = '';
    this.#at = start;
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? '';
      text += plain;
      this.#at += plain.length + 1;
      const unit = this.#text.charCodeAt(this.#at - 1);
      if (unit === QUOTE) return text;
      if (Number.isNaN(unit)) throw this.#error();
      text += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at);
    this.#at += 1;
    const known = ESCAPES[letter];
    if (known !== undefined) return known;
    const hex = this.#text.slice(this.#at, this.#at + 4);
    if (letter !== 'u' || !/^[\da-fA-F]{4}$/.test(hex)) throw this.#error();
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw new PythonError('ValueError', `the input is nested deeper than ${MOST_DEPTH}`);
    this.#at += 1;
    this.#space();
  }

  /** Past a comma (true) or the closing bracket (false). */
  #goesOn(closing: number): boolean {
    this.#space();
    const unit = this.#text.charCodeAt(this.#at);
    if (unit !== 0x2c && unit !== closing) throw this.#error();
    this.#at += 1;
    return unit === 0x2c;
  }

  #array(): Value {
    this.#enter();
    const items: Value[] = [];
    if (this.#text.charCodeAt(this.#at) === 0x5d) this.#at += 1;
    else {
      do items.push(this.#value());
      while (this.#goesOn(0x5d));
    }
    this.#depth -= 1;
    return items;
  }

  #object(): Value {
    this.#enter();
    const dict = new PyDict();
    if (this.#text.charCodeAt(this.#at) === 0x7d) this.#at += 1;
    else {
      do this.#entry(dict);
      while (this.#goesOn(0x7d));
    }
    this.#depth -= 1;
    return dict;
  }

  #entry(dict: PyDict): void {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#error();
    const key = this.#string();
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== 0x3a) throw this.#error();
    this.#at += 1;
    dict.set(key, this.#value());
  }
}
