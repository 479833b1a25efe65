/** Python's arithmetic: ints of any size (up to a bound), floats that stay floats, division that floors. */
import { numberOf } from './compare.ts';
import { LimitError, PythonError, valueError } from './errors.ts';
import { PyFloat } from './values.ts';
import type { Value } from './values.ts';

export type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**';

/** Past this an int is refused; Python prints none of more than 4,300 digits anyway. */
const MOST_BITS = 14_000;
const LARGEST = 1n << BigInt(MOST_BITS);

/** An int in the form that all ints of its size have. */
export function intOf(value: bigint): number | bigint {
  if (value > LARGEST || value < -LARGEST) throw new LimitError(`it makes a number of more than ${MOST_BITS} bits`);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export const isFloat = (value: Value): value is PyFloat => value instanceof PyFloat;

/** Undefined: they are not both numbers. */
export function calculate(operator: Arithmetic, left: Value, right: Value): Value | undefined {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return undefined;
  if (isFloat(left) || isFloat(right) || operator === '/') return ofFloats(operator, toFloat(a), toFloat(b));
  return ofInts(operator, a, b);
}

function toFloat(value: number | bigint): number {
  const float = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(float))
    throw new PythonError('OverflowError', 'int too large to convert to float');
  return float;
}

function noZero(divisor: number | bigint): void {
  if (Number(divisor) === 0) throw new PythonError('ZeroDivisionError', 'division by zero');
}

function ofFloats(operator: Arithmetic, a: number, b: number): PyFloat {
  if (operator === '+') return new PyFloat(a + b);
  if (operator === '-') return new PyFloat(a - b);
  if (operator === '*') return new PyFloat(a * b);
  if (operator === '**') return new PyFloat(powerOfFloats(a, b));
  noZero(b);
  if (operator === '/') return new PyFloat(a / b);
  const remainder = floorRemainder(a, b);
  return new PyFloat(operator === '%' ? remainder : Math.round((a - remainder) / b));
}

function floorRemainder(a: number, b: number): number {
  const remainder = a % b;
  if (remainder !== 0 && remainder < 0 !== b < 0) return remainder + b;
  return remainder === 0 && b < 0 ? -0 : Math.abs(remainder) === 0 ? 0 : remainder;
}

function powerOfFloats(a: number, b: number): number {
  if (a === 0 && b < 0) throw new PythonError('ZeroDivisionError', '0.0 cannot be raised to a negative power');
  if (a < 0 && !Number.isInteger(b)) throw valueError('complex numbers are not supported');
  const power = a === 1 ? 1 : a ** b;
  if (!Number.isFinite(power) && Number.isFinite(a) && Number.isFinite(b))
    throw new PythonError('OverflowError', 'Numerical result out of range');
  return power;
}

function ofInts(operator: Arithmetic, a: number | bigint, b: number | bigint): Value {
  if (operator === '**') return powerOfInts(a, b);
  if (operator === '//' || operator === '%') noZero(b);
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = ofSmall(operator, a, b);
    if (Number.isSafeInteger(quick)) return quick;
  }
  return intOf(ofBig(operator, BigInt(a), BigInt(b)));
}

function ofSmall(operator: Arithmetic, a: number, b: number): number {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  // No negative zero among ints.
  if (operator === '*') return a * b + 0;
  const remainder = a % b;
  const floored = remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder + 0;
  return operator === '%' ? floored : (a - floored) / b + 0;
}

function ofBig(operator: Arithmetic, a: bigint, b: bigint): bigint {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  const remainder = a % b;
  const floored = remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder;
  return operator === '%' ? floored : (a - floored) / b;
}

function powerOfInts(a: number | bigint, b: number | bigint): Value {
  if (b < 0) return ofFloats('**', toFloat(a), toFloat(b));
  const base = BigInt(a);
  if (base === 0n || base === 1n) return b === 0 ? 1 : Number(base);
  if (base === -1n) return BigInt(b) % 2n === 0n ? 1 : -1;
  const bits = Math.log2(Math.abs(Number(a)));
  if (bits * Number(b) > MOST_BITS) throw new LimitError(`it makes a number of more than ${MOST_BITS} bits`);
  return intOf(base ** BigInt(b));
}

export function negate(value: Value): Value | undefined {
  if (value instanceof PyFloat) return new PyFloat(-value.value);
  const number = numberOf(value);
  if (number === undefined) return undefined;
  return typeof number === 'bigint' ? intOf(-number) : 0 - number;
}

/** A float cut to an int, as `int()` does. */
export function truncated(value: number): number | bigint {
  if (Number.isNaN(value)) throw valueError('cannot convert float NaN to integer');
  if (!Number.isFinite(value)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  const whole = Math.trunc(value) + 0;
  return Number.isSafeInteger(whole) ? whole : BigInt(whole);
}

/** To the nearest, half to even; of decimal digits as Python rounds them: by the number's exact value. */
export function rounded(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 300) return value;
  if (digits < 0) {
    const unit = 10 ** -digits;
    return halfEven(value / unit) * unit;
  }
  if (digits === 0) return halfEven(value);
  if (Math.abs(value) >= 1e21) return value;
  return digits > 100 ? value : exactlyRounded(value, digits);
}

function halfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `toFixed` works on the exact value; only a true tie is rounded up by it, which a half of a power of two shows. */
function exactlyRounded(value: number, digits: number): number {
  const scaled = value * 10 ** digits;
  const isTie = digits < 16 && Math.abs(scaled % 1) === 0.5 && (value * 2 ** (digits + 1)) % 1 === 0;
  return isTie ? halfEven(scaled) / 10 ** digits : Number(value.toFixed(digits));
}
