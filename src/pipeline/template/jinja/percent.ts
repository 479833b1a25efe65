/** `'%s' % value`: Python's older way to format. */
import type { Budget } from './budget.ts';
import { numberOf } from './compare.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { floatBody, pad } from './format-spec.ts';
import type { FormatSpec } from './format-spec.ts';
import { truncated } from './numbers.ts';
import { repr, str } from './print.ts';
import { PyDict, PyFloat, PyRange, PyTuple, Undefined, isList, textOf, typeName } from './values.ts';
import type { Value } from './values.ts';

const DIRECTIVE = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d{1,9})?(?:\.(\*|\d{0,9}))?[hlL]?([^]|$)/gu;

export function formatPercent(text: string, right: Value, budget: Budget): string {
  const source = new ArgumentSource(right);
  let result = '';
  let at = 0;
  budget.scan(text.length);
  for (const match of text.matchAll(DIRECTIVE)) {
    budget.spend(4);
    result += text.slice(at, match.index) + directive(match, source, budget);
    at = match.index + match[0].length;
    budget.fits(result.length);
  }
  source.end();
  return result + text.slice(at);
}

class ArgumentSource {
  readonly #right: Value;
  readonly #items: readonly Value[];
  #at = 0;
  #isMapped = false;

  constructor(right: Value) {
    this.#right = right;
    this.#items = right instanceof PyTuple ? right.items : [right];
  }

  next(): Value {
    const item = this.#items[this.#at];
    this.#at += 1;
    if (item === undefined) throw typeError('not enough arguments for format string');
    return item;
  }

  named(name: string): Value {
    this.#isMapped = true;
    if (!(this.#right instanceof PyDict)) throw typeError('format requires a mapping');
    const value = this.#right.get(name);
    if (value === undefined) throw new PythonError('KeyError', `'${name}'`);
    return value;
  }

  /** What is left over is an error, except where it may have been meant as a mapping. */
  end(): void {
    const right = this.#right;
    const isMapping =
      right instanceof PyDict || right instanceof PyRange || right instanceof Undefined || isList(right);
    if (this.#at < this.#items.length && !this.#isMapped && !isMapping)
      throw typeError('not all arguments converted during string formatting');
  }
}

function directive(match: RegExpExecArray, source: ArgumentSource, budget: Budget): string {
  const [whole, name, flags = '', width, precision, type = ''] = match;
  if (type === '%') return '%';
  if (type === '') throw valueError('incomplete format');
  const number = (text: string | undefined): number | undefined =>
    text === '*' ? Number(numberOf(source.next()) ?? 0) : text === undefined ? undefined : Number(text);
  const wide = number(width) ?? 0;
  const digits = number(precision);
  const value = name === undefined ? source.next() : source.named(name);
  const isLeft = flags.includes('-') || wide < 0;
  const spec: FormatSpec = {
    fill: flags.includes('0') && !isLeft ? '0' : ' ',
    align: isLeft ? '<' : flags.includes('0') ? '=' : '>',
    sign: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '-',
    isAlternate: flags.includes('#'),
    width: Math.abs(wide),
    grouping: '',
    precision: digits,
    type,
  };
  return converted(value, spec, { budget, whole });
}

function converted(value: Value, spec: FormatSpec, context: { budget: Budget; whole: string }): string {
  const { budget } = context;
  const { type } = spec;
  if (type === 's' || type === 'r' || type === 'a') {
    const text = type === 's' ? str(value, budget) : repr(value, budget);
    const cut = spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join('');
    return pad('', cut, { ...spec, fill: ' ', align: spec.align === '<' ? '<' : '>' }, budget);
  }
  if (type === 'c') return pad('', character(value), { ...spec, fill: ' ' }, budget);
  if (!'diuoxXeEfFgG'.includes(type)) throw valueError(`unsupported format character '${type}'`);
  const number = numberOf(value);
  if (value instanceof Undefined) throw value.fail();
  if (number === undefined) throw typeError(`%${type} format: a real number is required, not ${typeName(value)}`);
  const sign = number < 0 ? '-' : spec.sign === '-' ? '' : spec.sign;
  const size = Math.abs(Number(number));
  const body = 'eEfFgG'.includes(type) ? floatBody(size, spec, value) : intText(value, number, spec);
  return pad(sign, body, spec, budget);
}

function intText(value: Value, number: number | bigint, spec: FormatSpec): string {
  if (value instanceof PyFloat && 'oxX'.includes(spec.type))
    throw typeError(`%${spec.type} format: an integer is required, not float`);
  const whole = BigInt(typeof number === 'number' ? truncated(number) : number);
  const size = whole < 0n ? -whole : whole;
  const prefix = spec.isAlternate && 'oxX'.includes(spec.type) ? `0${spec.type}` : '';
  const radix = spec.type === 'o' ? 8 : spec.type.toLowerCase() === 'x' ? 16 : 10;
  const digits = size.toString(radix).padStart(Math.min(spec.precision ?? 0, 1000), '0');
  return prefix + (spec.type === 'X' ? digits.toUpperCase() : digits);
}

function character(value: Value): string {
  const text = textOf(value);
  if (text !== undefined && Array.from(text.slice(0, 3)).length === 1) return text;
  if (typeof value === 'number' && value >= 0 && value <= 0x10ffff) return String.fromCodePoint(value);
  throw typeError('%c requires int or char');
}
