/** Python's format specifications (`>8`, `05d`, `.2f`, `,`): one value as a text of a given form. */
import type { Budget } from './budget.ts';
import { numberOf } from './compare.ts';
import { typeError, valueError } from './errors.ts';
import { rounded } from './numbers.ts';
import { floatText, str } from './print.ts';
import { textLength } from './sequence.ts';
import { PyFloat, textOf, typeName } from './values.ts';
import type { Value } from './values.ts';

export interface FormatSpec {
  readonly fill: string;
  readonly align: '<' | '>' | '=' | '^' | undefined;
  readonly sign: '+' | '-' | ' ';
  readonly isAlternate: boolean;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | undefined;
  readonly type: string;
}

const SPEC = /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d{1,9})?([,_])?(?:\.(\d{1,9}))?([a-zA-Z%])?$/u;

export function parseSpec(text: string): FormatSpec {
  const match = SPEC.exec(text);
  if (match === null) throw valueError('Invalid format specifier');
  const [, fill, align, sign, alternate, zero, width, grouping, precision, type] = match;
  return {
    fill: fill ?? (zero === undefined ? ' ' : '0'),
    align: align === undefined ? (zero === undefined ? undefined : '=') : (align as FormatSpec['align']),
    sign: sign === '+' || sign === ' ' ? sign : '-',
    isAlternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  };
}

export function formatValue(value: Value, text: string, budget: Budget): string {
  if (text === '') return str(value, budget);
  const spec = parseSpec(text);
  const number = numberOf(value);
  if (number === undefined) return formatTextValue(value, spec, budget);
  if (spec.type === 's') throw valueError(`Unknown format code 's' for object of type '${typeName(value)}'`);
  const isFloat = value instanceof PyFloat || ('eEfFgG%'.includes(spec.type) && spec.type !== '');
  const body = isFloat ? floatBody(Math.abs(Number(number)), spec, value) : intBody(BigInt(number), spec);
  const isNegative = number < 0 || Object.is(number, -0);
  const sign = isNegative ? '-' : spec.sign === '-' ? '' : spec.sign;
  return pad(sign, grouped(body, spec), { ...spec, align: spec.align ?? '>' }, budget);
}

function formatTextValue(value: Value, spec: FormatSpec, budget: Budget): string {
  const text = textOf(value);
  if (text === undefined) throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`);
  if (spec.type !== '' && spec.type !== 's')
    throw valueError(`Unknown format code '${spec.type}' for object of type 'str'`);
  if (spec.align === '=') throw valueError("'=' alignment not allowed in string format specifier");
  const cut = spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join('');
  return pad('', cut, spec, budget);
}

export function pad(sign: string, body: string, spec: FormatSpec, budget: Budget): string {
  const missing = Math.max(spec.width - sign.length - textLength(body, budget), 0);
  budget.write(body.length + missing * 2);
  const left = spec.align === '^' ? missing >> 1 : missing;
  if (spec.align === '=') return sign + spec.fill.repeat(missing) + body;
  if (spec.align === '>') return spec.fill.repeat(missing) + sign + body;
  if (spec.align === '^') return spec.fill.repeat(left) + sign + body + spec.fill.repeat(missing - left);
  return sign + body + spec.fill.repeat(missing);
}

function grouped(body: string, spec: FormatSpec): string {
  if (spec.grouping === '') return body;
  const [, digits = '', rest = ''] = /^([0-9a-fA-F]*)([^]*)$/.exec(body) ?? [];
  return digits.replace(/\B(?=(?:[0-9a-fA-F]{3})+$)/g, spec.grouping) + rest;
}

const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };

function intBody(value: bigint, spec: FormatSpec): string {
  if (spec.precision !== undefined) throw valueError('Precision not allowed in integer format specifier');
  const size = value < 0n ? -value : value;
  const { type } = spec;
  if (type === '' || type === 'd' || type === 'n') return size.toString();
  if (type === 'c') return String.fromCodePoint(Number(size));
  const radix = RADIX[type];
  if (radix === undefined) throw valueError(`Unknown format code '${type}' for object of type 'int'`);
  const digits = (spec.isAlternate ? `0${type.toLowerCase()}` : '') + size.toString(radix);
  return type === 'X' ? digits.toUpperCase() : digits;
}

export function floatBody(size: number, spec: FormatSpec, value: Value): string {
  const { type } = spec;
  if (!Number.isFinite(size)) return Number.isNaN(size) ? 'nan' : 'inf';
  const precision = Math.min(spec.precision ?? 6, 100);
  if (type === 'f' || type === 'F') return fixed(size, precision);
  if (type === '%') return `${fixed(size * 100, precision)}%`;
  if (type === 'e' || type === 'E') return exponential(size, precision, type);
  if (type === 'g' || type === 'G') return general(size, Math.max(precision, 1));
  if (type !== '' && type !== 'n')
    throw valueError(`Unknown format code '${type}' for object of type '${typeName(value)}'`);
  return spec.precision === undefined ? floatText(size) : general(size, Math.max(precision, 1));
}

function fixed(size: number, precision: number): string {
  return size >= 1e21 ? BigInt(size).toString() : rounded(size, precision).toFixed(precision);
}

function exponential(size: number, precision: number, type: string): string {
  const [mantissa = '', power = '+0'] = size.toExponential(precision).split('e');
  return `${mantissa}${type}${power.charAt(0)}${power.slice(1).padStart(2, '0')}`;
}

function general(size: number, precision: number): string {
  if (size === 0) return '0';
  const exponent = Number(size.toExponential(precision - 1).split('e')[1]);
  if (exponent >= -4 && exponent < precision) return trimZeros(fixed(size, Math.min(precision - 1 - exponent, 100)));
  const [mantissa = '', power = ''] = exponential(size, precision - 1, 'e').split('e');
  return `${trimZeros(mantissa)}e${power}`;
}

const trimZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
