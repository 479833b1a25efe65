/**
 * `manual`: the client decides by its routing key who belongs together. A key stays with the worker that it was given;
 * while that cannot serve a stand-in does. Calls without a key are given out in the same way and not remembered.
 */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { leastOf, weighedLoad } from '../load-score.ts';
import type { Hints, OptionValues, Policy, PolicyDeps } from '../policy.ts';
import { definePolicy } from '../policy.ts';
import { StickyKeys, stickyOptions } from '../sticky-keys.ts';
import { drawByCost } from './random.ts';

const options = {
  assignmentMode: {
    kind: 'choice',
    choices: ['random', 'min_load', 'min_group'],
    default: 'random',
    doc: 'Who gets a new routing key: by lot, the least loaded worker, or the one with the fewest keys.',
  },
  ...stickyOptions,
} as const;

class Manual implements Policy {
  readonly #keys: StickyKeys;
  readonly #mode: OptionValues<typeof options>['assignmentMode'];
  readonly #random: Random;

  constructor(values: OptionValues<typeof options>, deps: PolicyDeps) {
    this.#keys = new StickyKeys(values, deps);
    this.#mode = values.assignmentMode;
    this.#random = deps.random;
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    const key = this.#keys.keyOf(hints);
    const known = key === undefined ? undefined : this.#keys.find(key, candidates);
    return known ?? this.#assign(candidates, key !== undefined);
  }

  begin(candidate: Candidate, hints: Hints): undefined {
    const key = this.#keys.keyOf(hints);
    if (key !== undefined) this.#keys.remember(key, candidate);
  }

  explain(candidate: Candidate, hints: Hints): string {
    const key = this.#keys.keyOf(hints);
    if (key === undefined) return `no routing key, ${this.#mode}`;
    return this.#keys.find(key, [candidate]) ? 'worker of the routing key' : `new routing key, ${this.#mode}`;
  }

  forget(candidate: Candidate): void {
    this.#keys.forget(candidate);
  }

  get bytesHeld(): number {
    return this.#keys.bytesHeld;
  }

  #assign(candidates: readonly Candidate[], hasKey: boolean): Candidate | undefined {
    if (this.#mode === 'random') return drawByCost(candidates, this.#random);
    // A call without a key adds to no group: by groups all such calls would go to one worker.
    if (this.#mode === 'min_load' || !hasKey) return leastOf(candidates, weighedLoad, this.#random);
    return leastOf(candidates, (each) => (this.#keys.groupsOf(each) + 1) * each.cost, this.#random);
  }
}

export default definePolicy({
  name: 'manual',
  summary: 'The worker that the routing key of the client was given when it was first seen.',
  options,
  readsRoutingKey: true,
  create: (values, deps) => new Manual(values, deps),
});
