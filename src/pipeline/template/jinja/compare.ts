/** `==`, `<` and `in` as Python has them. */
import type { Budget } from './budget.ts';
import { typeError } from './errors.ts';
import { listOf } from './sequence.ts';
import {
  DictView,
  PyDict,
  PyFloat,
  PyObject,
  PyRange,
  PyTuple,
  Undefined,
  isList,
  textOf,
  typeName,
} from './values.ts';
import type { Value } from './values.ts';

/** An int, float or bool as something that JavaScript compares rightly with others of its kind; undefined: no number. */
export function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof PyFloat ? value.value : undefined;
}

export function isEqual(left: Value, right: Value, budget: Budget): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length === right.length) budget.read(left.length);
    return left === right;
  }
  if (left === right || left === null || right === null) return left === right;
  const number = numberOf(left);
  // A bigint and a number are compared by what they are worth.
  // oxlint-disable-next-line eqeqeq
  if (number !== undefined) return number == numberOf(right);
  if (isList(left)) return isList(right) && areEqual(left, right, budget);
  if (left instanceof PyTuple) return right instanceof PyTuple && areEqual(left.items, right.items, budget);
  if (left instanceof PyDict) return right instanceof PyDict && dictsAreEqual(left, right, budget);
  if (left instanceof Undefined) return right instanceof Undefined;
  if (left instanceof PyRange) return right instanceof PyRange && areEqual(left.items(), right.items(), budget);
  const text = textOf(left);
  return text !== undefined && text === textOf(right);
}

function areEqual(left: readonly Value[], right: readonly Value[], budget: Budget): boolean {
  budget.spend(2);
  if (left.length !== right.length) return false;
  budget.nest();
  const areAll = left.every((item, index) => isSame(item, right[index] ?? null, budget));
  budget.unnest();
  return areAll;
}

const isSame = (left: Value, right: Value, budget: Budget): boolean => left === right || isEqual(left, right, budget);

function dictsAreEqual(left: PyDict, right: PyDict, budget: Budget): boolean {
  budget.items(left.size);
  if (left.size !== right.size) return false;
  budget.nest();
  const areAll = left.pairs().every(([key, value]) => {
    budget.spend(1);
    const other = right.get(key);
    return other !== undefined && isSame(value, other, budget);
  });
  budget.unnest();
  return areAll;
}

export type Order = '<' | '<=' | '>' | '>=';

export function isOrdered(order: Order, left: Value, right: Value, budget: Budget): boolean {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) return inOrder(order, a, b);
  const sign = compareSequences(left, right, budget);
  if (sign !== undefined) return inOrder(order, sign, 0);
  if (left instanceof Undefined) throw left.fail();
  if (right instanceof Undefined) throw right.fail();
  throw typeError(`'${order}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
}

function inOrder(order: Order, a: number | bigint, b: number | bigint): boolean {
  if (order === '<') return a < b;
  if (order === '<=') return a <= b;
  return order === '>' ? a > b : a >= b;
}

/** Below, above or at zero; undefined: they are not sequences of one kind. */
function compareSequences(left: Value, right: Value, budget: Budget): number | undefined {
  const text = textOf(left);
  const other = textOf(right);
  if (text !== undefined && other !== undefined) return compareText(text, other, budget);
  if (isList(left) && isList(right)) return compareItems(left, right, budget);
  if (left instanceof PyTuple && right instanceof PyTuple) return compareItems(left.items, right.items, budget);
  return undefined;
}

function compareItems(left: readonly Value[], right: readonly Value[], budget: Budget): number {
  budget.nest();
  const sign = signOf(left, right, budget);
  budget.unnest();
  return sign;
}

function signOf(left: readonly Value[], right: readonly Value[], budget: Budget): number {
  for (const [index, item] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    budget.spend(1);
    if (isSame(item, other, budget)) continue;
    return isOrdered('<', item, other, budget) ? -1 : 1;
  }
  return left.length - right.length;
}

/** By code points; UTF-16 units go wrong only where a surrogate meets a unit above the surrogates. */
function compareText(left: string, right: string, budget: Budget): number {
  budget.read(Math.min(left.length, right.length));
  if (left === right) return 0;
  if (!SURROGATE.test(left) && !SURROGATE.test(right)) return left < right ? -1 : 1;
  budget.scan(Math.min(left.length, right.length));
  let at = 0;
  while (at < left.length && at < right.length && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  return rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
}

const SURROGATE = /[\ud800-\udfff]/;

/** The end of a text comes first, surrogates last. */
function rank(unit: number): number {
  if (Number.isNaN(unit)) return -1;
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function contains(container: Value, item: Value, budget: Budget): boolean {
  const text = textOf(container);
  if (text !== undefined) {
    const part = textOf(item);
    if (part === undefined) throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    budget.scan(text.length);
    return text.includes(part);
  }
  if (container instanceof PyDict) return container.has(item);
  if (container instanceof DictView && container.typeName === 'dict_keys') return container.dict.has(item);
  if (container === null || !(container instanceof PyObject || isList(container)))
    throw typeError(`argument of type '${typeName(container)}' is not iterable`);
  return listOf(container, budget).some((other) => {
    budget.spend(1);
    return isSame(other, item, budget);
  });
}

/** A stable sort, as Python's; `key` is asked once per item. */
export function sortBy(
  items: readonly Value[],
  key: (item: Value) => Value,
  options: { readonly isReversed: boolean; readonly budget: Budget },
): Value[] {
  const { isReversed, budget } = options;
  budget.spend(items.length);
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // Reversed twice, so that equal items keep their order.
  if (isReversed) keyed.reverse();
  const less = (left: Value, right: Value): boolean => {
    budget.spend(1);
    return isOrdered('<', left, right, budget);
  };
  keyed.sort((a, b) => (less(a.key, b.key) ? -1 : Number(less(b.key, a.key))));
  if (isReversed) keyed.reverse();
  return keyed.map((entry) => entry.item);
}
