/**
 * `x.name` and `x[key]`: attribute first or item first, under the sandbox: names that begin with an underscore and
 * methods that change a list or a dict give an Undefined that raises SecurityError when it is used.
 */
import { Parameters, intArgument } from './arguments.ts';
import type { Budget } from './budget.ts';
import { isEqual } from './compare.ts';
import { typeError, valueError } from './errors.ts';
import { formatText } from './format.ts';
import { itemAt, sliceOf } from './sequence.ts';
import { PLAIN_TEXT_METHODS } from './text-methods.ts';
import type { TextMethod } from './text-methods.ts';
import {
  DictView,
  Markup,
  PyDict,
  PyFloat,
  PyFunction,
  PyObject,
  PyRange,
  PyTuple,
  Undefined,
  isList,
  textOf,
  typeName,
  given,
  undefinedMember,
} from './values.ts';
import type { Keywords, Value } from './values.ts';

/** The slice of `x[a:b:c]`, which is a key like any other until it meets its owner. */
export class PySlice extends PyObject {
  readonly typeName = 'slice';
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;

  constructor(start: Value, stop: Value, step: Value) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

export type DictMethod = (dict: PyDict, args: readonly Value[], keywords: Keywords | undefined) => Value;

function dictMethod(
  name: string,
  parameters: readonly string[],
  run: (dict: PyDict, args: readonly (Value | undefined)[]) => Value,
): [string, DictMethod] {
  const bound = new Parameters(name, parameters);
  return [
    name,
    (dict, args, keywords) => {
      if (keywords !== undefined && keywords.size > 0) throw typeError(`dict.${name}() takes no keyword arguments`);
      return run(dict, bound.bind(args, undefined));
    },
  ];
}

export const DICT_METHODS: ReadonlyMap<string, DictMethod> = new Map([
  dictMethod('copy', [], (dict) => dict),
  dictMethod('fromkeys', ['iterable!', 'value'], () => {
    throw typeError('dict.fromkeys() is not supported in templates');
  }),
  dictMethod('get', ['key!', 'default'], (dict, [key = null, otherwise = null]) => given(dict.get(key), otherwise)),
  dictMethod('items', [], (dict) => new DictView('dict_items', dict)),
  dictMethod('keys', [], (dict) => new DictView('dict_keys', dict)),
  dictMethod('values', [], (dict) => new DictView('dict_values', dict)),
]);

const DICT_CHANGES = new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']);
const LIST_CHANGES = new Set(['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort']);

/** What every object of Python's has, so that no entry of these names is found by `x.name`. */
const INTERNAL = new Set(
  'class contains delattr delitem dir doc eq format ge getattribute getitem gt hash init iter le len lt ne new reduce repr reversed setattr setitem sizeof str'
    .split(' ')
    .map((word) => `__${word}__`),
);

const unsafe = (owner: Value, name: string): Undefined =>
  new Undefined(() => `access to attribute '${name}' of '${typeName(owner)}' object is unsafe.`, true);

/** All methods that a str has; what is missing here is undefined in Python as well. */
export const TEXT_METHODS: ReadonlyMap<string, TextMethod> = new Map<string, TextMethod>([
  ...PLAIN_TEXT_METHODS,
  ['format', (text, { args, keywords, budget }) => format(text, args, { keywords: keywords ?? new Map(), budget })],
  [
    'format_map',
    (text, { args: [mapping], budget }) => {
      if (!(mapping instanceof PyDict)) throw typeError('format_map() takes a mapping');
      const keywords = new Map<string, Value>();
      for (const [key, value] of mapping.pairs()) if (typeof key === 'string') keywords.set(key, value);
      return format(text, [], { keywords, budget });
    },
  ],
]);

function format(text: string, args: readonly Value[], more: { keywords: Keywords; budget: Budget }): string {
  const { keywords, budget } = more;
  return formatText(text, { args, keywords, attribute: getAttribute, item: getItem }, budget);
}

/** Whether a dict has it as an attribute, so that the entry of that name is not found by `x.name`. */
export const isDictAttribute = (name: string): boolean => DICT_METHODS.has(name) || DICT_CHANGES.has(name);

/** What getattr finds; undefined: nothing. */
function attributeOf(owner: Value, name: string, budget: Budget): Value | undefined {
  if (owner instanceof PyDict) return dictAttribute(owner, name);
  const text = textOf(owner);
  if (text !== undefined) return textAttribute(owner, text, name);
  if (isList(owner)) return LIST_CHANGES.has(name) ? unsafe(owner, name) : listAttribute(owner, owner, name);
  if (owner instanceof Undefined) return ofUndefined(owner, name);
  if (owner instanceof PyRange) return listAttribute(owner, owner.items(), name);
  if (owner instanceof PyFloat)
    return name === 'is_integer' ? bound(name, () => Number.isInteger(owner.value)) : undefined;
  if (!(owner instanceof PyObject)) return undefined;
  const own = owner.attribute(name, budget);
  if (own !== undefined) return name.startsWith('_') ? unsafe(owner, name) : own;
  if (owner instanceof PyTuple) return listAttribute(owner, owner.items, name);
  return owner instanceof PyFunction && name === 'name' ? owner.name : undefined;
}

/** Even nothing has a class, which is no more to be had than that of others. */
function ofUndefined(owner: Undefined, name: string): Value {
  if (INTERNAL.has(name)) return unsafe(owner, name);
  throw owner.fail();
}

const bound = (name: string, run: () => Value): PyFunction => new PyFunction(name, run);

function dictAttribute(dict: PyDict, name: string): Value | undefined {
  if (DICT_CHANGES.has(name)) return unsafe(dict, name);
  const method = DICT_METHODS.get(name);
  return method === undefined
    ? undefined
    : new PyFunction(name, (_budget, args, keywords) => method(dict, args, keywords));
}

/** What a method of Markup gives: its texts are Markup again. */
function marked(result: Value): Value {
  if (typeof result === 'string') return new Markup(result);
  if (result instanceof PyTuple) return new PyTuple(result.items.map(marked));
  return isList(result) ? result.map(marked) : result;
}

function textAttribute(owner: Value, text: string, name: string): Value | undefined {
  const method = TEXT_METHODS.get(name);
  if (method === undefined) return undefined;
  return new PyFunction(name, (budget, args, keywords) => {
    const result = method(text, { args, keywords, budget });
    return owner instanceof Markup ? marked(result) : result;
  });
}

const PLACE = new Parameters('index', ['value!', 'start', 'stop']);

function listAttribute(owner: Value, items: readonly Value[], name: string): Value | undefined {
  if (name === 'copy' && isList(owner)) return bound(name, () => owner);
  if (name === 'count')
    return new PyFunction(
      name,
      (budget, [wanted = null]) => items.filter((item) => isEqual(item, wanted, budget)).length,
    );
  if (name !== 'index') return undefined;
  return new PyFunction(name, (budget, args, keywords) => {
    const [wanted, start, stop] = PLACE.bind(args, keywords);
    budget.spend(items.length);
    const from = intArgument(start, 0);
    const first = from < 0 ? Math.max(from + items.length, 0) : from;
    const to = intArgument(stop, items.length);
    const last = to < 0 ? to + items.length : to;
    const at = items.findIndex(
      (item, index) => index >= first && index < last && isEqual(item, wanted ?? null, budget),
    );
    if (at < 0) throw valueError(`${typeName(owner)}.index(x): x not in ${typeName(owner)}`);
    return at;
  });
}

/** `x.name`. */
export function getAttribute(owner: Value, name: string, budget: Budget): Value {
  const found = attributeOf(owner, name, budget);
  if (found !== undefined) return found;
  const entry = owner instanceof PyDict ? owner.get(name) : undefined;
  if (entry !== undefined && !INTERNAL.has(name)) return entry;
  return name.startsWith('__') ? unsafe(owner, name) : undefinedMember(owner, name);
}

/** `x[key]`. */
export function getItem(owner: Value, key: Value, budget: Budget): Value {
  if (owner instanceof Undefined) throw owner.fail();
  const found = itemOf(owner, key, budget);
  if (found !== undefined) return found;
  const name = textOf(key);
  if (name === undefined) return new Undefined(() => `${typeName(owner)} object has no such element`);
  const attribute = attributeOf(owner, name, budget);
  if (attribute !== undefined) return attribute;
  return name.startsWith('__') ? unsafe(owner, name) : undefinedMember(owner, name);
}

function itemOf(owner: Value, key: Value, budget: Budget): Value | undefined {
  if (owner instanceof PyDict) return isHashable(key) ? owner.get(key) : undefined;
  if (key instanceof PySlice) return sliceOf(owner, key, budget);
  if (typeof key === 'boolean') return itemAt(owner, Number(key), budget);
  return typeof key === 'number' ? itemAt(owner, key, budget) : undefined;
}

/** What is not, is no key of any dict: Jinja takes Python's TypeError for "not found". */
function isHashable(key: Value): boolean {
  if (key instanceof PyTuple) return key.items.every(isHashable);
  return !isList(key) && !(key instanceof PyDict) && !(key instanceof PySlice);
}

/** A dotted path as filters take it: `a.b.0`. */
export function getPath(value: Value, path: readonly (string | number)[], budget: Budget): Value {
  let found = value;
  for (const part of path) {
    budget.spend(1);
    found = getItem(found, part, budget);
  }
  return found;
}

export function pathOf(attribute: Value): readonly (string | number)[] {
  const text = textOf(attribute);
  if (text === undefined) return typeof attribute === 'number' ? [attribute] : [];
  return text.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
