/**
 * Regular expressions as tokenizer files write them (Oniguruma, Ruby's syntax, Unicode) as ones of the runtime. What is not
 * translated with certainty is refused: `UnusableTokenizer`. Classes are those of unicode-tables.ts.
 * Differs from the runtime's own reading: `^ $` at every line, `.` all but line feed, `\s \d \w` by Unicode, possessive
 * and atomic groups (a look-ahead that is then read again by its name), `{n,m}+` is a repeat and not possessive.
 */

import { AFTER_UNICODE_16_CLASS } from './unicode-tables.ts';
import { UnusableTokenizer } from './unusable.ts';

const OLD = `[${AFTER_UNICODE_16_CLASS}]`;
const CATEGORIES = /^(?:[LMNPSZ]|L[ultmo]|M[nce]|N[dlo]|P[cdseifo]|S[mcko]|Z[slp]|Cc|Cf|Co)$/;
const SCRIPTS =
  /^(?:Han|Hiragana|Katakana|Hangul|Latin|Greek|Cyrillic|Arabic|Hebrew|Thai|Lao|Devanagari|Bengali|Tamil|Telugu|Armenian|Georgian|Khmer|Myanmar|Tibetan|Mongolian|Ethiopic)$/;
/** Other names of the same, and those of POSIX. */
const CLASSES: Readonly<Record<string, string>> = {
  letter: 'L',
  mark: 'M',
  number: 'N',
  punctuation: 'P',
  symbol: 'S',
  separator: 'Z',
};

/** One expression, global: `matchAll` finds what the reference finds. */
export function translateRegex(pattern: string): RegExp {
  const reader = new Reader(pattern);
  const source = reader.alternatives();
  if (!reader.atEnd) throw refuse(pattern, 'a parenthesis too many');
  try {
    return new RegExp(source, 'gv');
  } catch (error) {
    throw refuse(pattern, error instanceof Error ? error.message : 'not readable');
  }
}

function refuse(pattern: string, why: string): UnusableTokenizer {
  return new UnusableTokenizer(`the regular expression ${JSON.stringify(pattern.slice(0, 200))}: ${why}`);
}

function escaped(codePoint: number): string {
  return `\\u{${codePoint.toString(16)}}`;
}

