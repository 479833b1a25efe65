/** Python literals as models write them, to JSON text: strings, numbers, `True`, `False`, `None`, lists, tuples and dicts. */
import type { JsonText } from '../../../domain/generation.ts';

const MAX_DEPTH = 64;

const WORDS: Readonly<Record<string, JsonText>> = {
  True: 'true',
  False: 'false',
  None: 'null',
  true: 'true',
  false: 'false',
  null: 'null',
};

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  0: '\0',
};

/** Undefined: it is no literal. */
export function jsonOfPython(text: string): JsonText | undefined {
  const source = new LiteralSource(text);
  const value = source.value(0);
  return value !== undefined && source.isAtEnd ? value : undefined;
}

class LiteralSource {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#space();
    return this.#at === this.#text.length;
  }

  value(depth: number): JsonText | undefined {
    this.#space();
    const char = this.#text[this.#at];
    if (char === undefined || depth > MAX_DEPTH) return undefined;
    if (char === '"' || char === "'") return this.#string(char);
    if (char === '[') return this.#list(']', depth);
    if (char === '(') return this.#list(')', depth);
    if (char === '{') return this.#dict(depth);
    return this.#number() ?? this.#word();
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #eat(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #number(): JsonText | undefined {
    const text = this.#match(/[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?(?!\w)/y)?.replaceAll('_', '');
    if (text === undefined) return undefined;
    // Digits beyond what a number of ours can hold stay as they are.
    if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return text;
    const value = Number(text);
    return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  }

  #word(): JsonText | undefined {
    const word = this.#match(/[A-Za-z]+(?!\w)/y);
    return word !== undefined && Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  }

  #string(quote: string): JsonText | undefined {
    const parts: string[] = [];
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text[at] ?? '';
      if (char === quote) {
        this.#at = at + 1;
        return JSON.stringify(parts.join(''));
      }
      if (char !== '\\') parts.push(char);
      else {
        const escape = escapeAt(this.#text, at + 1);
        parts.push(escape.text);
        at += escape.length;
      }
    }
    return undefined;
  }

  #list(closing: string, depth: number): JsonText | undefined {
    this.#at += 1;
    const items: JsonText[] = [];
    while (!this.#eat(closing)) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (!this.#eat(',') && this.#text[this.#at] !== closing) return undefined;
    }
    return `[${items.join(', ')}]`;
  }

  #dict(depth: number): JsonText | undefined {
    this.#at += 1;
    const members: JsonText[] = [];
    while (!this.#eat('}')) {
      const key = this.value(depth + 1);
      if (key === undefined || !this.#eat(':')) return undefined;
      const member = this.value(depth + 1);
      if (member === undefined) return undefined;
      members.push(`${key.startsWith('"') ? key : JSON.stringify(key)}: ${member}`);
      if (!this.#eat(',') && this.#text[this.#at] !== '}') return undefined;
    }
    return `{${members.join(', ')}}`;
  }
}

/** What stands behind a backslash, and how many characters it takes. */
function escapeAt(text: string, at: number): { readonly text: string; readonly length: number } {
  const digits = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text.slice(at, at + 9));
  const code = Number.parseInt(digits?.[1] ?? digits?.[2] ?? digits?.[3] ?? '', 16);
  if (digits && code <= 0x10ffff) return { text: String.fromCodePoint(code), length: digits[0].length };
  const char = text[at] ?? '';
  if (char === '\n') return { text: '', length: 1 };
  // Python keeps the backslash of escapes that it does not know.
  const known = ESCAPES[char] ?? ('\\\'"'.includes(char) ? char : `\\${char}`);
  return { text: known, length: 1 };
}
