/** Filters that make texts. */
import { boolArgument, intArgument, optionalInt, textArgument } from './arguments.ts';
import type { Budget } from './budget.ts';
import { numberOf } from './compare.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { filter, renamed } from './filter.ts';
import type { Filter, Given } from './filter.ts';
import { toJson } from './json-out.ts';
import { escapeText } from './markup.ts';
import { getPath, pathOf } from './members.ts';
import { parseFloatText } from './parse-float.ts';
import { formatPercent } from './percent.ts';
import { repr, str } from './print.ts';
import { lengthOf, listOf, sliceOf, textLength } from './sequence.ts';
import { SPACES, splitLines, words } from './spaces.ts';
import { capitalize } from './text-case.ts';
import { PLAIN_TEXT_METHODS, centered, joinText, replaceText } from './text-methods.ts';
import { Markup, PyDict, PyTuple, Undefined, isTrue, textOf, typeName } from './values.ts';
import type { Keywords, Value } from './values.ts';

/** The same kind of text as what came in. */
const like = (value: Value, text: string): Value => (value instanceof Markup ? new Markup(text) : text);

function byMethod(name: string, method: string, parameters: readonly string[] = []): [string, Filter] {
  return filter(name, parameters, (value, given, budget) => {
    const run = PLAIN_TEXT_METHODS.get(method);
    const args = given.filter((arg) => arg !== undefined);
    const result = run?.(str(value, budget), { args, keywords: undefined, budget }) ?? null;
    return typeof result === 'string' ? like(value, result) : result;
  });
}

function replace(value: Value, [old, fresh, most]: Given, budget: Budget): Value {
  const change = { old: str(old ?? null, budget), fresh: str(fresh ?? null, budget), most: optionalInt(most, -1) };
  return replaceText(str(value, budget), change, budget);
}

function join(value: Value, [separator, attribute]: Given, budget: Budget): Value {
  const between = str(separator ?? '', budget);
  const path = attribute === undefined || attribute === null ? undefined : pathOf(attribute);
  const items = listOf(value, budget);
  budget.spend(items.length);
  const texts = items.map((item) => str(path === undefined ? item : getPath(item, path, budget), budget));
  return joinText(between, texts, budget);
}

const WORD_START = new RegExp(`([-${SPACES}({[<]+)`);

function title(value: Value, _given: Given, budget: Budget): Value {
  const text = str(value, budget);
  budget.walk(text.length * 4);
  const parts = text.split(WORD_START).filter((part) => part !== '');
  return like(value, parts.map((part) => upperFirst(part)).join(''));
}

function upperFirst(part: string): string {
  const first = String.fromCodePoint(part.codePointAt(0) ?? 0);
  return first.toUpperCase() + part.slice(first.length).toLowerCase();
}

function indent(value: Value, [width, first, blank]: Given, budget: Budget): Value {
  const unit = textOf(width ?? 4) ?? ' '.repeat(Math.min(Math.max(intArgument(width, 4), 0), budget.textLimit + 1));
  budget.write(unit.length);
  const text = textArgument(value, '');
  budget.scan(text.length);
  // Each unit may be a line of its own.
  budget.spend(text.length);
  const lines = splitLines(`${text}\n`, false);
  budget.write(text.length + lines.length * unit.length);
  const isBlankToo = boolArgument(blank, false);
  const indented = lines.map((line, index) => (index > 0 && (isBlankToo || line !== '') ? unit + line : line));
  return like(value, (boolArgument(first, false) ? unit : '') + indented.join('\n'));
}

