/** The methods of str that templates use, with Python's results. Places and lengths count in code points. */
import { Parameters, boolArgument, intArgument, optionalInt, textArgument } from './arguments.ts';
import type { Budget } from './budget.ts';
import { typeError, valueError } from './errors.ts';
import { codePoints, listOf, sliceOf, textLength } from './sequence.ts';
import { isSpace, splitLines, strip, words, wordsFromRight } from './spaces.ts';
import { KINDS, capitalize, swapCase, titleCase } from './text-case.ts';
import { PyDict, PyTuple, isList, textOf, typeName } from './values.ts';
import type { Keywords, Value } from './values.ts';

export type TextMethod = (text: string, call: MethodCall) => Value;

export interface MethodCall {
  readonly args: readonly Value[];
  readonly keywords: Keywords | undefined;
  readonly budget: Budget;
}

type Simple = (text: string, args: readonly (Value | undefined)[], budget: Budget) => Value;

/** Of a method that knows its parameters by name. Most take them by place only, which a `-` before the names says. */
function method(name: string, parameters: readonly string[], run: Simple): [string, TextMethod] {
  const bound = new Parameters(name, parameters);
  return [name, (text, { args, keywords, budget }) => run(text, bound.bind(args, keywords), budget)];
}

/** Takes no keywords, as most methods of str. */
function plain(name: string, parameters: readonly string[], run: Simple): [string, TextMethod] {
  const bound = new Parameters(name, parameters);
  return [
    name,
    (text, { args, keywords, budget }) => {
      if (keywords !== undefined && keywords.size > 0) throw typeError(`str.${name}() takes no keyword arguments`);
      return run(text, bound.bind(args, undefined), budget);
    },
  ];
}

function cut(left: boolean, right: boolean): Simple {
  return (text, [chars], budget) => {
    budget.read(text.length);
    if (chars === undefined || chars === null) {
      const kept = strip(text, { left, right }, isSpace);
      budget.walk(text.length - kept.length);
      return kept;
    }
    const set = textArgument(chars, '');
    budget.spend(set.length);
    budget.walk(text.length);
    const points = codePoints(text + set, budget);
    if (points === undefined) {
      const units = new Set(Array.from(set, (character) => character.charCodeAt(0)));
      return strip(text, { left, right }, (unit) => units.has(unit));
    }
    return stripPoints(Array.from(text), new Set(set), { left, right });
  };
}

function stripPoints(points: string[], set: ReadonlySet<string>, sides: { left: boolean; right: boolean }): string {
  let start = 0;
  let end = points.length;
  if (sides.left) while (start < end && set.has(points[start] ?? '')) start += 1;
  if (sides.right) while (end > start && set.has(points[end - 1] ?? '')) end -= 1;
  return points.slice(start, end).join('');
}

function separatorOf(value: Value | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  const separator = textArgument(value, '');
  if (separator === '') throw valueError('empty separator');
  return separator;
}

function split(text: string, [sep, maxsplit]: readonly (Value | undefined)[], budget: Budget): Value {
  const most = intArgument(maxsplit, -1);
  const separator = separatorOf(sep);
  if (separator === undefined) budget.walk(text.length);
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  if (separator === undefined) return words(text, limit);
  budget.scan(text.length);
  const parts: string[] = [];
  let start = 0;
  for (let at = text.indexOf(separator); at >= 0 && parts.length < limit; at = text.indexOf(separator, start)) {
    budget.spend(1);
    parts.push(text.slice(start, at));
    start = at + separator.length;
  }
  parts.push(text.slice(start));
  return parts;
}

function splitFromRight(text: string, [sep, maxsplit]: readonly (Value | undefined)[], budget: Budget): Value {
  const most = intArgument(maxsplit, -1);
  const separator = separatorOf(sep);
  if (separator === undefined) budget.walk(text.length);
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  if (separator === undefined) return wordsFromRight(text, limit);
  budget.scan(text.length);
  const parts: string[] = [];
  let end = text.length;
  while (parts.length < limit && end >= separator.length) {
    const at = text.lastIndexOf(separator, end - separator.length);
    if (at < 0) break;
    budget.spend(1);
    parts.push(text.slice(at + separator.length, end));
    end = at;
  }
  parts.push(text.slice(0, end));
  return parts.reverse();
}

export function replaceText(
  text: string,
  change: { readonly old: string; readonly fresh: string; readonly most: number },
  budget: Budget,
): string {
  const { old, fresh, most } = change;
  budget.scan(text.length);
  if (most === 0) return text;
  const source = old === '' ? (codePoints(text, budget) ?? text.split('')) : undefined;
  const found = source === undefined ? count(text, old) : source.length + 1;
  const rounds = most < 0 ? found : Math.min(found, most);
  if (rounds === 0) return text;
  budget.spend(rounds >> 1);
  budget.write(text.length + rounds * Math.max(fresh.length - old.length, 0));
  if (source !== undefined) return insertBetween(source, fresh, rounds);
  if (rounds === found) return text.replaceAll(old, () => fresh);
  return replaceSome(text, { old, fresh, rounds });
}

