/** `str.format`: fields in braces, looked up under the same sandbox as everything else. */
import type { Budget } from './budget.ts';
import { PythonError, valueError } from './errors.ts';
import { formatValue } from './format-spec.ts';
import { repr, str } from './print.ts';
import type { Keywords, Value } from './values.ts';

interface FormatInput {
  /** `x.name` and `x[key]`. */
  readonly attribute: (owner: Value, name: string, budget: Budget) => Value;
  readonly item: (owner: Value, key: Value, budget: Budget) => Value;
  readonly args: readonly Value[];
  readonly keywords: Keywords;
}

export function formatText(text: string, input: FormatInput, budget: Budget): string {
  budget.walk(text.length);
  return new Formatter(input, budget).run(text, 2);
}

class Formatter {
  readonly #input: FormatInput;
  readonly #budget: Budget;
  #automatic = 0;
  #isManual = false;

  constructor(input: FormatInput, budget: Budget) {
    this.#input = input;
    this.#budget = budget;
  }

  run(text: string, depth: number): string {
    if (depth === 0) throw valueError('Max string recursion exceeded');
    let result = '';
    let at = 0;
    while (at < text.length) {
      const character = text.charAt(at);
      const isDouble = text.charAt(at + 1) === character;
      if ((character === '{' || character === '}') && isDouble) {
        result += character;
        at += 2;
      } else if (character === '{') {
        const end = fieldEnd(text, at);
        result += this.#field(text.slice(at + 1, end), depth);
        at = end + 1;
      } else if (character === '}') throw valueError("Single '}' encountered in format string");
      else {
        const next = text.slice(at).search(/[{}]/);
        result += next < 0 ? text.slice(at) : text.slice(at, at + next);
        at = next < 0 ? text.length : at + next;
      }
      this.#budget.spend(1 + ((text.length - at) >> 8));
      this.#budget.fits(result.length);
    }
    return result;
  }

  #field(field: string, depth: number): string {
    const [, name = '', , conversion, spec = ''] =
      /^((?:[^![:]|\[[^\]]*\])*)(!([^:]*))?(?::([^]*))?$/.exec(field) ?? [];
    const value = this.#lookUp(name);
    const form = spec.includes('{') ? this.run(spec, depth - 1) : spec;
    if (conversion === 'r') return formatValue(repr(value, this.#budget), form, this.#budget);
    if (conversion === 's') return formatValue(str(value, this.#budget), form, this.#budget);
    if (conversion !== undefined) throw valueError(`Unknown conversion specifier ${conversion}`);
    return formatValue(value, form, this.#budget);
  }

  #lookUp(name: string): Value {
    const [, first = '', path = ''] = /^([^.[]*)([^]*)$/.exec(name) ?? [];
    let value = this.#first(first);
    for (const [, attribute, item] of path.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) {
      if (attribute !== undefined) value = this.#input.attribute(value, attribute, this.#budget);
      else if (item !== undefined)
        value = this.#input.item(value, /^\d+$/.test(item) ? Number(item) : item, this.#budget);
    }
    return value;
  }

  #first(name: string): Value {
    if (name !== '' && !/^\d+$/.test(name)) {
      const value = this.#input.keywords.get(name);
      if (value === undefined) throw new PythonError('KeyError', `'${name}'`);
      return value;
    }
    if (name === '' ? this.#isManual : this.#automatic > 0)
      throw valueError('cannot switch between manual field specification and automatic field numbering');
    if (name !== '') this.#isManual = true;
    const index = name === '' ? this.#automatic : Number(name);
    if (name === '') this.#automatic += 1;
    const value = this.#input.args[index];
    if (value === undefined)
      throw new PythonError('IndexError', `Replacement index ${index} out of range for positional args tuple`);
    return value;
  }
}

function fieldEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if (depth === 0) return at;
  }
  throw valueError("expected '}' before end of string");
}
