/**
 * `prefix_hash`: prompts that begin alike go to the same worker, as long as it is not much busier than the others; then
 * to the next one that the prefix belongs to.
 */
import type { Candidate } from '../../domain/candidate.ts';
import type { Hints, OptionValues, Policy } from '../policy.ts';
import { definePolicy } from '../policy.ts';
import { Rendezvous } from '../rendezvous.ts';
import { mix } from '../text-hash.ts';

const options = {
  prefixTokenCount: {
    kind: 'whole',
    min: 1,
    default: 256,
    doc: 'Prompts that have this many tokens in common at their beginning belong to the same worker.',
  },
  prefixHashLoadFactor: {
    kind: 'decimal',
    min: 1,
    default: 1.25,
    doc: 'A worker with more than this many times the average load is passed over.',
  },
} as const;

class PrefixHash implements Policy {
  readonly #rendezvous = new Rendezvous();
  readonly #options: OptionValues<typeof options>;

  constructor(values: OptionValues<typeof options>) {
    this.#options = values;
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    const key = keyOf(hints, this.#options.prefixTokenCount);
    // Somebody always has at most the average load, so that the least loaded is never passed over.
    return this.#rendezvous.find(key, candidates, this.#limit(candidates));
  }

  explain(candidate: Candidate, hints: Hints): string {
    const key = keyOf(hints, this.#options.prefixTokenCount);
    return `prefix ${key.toString(16).padStart(8, '0')}, load weighed ${(candidate.load * candidate.cost).toFixed(1)}`;
  }

  forget(candidate: Candidate): void {
    this.#rendezvous.forget(candidate);
  }

  /** What load times cost would be with this call spread ideally, times the factor. */
  #limit(candidates: readonly Candidate[]): number {
    let calls = 1;
    let capacity = 0;
    for (const { load, cost } of candidates) {
      calls += load;
      capacity += 1 / cost;
    }
    return (calls / capacity) * this.#options.prefixHashLoadFactor;
  }
}

function keyOf(hints: Hints, tokens: number): number {
  return mix(hints.prefixHash(tokens));
}

export default definePolicy({
  name: 'prefix_hash',
  summary: 'The worker that the beginning of the prompt belongs to, or the next one while it is too busy.',
  options,
  create: (values) => new PrefixHash(values),
});
