/** Arguments of functions that are not written in the template: bound to names as Python binds them, and typed. */
import { numberOf } from './compare.ts';
import { typeError } from './errors.ts';
import { PyFloat, Undefined, isTrue, textOf, typeName } from './values.ts';
import type { Keywords, Value } from './values.ts';

/** Parameters in order; those that must be given end with `!`. */
export class Parameters {
  readonly #function: string;
  readonly #names: readonly string[];
  readonly #required: ReadonlySet<string>;

  constructor(functionName: string, names: readonly string[]) {
    this.#function = functionName;
    this.#names = names.map((name) => name.replace('!', ''));
    this.#required = new Set(names.filter((name) => name.endsWith('!')).map((name) => name.slice(0, -1)));
  }

  /** One value per parameter; undefined: not given. */
  bind(args: readonly Value[], keywords: Keywords | undefined): readonly (Value | undefined)[] {
    const names = this.#names;
    if (args.length > names.length)
      throw typeError(`${this.#function}() takes at most ${names.length} arguments (${args.length} given)`);
    if (keywords === undefined && args.length >= this.#required.size) return args;
    const bound = names.map((_, index): Value | undefined => args[index]);
    for (const [name, value] of keywords ?? []) {
      const index = names.indexOf(name);
      if (index < 0) throw typeError(`${this.#function}() got an unexpected keyword argument '${name}'`);
      if (bound[index] !== undefined) throw typeError(`${this.#function}() got multiple values for argument '${name}'`);
      bound[index] = value;
    }
    for (const [index, name] of names.entries())
      if (bound[index] === undefined && this.#required.has(name))
        throw typeError(`${this.#function}() missing 1 required positional argument: '${name}'`);
    return bound;
  }
}

export function intArgument(value: Value | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (value instanceof Undefined) throw value.fail();
  if (typeof value === 'bigint') return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  const number = value instanceof PyFloat ? undefined : numberOf(value);
  if (typeof number !== 'number') throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return number;
}

/** None stands for what is not given. */
export const optionalInt = (value: Value | undefined, otherwise: number): number =>
  value === null ? otherwise : intArgument(value, otherwise);

export function textArgument(value: Value | undefined, otherwise: string): string {
  if (value === undefined) return otherwise;
  const text = textOf(value);
  if (text !== undefined) return text;
  if (value instanceof Undefined) throw value.fail();
  throw typeError(`must be str, not ${typeName(value)}`);
}

export const boolArgument = (value: Value | undefined, otherwise: boolean): boolean =>
  value === undefined ? otherwise : isTrue(value);
