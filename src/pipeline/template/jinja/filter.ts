/** What a filter is: a function of the value before it and of its arguments. */
import { Parameters } from './arguments.ts';
import type { Budget } from './budget.ts';
import type { Keywords, Value } from './values.ts';

export type Filter = (budget: Budget, value: Value, args: readonly Value[], keywords: Keywords | undefined) => Value;
export type Given = readonly (Value | undefined)[];

/** A filter with named parameters; those that end with `!` must be given. */
export function filter(
  name: string,
  parameters: readonly string[],
  run: (value: Value, given: Given, budget: Budget) => Value,
): [string, Filter] {
  const bound = new Parameters(name, parameters);
  return [name, (budget, value, args, keywords) => run(value, bound.bind(args, keywords), budget)];
}

export const renamed = ([, run]: [string, Filter], name: string): [string, Filter] => [name, run];
