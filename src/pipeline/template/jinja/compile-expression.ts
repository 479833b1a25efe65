/** Expressions to closures. Names are places in frames already, so that nothing is looked up by text at run time. */
import type { Arguments, Expression, FilterExpression } from './ast.ts';
import { contains, isEqual, isOrdered } from './compare.ts';
import { TemplateSyntaxError, typeError } from './errors.ts';
import type { Filter } from './filter.ts';
import { FILTERS, runTest } from './filters.ts';
import { DICT_METHODS, PySlice, TEXT_METHODS, getAttribute, getItem, isDictAttribute } from './members.ts';
import { concatenate, operate, signed } from './operators.ts';
import { callValue, runtimeError } from './runtime.ts';
import type { Evaluate, Frame } from './runtime.ts';
import type { BlockScope } from './scope.ts';
import { listOf, sliceOf } from './sequence.ts';
import { TESTS } from './tests.ts';
import {
  PyDict,
  PyTuple,
  Undefined,
  given,
  isTrue,
  textOf,
  typeName,
  undefinedMember,
  undefinedName,
} from './values.ts';
import type { Keywords, Value } from './values.ts';

/** Where an expression stands: `isSoft` inside of a condition, where unknown filters fail only when they are come to. */
export interface Site {
  readonly scope: BlockScope;
  readonly isSoft: boolean;
}

type Positional = (frame: Frame) => readonly Value[];
type Named = (frame: Frame) => Keywords | undefined;

export class ExpressionCompiler {
  /** Nodes compiled so far; what an expression costs is told by it. */
  nodes = 0;

  compile(expression: Expression, site: Site): Evaluate {
    this.nodes += 1;
    switch (expression.kind) {
      case 'constant': {
        const { value } = expression;
        return () => value;
      }
      case 'name':
        return readName(expression.name, site.scope);
      case 'list': {
        const items = this.#all(expression.items, site);
        return (frame) => items.map((item) => item(frame));
      }
      case 'tuple': {
        const items = this.#all(expression.items, site);
        return (frame) => new PyTuple(items.map((item) => item(frame)));
      }
      case 'dict':
        return this.#dict(expression.pairs, site);
      case 'unary': {
        const { operator } = expression;
        const operand = this.compile(expression.operand, site);
        return (frame) => signed(operator, operand(frame));
      }
      case 'not': {
        const operand = this.compile(expression.operand, site);
        return (frame) => !isTrue(operand(frame));
      }
      case 'binary': {
        const { operator } = expression;
        const left = this.compile(expression.left, site);
        const right = this.compile(expression.right, site);
        return (frame) => operate(operator, left(frame), right(frame), frame.run);
      }
      case 'and':
      case 'or':
        return this.#logic(expression, site);
      case 'concat': {
        const items = this.#all(expression.items, site);
        return (frame) =>
          concatenate(
            items.map((item) => item(frame)),
            frame.run,
          );
      }
      case 'compare':
        return this.#compare(expression, site);
      case 'condition':
        return this.#condition(expression, site);
      case 'attribute':
        return this.#attribute(expression, site);
      case 'item':
        return this.#item(expression, site);
      case 'slice': {
        const [start, stop, step] = [expression.start, expression.stop, expression.step].map((part) =>
          this.#optional(part, site),
        );
        return (frame) => new PySlice(start?.(frame) ?? null, stop?.(frame) ?? null, step?.(frame) ?? null);
      }
      case 'call':
        return this.#call(expression, site);
      case 'filter':
        return this.#filter(expression, site);
      case 'test':
        return this.#test(expression, site);
    }
  }

