/** The options of the policies as rows of the option table: each is declared in its policy's file and derived here. */
import type { PolicyOption } from '../routing/policy.ts';
import { policies } from '../routing/policies/index.ts';
import { choice, decimal, seconds, wholeNumber } from './kinds.ts';
import { type Option, type OptionTable, single, toggle } from './option.ts';

interface Row {
  readonly group: string;
  readonly doc: string;
}

function rowOf(option: PolicyOption, row: Row): Option<unknown> {
  switch (option.kind) {
    case 'decimal':
      return single(decimal(option), { ...row, default: option.default });
    case 'whole':
      return single(wholeNumber(option), { ...row, default: option.default });
    case 'seconds':
      return single(seconds(option), { ...row, default: option.default });
    case 'bytes':
      return single(wholeNumber({ ...option, unit: 'bytes', placeholder: 'bytes' }), {
        ...row,
        default: option.default,
      });
    case 'choice':
      return single(choice(option.choices), { ...row, default: option.default });
    case 'toggle':
      return toggle({ ...row, default: option.default });
  }
}

/** Whom an option concerns: `Policy: manual, bucket.` */
function ownersOf(key: string): string {
  const names = policies.filter(({ options }) => Object.hasOwn(options, key)).map(({ name }) => name);
  return `Policy: ${names.join(', ')}.`;
}

/** One row for each option of any policy; policies that share one declare it alike. */
export const policyOptions: OptionTable = Object.fromEntries(
  policies.flatMap(({ options }) =>
    Object.entries(options).map(([key, option]) => [
      key,
      rowOf(option, { group: 'Routing', doc: `${option.doc} ${ownersOf(key)}` }),
    ]),
  ),
);
