/**
 * Which fault, if any, the next request suffers: the rules in force and their seeded dice.
 * Owner: one engine or provider. A fault in the request's own body goes before these.
 */

import { createRandom } from '../random.ts';
import type { Fault, FaultRule } from './fault.ts';

interface ActiveRule {
  readonly rule: FaultRule;
  timesLeft: number;
}

/** The fault rules of one engine or provider. */
export class FaultPlan {
  readonly #random: () => number;
  #rules: ActiveRule[] = [];

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  /** Replaces all rules. */
  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, timesLeft: rule.times }));
  }

  /** Removes all rules. */
  clear(): void {
    this.#rules = [];
  }

  /** The rules still able to strike. */
  list(): readonly FaultRule[] {
    return this.#rules.map(({ rule, timesLeft }) => ({ ...rule, times: timesLeft }));
  }

  /** Rolls the dice for one request (sent with `key`); the first rule that hits is used up by one. */
  pick(method: string, path: string, key?: string): Fault | undefined {
    for (const active of this.#rules) {
      const { rule } = active;
      const isMeant = rule.path === undefined ? method === 'POST' : rule.path === path;
      if (
        !isMeant ||
        (rule.key !== undefined && rule.key !== key) ||
        active.timesLeft < 1 ||
        this.#random() >= rule.rate
      )
        continue;
      active.timesLeft--;
      return rule.fault;
    }
    return undefined;
  }
}