  #optional(expression: Expression | undefined, site: Site): Evaluate | undefined {
    return expression === undefined ? undefined : this.compile(expression, site);
  }

  #all(expressions: readonly Expression[], site: Site): Evaluate[] {
    return expressions.map((expression) => this.compile(expression, site));
  }

  #dict(pairs: readonly (readonly [Expression, Expression])[], site: Site): Evaluate {
    const compiled = pairs.map(([key, value]) => [this.compile(key, site), this.compile(value, site)] as const);
    return (frame) => PyDict.of(compiled.map(([key, value]) => [key(frame), value(frame)] as const));
  }

  #logic(expression: Extract<Expression, { kind: 'and' | 'or' }>, site: Site): Evaluate {
    const left = this.compile(expression.left, site);
    const right = this.compile(expression.right, site);
    const isAnd = expression.kind === 'and';
    return (frame) => {
      const value = left(frame);
      return isTrue(value) === isAnd ? right(frame) : value;
    };
  }

  #compare(expression: Extract<Expression, { kind: 'compare' }>, site: Site): Evaluate {
    const left = this.compile(expression.left, site);
    const links = expression.links.map(({ operator, right }) => ({
      holds: LINKS[operator],
      right: this.compile(right, site),
    }));
    const [only] = links;
    if (only !== undefined && links.length === 1) {
      const { holds, right } = only;
      return (frame) => holds(left(frame), right(frame), frame);
    }
    return (frame) => {
      let value = left(frame);
      return links.every(({ holds, right }) => {
        const before = value;
        value = right(frame);
        return holds(before, value, frame);
      });
    };
  }

  #condition(expression: Extract<Expression, { kind: 'condition' }>, site: Site): Evaluate {
    const soft = { ...site, isSoft: true };
    const test = this.compile(expression.test, soft);
    const yes = this.compile(expression.yes, soft);
    const no = this.#optional(expression.no, soft);
    if (no !== undefined) return (frame) => (isTrue(test(frame)) ? yes(frame) : no(frame));
    const nothing = new Undefined(() => 'the inline if-expression evaluated to false and no else section was defined.');
    return (frame) => (isTrue(test(frame)) ? yes(frame) : nothing);
  }

  #attribute(expression: Extract<Expression, { kind: 'attribute' }>, site: Site): Evaluate {
    const { name } = expression;
    const owner = this.compile(expression.owner, site);
    const isEntry = !isDictAttribute(name) && !name.startsWith('__');
    return (frame) => {
      const value = owner(frame);
      if (!isEntry || !(value instanceof PyDict)) return getAttribute(value, name, frame.run);
      const entry = value.getText(name);
      return entry === undefined ? undefinedMember(value, name) : entry;
    };
  }

  #item(expression: Extract<Expression, { kind: 'item' }>, site: Site): Evaluate {
    const owner = this.compile(expression.owner, site);
    const key = this.compile(expression.key, site);
    if (expression.key.kind === 'slice') return (frame) => sliced(owner(frame), key(frame), frame);
    return (frame) => {
      const value = owner(frame);
      const name = key(frame);
      if (typeof name === 'string' && value instanceof PyDict) {
        const entry = value.get(name);
        if (entry !== undefined) return entry;
      }
      return getItem(value, name, frame.run);
    };
  }

  arguments(args: Arguments, site: Site): { positional: Positional; named: Named } {
    const items = this.#all(args.positional, site);
    const named = args.named.map(([name, value]) => [name, this.compile(value, site)] as const);
    const spread = this.#optional(args.spread, site);
    const spreadNamed = this.#optional(args.spreadNamed, site);
    const positional: Positional =
      spread === undefined
        ? positionalOf(items)
        : (frame) => [...items.map((item) => item(frame)), ...listOf(spread(frame), frame.run)];
    if (named.length === 0 && spreadNamed === undefined) return { positional, named: () => undefined };
    return {
      positional,
      named: (frame) => {
        const keywords = new Map(named.map(([name, value]) => [name, value(frame)] as const));
        if (spreadNamed !== undefined) addKeywords(keywords, spreadNamed(frame));
        return keywords;
      },
    };
  }

  #call(expression: Extract<Expression, { kind: 'call' }>, site: Site): Evaluate {
    const { positional, named } = this.arguments(expression.args, site);
    if (expression.callee.kind === 'attribute') return this.#method(expression.callee, site, { positional, named });
    const callee = this.compile(expression.callee, site);
    return (frame) => callValue(callee(frame), frame.run, positional(frame), named(frame));
  }

  /** A call of a method goes to it directly; no function is bound for it. */
  #method(
    callee: Extract<Expression, { kind: 'attribute' }>,
    site: Site,
    args: { readonly positional: Positional; readonly named: Named },
  ): Evaluate {
    const { name } = callee;
    const { positional, named } = args;
    const owner = this.compile(callee.owner, site);
    const ofText = TEXT_METHODS.get(name);
    const ofDict = DICT_METHODS.get(name);
    return (frame) => {
      const value = owner(frame);
      const { run } = frame;
      if (ofText !== undefined && typeof value === 'string') {
        run.spend(1);
        return ofText(value, { args: positional(frame), keywords: named(frame), budget: run });
      }
      if (ofDict !== undefined && value instanceof PyDict) {
        run.spend(1);
        return ofDict(value, positional(frame), named(frame));
      }
      const found = getAttribute(value, name, run);
      return callValue(found, run, positional(frame), named(frame));
    };
  }

  #filter(expression: FilterExpression, site: Site): Evaluate {
    if (expression.input === undefined) throw new TemplateSyntaxError('a filter without an input', expression.line);
    return this.filter(expression, this.compile(expression.input, site), site);
  }

  /** A filter on an input that is compiled already. */
  filter(expression: FilterExpression, input: Evaluate, site: Site): Evaluate {
    const { name, line } = expression;
    const run = FILTERS.get(name) ?? this.#unknown(`No filter named '${name}'`, line, site);
    const { positional, named } = this.arguments(expression.args, site);
    return (frame) => {
      frame.run.spend(1);
      return run(frame.run, input(frame), positional(frame), named(frame));
    };
  }

  /** Filters of a block: the innermost takes the block's text. */
  blockFilter(expression: FilterExpression, input: Evaluate, site: Site): Evaluate {
    const inner = expression.input;
    if (inner === undefined) return this.filter(expression, input, site);
    return inner.kind === 'filter' ? this.filter(expression, this.blockFilter(inner, input, site), site) : input;
  }

  #unknown(message: string, line: number, site: Site): Filter {
    if (!site.isSoft) throw new TemplateSyntaxError(`${message}.`, line);
    return () => {
      throw runtimeError(`${message} found.`);
    };
  }

  #test(expression: Extract<Expression, { kind: 'test' }>, site: Site): Evaluate {
    const { name, line } = expression;
    if (!TESTS.has(name)) this.#unknown(`No test named '${name}'`, line, site);
    const input = this.compile(expression.input, site);
    if (name === 'defined') return (frame) => !(input(frame) instanceof Undefined);
    if (name === 'none') return (frame) => input(frame) === null;
    if (name === 'string') return (frame) => textOf(input(frame)) !== undefined;
    const { positional, named } = this.arguments(expression.args, site);
    return (frame) => {
      const value = input(frame);
      return runTest(frame.run, name, [value, [...positional(frame), ...(named(frame)?.values() ?? [])]]);
    };
  }
}