class Reader {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #atomics = 0;
  #ignoresCase = false;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = Array.from(pattern);
  }

  get atEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  alternatives(): string {
    let source = this.#sequence();
    while (this.#take('|')) source += `|${this.#sequence()}`;
    return source;
  }

  #sequence(): string {
    let source = '';
    while (!this.atEnd && !this.#sees('|') && !this.#sees(')')) source += this.#repeated();
    return source;
  }

  #repeated(): string {
    let atom = this.#atom();
    for (;;) {
      const repeat = this.#quantifier();
      if (repeat === '') return atom;
      const isBrace = repeat.startsWith('{');
      if (this.#take('?')) {
        if (isBrace && !repeat.includes(',')) throw this.#refuse('{n}?');
        atom = `${atom}${repeat}?`;
      } else if (!isBrace && this.#take('+')) atom = this.#atomic(`${atom}${repeat}`);
      else atom = `${atom}${repeat}`;
      // Another repeat applies to all so far.
      if (this.#sees('*') || this.#sees('+') || this.#sees('?')) atom = `(?:${atom})`;
    }
  }

  #quantifier(): string {
    for (const mark of ['*', '+', '?']) if (this.#take(mark)) return mark;
    if (!this.#sees('{')) return '';
    const rest = this.#characters.slice(this.#at, this.#at + 24).join('');
    const match = /^\{(\d{0,6})(,?)(\d{0,6})\}/.exec(rest);
    if (match === null || (match[1] === '' && match[3] === '')) throw this.#refuse('a brace');
    this.#at += match[0].length;
    return `{${match[1] === '' ? '0' : match[1]}${match[2]}${match[3]}}`;
  }

  #atomic(source: string): string {
    const name = `atomic${this.#atomics++}`;
    return `(?:(?=(?<${name}>${source}))\\k<${name}>)`;
  }

  #atom(): string {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '\\':
        return this.#escape(false);
      case '.':
        return '[^\\n]';
      case '^':
        return '(?<![^\\n])';
      case '$':
        return '(?![^\\n])';
      case '*':
      case '+':
      case '?':
        throw this.#refuse('a repeat of nothing');
      default:
        return this.#ignoresCase ? this.#anyCase(character) : escaped(character.codePointAt(0) ?? 0);
    }
  }

  /** Written out, because modifiers are new to the runtime and were seen to miss matches. */
  #anyCase(character: string): string {
    const all = new Set([character, character.toLowerCase(), character.toUpperCase()]);
    // The long s and the Kelvin sign fold to letters of ASCII.
    if (all.has('s')) all.add('\u017f');
    if (all.has('k')) all.add('\u212a');
    const codePoints = [...all].map((form) => form.codePointAt(0) ?? 0);
    if ([...all].some((form) => Array.from(form).length !== 1)) throw this.#refuse('a letter of many cases');
    return codePoints.length === 1 ? escaped(codePoints[0] ?? 0) : `[${codePoints.map(escaped).join('')}]`;
  }

  #group(): string {
    if (!this.#take('?')) return this.#closed('(?:');
    for (const kind of ['=', '!', '<=', '<!', ':']) if (this.#takeAll(kind)) return this.#closed(`(?${kind}`);
    if (this.#take('>')) {
      const inner = this.alternatives();
      this.#expect(')');
      return this.#atomic(inner);
    }
    if (this.#takeAll('i:')) return this.#inAnyCase(() => this.#closed('(?:'));
    if (this.#takeAll('i)')) return this.#inAnyCase(() => `(?:${this.alternatives()})`);
    throw this.#refuse('a kind of group');
  }

  #inAnyCase(read: () => string): string {
    const before = this.#ignoresCase;
    this.#ignoresCase = true;
    const source = read();
    this.#ignoresCase = before;
    return source;
  }

  #closed(opening: string): string {
    const inner = this.alternatives();
    this.#expect(')');
    return `${opening}${inner})`;
  }

  /** A set behind its `[`, `&&` between its parts. */
  #set(): string {
    if (this.#ignoresCase) throw this.#refuse('a set in any case');
    const isNegated = this.#take('^');
    const parts: string[] = [];
    let current = '';
    let isFirst = true;
    while (!this.#sees(']') || isFirst) {
      if (this.atEnd) throw this.#refuse('a set without end');
      if (this.#takeAll('&&')) {
        parts.push(`[${current}]`);
        current = '';
      } else current += this.#setItem();
      isFirst = false;
    }
    this.#expect(']');
    const inner = parts.length === 0 ? current : [...parts, `[${current}]`].join('&&');
    return `[${isNegated ? '^' : ''}${inner}]`;
  }

  #setItem(): string {
    if (this.#takeAll('[:')) throw this.#refuse('a POSIX class');
    const first = this.#next();
    if (first === '[') return this.#set();
    const from = first === '\\' ? this.#escape(true) : escaped(first.codePointAt(0) ?? 0);
    const isRange = this.#sees('-') && this.#characters[this.#at + 1] !== ']' && from.startsWith('\\u{');
    if (!isRange) return from;
    this.#next();
    const last = this.#next();
    const to = last === '\\' ? this.#escape(true) : escaped(last.codePointAt(0) ?? 0);
    if (!to.startsWith('\\u{')) throw this.#refuse('a range of classes');
    return `${from}-${to}`;
  }

  /** Behind a backslash. A single character comes out as `\u{…}`, a class as a set. */
  #escape(inSet: boolean): string {
    const character = this.#next();
    const control = 'rntvfae'.indexOf(character);
    if (control >= 0) return escaped([13, 10, 9, 11, 12, 7, 27][control] ?? 0);
    switch (character) {
      case 's':
        return '[\\p{White_Space}]';
      case 'S':
        return '[^\\p{White_Space}]';
      case 'd':
        return category('Nd', false);
      case 'D':
        return category('Nd', true);
      case 'h':
        return '[0-9a-fA-F]';
      case 'p':
      case 'P':
        return this.#property(character === 'P');
      case 'x':
      case 'u':
        return this.#hexadecimal(character);
      case 'A':
        if (!inSet) return '^';
        throw this.#refuse('\\A in a set');
      case 'z':
        if (!inSet) return '$';
        throw this.#refuse('\\z in a set');
      default:
        if (/[A-Za-z0-9]/.test(character)) throw this.#refuse(`\\${character}`);
        return escaped(character.codePointAt(0) ?? 0);
    }
  }

  #hexadecimal(kind: string): string {
    const rest = this.#characters.slice(this.#at, this.#at + 12).join('');
    const match = (kind === 'u' ? /^([0-9a-fA-F]{4})/ : /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/).exec(rest);
    const found = match?.[1] ?? match?.[2];
    if (match === null || found === undefined) throw this.#refuse('an escape');
    const codePoint = Number.parseInt(found, 16);
    // Bytes above are raw bytes of UTF-8 there, not characters.
    if (kind === 'x' && match[2] !== undefined && codePoint > 0x7f) throw this.#refuse('a raw byte');
    this.#at += match[0].length;
    return escaped(codePoint);
  }

  #property(isNegated: boolean): string {
    this.#expect('{');
    const isTwice = this.#take('^');
    let name = '';
    while (!this.#sees('}')) name += this.#next();
    this.#expect('}');
    const found = CLASSES[name.toLowerCase()] ?? name;
    if (CATEGORIES.test(found)) return category(found, isNegated !== isTwice);
    if (!SCRIPTS.test(found)) throw this.#refuse(`the property ${name}`);
    const script = `[\\p{Script=${found}}--${OLD}]`;
    return isNegated !== isTwice ? `[^${script}]` : script;
  }

  #sees(character: string): boolean {
    return this.#characters[this.#at] === character;
  }

  #take(character: string): boolean {
    const isThere = this.#sees(character);
    if (isThere) this.#at++;
    return isThere;
  }

  #takeAll(text: string): boolean {
    const isThere = this.#characters.slice(this.#at, this.#at + text.length).join('') === text;
    if (isThere) this.#at += text.length;
    return isThere;
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw this.#refuse('ends in the middle');
    return character;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#refuse(`no ${character}`);
  }

  #refuse(why: string): UnusableTokenizer {
    return refuse(this.#pattern, why);
  }
}

/** A general category as it was: U+0295 has moved from lower case to the other letters since. */
function category(name: string, isNegated: boolean): string {
  let set = `[\\p{${name}}--${OLD}]`;
  if (name === 'Ll') set = `[${set}\\u{295}]`;
  if (name === 'Lo') set = `[${set}--\\u{295}]`;
  return isNegated ? `[^${set}]` : set;
}
