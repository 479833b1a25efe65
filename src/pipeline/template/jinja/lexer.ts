/**
 * A template's text as tokens, with what Jinja does to whitespace on the way: trim_blocks, lstrip_blocks, the signs
 * `-` and `+` at tags, line ends made one, the last newline left out. Settings are those that chat templates are
 * written for and cannot be changed.
 */
import { TemplateSyntaxError } from './errors.ts';
import { SPACES, isSpace } from './spaces.ts';

export type TokenKind =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The text; of a string its value. */
  readonly text: string;
  readonly line: number;
}

/** The largest known templates have some 5,000. */
const MOST_TOKENS = 50_000;
/** What Python takes for whitespace. */
const SPACE = `[${SPACES}]`;
const WHITESPACE = new RegExp(`${SPACE}+`, 'y');
const BLANK = new RegExp(`^${SPACE}+$`);
const TAG = /\{(?:\{|%|#)[-+]?/g;
const RAW = new RegExp(`\\{%[-+]?${SPACE}*raw${SPACE}*(?:-%\\}${SPACE}*|%\\})`, 'y');
const END_RAW = new RegExp(`\\{%([-+]?)${SPACE}*endraw${SPACE}*(?:\\+%\\}|-%\\}${SPACE}*|%\\}\\n?)`, 'g');
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}${SPACE}*|#\\}\\n?`, 'g');
const END_BLOCK = new RegExp(`\\+%\\}|-%\\}${SPACE}*|%\\}\\n?`, 'y');
const END_VARIABLE = new RegExp(`-\\}\\}${SPACE}*|\\}\\}`, 'y');
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{N}\p{M}_]+/uy;
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;
const STRING = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const OPERATOR = /\*\*|\/\/|==|!=|>=|<=|[-+*/%~[\](){}<>=.:|,;]/y;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** The last match ended with a newline, or nothing was matched yet. */
  #isLineStart = true;

  constructor(source: string) {
    this.#source = source.replace(/\r\n|\r/g, '\n').replace(/\n$/, '');
  }

  run(): Token[] {
    while (this.#at < this.#source.length) this.#root();
    this.#push('end', '');
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string): void {
    if (this.#tokens.length === MOST_TOKENS)
      throw new TemplateSyntaxError(`it has more than ${MOST_TOKENS} tokens`, this.#line);
    this.#tokens.push({ kind, text, line: this.#line });
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  /** Goes past a match. */
  #take(text: string): void {
    this.#at += text.length;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line += 1;
    if (text !== '') this.#isLineStart = text.endsWith('\n');
  }

  #root(): void {
    TAG.lastIndex = this.#at;
    const found = TAG.exec(this.#source);
    const text = this.#source.slice(this.#at, found?.index);
    if (found === null) {
      this.#push('data', text);
      this.#take(text);
      return;
    }
    const tag = found[0];
    this.#data(text, tag.slice(2), tag[1] === '{');
    if (tag[1] === '#') this.#comment(tag);
    else if (tag[1] === '{') this.#tag(tag, 'variable');
    else this.#block(tag);
  }

  /** Text before a tag: cut as the tag's sign and lstrip_blocks say. */
  #data(text: string, sign: string, isVariable: boolean): void {
    let kept = text;
    if (sign === '-') kept = stripEnd(text);
    else if (sign !== '+' && !isVariable) {
      const lineAt = text.lastIndexOf('\n') + 1;
      if ((lineAt > 0 || this.#isLineStart) && BLANK.test(text.slice(lineAt))) kept = text.slice(0, lineAt);
    }
    if (kept !== '') this.#push('data', kept);
    this.#take(text);
  }

  #comment(tag: string): void {
    END_COMMENT.lastIndex = this.#at + tag.length;
    const end = END_COMMENT.exec(this.#source);
    if (end === null) throw new TemplateSyntaxError('Missing end of comment tag', this.#line);
    this.#take(this.#source.slice(this.#at, end.index + end[0].length));
  }

  #block(tag: string): void {
    const raw = this.#match(RAW);
    if (raw === undefined) return this.#tag(tag, 'block');
    this.#take(raw);
    END_RAW.lastIndex = this.#at;
    const end = END_RAW.exec(this.#source);
    if (end === null) throw new TemplateSyntaxError('Missing end of raw directive', this.#line);
    this.#data(this.#source.slice(this.#at, end.index), end[1] ?? '', false);
    this.#take(end[0]);
  }

  #tag(tag: string, kind: 'block' | 'variable'): void {
    this.#push(`${kind}_begin`, tag);
    this.#take(tag);
    const ending = kind === 'block' ? END_BLOCK : END_VARIABLE;
    const open: string[] = [];
    while (this.#at < this.#source.length) {
      const end = open.length === 0 ? this.#match(ending) : undefined;
      if (end !== undefined) {
        this.#push(`${kind}_end`, end);
        this.#take(end);
        return;
      }
      this.#inside(open);
    }
  }

  #inside(open: string[]): void {
    const space = this.#match(WHITESPACE);
    if (space !== undefined) return this.#take(space);
    const number = this.#match(FLOAT);
    if (number !== undefined) return this.#token('float', number);
    const integer = this.#match(INTEGER);
    if (integer !== undefined) return this.#token('integer', integer);
    const name = this.#match(NAME);
    if (name !== undefined) {
      if (!IDENTIFIER.test(name)) throw new TemplateSyntaxError('Invalid character in identifier', this.#line);
      return this.#token('name', name);
    }
    const string = this.#match(STRING);
    if (string !== undefined) {
      this.#push('string', unescape(string.slice(1, -1), this.#line));
      return this.#take(string);
    }
    this.#operator(open);
  }

  #token(kind: TokenKind, text: string): void {
    this.#push(kind, text);
    this.#take(text);
  }

  #operator(open: string[]): void {
    const operator = this.#match(OPERATOR);
    if (operator === undefined) {
      const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
      throw new TemplateSyntaxError(`unexpected char '${character}' at ${this.#at}`, this.#line);
    }
    const closing = CLOSING[operator];
    if (closing !== undefined) open.push(closing);
    else if (operator === ')' || operator === ']' || operator === '}') {
      const expected = open.pop();
      if (expected === undefined) throw new TemplateSyntaxError(`unexpected '${operator}'`, this.#line);
      if (expected !== operator)
        throw new TemplateSyntaxError(`unexpected '${operator}', expected '${expected}'`, this.#line);
    }
    this.#token('operator', operator);
  }
}

function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{0,2})|u([\da-fA-F]{0,4})|U([\da-fA-F]{0,8})|([^]))/g;
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Python's escapes of a str literal; a backslash before anything else stays. */
function unescape(text: string, line: number): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (whole: string, octal?: string, ...rest: (string | undefined)[]) => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const [hex2, hex4, hex8, other] = rest;
    if (other !== undefined) {
      if (other === 'N') throw new TemplateSyntaxError('characters by name are not supported', line);
      return SIMPLE[other] ?? whole;
    }
    const hex = hex2 ?? hex4 ?? hex8 ?? '';
    const code = Number.parseInt(hex, 16);
    if (hex.length !== HEX_LENGTH[whole.charAt(1)] || code > 0x10ffff)
      throw new TemplateSyntaxError(`truncated \\${whole.charAt(1)} escape`, line);
    return String.fromCodePoint(code);
  });
}