function readName(name: string, scope: BlockScope): Evaluate {
  const { depth, slot } = scope.find(name);
  const missing = undefinedName(name);
  if (depth === 0) return (frame) => given(frame.slots[slot], missing);
  return (frame) => given(frameAt(frame, depth).slots[slot], missing);
}

export function frameAt(frame: Frame, depth: number): Frame {
  let found = frame;
  for (let level = 0; level < depth; level += 1) found = found.parent ?? found;
  return found;
}

const NOTHING: readonly Value[] = [];

function positionalOf(items: readonly Evaluate[]): Positional {
  const [first, second] = items;
  if (first === undefined) return () => NOTHING;
  if (second === undefined) return (frame) => [first(frame)];
  return (frame) => items.map((item) => item(frame));
}

function addKeywords(keywords: Map<string, Value>, more: Value): void {
  if (!(more instanceof PyDict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
  for (const [key, value] of more.pairs()) {
    const name = textOf(key);
    if (name === undefined) throw typeError('keywords must be strings');
    if (keywords.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`);
    keywords.set(name, value);
  }
}

function sliced(owner: Value, slice: Value, frame: Frame): Value {
  if (owner instanceof Undefined) throw owner.fail();
  const found = slice instanceof PySlice ? sliceOf(owner, slice, frame.run) : undefined;
  if (found === undefined) throw typeError(`'${typeName(owner)}' object is not subscriptable`);
  return found;
}

type Link = (left: Value, right: Value, frame: Frame) => boolean;

const LINKS: Readonly<Record<'==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in', Link>> = {
  '==': (left, right, frame) => isEqual(left, right, frame.run),
  '!=': (left, right, frame) => !isEqual(left, right, frame.run),
  '<': (left, right, frame) => isOrdered('<', left, right, frame.run),
  '<=': (left, right, frame) => isOrdered('<=', left, right, frame.run),
  '>': (left, right, frame) => isOrdered('>', left, right, frame.run),
  '>=': (left, right, frame) => isOrdered('>=', left, right, frame.run),
  in: (left, right, frame) => contains(right, left, frame.run),
  'not in': (left, right, frame) => !contains(right, left, frame.run),
};
