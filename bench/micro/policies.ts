/**
 * Choosing among so many workers, beside taking the first.
 * Shapes  policyContests() → one for each number of candidates, with every policy there is
 * Units   ns for one choice; the loads stand still, as between two calls; every call has another routing key and prompt
 */
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Candidate, LoadReport } from '../../src/domain/candidate.ts';
import { findPolicy, policies } from '../../src/routing/policies/index.ts';
import type { Hints } from '../../src/routing/policy.ts';
import { LoadBook } from '../../src/workers/load.ts';
import type { Contender, Contest } from './race.ts';

const COUNTS = [2, 100, 2_000];
const MAX_LOAD = 16;
/** Keys and prompts in turn; a power of two. */
const VARIETY = 1_024;

const variety = Array.from({ length: VARIETY }, (_, i) => hintsOf(i));

export function policyContests(): Contest[] {
  return COUNTS.map((count) => {
    const plain = candidatesOf(count, 1, false);
    const all = policies.map(({ name }) => contenderOf(name, name, plain));
    return {
      name: `choice among ${count.toLocaleString('en-US')}`,
      contenders: [
        ...all.sort((a, b) => Number(b.name === 'passthrough') - Number(a.name === 'passthrough')),
        contenderOf('least_load', 'least_load, engines report', candidatesOf(count, 1, true)),
        contenderOf('consistent_hashing', 'consistent_hashing, two costs', candidatesOf(count, 2, false)),
      ],
    };
  });
}

function contenderOf(policyName: string, name: string, candidates: readonly Candidate[]): Contender {
  const policy = findPolicy(policyName)?.create({}, { random: systemRandom, now: () => systemClock.now() });
  if (!policy) throw new Error(`There is no policy ${policyName}.`);
  // What policies remember of calls is there when the choice is measured.
  variety.forEach((hints, i) => {
    const candidate = candidates[i % candidates.length] as Candidate;
    policy.begin?.(candidate, hints)?.ended({ kind: 'neutral' }, undefined);
  });
  return {
    name,
    run(times) {
      let inFlight = 0;
      for (let i = 0; i < times; i++) {
        inFlight += policy.select(candidates, variety[i % VARIETY] as Hints)?.inFlight ?? 0;
      }
      return inFlight;
    },
  };
}

function hintsOf(i: number): Hints {
  const key = `session-${i}`;
  return {
    model: 'llama-3.1-8b',
    header: (name) => (name === 'x-smg-routing-key' ? key : undefined),
    blocks: () => ({ words: new Uint32Array(0), count: 0, tokensPerBlock: 128, tokens: 16 + ((i * 37) % 4_096) }),
    prefixHash: () => Math.imul(i, 0x9e3779b1) >>> 0,
  };
}

/** Costs are 1 up to `costs`, in turn. */
function candidatesOf(count: number, costs: number, report: boolean): Candidate[] {
  const book = new LoadBook();
  return Array.from({ length: count }, (_, index) => {
    const id = index.toString(16).padStart(8, '0');
    const candidate = book.open(id, { priority: 50, cost: 1 + (index % costs) });
    for (let call = (index * 7) % MAX_LOAD; call > 0; call--) book.enter(id);
    return report ? Object.assign(candidate, { report: reportOf(index) }) : candidate;
  });
}

function reportOf(index: number): LoadReport {
  return {
    ...{ atMs: 1, running: index % MAX_LOAD, waiting: 0, waitingTokens: (index * 311) % 8_192, throughput: 3_000 },
    ...{ usedTokens: (index * 7_919) % 500_000, capacityTokens: 524_288, cacheHitRate: undefined },
  };
}
