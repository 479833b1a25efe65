/** Goes through tokens one by one, for the parsers. */
import { TemplateSyntaxError } from './errors.ts';
import type { Token, TokenKind } from './lexer.ts';

/** Deeper brackets and blocks than any template has; Python's own parser stops near here as well. */
const MOST_NESTING = 100;

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#token(this.#at);
  }

  get following(): Token {
    return this.#token(this.#at + 1);
  }

  #token(at: number): Token {
    const last = this.#tokens.length - 1;
    const token = this.#tokens[Math.min(at, last)];
    return token ?? { kind: 'end', text: '', line: 1 };
  }

  next(): Token {
    const token = this.current;
    this.#at += 1;
    return token;
  }

  is(kind: TokenKind, text?: string): boolean {
    const token = this.current;
    return token.kind === kind && (text === undefined || token.text === text);
  }

  isName(text: string): boolean {
    return this.is('name', text);
  }

  isOperator(text: string): boolean {
    return this.is('operator', text);
  }

  skip(kind: TokenKind, text?: string): boolean {
    if (!this.is(kind, text)) return false;
    this.#at += 1;
    return true;
  }

  skipName(text: string): boolean {
    return this.skip('name', text);
  }

  skipOperator(text: string): boolean {
    return this.skip('operator', text);
  }

  expect(kind: TokenKind, text?: string): Token {
    if (this.is(kind, text)) return this.next();
    throw this.error(`expected token '${text ?? kind}', got '${this.describe()}'`);
  }

  expectOperator(text: string): void {
    this.expect('operator', text);
  }

  describe(): string {
    const token = this.current;
    if (token.kind === 'end') return 'end of template';
    return token.kind === 'name' || token.kind === 'operator' ? token.text : token.kind.replace('_', ' of ');
  }

  error(message: string, line = this.current.line): TemplateSyntaxError {
    return new TemplateSyntaxError(message, line);
  }

  /** Reads something that may hold itself. */
  nested<T>(read: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > MOST_NESTING) throw this.error('it is nested too deeply');
    const result = read();
    this.#nesting -= 1;
    return result;
  }
}
