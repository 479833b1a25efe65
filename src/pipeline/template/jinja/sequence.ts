/** Going through values, their lengths, places and slices. Texts count in code points, as Python's do. */
import type { Budget } from './budget.ts';
import { typeError, valueError } from './errors.ts';
import {
  DictView,
  Markup,
  PyDict,
  PyGenerator,
  PyObject,
  PyRange,
  PyTuple,
  Undefined,
  isList,
  textOf,
  typeName,
} from './values.ts';
import type { Value } from './values.ts';

const SURROGATE = /[\ud800-\udfff]/;

/** Its code points; undefined: they are its units, one by one. */
export function codePoints(text: string, budget: Budget): readonly string[] | undefined {
  budget.read(text.length * 4);
  if (!SURROGATE.test(text)) return undefined;
  budget.walk(text.length);
  return Array.from(text);
}

export function textLength(text: string, budget: Budget): number {
  return text.length < 2 ? text.length : (codePoints(text, budget)?.length ?? text.length);
}

/** All that iterating gives; undefined: it cannot be iterated over. A generator is at its end afterwards. */
export function tryList(value: Value, budget: Budget): readonly Value[] | undefined {
  if (isList(value)) return value;
  const text = textOf(value);
  if (text !== undefined) {
    budget.spend(text.length >> 1);
    return Array.from(text);
  }
  if (value === null || !(value instanceof PyObject)) return undefined;
  if (value instanceof PyTuple) return value.items;
  if (value instanceof PyDict) return charged(value.keys(), budget);
  if (value instanceof DictView) return charged(value.items(), budget);
  if (value instanceof PyGenerator) return value.rest();
  if (value instanceof Undefined) return [];
  return value instanceof PyRange ? charged(value.items(), budget) : undefined;
}

function charged(items: readonly Value[], budget: Budget): readonly Value[] {
  budget.items(items.length);
  return items;
}

export function listOf(value: Value, budget: Budget): readonly Value[] {
  const list = tryList(value, budget);
  if (list === undefined) throw typeError(`'${typeName(value)}' object is not iterable`);
  return list;
}

/** As `len()`; undefined: it has none. */
export function tryLength(value: Value, budget: Budget): number | undefined {
  if (isList(value)) return value.length;
  const text = textOf(value);
  if (text !== undefined) return textLength(text, budget);
  if (value instanceof PyDict) return value.size;
  if (value instanceof PyTuple) return value.items.length;
  if (value instanceof PyRange) return value.length;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Undefined) return 0;
  const own =
    value instanceof PyObject && value.typeName === 'LoopContext' ? value.attribute('length', budget) : undefined;
  return typeof own === 'number' ? own : undefined;
}

export function lengthOf(value: Value, budget: Budget): number {
  const length = tryLength(value, budget);
  if (length === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`);
  return length;
}

/** `value[index]` of a sequence; undefined: there is no such place, or it is no sequence. */
export function itemAt(value: Value, index: number, budget: Budget): Value | undefined {
  if (isList(value)) return value[index < 0 ? value.length + index : index];
  if (value instanceof PyTuple) return value.items[index < 0 ? value.items.length + index : index];
  if (value instanceof PyRange) {
    const at = index < 0 ? value.length + index : index;
    return at >= 0 && at < value.length ? value.start + at * value.step : undefined;
  }
  const text = textOf(value);
  if (text === undefined) return undefined;
  const characters = codePoints(text, budget) ?? text;
  return characters[index < 0 ? characters.length + index : index];
}

interface Slice {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;
}

function bound(value: Value): number | undefined {
  if (value === null) return undefined;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint') return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  throw typeError('slice indices must be integers or None or have an __index__ method');
}

/** First place, end and step, cut to a length as Python does. */
function placesOf(slice: Slice, length: number): { start: number; stop: number; step: number } {
  const step = bound(slice.step) ?? 1;
  if (step === 0) throw valueError('slice step cannot be zero');
  const lowest = step < 0 ? -1 : 0;
  const highest = step < 0 ? length - 1 : length;
  const cut = (value: number | undefined, missing: number): number => {
    if (value === undefined) return missing;
    return value < 0 ? Math.max(value + length, lowest) : Math.min(value, highest);
  };
  return {
    start: cut(bound(slice.start), step < 0 ? highest : lowest),
    stop: cut(bound(slice.stop), step < 0 ? lowest : highest),
    step,
  };
}

function pick<T>(items: ArrayLike<T>, slice: Slice): T[] {
  const { start, stop, step } = placesOf(slice, items.length);
  const picked: T[] = [];
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) {
    const item = items[at];
    if (item !== undefined) picked.push(item);
  }
  return picked;
}

/** `value[start:stop:step]`; undefined: it cannot be sliced. */
export function sliceOf(value: Value, slice: Slice, budget: Budget): Value | undefined {
  if (isList(value)) return pickItems(value, slice, budget);
  if (value instanceof PyTuple) return new PyTuple(pickItems(value.items, slice, budget));
  if (value instanceof PyRange) return sliceRange(value, slice);
  if (value instanceof Markup) return new Markup(sliceText(value.text, slice, budget));
  return typeof value === 'string' ? sliceText(value, slice, budget) : undefined;
}

function pickItems(items: readonly Value[], slice: Slice, budget: Budget): readonly Value[] {
  budget.items(items.length);
  return pick(items, slice);
}

function sliceRange(range: PyRange, slice: Slice): PyRange {
  const { start, stop, step } = placesOf(slice, range.length);
  return new PyRange(range.start + start * range.step, range.start + stop * range.step, range.step * step);
}

function sliceText(text: string, slice: Slice, budget: Budget): string {
  const characters = codePoints(text, budget);
  const { start, stop, step } = placesOf(slice, characters?.length ?? text.length);
  if (step === 1)
    return characters === undefined ? text.slice(start, Math.max(start, stop)) : characters.slice(start, stop).join('');
  budget.walk(text.length);
  return pick(characters ?? text, slice).join('');
}