function insertBetween(source: readonly string[], fresh: string, rounds: number): string {
  const head = source.slice(0, rounds - 1).map((character) => fresh + character);
  return `${head.join('')}${fresh}${source.slice(rounds - 1).join('')}`;
}

function replaceSome(text: string, change: { old: string; fresh: string; rounds: number }): string {
  let result = '';
  let start = 0;
  for (let round = 0; round < change.rounds; round += 1) {
    const at = text.indexOf(change.old, start);
    result += text.slice(start, at) + change.fresh;
    start = at + change.old.length;
  }
  return result + text.slice(start);
}

function count(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found += 1;
  return found;
}

/** `text[start:end]` for methods that look at a part only; undefined where the part begins past the end. */
function part(
  text: string,
  bounds: readonly (Value | undefined)[],
  budget: Budget,
): { text: string; from: number } | undefined {
  const [start, end] = bounds;
  if ((start === undefined || start === null) && (end === undefined || end === null)) return { text, from: 0 };
  const length = textLength(text, budget);
  const first = optionalInt(start, 0);
  const from = first < 0 ? Math.max(first + length, 0) : first;
  if (from > length) return undefined;
  const inner = sliceOf(text, { start: start ?? null, stop: end ?? null, step: null }, budget);
  return { text: typeof inner === 'string' ? inner : '', from };
}

function finder(isLast: boolean, isStrict: boolean): Simple {
  return (text, [needle, ...bounds], budget) => {
    const wanted = textArgument(needle, '');
    const inside = part(text, bounds, budget);
    budget.scan(text.length);
    const at = inside === undefined ? -1 : isLast ? inside.text.lastIndexOf(wanted) : inside.text.indexOf(wanted);
    if (inside === undefined || at < 0) {
      if (isStrict) throw valueError('substring not found');
      return -1;
    }
    return inside.from + textLength(inside.text.slice(0, at), budget);
  };
}

function affix(isEnd: boolean): Simple {
  return (text, [wanted, ...bounds], budget) => {
    const options = wanted instanceof PyTuple ? wanted.items : [wanted ?? ''];
    const inside = part(text, bounds, budget);
    return options.some((option) => {
      const fix = textOf(option);
      if (fix === undefined)
        throw typeError(
          `${isEnd ? 'endswith' : 'startswith'} first arg must be str or a tuple of str, not ${typeName(option)}`,
        );
      budget.read(fix.length);
      if (inside === undefined) return false;
      return isEnd ? inside.text.endsWith(fix) : inside.text.startsWith(fix);
    });
  };
}

function padding(
  text: string,
  args: readonly (Value | undefined)[],
  budget: Budget,
): { fill: string; missing: number } {
  const [width, fillchar] = args;
  const fill = textArgument(fillchar, ' ');
  if (Array.from(fill.slice(0, 3)).length !== 1)
    throw typeError('The fill character must be exactly one character long');
  const missing = Math.max(intArgument(width, 0) - textLength(text, budget), 0);
  budget.write(text.length + missing * fill.length);
  return { fill, missing };
}

