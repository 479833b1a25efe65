/** `str()` and `repr()`: how Python writes values. */
import type { Budget } from './budget.ts';
import {
  Markup,
  PyDict,
  PyFloat,
  PyFunction,
  PyObject,
  PyRange,
  PyTuple,
  DictView,
  Undefined,
  typeName,
} from './values.ts';
import type { Value } from './values.ts';

/** Integers of more digits are refused by Python itself; the arithmetic here stops below. */
export function str(value: Value, budget: Budget): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (value instanceof Undefined) return '';
  return value instanceof Markup ? value.text : repr(value, budget);
}

export function repr(value: Value, budget: Budget): string {
  budget.nest();
  const text = written(value, budget);
  budget.unnest();
  budget.fits(text.length);
  return text;
}

function written(value: Value, budget: Budget): string {
  budget.spend(4);
  if (value === null) return 'None';
  if (typeof value === 'string') return quoted(value, budget);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (!(value instanceof PyObject)) return `[${joined(value, budget)}]`;
  if (value instanceof PyFloat) return floatText(value.value);
  if (value instanceof PyDict) return dictText(value, budget);
  if (value instanceof PyTuple) return tupleText(value, budget);
  if (value instanceof Markup) return `Markup(${quoted(value.text, budget)})`;
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof PyRange) return rangeText(value);
  if (value instanceof DictView) return `${value.typeName}([${joined(value.items(), budget)}])`;
  if (value instanceof PyFunction) return `<${value.typeName} ${value.name}>`;
  return `<${typeName(value)} object>`;
}

function joined(items: readonly Value[], budget: Budget): string {
  let text = '';
  for (const item of items) text += text === '' ? repr(item, budget) : `, ${repr(item, budget)}`;
  return text;
}

const tupleText = (tuple: PyTuple, budget: Budget): string =>
  tuple.items.length === 1 ? `(${joined(tuple.items, budget)},)` : `(${joined(tuple.items, budget)})`;

const rangeText = (range: PyRange): string =>
  `range(${range.start}, ${range.stop}${range.step === 1 ? '' : `, ${range.step}`})`;

function dictText(dict: PyDict, budget: Budget): string {
  let text = '';
  for (const [key, value] of dict.pairs()) {
    text += `${text === '' ? '' : ', '}${repr(key, budget)}: ${repr(value, budget)}`;
    budget.fits(text.length);
  }
  return `{${text}}`;
}

/** The shortest digits that give the number back, with an exponent below 1e-4 and from 1e16 on. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** What Python does not print as it is: controls, formats, unassigned, private, surrogates, and spaces but the plain one. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const ESCAPED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

function quoted(text: string, budget: Budget): string {
  budget.scan(text.length * 2);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (!UNPRINTABLE.test(text.replaceAll(' ', '')) && !/['\\]/.test(text)) return `${quote}${text}${quote}`;
  budget.spend(text.length);
  let written = quote;
  for (const character of text) written += escaped(character, quote);
  return written + quote;
}

function escaped(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const named = ESCAPED[character];
  if (named !== undefined) return named;
  if (character === ' ' || !UNPRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
