/** JSON texts with everything that parsers and writers like to change: number forms, escapes, spacing, keys twice. */
import type { Random } from '../../src/base/random.ts';

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

const NUMBERS = [
  '9007199254740993',
  '1e-7',
  '-0',
  '0.10',
  '1E+2',
  '123456789012345678901234567890',
  '5e-324',
  '0.1e1',
  '-1.50',
];
const STRINGS = [
  '"\\u00e9"',
  '"é"',
  '"\\ud83d\\ude00"',
  '"😀"',
  '"\\/"',
  '"a\\nb"',
  '"\\\\\\""',
  '"\\u2028"',
  '"\u2028"',
  '"[DONE]"',
  '"\\"usage\\""',
  '"\\ud800"',
];
const SPACES = ['', ' ', '\n', '\t', ' \r\n '];
/** No field that a provider refuses or that the gateway reads, but some that look like one. */
const KEYS = ['"temperature"', '"x"', '"usage"', '"\\u0078"', '"nested model"', '""', '"stop"'];

export function oddSpace(random: Random): string {
  return pick(random, SPACES);
}

export function oddValue(random: Random, depth = 0): string {
  const kind = Math.floor(random.next() * (depth > 3 ? 3 : 5));
  const space = () => pick(random, SPACES);
  if (kind === 0) return pick(random, NUMBERS);
  if (kind === 1) return pick(random, STRINGS);
  if (kind === 2) return pick(random, ['true', 'false', 'null']);
  const count = Math.floor(random.next() * 4);
  const items = Array.from({ length: count }, () => oddValue(random, depth + 1));
  if (kind === 3) return `[${space()}${items.join(`${space()},${space()}`)}${space()}]`;
  // Keys are drawn from few, so that many objects have the same key twice.
  return `{${space()}${items.map((item) => `${pick(random, KEYS)}${space()}:${space()}${item}`).join(`,${space()}`)}${space()}}`;
}

/** Two to nine members of an object, without its braces. */
export function oddMembers(random: Random): string {
  const count = 2 + Math.floor(random.next() * 8);
  return Array.from({ length: count }, () => `${pick(random, KEYS)}:${oddValue(random)}`).join(',');
}
