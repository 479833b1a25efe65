/** Filters over lists, dicts and numbers. */
import { boolArgument, intArgument, textArgument } from './arguments.ts';
import type { Budget } from './budget.ts';
import { isEqual, isOrdered, numberOf, sortBy } from './compare.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { filter, renamed } from './filter.ts';
import type { Filter, Given } from './filter.ts';
import { getAttribute, getPath, pathOf } from './members.ts';
import { calculate, intOf, rounded, truncated } from './numbers.ts';
import { operate } from './operators.ts';
import { parseFloatText } from './parse-float.ts';
import { itemAt, lengthOf, listOf, sliceOf } from './sequence.ts';
import {
  DictView,
  GroupTuple,
  PyDict,
  PyFloat,
  PyGenerator,
  PyObject,
  PyTuple,
  Undefined,
  given,
  isList,
  isTrue,
  textOf,
  typeName,
} from './values.ts';
import type { Value } from './values.ts';

type Getter = (item: Value) => Value;

/** What of an item is looked at: itself or a path in it; texts without their case, unless it counts. */
export function getter(
  options: {
    readonly attribute: Value | undefined;
    readonly isCaseSensitive: boolean;
    readonly otherwise?: Value | undefined;
  },
  budget: Budget,
): Getter {
  const { attribute, isCaseSensitive, otherwise } = options;
  const path = attribute === undefined || attribute === null ? [] : pathOf(attribute);
  return (item) => {
    budget.spend(1);
    let value = getPath(item, path, budget);
    if (value instanceof Undefined && otherwise !== undefined && otherwise !== null) value = otherwise;
    const text = isCaseSensitive ? undefined : textOf(value);
    if (text === undefined) return value;
    budget.scan(text.length);
    return text.toLowerCase();
  };
}

/** Several paths at once, as `sort` takes them. */
function sortKey(attribute: Value | undefined, isCaseSensitive: boolean, budget: Budget): Getter {
  const text = attribute === undefined ? undefined : textOf(attribute);
  if (text === undefined || !text.includes(',')) return getter({ attribute, isCaseSensitive }, budget);
  const getters = text.split(',').map((part) => getter({ attribute: part, isCaseSensitive }, budget));
  return (item) => getters.map((get) => get(item));
}

function sort(value: Value, [reverse, caseSensitive, attribute]: Given, budget: Budget): Value {
  const key = sortKey(attribute, boolArgument(caseSensitive, false), budget);
  return sortBy(listOf(value, budget), key, { isReversed: boolArgument(reverse, false), budget });
}

function dictSort(value: Value, [caseSensitive, by, reverse]: Given, budget: Budget): Value {
  const order = textOf(by ?? 'key');
  if (order !== 'key' && order !== 'value')
    throw new PythonError('FilterArgumentError', 'You can only sort by either "key" or "value"');
  if (value instanceof Undefined) throw value.fail();
  if (!(value instanceof PyDict)) throw typeError(`'${typeName(value)}' object has no attribute 'items'`);
  const pairs = value.pairs().map((pair) => new PyTuple(pair));
  const key = getter(
    { attribute: order === 'key' ? 0 : 1, isCaseSensitive: boolArgument(caseSensitive, false) },
    budget,
  );
  return sortBy(pairs, key, { isReversed: boolArgument(reverse, false), budget });
}

function groupBy(value: Value, [attribute, otherwise, caseSensitive]: Given, budget: Budget): Value {
  const isCaseSensitive = boolArgument(caseSensitive, false);
  const key = getter({ attribute, isCaseSensitive, otherwise }, budget);
  const shown = getter({ attribute, isCaseSensitive: true, otherwise }, budget);
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sortBy(listOf(value, budget), key, { isReversed: false, budget })) {
    const found = key(item);
    const last = groups.at(-1);
    if (last !== undefined && isEqual(last.key, found, budget)) last.items.push(item);
    else groups.push({ key: found, items: [item] });
  }
  return groups.map(({ items }) => new GroupTuple([shown(items[0] ?? null), items]));
}

function unique(value: Value, [caseSensitive, attribute]: Given, budget: Budget): Value {
  const key = getter({ attribute, isCaseSensitive: boolArgument(caseSensitive, false) }, budget);
  return new PyGenerator(() => {
    const seen = new PyDict();
    return listOf(value, budget).filter((item) => {
      const found = key(item);
      if (seen.has(found)) return false;
      seen.set(found, null);
      return true;
    });
  });
}

