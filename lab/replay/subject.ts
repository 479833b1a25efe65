/**
 * What the laboratory asks of a policy: the part of the contract in src/routing/policy.ts that it plays, so that the
 * very objects of src/ fit, and the yardsticks of the laboratory too.
 */
import type { Policy } from '../../src/routing/policy.ts';

/** A policy under test with the name that its row gets. */
export interface Subject {
  readonly name: string;
  /** A fresh one for each run. `now` is virtual time. */
  create(deps: { readonly random: { next(): number }; now(): number }): Policy;
}
