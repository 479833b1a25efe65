/** When is a worker so much busier than another that a preference for it has to yield? Both bounds have to be broken. */
import type { OptionValues, PolicyOptions } from './policy.ts';

export const balanceOptions = {
  balanceAbsThreshold: {
    kind: 'whole',
    min: 0,
    default: 64,
    doc: 'Calls that a preferred worker may have beyond those of the least loaded one, whatever the ratio.',
  },
  balanceRelThreshold: {
    kind: 'decimal',
    min: 1,
    default: 1.5,
    doc: 'How many times the calls of the least loaded worker a preferred one may have, whatever the difference.',
  },
} as const satisfies PolicyOptions;

/** True while a worker with `load` calls may be preferred to one with `least`. */
export function isBalanced(load: number, least: number, options: OptionValues<typeof balanceOptions>): boolean {
  return load - least <= options.balanceAbsThreshold || load <= least * options.balanceRelThreshold;
}
