/** `+ - * / // % ** ~` on every kind of value. */
import type { Budget } from './budget.ts';
import { PythonError, typeError } from './errors.ts';
import { escapeText } from './markup.ts';
import { calculate, negate } from './numbers.ts';
import type { Arithmetic } from './numbers.ts';
import { formatPercent } from './percent.ts';
import { str } from './print.ts';
import { Markup, PyTuple, Undefined, isList, textOf, typeName } from './values.ts';
import type { Value } from './values.ts';

export function operate(operator: Arithmetic, left: Value, right: Value, budget: Budget): Value {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
    budget.fits(left.length + right.length);
    return left + right;
  }
  const number = calculate(operator, left, right);
  if (number !== undefined) return number;
  // A str takes whatever stands right of its %, an Undefined as well; everything else leaves the word to Undefined.
  const text = textOf(left);
  if (operator === '%' && text !== undefined) return formatted(left, text, right, budget);
  if (left instanceof Undefined) throw left.fail();
  if (right instanceof Undefined) throw right.fail();
  const sequence =
    operator === '+' ? added(left, right, budget) : operator === '*' ? repeated(left, right, budget) : undefined;
  if (sequence !== undefined) return sequence;
  if (operator === '+') throw notAdded(left, right);
  const name = operator === '**' ? '** or pow()' : operator;
  throw typeError(`unsupported operand type(s) for ${name}: '${typeName(left)}' and '${typeName(right)}'`);
}

function notAdded(left: Value, right: Value): PythonError {
  if (textOf(left) !== undefined) return typeError(`can only concatenate str (not "${typeName(right)}") to str`);
  if (isList(left)) return typeError(`can only concatenate list (not "${typeName(right)}") to list`);
  return typeError(`unsupported operand type(s) for +: '${typeName(left)}' and '${typeName(right)}'`);
}

function formatted(left: Value, text: string, right: Value, budget: Budget): Value {
  const result = formatPercent(text, right, budget);
  return left instanceof Markup ? new Markup(result) : result;
}

function added(left: Value, right: Value, budget: Budget): Value | undefined {
  if (left instanceof Markup || right instanceof Markup) {
    if (textOf(left) === undefined || textOf(right) === undefined) return undefined;
    return new Markup(escapeText(left, budget) + escapeText(right, budget));
  }
  if (isList(left) && isList(right)) {
    budget.items(left.length + right.length);
    return [...left, ...right];
  }
  if (!(left instanceof PyTuple && right instanceof PyTuple)) return undefined;
  budget.items(left.items.length + right.items.length);
  return new PyTuple([...left.items, ...right.items]);
}

function timesOf(value: Value): number | undefined {
  if (typeof value === 'bigint') throw new PythonError('OverflowError', "cannot fit 'int' into an index-sized integer");
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? Math.max(value, 0) : undefined;
}

function repeated(left: Value, right: Value, budget: Budget): Value | undefined {
  const [sequence, count] = typeof left === 'number' || typeof left === 'boolean' ? [right, left] : [left, right];
  const text = textOf(sequence);
  const items = isList(sequence) ? sequence : sequence instanceof PyTuple ? sequence.items : undefined;
  if (text === undefined && items === undefined) return undefined;
  const times = timesOf(count);
  if (times === undefined) throw typeError(`can't multiply sequence by non-int of type '${typeName(count)}'`);
  if (text !== undefined) {
    budget.write(text.length * times);
    return sequence instanceof Markup ? new Markup(text.repeat(times)) : text.repeat(times);
  }
  const list = repeatItems(items ?? [], times, budget);
  return sequence instanceof PyTuple ? new PyTuple(list) : list;
}

function repeatItems(items: readonly Value[], times: number, budget: Budget): readonly Value[] {
  budget.items(items.length * times + 4);
  const list: Value[] = [];
  for (let round = 0; items.length > 0 && round < times; round += 1) for (const item of items) list.push(item);
  return list;
}

/** `a ~ b`: all as texts; where escaping is off, it stays off here. */
export function concatenate(values: readonly Value[], budget: Budget): string {
  let text = '';
  for (const value of values) {
    text += typeof value === 'string' ? value : str(value, budget);
    budget.fits(text.length);
  }
  return text;
}

export function signed(operator: '+' | '-', value: Value): Value {
  if (value instanceof Undefined) throw value.fail();
  const negated = negate(value);
  if (negated === undefined) throw typeError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  if (operator === '-') return negated;
  return typeof value === 'boolean' ? Number(value) : value;
}
