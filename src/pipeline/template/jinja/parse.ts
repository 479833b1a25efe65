/** Jinja's statements: a template's text to its tree. */
import type { Body, Expression, ForStatement, MacroStatement, Signature, Statement, Target } from './ast.ts';
import type { TemplateSyntaxError } from './errors.ts';
import { tokenize } from './lexer.ts';
import { ExpressionParser } from './parse-expression.ts';
import { TokenReader } from './token-reader.ts';

/** The tree of a whole template. Errors: TemplateSyntaxError. */
export function parseTemplate(source: string): Body {
  const reader = new TokenReader(tokenize(source));
  return new StatementParser(reader).template();
}

type Parse = (parser: StatementParser) => Statement;

const NO_SIGNATURE: Signature = { parameters: [], defaults: [] };
const RESERVED = new Set(['true', 'false', 'none', 'True', 'False', 'None']);

class StatementParser {
  readonly #reader: TokenReader;
  readonly #expressions: ExpressionParser;
  #loops = 0;

  constructor(reader: TokenReader) {
    this.#reader = reader;
    this.#expressions = new ExpressionParser(reader);
  }

  template(): Body {
    return this.#body([]);
  }

  /** Up to a tag that begins with one of `ends`, which is then the current token; none: to the end of the template. */
  #body(ends: readonly string[]): Statement[] {
    const reader = this.#reader;
    const body: Statement[] = [];
    while (!reader.is('end')) {
      if (reader.is('data')) body.push({ kind: 'text', text: reader.next().text });
      else if (reader.skip('variable_begin')) {
        body.push({ kind: 'output', value: this.#expressions.tuple() });
        reader.expect('variable_end');
      } else {
        reader.expect('block_begin');
        if (ends.some((end) => reader.isName(end))) return body;
        body.push(...this.#statement());
        reader.expect('block_end');
      }
    }
    if (ends.length > 0) throw reader.error(`Unexpected end of template. Jinja was looking for: ${ends.join(', ')}.`);
    return body;
  }

  /** The inside of a block: from the end of its first tag to one of `ends`, which is returned. */
  #block(ends: readonly string[]): { readonly body: Statement[]; readonly end: string } {
    this.#reader.skipOperator(':');
    this.#reader.expect('block_end');
    const body = this.#reader.nested(() => this.#body(ends));
    return { body, end: this.#reader.next().text };
  }

  #statement(): Statement[] {
    const reader = this.#reader;
    if (!reader.is('name')) throw reader.error('tag name expected');
    const name = reader.current.text;
    if (name === 'print') return this.#print();
    const parse = STATEMENTS.get(name);
    if (parse === undefined) throw this.#unknownTag(name);
    reader.next();
    return [parse(this)];
  }

  #unknownTag(name: string): TemplateSyntaxError {
    return this.#reader.error(`Encountered unknown tag '${name}'.`);
  }

