/**
 * Python's values as templates see them. None is null, an int is a number (a bigint past 2^53), a str is a string, a
 * list is an array; everything else is an object of a class below. None of them is ever changed, except namespaces,
 * cyclers and generators, as the immutable sandbox has it.
 */
import { PythonError, typeError } from './errors.ts';
import type { Budget } from './budget.ts';

export type Value = null | boolean | number | bigint | string | readonly Value[] | PyObject;
export type Keywords = ReadonlyMap<string, Value>;

export abstract class PyObject {
  abstract readonly typeName: string;

  /** What `x.name` finds on the object itself; undefined: nothing. */
  attribute(_name: string, _budget: Budget): Value | undefined {
    return undefined;
  }
}

export class PyFloat extends PyObject {
  readonly typeName = 'float';
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }
}

export class PyTuple extends PyObject {
  readonly typeName: string = 'tuple';
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
}

/** One group of `groupby`: a tuple whose two places have names. */
export class GroupTuple extends PyTuple {
  override attribute(name: string): Value | undefined {
    if (name === 'grouper') return this.items[0];
    return name === 'list' ? this.items[1] : undefined;
  }
}

/** A str that `escape` or `safe` made: what is joined to it is escaped. */
export class Markup extends PyObject {
  readonly typeName = 'Markup';
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }
}

/** Jinja's own Undefined: prints as nothing, is empty and false, and raises wherever else it is used. */
export class Undefined extends PyObject {
  readonly typeName = 'Undefined';
  readonly message: () => string;
  readonly isUnsafe: boolean;

  constructor(message: () => string, isUnsafe = false) {
    super();
    this.message = message;
    this.isUnsafe = isUnsafe;
  }

  fail(): PythonError {
    return new PythonError(this.isUnsafe ? 'SecurityError' : 'UndefinedError', this.message());
  }
}

export const undefinedName = (name: string): Undefined => new Undefined(() => `'${name}' is undefined`);

export function undefinedMember(owner: Value, name: string): Undefined {
  return new Undefined(() => `'${typeName(owner)} object' has no attribute '${name}'`);
}

export type Invoke = (budget: Budget, args: readonly Value[], keywords: Keywords | undefined) => Value;

/** Anything that can be called: a method bound to its object, a global, a macro. */
export class PyFunction extends PyObject {
  readonly typeName: string = 'function';
  readonly name: string;
  readonly invoke: Invoke;

  constructor(name: string, invoke: Invoke) {
    super();
    this.name = name;
    this.invoke = invoke;
  }
}

/** What `map`, `select` and their like give: it can be gone through once. Made when it is first asked for. */
export class PyGenerator extends PyObject {
  readonly typeName: string;
  readonly #produce: () => readonly Value[];
  #items: readonly Value[] | undefined;
  #position = 0;

  constructor(produce: () => readonly Value[], typeName = 'generator') {
    super();
    this.typeName = typeName;
    this.#produce = produce;
  }

  next(): Value | undefined {
    this.#items ??= this.#produce();
    const item = this.#items[this.#position];
    this.#position += 1;
    return item;
  }

  rest(): readonly Value[] {
    this.#items ??= this.#produce();
    const rest = this.#position === 0 ? this.#items : this.#items.slice(this.#position);
    this.#position = this.#items.length;
    return rest;
  }
}

export class PyRange extends PyObject {
  readonly typeName = 'range';
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  items(): number[] {
    return Array.from({ length: this.length }, (_, index) => this.start + index * this.step);
  }
}

/** Keys by which Python would find the same entry: `1`, `1.0` and `True` are one key. */
type DictKey = string | number | bigint | null;

export class PyDict extends PyObject {
  readonly typeName = 'dict';
  readonly #entries = new Map<DictKey, Value>();
  /** Keys that are not what they are found by. */
  #originals: Map<DictKey, Value> | undefined;

  static of(pairs: Iterable<readonly [Value, Value]>): PyDict {
    const dict = new PyDict();
    for (const [key, value] of pairs) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** For makers only: a dict that a template has seen is not written to. */
  set(key: Value, value: Value): void {
    const found = dictKey(key);
    if (found !== key && !this.#entries.has(found)) {
      this.#originals ??= new Map();
      this.#originals.set(found, key);
    }
    this.#entries.set(found, value);
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(dictKey(key));
  }

  /** The same as `get`, without a look at what the key is; a key that begins with U+0000 is not found. */
  getText(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Value): boolean {
    return this.#entries.has(dictKey(key));
  }

  keys(): Value[] {
    const originals = this.#originals;
    const found = [...this.#entries.keys()];
    return originals === undefined
      ? found
      : found.map((key) => (originals.has(key) ? (originals.get(key) ?? null) : key));
  }

  values(): Value[] {
    return [...this.#entries.values()];
  }

  pairs(): [Value, Value][] {
    const keys = this.keys();
    return this.values().map((value, index) => [keys[index] ?? null, value]);
  }
}

function dictKey(key: Value): DictKey {
  if (typeof key === 'string') return key.charCodeAt(0) === 0 ? `\u0000s${key}` : key;
  if (typeof key === 'number' || typeof key === 'bigint' || key === null) return key;
  if (typeof key === 'boolean') return key ? 1 : 0;
  if (key instanceof PyFloat) return key.value;
  if (key instanceof Markup) return dictKey(key.text);
  if (key instanceof Undefined) return '\u0000u';
  if (key instanceof PyTuple) return `\u0000t${key.items.map((item) => encodeKey(dictKey(item))).join('')}`;
  throw typeError(`unhashable type: '${typeName(key)}'`);
}

function encodeKey(key: DictKey): string {
  const text = String(key);
  return `${typeof key}${text.length}:${text}`;
}

/** What `keys()`, `values()` and `items()` give. */
export class DictView extends PyObject {
  readonly typeName: 'dict_items' | 'dict_keys' | 'dict_values';
  readonly dict: PyDict;

  constructor(typeName: DictView['typeName'], dict: PyDict) {
    super();
    this.typeName = typeName;
    this.dict = dict;
  }

  items(): Value[] {
    if (this.typeName === 'dict_keys') return this.dict.keys();
    if (this.typeName === 'dict_values') return this.dict.values();
    return this.dict.pairs().map((pair) => new PyTuple(pair));
  }
}

/** The one thing that a template may write to: `{% set ns.name = … %}`. */
export class Namespace extends PyObject {
  readonly typeName = 'Namespace';
  readonly #attributes = new Map<string, Value>();

  override attribute(name: string): Value | undefined {
    return this.#attributes.get(name);
  }

  set(name: string, value: Value): void {
    this.#attributes.set(name, value);
  }
}

/** Of a str or of a Markup; undefined: it is neither. */
export function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Markup ? value.text : undefined;
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'int';
  return value instanceof PyObject ? value.typeName : 'list';
}

/** What is there, None as well, or else the other. */
export const given = <T>(value: Value | undefined, otherwise: T): Value | T =>
  value === undefined ? otherwise : value;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isTrue(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value !== '';
  if (value === null) return false;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) !== 0;
  if (!(value instanceof PyObject)) return value.length > 0;
  if (value instanceof PyDict) return value.size > 0;
  if (value instanceof Undefined) return false;
  if (value instanceof PyFloat) return value.value !== 0;
  if (value instanceof PyTuple) return value.items.length > 0;
  if (value instanceof PyRange) return value.length > 0;
  if (value instanceof DictView) return value.dict.size > 0;
  return !(value instanceof Markup) || value.text !== '';
}
