/**
 * A short text that fits a grammar in the EBNF that engines take (GBNF): rules `name ::= …` with quoted literals,
 * classes, references, groups, alternatives and `* + ?`. The first alternative and the fewest repeats win.
 */

import { exampleOfRegex } from './regex-example.ts';

const MOST_DEPTH = 20;
const RULE = /^[ \t]*([A-Za-z_][\w-]*)[ \t]*::=/gm;
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\[(?:[^\]\\]|\\.)*\])|([A-Za-z_][\w-]*)|([()|*+?]))/y;

/** A fitting text; undefined when there is no rule `root`, or it cannot be read. */
export function exampleOfGrammar(source: string): string | undefined {
  const rules = new Map<string, string>();
  const heads = [...source.matchAll(RULE)];
  for (const [index, head] of heads.entries()) {
    rules.set(head[1] ?? '', source.slice(head.index + head[0].length, heads[index + 1]?.index).trim());
  }
  return rules.has('root') ? new Grammar(rules).rule('root', 0) : undefined;
}

class Grammar {
  readonly #rules: ReadonlyMap<string, string>;

  constructor(rules: ReadonlyMap<string, string>) {
    this.#rules = rules;
  }

  rule(name: string, depth: number): string | undefined {
    const body = this.#rules.get(name);
    if (body === undefined || depth > MOST_DEPTH) return undefined;
    return this.#alternatives({ tokens: tokensOf(body), at: 0 }, depth);
  }

  #alternatives(cursor: Cursor, depth: number): string | undefined {
    const first = this.#sequence(cursor, depth);
    while (cursor.tokens[cursor.at] === '|') {
      cursor.at++;
      const next = this.#sequence(cursor, depth);
      if (first === undefined) return next;
    }
    return first;
  }

  #sequence(cursor: Cursor, depth: number): string | undefined {
    let text: string | undefined = '';
    for (let token = cursor.tokens[cursor.at]; token !== undefined && token !== '|' && token !== ')'; ) {
      cursor.at++;
      const part = this.#atom(token, cursor, depth);
      const sign = cursor.tokens[cursor.at] ?? '';
      const isRepeated = sign !== '' && '*+?'.includes(sign);
      if (isRepeated) cursor.at++;
      const shown = isRepeated && sign !== '+' ? '' : part;
      text = text === undefined || shown === undefined ? undefined : text + shown;
      token = cursor.tokens[cursor.at];
    }
    return text;
  }

  #atom(token: string, cursor: Cursor, depth: number): string | undefined {
    if (token === '(') {
      const inner = this.#alternatives(cursor, depth);
      cursor.at++;
      return inner;
    }
    if (token.startsWith('[')) return exampleOfRegex(token);
    if (token.startsWith('"') || token.startsWith("'")) return literal(token);
    return this.rule(token, depth + 1);
  }
}

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

function tokensOf(body: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(body); match !== null; match = TOKEN.exec(body)) tokens.push(match[0].trim());
  return tokens;
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function literal(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, (_all, char: string) => ESCAPED[char] ?? char);
}
