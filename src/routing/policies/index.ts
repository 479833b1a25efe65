/** The list of policies: one line each. Flags, help and docs derive from it. */
import type { PolicyDefinition } from '../policy.ts';
import bucket from './bucket.ts';
import cacheAware from './cache-aware.ts';
import consistentHashing from './consistent-hashing.ts';
import leastCost from './least-cost.ts';
import leastLoad from './least-load.ts';
import manual from './manual.ts';
import passthrough from './passthrough.ts';
import powerOfTwo from './power-of-two.ts';
import prefixHash from './prefix-hash.ts';
import random from './random.ts';
import roundRobin from './round-robin.ts';

export const policies: readonly PolicyDefinition[] = [
  roundRobin,
  random,
  powerOfTwo,
  leastLoad,
  leastCost,
  cacheAware,
  prefixHash,
  consistentHashing,
  manual,
  bucket,
  passthrough,
];

/** The policy of a gateway that names none. */
export const DEFAULT_POLICY = 'cache_aware';

export function findPolicy(name: string): PolicyDefinition | undefined {
  return policies.find((policy) => policy.name === name);
}
