/** Jinja's tests: `x is name(…)`. */
import type { Budget } from './budget.ts';
import { contains, isEqual, isOrdered, numberOf } from './compare.ts';
import type { Order } from './compare.ts';
import { typeError } from './errors.ts';
import { operate } from './operators.ts';
import { str } from './print.ts';
import { tryLength, tryList } from './sequence.ts';
import { KINDS } from './text-case.ts';
import { Markup, PyDict, PyFloat, PyFunction, PyGenerator, PyObject, Undefined, isList, textOf } from './values.ts';
import type { Value } from './values.ts';

/** `others`: what stands behind the name. `names`: which filters and tests there are. */
export type Test = (value: Value, others: readonly Value[], context: TestContext) => boolean;

interface TestContext {
  readonly budget: Budget;
  readonly hasFilter: (name: string) => boolean;
}

function alone(name: string, test: (value: Value, budget: Budget) => boolean): [string, Test] {
  return [
    name,
    (value, others, { budget }) => {
      if (others.length > 0)
        throw typeError(`test_${name}() takes 1 positional argument but ${others.length + 1} were given`);
      return test(value, budget);
    },
  ];
}

function pair(
  names: readonly string[],
  test: (value: Value, other: Value, budget: Budget) => boolean,
): [string, Test][] {
  return names.map((name) => [
    name,
    (value, others, { budget }) => {
      const [other] = others;
      if (other === undefined || others.length > 1) throw typeError(`the test '${name}' takes one argument`);
      return test(value, other, budget);
    },
  ]);
}

const ordered = (order: Order) => (value: Value, other: Value, budget: Budget) =>
  isOrdered(order, value, other, budget);

function isRemainder(value: Value, divisor: Value, wanted: number, budget: Budget): boolean {
  return isEqual(operate('%', value, divisor, budget), wanted, budget);
}

const isInt = (value: Value): boolean => typeof value === 'number' || typeof value === 'bigint';

function isCase(name: 'islower' | 'isupper') {
  return (value: Value, budget: Budget): boolean => KINDS.get(name)?.(str(value, budget)) ?? false;
}

function isSequence(value: Value, budget: Budget): boolean {
  if (value instanceof PyObject && (value.typeName.startsWith('dict_') || value.typeName === 'LoopContext'))
    return false;
  return tryLength(value, budget) !== undefined;
}

/** Looks only; a generator is not used up by it. */
function isIterable(value: Value, budget: Budget): boolean {
  if (value instanceof PyGenerator || textOf(value) !== undefined || isList(value) || value instanceof PyDict)
    return true;
  if (value instanceof PyObject && value.typeName === 'LoopContext') return true;
  return tryList(value, budget) !== undefined;
}

/** The same object, of those that Python keeps one of. */
function isSame(value: Value, other: Value): boolean {
  return value === other;
}

export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  alone('odd', (value, budget) => isRemainder(value, 2, 1, budget)),
  alone('even', (value, budget) => isRemainder(value, 2, 0, budget)),
  ...pair(['divisibleby'], (value, divisor, budget) => isRemainder(value, divisor, 0, budget)),
  alone('defined', (value) => !(value instanceof Undefined)),
  alone('undefined', (value) => value instanceof Undefined),
  ['filter', (value, _others, { hasFilter }) => hasFilter(textOf(value) ?? '')],
  alone('test', (value) => TESTS.has(textOf(value) ?? '')),
  alone('none', (value) => value === null),
  alone('boolean', (value) => typeof value === 'boolean'),
  alone('false', (value) => value === false),
  alone('true', (value) => value === true),
  alone('integer', isInt),
  alone('float', (value) => value instanceof PyFloat),
  alone('lower', isCase('islower')),
  alone('upper', isCase('isupper')),
  alone('string', (value) => textOf(value) !== undefined),
  alone('mapping', (value) => value instanceof PyDict),
  alone('number', (value) => numberOf(value) !== undefined),
  alone('sequence', isSequence),
  alone('iterable', isIterable),
  alone('callable', (value) => value instanceof PyFunction || value instanceof Undefined),
  ...pair(['sameas'], isSame),
  alone('escaped', (value) => value instanceof Markup),
  ...pair(['in'], (value, container, budget) => contains(container, value, budget)),
  ...pair(['==', 'eq', 'equalto'], isEqual),
  ...pair(['!=', 'ne'], (value, other, budget) => !isEqual(value, other, budget)),
  ...pair(['>', 'gt', 'greaterthan'], ordered('>')),
  ...pair(['>=', 'ge'], ordered('>=')),
  ...pair(['<', 'lt', 'lessthan'], ordered('<')),
  ...pair(['<=', 'le'], ordered('<=')),
]);
