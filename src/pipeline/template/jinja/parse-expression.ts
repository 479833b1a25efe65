/** Jinja's expressions, from the loosest binding to the tightest. */
import type { Arguments, Comparison, Expression, FilterExpression } from './ast.ts';
import { intOf } from './numbers.ts';
import type { Arithmetic } from './numbers.ts';
import type { TokenReader } from './token-reader.ts';
import { PyFloat } from './values.ts';
import type { Value } from './values.ts';

export const NO_ARGUMENTS: Arguments = { positional: [], named: [], spread: undefined, spreadNamed: undefined };

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const CONSTANTS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

interface TupleForm {
  readonly hasCondition?: boolean;
  /** The name that ends it, beside the ends of tags and brackets. */
  readonly endName?: string;
  readonly isParenthesized?: boolean;
}

export class ExpressionParser {
  readonly #reader: TokenReader;

  constructor(reader: TokenReader) {
    this.#reader = reader;
  }

  expression(hasCondition = true): Expression {
    return this.#reader.nested(() => (hasCondition ? this.#condition() : this.#or()));
  }

  /** An expression, or several with commas between them. */
  tuple(form: TupleForm = {}): Expression {
    const reader = this.#reader;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) reader.expectOperator(',');
      if (this.isTupleEnd(form.endName)) break;
      items.push(this.expression(form.hasCondition ?? true));
      if (!reader.isOperator(',')) break;
      isTuple = true;
    }
    const [only] = items;
    if (!isTuple && only !== undefined) return only;
    if (!isTuple && form.isParenthesized !== true)
      throw reader.error(`Expected an expression, got '${reader.describe()}'`);
    return { kind: 'tuple', items };
  }

  isTupleEnd(endName: string | undefined): boolean {
    const reader = this.#reader;
    if (reader.is('variable_end') || reader.is('block_end') || reader.isOperator(')')) return true;
    return endName !== undefined && reader.isName(endName);
  }

  #condition(): Expression {
    let value = this.#or();
    while (this.#reader.skipName('if')) {
      const test = this.#or();
      const no = this.#reader.skipName('else') ? this.#reader.nested(() => this.#condition()) : undefined;
      value = { kind: 'condition', test, yes: value, no };
    }
    return value;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#reader.skipName('or')) left = { kind: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#reader.skipName('and')) left = { kind: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (!this.#reader.skipName('not')) return this.#compare();
    return { kind: 'not', operand: this.#reader.nested(() => this.#not()) };
  }

  #compare(): Expression {
    const left = this.#sum();
    const links: { operator: Comparison; right: Expression }[] = [];
    for (let operator = this.#comparison(); operator !== undefined; operator = this.#comparison())
      links.push({ operator, right: this.#sum() });
    return links.length === 0 ? left : { kind: 'compare', left, links };
  }

  #comparison(): Comparison | undefined {
    const reader = this.#reader;
    const { kind, text } = reader.current;
    if (kind === 'operator' && COMPARISONS.has(text)) return reader.next().text as Comparison;
    if (reader.skipName('in')) return 'in';
    if (!reader.isName('not') || reader.following.kind !== 'name' || reader.following.text !== 'in') return undefined;
    reader.next();
    reader.next();
    return 'not in';
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const first = this.#product();
    const items = [first];
    while (this.#reader.skipOperator('~')) items.push(this.#product());
    return items.length === 1 ? first : { kind: 'concat', items };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#power());
  }

  #power(): Expression {
    return this.#binary(['**'], () => this.#unary(true));
  }

  #binary(operators: readonly Arithmetic[], operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const operator = operators.find((text) => this.#reader.isOperator(text));
      if (operator === undefined) return left;
      this.#reader.next();
      left = { kind: 'binary', operator, left, right: operand() };
    }
  }

  #unary(mayFilter: boolean): Expression {
    const reader = this.#reader;
    let node: Expression;
    if (reader.isOperator('-') || reader.isOperator('+')) {
      const operator = reader.next().text === '-' ? '-' : '+';
      node = { kind: 'unary', operator, operand: reader.nested(() => this.#unary(false)) };
    } else node = this.#primary();
    node = this.#postfix(node);
    return mayFilter ? this.#filters(node) : node;
  }

  #primary(): Expression {
    const reader = this.#reader;
    const token = reader.current;
    if (token.kind === 'name') return this.#name();
    if (token.kind === 'string') return { kind: 'constant', value: this.#strings() };
    if (token.kind === 'integer' || token.kind === 'float') return { kind: 'constant', value: this.#number() };
    if (reader.skipOperator('(')) {
      const inner = this.tuple({ isParenthesized: true });
      reader.expectOperator(')');
      return inner;
    }
    if (reader.skipOperator('[')) return { kind: 'list', items: this.#items(']') };
    if (reader.skipOperator('{')) return this.#dict();
    throw reader.error(`unexpected '${reader.describe()}'`);
  }

  #name(): Expression {
    const name = this.#reader.next().text;
    const value = CONSTANTS.get(name);
    return value === undefined ? { kind: 'name', name } : { kind: 'constant', value };
  }

  #strings(): string {
    let text = '';
    while (this.#reader.is('string')) text += this.#reader.next().text;
    return text;
  }

  #number(): Value {
    const token = this.#reader.next();
    const text = token.text.replaceAll('_', '').toLowerCase();
    return token.kind === 'float' ? new PyFloat(Number(text)) : intOf(BigInt(text));
  }

  #items(end: string): Expression[] {
    const items: Expression[] = [];
    while (!this.#reader.isOperator(end)) {
      if (items.length > 0) this.#reader.expectOperator(',');
      if (this.#reader.isOperator(end)) break;
      items.push(this.expression());
    }
    this.#reader.expectOperator(end);
    return items;
  }

  #dict(): Expression {
    const reader = this.#reader;
    const pairs: [Expression, Expression][] = [];
    while (!reader.isOperator('}')) {
      if (pairs.length > 0) reader.expectOperator(',');
      if (reader.isOperator('}')) break;
      const key = this.expression();
      reader.expectOperator(':');
      pairs.push([key, this.expression()]);
    }
    reader.expectOperator('}');
    return { kind: 'dict', pairs };
  }

  #postfix(start: Expression): Expression {
    const reader = this.#reader;
    let node = start;
    for (;;) {
      if (reader.skipOperator('.')) node = this.#member(node);
      else if (reader.skipOperator('[')) node = { kind: 'item', owner: node, key: this.#subscript() };
      else if (reader.isOperator('(')) node = { kind: 'call', callee: node, args: this.arguments() };
      else return node;
    }
  }

  #member(owner: Expression): Expression {
    const token = this.#reader.current;
    if (token.kind === 'name') return { kind: 'attribute', owner, name: this.#reader.next().text };
    if (token.kind !== 'integer') throw this.#reader.error('expected name or number');
    return { kind: 'item', owner, key: { kind: 'constant', value: this.#number() } };
  }

  #subscript(): Expression {
    const items: Expression[] = [];
    while (!this.#reader.isOperator(']')) {
      if (items.length > 0) this.#reader.expectOperator(',');
      items.push(this.#subscribed());
    }
    this.#reader.expectOperator(']');
    const [only] = items;
    return only !== undefined && items.length === 1 ? only : { kind: 'tuple', items };
  }

  #subscribed(): Expression {
    const reader = this.#reader;
    const part = (): Expression | undefined =>
      [':', ']', ','].some((end) => reader.isOperator(end)) ? undefined : this.expression();
    const start = part();
    if (!reader.skipOperator(':')) return start ?? this.expression();
    const stop = part();
    const step = reader.skipOperator(':') ? part() : undefined;
    return { kind: 'slice', start, stop, step };
  }

  #filters(start: Expression): Expression {
    const reader = this.#reader;
    let node = start;
    for (;;) {
      if (reader.skipOperator('|')) node = this.#filter(node);
      else if (reader.isName('is')) node = this.#test(node);
      else if (reader.isOperator('(')) node = { kind: 'call', callee: node, args: this.arguments() };
      else return node;
    }
  }

  #dotted(): string {
    let name = this.#reader.expect('name').text;
    while (this.#reader.skipOperator('.')) name += `.${this.#reader.expect('name').text}`;
    return name;
  }

  #filter(input: Expression | undefined): FilterExpression {
    const { line } = this.#reader.current;
    const name = this.#dotted();
    const args = this.#reader.isOperator('(') ? this.arguments() : NO_ARGUMENTS;
    return { kind: 'filter', name, input, args, line };
  }

  /** Filters of a block, whose first input is the block's text; undefined: there are none. */
  blockFilters(isStarted: boolean): FilterExpression | undefined {
    let node = isStarted ? this.#filter(undefined) : undefined;
    while (this.#reader.skipOperator('|')) node = this.#filter(node);
    return node;
  }

  #test(input: Expression): Expression {
    const reader = this.#reader;
    const { line } = reader.next();
    const isNegated = reader.skipName('not');
    const name = this.#dotted();
    let args = NO_ARGUMENTS;
    if (reader.isOperator('(')) args = this.arguments();
    else if (this.#beginsArgument()) {
      if (reader.isName('is')) throw reader.error('You cannot chain multiple tests with is');
      args = { ...NO_ARGUMENTS, positional: [this.#postfix(this.#primary())] };
    }
    const test: Expression = { kind: 'test', name, input, args, line };
    return isNegated ? { kind: 'not', operand: test } : test;
  }

  #beginsArgument(): boolean {
    const { kind, text } = this.#reader.current;
    if (kind === 'name') return text !== 'else' && text !== 'or' && text !== 'and';
    if (kind === 'operator') return text === '[' || text === '{';
    return kind === 'string' || kind === 'integer' || kind === 'float';
  }

  arguments(): Arguments {
    const reader = this.#reader;
    const { line } = reader.current;
    reader.expectOperator('(');
    const positional: Expression[] = [];
    const named: [string, Expression][] = [];
    let spread: Expression | undefined;
    let spreadNamed: Expression | undefined;
    const ensure = (isGood: boolean): void => {
      if (!isGood) throw reader.error('invalid syntax for function call expression', line);
    };
    for (let isFirst = true; !reader.isOperator(')'); isFirst = false) {
      if (!isFirst) reader.expectOperator(',');
      if (reader.isOperator(')')) break;
      ensure(spreadNamed === undefined);
      if (reader.skipOperator('**')) spreadNamed = this.expression();
      else if (reader.is('name') && reader.following.kind === 'operator' && reader.following.text === '=') {
        const name = reader.next().text;
        reader.next();
        named.push([name, this.expression()]);
      } else {
        ensure(spread === undefined);
        if (reader.skipOperator('*')) spread = this.expression();
        else {
          ensure(named.length === 0);
          positional.push(this.expression());
        }
      }
    }
    reader.expectOperator(')');
    return { positional, named, spread, spreadNamed };
  }
}