function truncate(value: Value, [size, killWords, ending, slack]: Given, budget: Budget): Value {
  const length = intArgument(size, 255);
  const end = textArgument(ending, '...');
  const leeway = optionalInt(slack, 5);
  const endLength = textLength(end, budget);
  if (length < endLength) throw new PythonError('AssertionError', `expected length >= ${endLength}, got ${length}`);
  if (leeway < 0) throw new PythonError('AssertionError', `expected leeway >= 0, got ${leeway}`);
  const text = textOf(value);
  if (lengthOf(value, budget) <= length + leeway) return value;
  if (text === undefined) throw typeError(`object of type '${typeName(value)}' cannot be truncated`);
  const cut = textArgument(sliceOf(text, { start: null, stop: length - endLength, step: null }, budget), '');
  if (boolArgument(killWords, false)) return cut + end;
  const space = cut.lastIndexOf(' ');
  return (space < 0 ? cut : cut.slice(0, space)) + end;
}

function wordCount(value: Value, _given: Given, budget: Budget): Value {
  const text = str(value, budget);
  budget.walk(text.length * 2);
  return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
}

/** Words on lines of at most `width`; hyphens are places to break, long words are broken. */
function wordWrap(value: Value, [size, breakLong, between]: Given, budget: Budget): Value {
  const width = intArgument(size, 79);
  if (width <= 0) throw valueError(`invalid width ${width} (must be > 0)`);
  const newline = textOf(between ?? null) ?? '\n';
  const text = textArgument(value, '');
  budget.walk(text.length * 8);
  const lines = splitLines(text, false).map((line) =>
    wrapLine(line, width, boolArgument(breakLong, true)).join(newline),
  );
  return joinText(newline, lines, budget);
}

function wrapLine(line: string, width: number, mayBreak: boolean): string[] {
  const chunks = line
    .split(/(\s+|(?<=[\p{L}\p{N}_]{2}-)(?=[\p{L}\p{N}_]))/u)
    .filter((chunk) => chunk !== undefined && chunk !== '');
  const lines: string[] = [];
  let current = '';
  for (const whole of chunks) {
    let chunk = whole;
    if (current === '' && lines.length > 0 && chunk.trim() === '') continue;
    while (current.length + chunk.length > width) {
      if (chunk.length > width && mayBreak) {
        const space = width - current.length;
        lines.push(current + chunk.slice(0, space));
        chunk = chunk.slice(space);
      } else if (current === '') break;
      else if (current.trimEnd() !== '') lines.push(current.trimEnd());
      current = '';
    }
    if (current !== '' || chunk.trim() !== '' || lines.length === 0) current += chunk;
  }
  if (current.trimEnd() !== '') lines.push(current.trimEnd());
  return lines;
}

const QUERY_SAFE = /[A-Za-z0-9_.~-]/;

function quoteUrl(value: Value, isQuery: boolean, budget: Budget): string {
  const text = str(value, budget);
  budget.walk(text.length * 16);
  let quoted = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    if (QUERY_SAFE.test(character) || (character === '/' && !isQuery)) quoted += character;
    else quoted += isQuery && character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  budget.write(quoted.length);
  return quoted;
}

function urlEncode(value: Value, _given: Given, budget: Budget): Value {
  const isPlain = value === null || textOf(value) !== undefined || numberOf(value) !== undefined;
  if (isPlain) return quoteUrl(value, false, budget);
  const pairs = value instanceof PyDict ? value.pairs() : listOf(value, budget).map((item) => listOf(item, budget));
  const parts = pairs.map((entry) => {
    const [key, inner] = entry;
    if (key === undefined || inner === undefined || entry.length !== 2) throw valueError('not enough values to unpack');
    return `${quoteUrl(key, true, budget)}=${quoteUrl(inner, true, budget)}`;
  });
  return joinText('&', parts, budget);
}

function xmlAttributes(value: Value, [autospace]: Given, budget: Budget): Value {
  if (!(value instanceof PyDict)) throw typeError(`'${typeName(value)}' object has no attribute 'items'`);
  const parts: string[] = [];
  for (const [key, inner] of value.pairs()) {
    if (inner === null || inner instanceof Undefined) continue;
    const name = textArgument(key, '');
    if (/[ \t-\r/>=]/.test(name)) throw valueError(`Invalid character in attribute name: ${repr(key, budget)}`);
    parts.push(`${escapeText(name, budget)}="${escapeText(inner, budget)}"`);
  }
  return (boolArgument(autospace, true) && parts.length > 0 ? ' ' : '') + joinText(' ', parts, budget);
}

