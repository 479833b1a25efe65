/** The `tojson` that transformers gives its templates: `json.dumps`, not escaped for HTML. */
import { Parameters, boolArgument } from './arguments.ts';
import type { Budget } from './budget.ts';
import { sortBy } from './compare.ts';
import { typeError } from './errors.ts';
import { floatText, str } from './print.ts';
import { PyDict, PyFloat, PyTuple, isList, textOf, typeName } from './values.ts';
import type { Keywords, Value } from './values.ts';

const PARAMETERS = new Parameters('tojson', ['ensure_ascii', 'indent', 'separators', 'sort_keys']);

export function toJson(budget: Budget, value: Value, args: readonly Value[], keywords: Keywords | undefined): Value {
  const [ascii, indent, separators, sort] = PARAMETERS.bind(args, keywords);
  const unit = indentOf(indent);
  const [between, colon] = separatorsOf(separators, unit !== undefined, budget);
  const form = { isAscii: boolArgument(ascii, false), unit, between, colon, isSorted: boolArgument(sort, false) };
  return new JsonWriter(form, budget).write(value, '\n');
}

function indentOf(indent: Value | undefined): string | undefined {
  if (indent === undefined || indent === null) return undefined;
  const text = textOf(indent);
  if (text !== undefined) return text;
  if (typeof indent !== 'number' && typeof indent !== 'boolean')
    throw typeError(`can't multiply sequence by non-int of type '${typeName(indent)}'`);
  return ' '.repeat(Math.min(Math.max(Number(indent), 0), 1000));
}

function separatorsOf(separators: Value | undefined, isIndented: boolean, budget: Budget): readonly [string, string] {
  if (separators === undefined || separators === null) return [isIndented ? ',' : ', ', ': '];
  const items = isList(separators) ? separators : separators instanceof PyTuple ? separators.items : [];
  const [between, colon] = items;
  if (between === undefined || colon === undefined || items.length !== 2) throw typeError('separators must be a pair');
  return [str(between, budget), str(colon, budget)];
}

interface JsonForm {
  readonly isAscii: boolean;
  readonly unit: string | undefined;
  readonly between: string;
  readonly colon: string;
  readonly isSorted: boolean;
}

class JsonWriter {
  readonly #form: JsonForm;
  readonly #budget: Budget;

  constructor(form: JsonForm, budget: Budget) {
    this.#form = form;
    this.#budget = budget;
  }

  /** `line`: a newline and the indent of where the value stands. */
  write(value: Value, line: string): string {
    this.#budget.spend(4);
    const text = textOf(value);
    if (text !== undefined) return this.#text(text);
    if (value === null) return 'null';
    if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (value instanceof PyFloat) return jsonFloat(value.value);
    if (value instanceof PyDict) return this.#nested(() => this.#dict(value, line));
    if (isList(value)) return this.#nested(() => this.#list(value, line));
    if (value instanceof PyTuple) return this.#nested(() => this.#list(value.items, line));
    throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
  }

  #nested(write: () => string): string {
    this.#budget.nest();
    const text = write();
    this.#budget.unnest();
    return text;
  }

  #list(items: readonly Value[], line: string): string {
    if (items.length === 0) return '[]';
    const inner = line + (this.#form.unit ?? '');
    let text = '[';
    for (const item of items) text += this.#before(text, inner) + this.write(item, inner);
    return this.#closed(text, ']', line);
  }

  /** What stands before an entry: a comma, except before the first, and the line. */
  #before(text: string, inner: string): string {
    const { unit, between } = this.#form;
    const comma = text.length === 1 ? '' : between;
    return unit === undefined ? comma : comma + inner;
  }

  #closed(text: string, bracket: string, line: string): string {
    this.#budget.write(text.length);
    return this.#form.unit === undefined ? text + bracket : text + line + bracket;
  }

  #dict(dict: PyDict, line: string): string {
    if (dict.size === 0) return '{}';
    const inner = line + (this.#form.unit ?? '');
    let text = '{';
    for (const key of this.#keys(dict)) {
      const value = dict.get(key);
      text += this.#before(text, inner) + this.#text(keyText(key)) + this.#form.colon;
      text += this.write(value === undefined ? null : value, inner);
    }
    return this.#closed(text, '}', line);
  }

  #keys(dict: PyDict): readonly Value[] {
    if (!this.#form.isSorted) return dict.keys();
    return sortBy(dict.keys(), (key) => key, { isReversed: false, budget: this.#budget });
  }

  #text(text: string): string {
    this.#budget.scan(text.length);
    const quoted = JSON.stringify(text);
    // Lone surrogates and what is not ASCII stay as they are, unless asked otherwise; JSON.stringify escapes the former.
    if (!this.#form.isAscii) return quoted.includes('\\ud') ? unescapeSurrogates(quoted) : quoted;
    return quoted.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
}

const unescapeSurrogates = (quoted: string): string =>
  quoted.replace(/(\\\\)|\\u(d[89a-f][0-9a-f]{2})/g, (whole: string, backslash?: string, hex?: string) =>
    backslash !== undefined || hex === undefined ? whole : String.fromCharCode(Number.parseInt(hex, 16)),
  );

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return floatText(value);
}

function keyText(key: Value): string {
  const text = textOf(key);
  if (text !== undefined) return text;
  if (key === null) return 'null';
  if (typeof key === 'boolean' || typeof key === 'number' || typeof key === 'bigint') return String(key);
  if (key instanceof PyFloat) return jsonFloat(key.value);
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}
