/** All filters by name, and those that use other filters and tests: map, select, reject. */
import type { Budget } from './budget.ts';
import { PythonError } from './errors.ts';
import type { Filter } from './filter.ts';
import { LIST_FILTERS, getter } from './filters-list.ts';
import { TEXT_FILTERS } from './filters-text.ts';
import { listOf } from './sequence.ts';
import { TESTS } from './tests.ts';
import { PyGenerator, isTrue, textOf } from './values.ts';
import type { Keywords, Value } from './values.ts';

const argumentError = (message: string): PythonError => new PythonError('FilterArgumentError', message);

function nameOf(value: Value): string {
  return textOf(value) ?? '';
}

export function runTest(budget: Budget, name: string, values: readonly [Value, readonly Value[]]): boolean {
  const test = TESTS.get(name);
  if (test === undefined) throw new PythonError('TemplateRuntimeError', `No test named '${name}' found.`);
  return test(values[0], values[1], { budget, hasFilter: (filterName) => FILTERS.has(filterName) });
}

const map: Filter = (budget, value, args, keywords) =>
  new PyGenerator(() => {
    if (!isTrue(value)) return [];
    const change = mapper(budget, args, keywords);
    return listOf(value, budget).map((item) => {
      budget.spend(8);
      return change(item);
    });
  });

function mapper(budget: Budget, args: readonly Value[], keywords: Keywords | undefined): (item: Value) => Value {
  const [name, ...rest] = args;
  const attribute = keywords?.get('attribute');
  if (name === undefined && attribute !== undefined) {
    for (const key of keywords?.keys() ?? [])
      if (key !== 'attribute' && key !== 'default') throw argumentError(`Unexpected keyword argument '${key}'`);
    return getter({ attribute, isCaseSensitive: true, otherwise: keywords?.get('default') }, budget);
  }
  if (name === undefined) throw argumentError('map requires a filter argument');
  const filter = FILTERS.get(nameOf(name));
  if (filter === undefined) throw new PythonError('TemplateRuntimeError', `No filter named '${nameOf(name)}' found.`);
  return (item) => filter(budget, item, rest, keywords);
}

function chooser(isKept: boolean, isByAttribute: boolean): Filter {
  return (budget, value, args) =>
    new PyGenerator(() => {
      if (!isTrue(value)) return [];
      const [attribute] = args;
      if (isByAttribute && attribute === undefined) throw argumentError('Missing parameter for attribute name');
      const rest = isByAttribute ? args.slice(1) : args;
      const get = isByAttribute ? getter({ attribute, isCaseSensitive: true }, budget) : (item: Value) => item;
      const [name, ...others] = rest;
      return listOf(value, budget).filter((item) => {
        budget.spend(6);
        const looked = get(item);
        const isGood = name === undefined ? isTrue(looked) : runTest(budget, nameOf(name), [looked, others]);
        return isGood === isKept;
      });
    });
}

export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ...TEXT_FILTERS,
  ...LIST_FILTERS,
  ['map', map],
  ['reject', chooser(false, false)],
  ['rejectattr', chooser(false, true)],
  ['select', chooser(true, false)],
  ['selectattr', chooser(true, true)],
]);
