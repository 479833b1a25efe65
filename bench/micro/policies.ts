/**
 * Choosing among so many workers, beside taking the first.
 * Shapes  policyContests() → one for each number of candidates, with every policy there is
 * Units   ns for one choice; the loads stand still, as between two calls
 */
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { policies } from '../../src/routing/policies/index.ts';
import { LoadBook } from '../../src/workers/load.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Contest } from './race.ts';

const COUNTS = [2, 100, 2_000];
const HINTS = {
  model: 'llama-3.1-8b',
  header: () => undefined,
  blocks: () => ({ words: new Uint32Array(0), count: 0, tokensPerBlock: 128, tokens: 1 }),
  prefixHash: () => 0,
};
const MAX_LOAD = 16;

export function policyContests(): Contest[] {
  return COUNTS.map((count) => ({
    name: `choice among ${count.toLocaleString('en-US')}`,
    contenders: [...policies]
      .sort((a, b) => Number(b.name === 'passthrough') - Number(a.name === 'passthrough'))
      .map((definition) => {
        const candidates = candidatesOf(count);
        const policy = definition.create({}, { random: systemRandom, now: () => systemClock.now() });
        return {
          name: definition.name,
          run(times: number) {
            let inFlight = 0;
            for (let i = 0; i < times; i++) inFlight += policy.select(candidates, HINTS)?.inFlight ?? 0;
            return inFlight;
          },
        };
      }),
  }));
}

function candidatesOf(count: number): Candidate[] {
  const book = new LoadBook();
  return Array.from({ length: count }, (_, index) => {
    const id = index.toString(16).padStart(8, '0');
    const candidate = book.open(id, { priority: 50, cost: 1 });
    for (let call = (index * 7) % MAX_LOAD; call > 0; call--) book.enter(id);
    return candidate;
  });
}