function extreme(order: '<' | '>') {
  return (value: Value, [caseSensitive, attribute]: Given, budget: Budget): Value => {
    const key = getter({ attribute, isCaseSensitive: boolArgument(caseSensitive, false) }, budget);
    const items = listOf(value, budget);
    const [first] = items;
    if (first === undefined) return new Undefined(() => 'No aggregated item, sequence was empty.');
    let best = { item: first, key: key(first) };
    for (const item of items.slice(1)) {
      const found = key(item);
      if (isOrdered(order, found, best.key, budget)) best = { item, key: found };
    }
    return best.item;
  };
}

function first(value: Value, _given: Given, budget: Budget): Value {
  const item = value instanceof PyGenerator ? value.next() : given(itemAt(value, 0, budget), listOf(value, budget)[0]);
  return given(item, new Undefined(() => 'No first item, sequence was empty.'));
}

function last(value: Value, _given: Given, budget: Budget): Value {
  if (value instanceof PyGenerator) throw typeError(`'${typeName(value)}' object is not reversible`);
  const item = given(itemAt(value, -1, budget), listOf(value, budget).at(-1));
  return given(item, new Undefined(() => 'No last item, sequence was empty.'));
}

function reverse(value: Value, _given: Given, budget: Budget): Value {
  const text = textOf(value);
  if (text !== undefined) return sliceOf(value, { start: null, stop: null, step: -1 }, budget) ?? '';
  if (value === null || !(isList(value) || value instanceof PyObject))
    throw new PythonError('FilterArgumentError', 'argument must be iterable');
  if (value instanceof PyGenerator) return [...value.rest()].reverse();
  const items = listOf(value, budget);
  budget.items(items.length * 2);
  return new PyGenerator(() => [...items].reverse(), isList(value) ? 'list_reverseiterator' : 'reversed');
}

function batch(value: Value, [count, fill]: Given, budget: Budget): Value {
  const size = intArgument(count, 1);
  return new PyGenerator(() => {
    const rows: Value[][] = [];
    let row: Value[] = [];
    for (const item of listOf(value, budget)) {
      budget.spend(4);
      if (row.length === size) {
        rows.push(row);
        row = [];
      }
      row.push(item);
    }
    if (row.length === 0) return rows;
    const missing = fill === undefined || fill === null ? 0 : Math.max(size - row.length, 0);
    budget.items(missing * 4);
    for (let place = 0; place < missing; place += 1) row.push(fill ?? null);
    return [...rows, row];
  });
}

function slices(value: Value, [count, fill]: Given, budget: Budget): Value {
  const total = intArgument(count, 1);
  return new PyGenerator(() => {
    const items = listOf(value, budget);
    budget.items(items.length + Math.max(total, 0) * 4);
    if (total === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero');
    const size = Math.floor(items.length / total);
    const longer = items.length - size * total;
    const rows: Value[] = [];
    let at = 0;
    for (let row = 0; row < total; row += 1) {
      const end = at + size + (row < longer ? 1 : 0);
      const part = items.slice(at, end);
      const isFilled = fill !== undefined && fill !== null && row >= longer;
      rows.push(isFilled ? [...part, fill] : part);
      at = end;
    }
    return rows;
  });
}

function sum(value: Value, [attribute, start]: Given, budget: Budget): Value {
  const get =
    attribute === undefined || attribute === null ? undefined : getter({ attribute, isCaseSensitive: true }, budget);
  let total: Value = start ?? 0;
  if (textOf(total) !== undefined) throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
  for (const item of listOf(value, budget)) {
    budget.spend(1);
    total = operate('+', total, get === undefined ? item : get(item), budget);
  }
  return total;
}

const PREFIXES: Readonly<Record<number, string>> = { 2: 'b', 8: 'o', 16: 'x' };

function parseInteger(text: string, base: number): Value | undefined {
  const match = /^([-+]?)(?:0([box])_?)?([0-9a-z]+(?:_[0-9a-z]+)*)$/i.exec(text.trim());
  if (match === null || text.length > 4000) return undefined;
  const [, sign, letter, digits = ''] = match;
  const plain = digits.replaceAll('_', '').toLowerCase();
  if (letter !== undefined && letter.toLowerCase() !== PREFIXES[base]) return undefined;
  let value = 0n;
  for (const digit of plain) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= base) return undefined;
    value = value * BigInt(base) + BigInt(worth);
  }
  return intOf(sign === '-' ? -value : value);
}

function toInt(value: Value, [otherwise = 0, base]: Given): Value {
  const text = textOf(value);
  if (text !== undefined) {
    const whole = parseInteger(text, intArgument(base, 10));
    if (whole !== undefined) return whole;
    const float = parseFloatText(text);
    return float === undefined || !Number.isFinite(float) ? otherwise : truncated(float);
  }
  if (value instanceof Undefined) throw value.fail();
  const number = numberOf(value);
  if (number === undefined) return otherwise;
  if (!(value instanceof PyFloat)) return number;
  return Number.isFinite(value.value) ? truncated(value.value) : otherwise;
}