/** Python puts the odd place left where the width is odd. */
export function centered(text: string, args: readonly (Value | undefined)[], budget: Budget): string {
  const { fill, missing } = padding(text, args, budget);
  const left = (missing >> 1) + (missing & intArgument(args[0], 0) & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

function zeros(text: string, [width]: readonly (Value | undefined)[], budget: Budget): Value {
  const missing = Math.max(intArgument(width, 0) - textLength(text, budget), 0);
  budget.write(text.length + missing);
  const sign = /^[-+]/.test(text) ? text.charAt(0) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

export function joinText(separator: string, items: readonly Value[], budget: Budget): string {
  budget.spend(items.length);
  let units = Math.max(items.length - 1, 0) * separator.length;
  const texts = items.map((item, index) => {
    const text = textOf(item);
    if (text === undefined) throw typeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
    units += text.length;
    return text;
  });
  budget.write(units);
  return texts.join(separator);
}

function partition(isLast: boolean): Simple {
  return (text, [sep], budget) => {
    const separator = separatorOf(sep ?? '') ?? '';
    budget.scan(text.length);
    const at = isLast ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) return new PyTuple(isLast ? ['', '', text] : [text, '', '']);
    return new PyTuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
  };
}

function whole(name: string, change: (text: string) => Value, weight = 1): [string, TextMethod] {
  return plain(name, [], (text, _args, budget) => {
    budget.scan(text.length * weight);
    return change(text);
  });
}

function expandTabs(text: string, [size]: readonly (Value | undefined)[], budget: Budget): Value {
  const width = intArgument(size, 8);
  let column = 0;
  let result = '';
  budget.walk(text.length * 2);
  for (const character of text) {
    const spaces = character === '\t' ? (width > 0 ? width - (column % width) : 0) : 1;
    budget.write(result.length + spaces > budget.textLimit ? result.length + spaces : spaces);
    result += character === '\t' ? ' '.repeat(spaces) : character;
    column = character === '\n' || character === '\r' ? 0 : column + spaces;
  }
  return result;
}

function unsupported(name: string): [string, TextMethod] {
  return [
    name,
    () => {
      throw typeError(`str.${name}() is not supported in templates`);
    },
  ];
}

/** All methods that a str has, but `format` and `format_map`, which look into other values. */
export const PLAIN_TEXT_METHODS: ReadonlyMap<string, TextMethod> = new Map<string, TextMethod>([
  whole('capitalize', capitalize),
  whole('casefold', (text) => text.toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')),
  plain('center', ['width!', 'fillchar'], centered),
  plain('count', ['sub!', 'start', 'end'], (text, [sub, ...bounds], budget) => {
    const wanted = textArgument(sub, '');
    const inside = part(text, bounds, budget);
    budget.walk(text.length);
    if (inside === undefined) return 0;
    return wanted === '' ? textLength(inside.text, budget) + 1 : count(inside.text, wanted);
  }),
  unsupported('encode'),
  plain('endswith', ['suffix!', 'start', 'end'], affix(true)),
  method('expandtabs', ['tabsize'], expandTabs),
  plain('find', ['sub!', 'start', 'end'], finder(false, false)),
  plain('index', ['sub!', 'start', 'end'], finder(false, true)),
  ...Array.from(KINDS, ([name, isOfKind]) => whole(name, isOfKind, 4)),
  plain('join', ['iterable!'], (text, [items], budget) => joinText(text, listOf(items ?? null, budget), budget)),
  plain('ljust', ['width!', 'fillchar'], (text, args, budget) => {
    const { fill, missing } = padding(text, args, budget);
    return text + fill.repeat(missing);
  }),
  whole('lower', (text) => text.toLowerCase()),
  plain('lstrip', ['chars'], cut(true, false)),
  unsupported('maketrans'),
  plain('partition', ['sep!'], partition(false)),
  plain('removeprefix', ['prefix!'], (text, [prefix]) => {
    const fix = textArgument(prefix, '');
    return text.startsWith(fix) ? text.slice(fix.length) : text;
  }),
  plain('removesuffix', ['suffix!'], (text, [suffix]) => {
    const fix = textArgument(suffix, '');
    return fix !== '' && text.endsWith(fix) ? text.slice(0, -fix.length) : text;
  }),
  plain('replace', ['old!', 'new!', 'count'], (text, [old, fresh, most], budget) =>
    replaceText(
      text,
      { old: textArgument(old, ''), fresh: textArgument(fresh, ''), most: intArgument(most, -1) },
      budget,
    ),
  ),
  plain('rfind', ['sub!', 'start', 'end'], finder(true, false)),
  plain('rindex', ['sub!', 'start', 'end'], finder(true, true)),
  plain('rjust', ['width!', 'fillchar'], (text, args, budget) => {
    const { fill, missing } = padding(text, args, budget);
    return fill.repeat(missing) + text;
  }),
  plain('rpartition', ['sep!'], partition(true)),
  method('rsplit', ['sep', 'maxsplit'], splitFromRight),
  plain('rstrip', ['chars'], cut(false, true)),
  method('split', ['sep', 'maxsplit'], split),
  method('splitlines', ['keepends'], (text, [keepends], budget) => {
    budget.walk(text.length);
    return splitLines(text, boolArgument(keepends, false));
  }),
  plain('startswith', ['prefix!', 'start', 'end'], affix(false)),
  plain('strip', ['chars'], cut(true, true)),
  whole('swapcase', swapCase, 16),
  whole('title', titleCase, 16),
  plain('translate', ['table!'], (text, [table], budget) => translate(text, table ?? null, budget)),
  whole('upper', (text) => text.toUpperCase()),
  plain('zfill', ['width!'], zeros),
]);

function translate(text: string, table: Value, budget: Budget): string {
  if (!(table instanceof PyDict) && !isList(table)) throw typeError(`'${typeName(table)}' object is not subscriptable`);
  let result = '';
  for (const character of Array.from(text)) {
    budget.spend(1);
    const code = character.codePointAt(0) ?? 0;
    const change = table instanceof PyDict ? table.get(code) : table[code];
    if (typeof change === 'number') result += String.fromCodePoint(change);
    else result += change === undefined ? character : change === null ? '' : textArgument(change, '');
    budget.fits(result.length);
  }
  return result;
}
