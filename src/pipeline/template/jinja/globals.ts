/** What every template can call: Jinja's globals, and those of transformers. */
import { Parameters, intArgument, textArgument } from './arguments.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { str } from './print.ts';
import { listOf } from './sequence.ts';
import { formatTime } from './strftime.ts';
import { Namespace, PyDict, PyFunction, PyObject, PyRange, textOf } from './values.ts';
import type { Budget } from './budget.ts';
import type { Keywords, Value } from './values.ts';

/** The sandbox gives no longer ones. */
const MOST_IN_RANGE = 100_000;

function range(_budget: Budget, args: readonly Value[]): Value {
  const numbers = args.map((arg) => intArgument(arg, 0));
  const [first = 0, second, step = 1] = numbers;
  if (numbers.length === 0 || numbers.length > 3)
    throw typeError(`range expected 1 to 3 arguments, got ${numbers.length}`);
  if (step === 0) throw valueError('range() arg 3 must not be zero');
  const made = second === undefined ? new PyRange(0, first, 1) : new PyRange(first, second, step);
  if (made.length > MOST_IN_RANGE)
    throw new PythonError(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MOST_IN_RANGE}).`,
    );
  return made;
}

function pairsOf(source: Value | undefined, keywords: Keywords | undefined, budget: Budget): [Value, Value][] {
  const pairs: [Value, Value][] = [];
  if (source instanceof PyDict) pairs.push(...source.pairs());
  else if (source !== undefined)
    for (const item of listOf(source, budget)) {
      const [key, value, ...more] = listOf(item, budget);
      if (key === undefined || value === undefined || more.length > 0)
        throw valueError('dictionary update sequence element has a length that is not 2');
      pairs.push([key, value]);
    }
  pairs.push(...(keywords ?? []));
  budget.spend(pairs.length);
  return pairs;
}

function dict(budget: Budget, args: readonly Value[], keywords: Keywords | undefined): Value {
  if (args.length > 1) throw typeError(`dict expected at most 1 argument, got ${args.length}`);
  return PyDict.of(pairsOf(args[0], keywords, budget));
}

function namespace(budget: Budget, args: readonly Value[], keywords: Keywords | undefined): Value {
  const made = new Namespace();
  for (const [key, value] of pairsOf(args[0], keywords, budget)) made.set(textArgument(key, ''), value);
  return made;
}

class Cycler extends PyObject {
  readonly typeName = 'Cycler';
  readonly #items: readonly Value[];
  #at = 0;

  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }

  override attribute(name: string): Value | undefined {
    if (name === 'current') return this.#items[this.#at];
    if (name === 'reset') return new PyFunction(name, () => this.#reset());
    return name === 'next' ? new PyFunction(name, () => this.#next()) : undefined;
  }

  #reset(): null {
    this.#at = 0;
    return null;
  }

  #next(): Value {
    const item = this.#items[this.#at] ?? null;
    this.#at = (this.#at + 1) % this.#items.length;
    return item;
  }
}

function cycler(_budget: Budget, args: readonly Value[]): Value {
  if (args.length === 0) throw new PythonError('TemplateRuntimeError', 'at least one item has to be provided');
  return new Cycler(args);
}

const JOINER = new Parameters('joiner', ['sep']);

/** Nothing the first time it is called, the separator afterwards. */
function joiner(_budget: Budget, args: readonly Value[], keywords: Keywords | undefined): Value {
  const [separator = ', '] = JOINER.bind(args, keywords);
  let isUsed = false;
  return new PyFunction('joiner', () => {
    const text = isUsed ? separator : '';
    isUsed = true;
    return text;
  });
}

const RAISE = new Parameters('raise_exception', ['message!']);

function raiseException(budget: Budget, args: readonly Value[], keywords: Keywords | undefined): Value {
  const [message = null] = RAISE.bind(args, keywords);
  throw new PythonError('TemplateError', str(message, budget));
}

const STRFTIME = new Parameters('strftime_now', ['format!']);

/** `now`: wall-clock milliseconds. Times are in UTC: a gateway has no place of its own. */
export function globalsOf(now: () => number): ReadonlyMap<string, Value> {
  const strftime = new PyFunction('strftime_now', (budget, args, keywords) => {
    const [format = ''] = STRFTIME.bind(args, keywords);
    const text = formatTime(textOf(format) ?? textArgument(format, ''), now());
    budget.write(text.length);
    return text;
  });
  return new Map<string, Value>([
    ['range', new PyFunction('range', range)],
    ['dict', new PyFunction('dict', dict)],
    ['namespace', new PyFunction('namespace', namespace)],
    ['cycler', new PyFunction('cycler', cycler)],
    ['joiner', new PyFunction('joiner', joiner)],
    ['raise_exception', new PyFunction('raise_exception', raiseException)],
    ['strftime_now', strftime],
  ]);
}
