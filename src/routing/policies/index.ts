/** The list of policies: one line each. Flags, help and docs derive from it. */
import type { PolicyDefinition } from '../policy.ts';
import leastLoad from './least-load.ts';
import passthrough from './passthrough.ts';
import powerOfTwo from './power-of-two.ts';
import random from './random.ts';
import roundRobin from './round-robin.ts';

export const policies: readonly PolicyDefinition[] = [roundRobin, random, powerOfTwo, leastLoad, passthrough];

export function findPolicy(name: string): PolicyDefinition | undefined {
  return policies.find((policy) => policy.name === name);
}
