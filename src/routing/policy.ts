/** The Policy contract: who serves, among workers that may all serve. No I/O, no clock, no globals. */
import type { Random } from '../base/random.ts';
import type { Candidate } from '../domain/candidate.ts';

/** Routing inputs of one call. */
export interface Hints {
  readonly model: string;
  /** A request header by its lower-case name, or undefined. */
  header(name: string): string | undefined;
}

export interface Policy {
  /**
   * Chooses one of `candidates` (all may serve; at least one; stable order). May remember its own choices.
   * Returning undefined, or one that is not in the list, is a fault of the policy.
   */
  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined;
  /** The worker is gone for good: drop what is remembered of it. */
  forget?(workerId: string): void;
}

export interface PolicyDeps {
  readonly random: Random;
}

export interface PolicyDefinition {
  /** As users write it, `snake_case`. */
  readonly name: string;
  /** One sentence for help and docs. */
  readonly summary: string;
  create(deps: PolicyDeps): Policy;
}

/** Checks the shape and keeps the literal type; a policy file exports its result as default. */
export function definePolicy<const Definition extends PolicyDefinition>(definition: Definition): Definition {
  return definition;
}