function stripTags(value: Value, _given: Given, budget: Budget): Value {
  const text = str(value, budget);
  budget.walk(text.length);
  let kept = '';
  let at = 0;
  for (let open = text.indexOf('<'); open >= 0; open = text.indexOf('<', at)) {
    const isComment = text.startsWith('<!--', open);
    const close = text.indexOf(isComment ? '-->' : '>', open);
    if (close < 0) break;
    kept += text.slice(at, open);
    at = close + (isComment ? 3 : 1);
  }
  const plain = kept + text.slice(at);
  return words(plain, Number.POSITIVE_INFINITY)
    .join(' ')
    .replace(/&(amp|lt|gt|quot|#39|#34);/g, (whole: string, name: string) => ENTITIES[name] ?? whole);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#34': '"' };

function percent(budget: Budget, value: Value, args: readonly Value[], keywords: Keywords | undefined): Value {
  if (args.length > 0 && keywords !== undefined && keywords.size > 0)
    throw new PythonError('FilterArgumentError', "can't handle positional and keyword arguments at the same time");
  const right = keywords !== undefined && keywords.size > 0 ? PyDict.of(keywords) : new PyTuple(args);
  return formatPercent(str(value, budget), right, budget);
}

function fileSize(value: Value, [binary]: Given, budget: Budget): Value {
  if (value instanceof Undefined) throw value.fail();
  const text = textOf(value);
  const number = text === undefined ? numberOf(value) : parseFloatText(text);
  if (number === undefined) throw valueError(`could not convert to float: ${repr(value, budget)}`);
  const bytes = Number(number);
  const isBinary = isTrue(binary ?? false);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const units = isBinary
    ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
    : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
  let power = 0;
  while (power < units.length - 1 && bytes >= base ** (power + 2)) power += 1;
  return `${(bytes / base ** (power + 1)).toFixed(1)} ${units[power] ?? ''}`;
}

const escapeFilter = filter('escape', [], (value, _given, budget) => new Markup(escapeText(value, budget)));

export const TEXT_FILTERS: readonly [string, Filter][] = [
  filter('capitalize', [], (value, _given, budget) => like(value, capitalize(str(value, budget)))),
  filter('center', ['width'], (value, [width], budget) =>
    like(value, centered(str(value, budget), [width ?? 80], budget)),
  ),
  escapeFilter,
  renamed(escapeFilter, 'e'),
  filter('filesizeformat', ['binary'], fileSize),
  filter('forceescape', [], (value, _given, budget) => new Markup(escapeText(str(value, budget), budget))),
  ['format', percent],
  filter('indent', ['width', 'first', 'blank'], indent),
  filter('join', ['d', 'attribute'], join),
  byMethod('lower', 'lower'),
  filter('pprint', [], (value, _given, budget) => repr(value, budget)),
  filter('replace', ['old!', 'new!', 'count'], replace),
  filter('safe', [], (value, _given, budget) => new Markup(str(value, budget))),
  filter('string', [], (value, _given, budget) => (value instanceof Markup ? value : str(value, budget))),
  filter('striptags', [], stripTags),
  filter('title', [], title),
  ['tojson', toJson],
  byMethod('trim', 'strip', ['chars']),
  filter('truncate', ['length', 'killwords', 'end', 'leeway'], truncate),
  byMethod('upper', 'upper'),
  filter('urlencode', [], urlEncode),
  filter('wordcount', [], wordCount),
  filter('wordwrap', ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'], wordWrap),
  filter('xmlattr', ['autospace'], xmlAttributes),
];