function toFloat(value: Value, [otherwise = new PyFloat(0)]: Given): Value {
  if (value instanceof Undefined) throw value.fail();
  const text = textOf(value);
  const number = text === undefined ? numberOf(value) : parseFloatText(text);
  return number === undefined ? otherwise : new PyFloat(Number(number));
}

function round(value: Value, [precision, method]: Given): Value {
  const how = textOf(method ?? 'common');
  if (how !== 'common' && how !== 'ceil' && how !== 'floor')
    throw new PythonError('FilterArgumentError', 'method must be common, ceil or floor');
  if (value instanceof Undefined) throw value.fail();
  const number = numberOf(value);
  if (number === undefined) throw typeError(`type ${typeName(value)} doesn't define __round__ method`);
  const digits = intArgument(precision, 0);
  if (how === 'common') {
    if (value instanceof PyFloat) return new PyFloat(rounded(value.value, digits));
    return digits >= 0 ? number : roundedInt(BigInt(number), digits);
  }
  const unit = 10 ** digits;
  const scaled = Number(number) * unit;
  return new PyFloat((how === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled)) / unit);
}

function roundedInt(value: bigint, digits: number): Value {
  if (digits < -400) return 0;
  const unit = 10n ** BigInt(-digits);
  const low = ((value % unit) + unit) % unit;
  const floor = value - low;
  const isUp = low * 2n > unit || (low * 2n === unit && (floor / unit) % 2n !== 0n);
  return intOf(isUp ? floor + unit : floor);
}

function absolute(value: Value): Value {
  if (value instanceof Undefined) throw value.fail();
  if (value instanceof PyFloat) return new PyFloat(Math.abs(value.value));
  const number = numberOf(value);
  if (number === undefined) throw typeError(`bad operand type for abs(): '${typeName(value)}'`);
  return number < 0 ? (calculate('-', 0, value) ?? 0) : number;
}

function items(value: Value, _given: Given): Value {
  return new PyGenerator(() => {
    if (value instanceof Undefined) return [];
    if (!(value instanceof PyDict)) throw typeError('Can only get item pairs from a mapping.');
    return new DictView('dict_items', value).items();
  });
}

function listFilter(value: Value, _given: Given, budget: Budget): Value {
  return listOf(value, budget);
}

function otherwise(value: Value, [fallback = '', isAlsoFalse]: Given): Value {
  const isMissing = value instanceof Undefined || (boolArgument(isAlsoFalse, false) && !isTrue(value));
  return isMissing ? fallback : value;
}

const lengthFilter = filter('length', [], (value, _given, budget) => lengthOf(value, budget));
const defaultFilter = filter('default', ['default_value', 'boolean'], otherwise);

export const LIST_FILTERS: readonly [string, Filter][] = [
  filter('abs', [], absolute),
  filter('attr', ['name!'], (value, [name], budget) => attribute(value, textArgument(name, ''), budget)),
  filter('batch', ['linecount!', 'fill_with'], batch),
  renamed(lengthFilter, 'count'),
  defaultFilter,
  renamed(defaultFilter, 'd'),
  filter('dictsort', ['case_sensitive', 'by', 'reverse'], dictSort),
  filter('first', [], first),
  filter('float', ['default'], toFloat),
  filter('groupby', ['attribute!', 'default', 'case_sensitive'], groupBy),
  filter('int', ['default', 'base'], toInt),
  filter('items', [], items),
  filter('last', [], last),
  lengthFilter,
  filter('list', [], listFilter),
  filter('max', ['case_sensitive', 'attribute'], extreme('>')),
  filter('min', ['case_sensitive', 'attribute'], extreme('<')),
  filter('random', [], () => {
    throw valueError('random is not supported in templates');
  }),
  filter('reverse', [], reverse),
  filter('round', ['precision', 'method'], round),
  filter('slice', ['slices!', 'fill_with'], slices),
  filter('sort', ['reverse', 'case_sensitive', 'attribute'], sort),
  filter('sum', ['attribute', 'start'], sum),
  filter('unique', ['case_sensitive', 'attribute'], unique),
];

/** The attribute alone, never an item. */
function attribute(value: Value, name: string, budget: Budget): Value {
  const isEntry = value instanceof PyDict && value.has(name);
  return isEntry ? getAttribute(new PyDict(), name, budget) : getAttribute(value, name, budget);
}
