/**
 * A short text that fits a regular expression: literals, classes, groups, alternatives, quantifiers, the usual escapes.
 * What it cannot read it refuses, and what it made is checked against the expression itself.
 */

const MOST_REPEATS = 64;
const ESCAPES: Readonly<Record<string, string>> = { d: '7', w: 'a', s: ' ', D: 'a', W: '-', S: 'a', n: '\n', t: '\t' };
const ZERO_WIDTH = new Set(['b', 'B']);

/** A fitting text; undefined when there is none to be found or the expression is none. */
export function exampleOfRegex(source: string): string | undefined {
  let whole: RegExp;
  try {
    whole = new RegExp(`^(?:${source})$`, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const text = new Reader(source).alternatives();
  return whole.test(text) ? text : undefined;
}

/** Recursive descent; the first alternative and the fewest repeats win, but something rather than nothing. */
class Reader {
  readonly #source: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#source = Array.from(source);
  }

  alternatives(): string {
    const first = this.#sequence();
    while (this.#source[this.#at] === '|') {
      this.#at++;
      this.#sequence();
    }
    return first;
  }

  #sequence(): string {
    let text = '';
    while (this.#at < this.#source.length && !['|', ')'].includes(this.#source[this.#at] ?? '')) {
      text += this.#repeated(this.#atom());
    }
    return text;
  }

  #atom(): string {
    const char = this.#source[this.#at++] ?? '';
    if (char === '(') return this.#group();
    if (char === '[') return this.#charClass();
    if (char === '\\') return this.#escape();
    if (char === '.') return 'a';
    return char === '^' || char === '$' ? '' : char;
  }

  #group(): string {
    const isAhead = this.#skip('?!') || this.#skip('?=') || this.#skip('?<!') || this.#skip('?<=');
    if (!isAhead && !this.#skip('?:') && this.#skip('?<')) while (this.#source[this.#at++] !== '>');
    const text = this.alternatives();
    this.#at++;
    return isAhead ? '' : text;
  }

  #charClass(): string {
    const isNegated = this.#skip('^');
    const members: string[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']') {
      const char = this.#source[this.#at++] ?? '';
      members.push(char === '\\' ? this.#escape() : char);
      // Of a range the first end is enough.
      if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']') this.#at += 2;
    }
    this.#at++;
    if (!isNegated) return members[0] ?? '';
    return ['a', 'z', '7', ' ', '-', '_'].find((char) => !members.includes(char)) ?? 'é';
  }

  #escape(): string {
    const char = this.#source[this.#at++] ?? '';
    return ZERO_WIDTH.has(char) ? '' : (ESCAPES[char] ?? char);
  }

  #repeated(atom: string): string {
    const char = this.#source[this.#at] ?? '';
    let count = 1;
    if (char === '{') count = this.#count();
    else if ('*+?'.includes(char) && char !== '') this.#at++;
    else return atom;
    this.#skip('?');
    return atom.repeat(Math.min(count, MOST_REPEATS));
  }

  #count(): number {
    const end = this.#source.indexOf('}', this.#at);
    const [least = '', most] = this.#source
      .slice(this.#at + 1, end)
      .join('')
      .split(',');
    this.#at = end + 1;
    const wanted = Number(least);
    return wanted === 0 && most !== '0' && most !== undefined ? 1 : wanted;
  }

  #skip(text: string): boolean {
    if (this.#source.slice(this.#at, this.#at + text.length).join('') !== text) return false;
    this.#at += text.length;
    return true;
  }
}