  #print(): Statement[] {
    this.#reader.next();
    const outputs: Statement[] = [];
    while (!this.#reader.is('block_end')) {
      if (outputs.length > 0) this.#reader.expectOperator(',');
      outputs.push({ kind: 'output', value: this.#expressions.expression() });
    }
    return outputs;
  }

  if(): Statement {
    const branches: { test: Expression; body: Body }[] = [];
    for (;;) {
      const test = this.#expressions.tuple({ hasCondition: false });
      const { body, end } = this.#block(['elif', 'else', 'endif']);
      branches.push({ test, body });
      if (end === 'endif') return { kind: 'if', branches, otherwise: [] };
      if (end === 'else') return { kind: 'if', branches, otherwise: this.#block(['endif']).body };
    }
  }

  for(): ForStatement {
    const { line } = this.#reader.current;
    const target = this.#target('in');
    this.#reader.expect('name', 'in');
    const iterable = this.#expressions.tuple({ hasCondition: false, endName: 'recursive' });
    const test = this.#reader.skipName('if') ? this.#expressions.expression() : undefined;
    const isRecursive = this.#reader.skipName('recursive');
    this.#loops += 1;
    const { body, end } = this.#block(['endfor', 'else']);
    this.#loops -= 1;
    const otherwise = end === 'else' ? this.#block(['endfor']).body : [];
    return { kind: 'for', target, iterable, test, isRecursive, body, otherwise, line };
  }

  set(): Statement {
    const target = this.#target(undefined, true);
    if (this.#reader.skipOperator('=')) return { kind: 'set', target, value: this.#expressions.tuple() };
    const filter = this.#expressions.blockFilters(false);
    return { kind: 'set_block', target, filter, body: this.#block(['endset']).body };
  }

  with(): Statement {
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (!this.#reader.is('block_end')) {
      if (targets.length > 0) this.#reader.expectOperator(',');
      targets.push(this.#target());
      this.#reader.expectOperator('=');
      values.push(this.#expressions.expression());
    }
    return { kind: 'with', targets, values, body: this.#block(['endwith']).body };
  }

  macro(): MacroStatement {
    const { line } = this.#reader.current;
    const name = this.#name();
    const signature = this.#signature();
    return { kind: 'macro', name, signature, body: this.#function('endmacro'), line };
  }

  call(): Statement {
    const { line } = this.#reader.current;
    const signature = this.#reader.isOperator('(') ? this.#signature() : NO_SIGNATURE;
    const call = this.#expressions.expression();
    if (call.kind !== 'call') throw this.#reader.error('expected call', line);
    return { kind: 'call_block', call, signature, body: this.#function('endcall'), line };
  }

  generation(): Statement {
    const { line } = this.#reader.current;
    const body = this.#function('endgeneration');
    return { kind: 'call_block', call: undefined, signature: NO_SIGNATURE, body, line };
  }

  /** A body that becomes a function of its own: loops around it are not its own to leave. */
  #function(end: string): Body {
    const loops = this.#loops;
    this.#loops = 0;
    const { body } = this.#block([end]);
    this.#loops = loops;
    return body;
  }

  filter(): Statement {
    const filter = this.#expressions.blockFilters(true);
    if (filter === undefined) throw this.#reader.error('expected a filter');
    return { kind: 'filter_block', filter, body: this.#block(['endfilter']).body };
  }

  /** Escaping is off and stays off; switching it off again changes nothing. */
  autoescape(): Statement {
    const value = this.#expressions.expression();
    if (value.kind !== 'constant' || value.value !== false) throw this.#reader.error('autoescape is not supported');
    return { kind: 'scope', body: this.#block(['endautoescape']).body };
  }

  /** With nothing to extend, a block stands where it is written. */
  block(): Statement {
    const { text } = this.#reader.expect('name');
    this.#reader.skipName('scoped');
    if (this.#reader.isName('required')) throw this.#reader.error('required blocks are not supported');
    const body = this.#function('endblock');
    this.#reader.skipName(text);
    return { kind: 'scope', body };
  }

  leave(kind: 'break' | 'continue'): Statement {
    const { line } = this.#reader.current;
    if (this.#loops === 0) throw this.#reader.error(`'${kind}' outside loop`);
    return { kind, line };
  }

  include(): Statement {
    const name = this.#expressions.expression();
    const mayMiss = this.#skipWords('ignore', 'missing');
    this.#context();
    return { kind: 'missing_template', name, mayMiss, stores: [] };
  }

  extends(): Statement {
    return { kind: 'missing_template', name: this.#expressions.expression(), mayMiss: false, stores: [] };
  }

  import(): Statement {
    const name = this.#expressions.expression();
    this.#reader.expect('name', 'as');
    const stores = [this.#name()];
    this.#context();
    return { kind: 'missing_template', name, mayMiss: false, stores };
  }

  from(): Statement {
    const name = this.#expressions.expression();
    this.#reader.expect('name', 'import');
    const stores: string[] = [];
    do {
      if (this.#context()) break;
      const imported = this.#name();
      if (imported.startsWith('_')) throw this.#reader.error('names starting with an underline can not be imported');
      stores.push(this.#reader.skipName('as') ? this.#name() : imported);
    } while (!this.#context() && this.#reader.skipOperator(','));
    return { kind: 'missing_template', name, mayMiss: false, stores };
  }

  #context(): boolean {
    return this.#skipWords('with', 'context') || this.#skipWords('without', 'context');
  }

  #skipWords(first: string, second: string): boolean {
    const { following } = this.#reader;
    if (!this.#reader.isName(first) || following.kind !== 'name' || following.text !== second) return false;
    this.#reader.next();
    this.#reader.next();
    return true;
  }

  #name(): string {
    const { text, line } = this.#reader.expect('name');
    if (RESERVED.has(text)) throw this.#reader.error("can't assign to 'const'", line);
    return text;
  }

  #signature(): Signature {
    const reader = this.#reader;
    const parameters: string[] = [];
    const defaults: Expression[] = [];
    reader.expectOperator('(');
    while (!reader.isOperator(')')) {
      if (parameters.length > 0) reader.expectOperator(',');
      parameters.push(this.#name());
      if (reader.skipOperator('=')) defaults.push(this.#expressions.expression());
      else if (defaults.length > 0) throw reader.error('non-default argument follows default argument');
    }
    reader.expectOperator(')');
    return { parameters, defaults };
  }

  #target(endName?: string, mayBeMember = false): Target {
    const items: Target[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.#reader.expectOperator(',');
      if (this.#expressions.isTupleEnd(endName)) break;
      items.push(this.#singleTarget(mayBeMember));
      if (!this.#reader.isOperator(',')) break;
      isTuple = true;
    }
    const [only] = items;
    if (isTuple) return { kind: 'tuple', items };
    if (only === undefined) throw this.#reader.error(`Expected an expression, got '${this.#reader.describe()}'`);
    return only;
  }

  #singleTarget(mayBeMember: boolean): Target {
    const reader = this.#reader;
    if (reader.skipOperator('(')) {
      const inner = reader.nested(() => this.#target());
      reader.expectOperator(')');
      return inner;
    }
    const name = this.#name();
    if (!mayBeMember || !reader.skipOperator('.')) return { kind: 'name', name };
    return { kind: 'member', name, attribute: reader.expect('name').text };
  }
}

/** Tags by their first word; which is all of them. */
const STATEMENTS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['autoescape', (parser) => parser.autoescape()],
  ['block', (parser) => parser.block()],
  ['break', (parser) => parser.leave('break')],
  ['call', (parser) => parser.call()],
  ['continue', (parser) => parser.leave('continue')],
  ['extends', (parser) => parser.extends()],
  ['filter', (parser) => parser.filter()],
  ['for', (parser) => parser.for()],
  ['from', (parser) => parser.from()],
  ['generation', (parser) => parser.generation()],
  ['if', (parser) => parser.if()],
  ['import', (parser) => parser.import()],
  ['include', (parser) => parser.include()],
  ['macro', (parser) => parser.macro()],
  ['set', (parser) => parser.set()],
  ['with', (parser) => parser.with()],
]);
