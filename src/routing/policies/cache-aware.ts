/**
 * `cache_aware`: the worker on which the call costs the fleet least time.
 *
 *   cost × ( wait for what is queued there              queued
 *          + compute what its cache lacks of the prompt own × (1 + crowding + eviction + interference)
 *          + move, recent, batch                        see WEIGHTS )
 *
 * What a worker's cache holds is predicted (CacheMemory), how much work waits there is counted (WorkLedger); both learn
 * from the answers. Nothing here needs an engine that reports: reports make the predictions better.
 * Cost  O(candidates + prompt blocks); no lists are made
 */
import type { Candidate } from '../../domain/candidate.ts';
import type { AttemptVerdict, CallWatch } from '../../domain/ports.ts';
import type { PromptBlocks } from '../../domain/prompt.ts';
import type { Usage } from '../../domain/usage.ts';
import { balanceOptions, isBalanced } from '../balance.ts';
import type { Memory } from '../cache-memory.ts';
import { CacheMemory } from '../cache-memory.ts';
import type { Hints, OptionValues, Policy, PolicyDeps, PolicyOptions } from '../policy.ts';
import { definePolicy } from '../policy.ts';
import { FleetWork } from '../fleet-work.ts';
import { Prefill } from '../work-ledger.ts';
import type { WorkLedger } from '../work-ledger.ts';

/** Found in the routing laboratory, where results change little around them (docs/decisions/0014). */
const WEIGHTS = {
  /** Beyond its time, work delays all who come while the fleet is busy: by this times u / (1 - u), u being how busy. */
  crowding: 1,
  mostCrowding: 6,
  /** Into a full cache every token that comes in drives one out. */
  eviction: 1,
  /** Each running call waits while a prompt is computed. */
  interference: 0.01,
  /** Tokens that a conversation loses by moving beyond those seen now: its last answer, which is cached too. */
  move: 2_000,
  /** How much the work of the last minute counts beside the work that waits, so that idle workers get their turn. */
  recent: 0.15,
  recentMs: 60_000,
  /** What a call costs those it shares a worker with, as a share of the time that answers take after their first content. */
  batch: 0.005,
} as const;

/** The speed of a worker that nobody knows anything of; all are compared with the same until they are known. */
const TOKENS_PER_MS = 8;
/** A first guess of how long answers take after their first content, and how much one answer moves it. */
const FIRST_ANSWER_MS = 2_000;
const ANSWER_STEP = 0.02;

const options = {
  cacheThreshold: {
    kind: 'decimal',
    min: 0,
    max: 1,
    default: 0.3,
    doc: 'Share of a prompt that a worker must have cached for the call to be kept there even if another is a little sooner.',
  },
  ...balanceOptions,
  balanceTokenUsageThreshold: {
    kind: 'decimal',
    min: 0,
    max: 1,
    default: 1,
    doc: 'How much more of its KV memory than the emptiest worker a chosen one may have in use, as engines report; 1 turns it off.',
  },
  overloadTokenUsageThreshold: {
    kind: 'decimal',
    min: 0,
    max: 1,
    default: 1,
    doc: 'Share of its KV memory in use above which a worker is avoided, as engines report; 1 turns it off.',
  },
  maxTreeSize: {
    kind: 'bytes',
    min: 1_048_576,
    default: 268_435_456,
    doc: 'Memory for knowing which worker has which prompt; when it is full the oldest is forgotten, a little with each call.',
  },
} as const satisfies PolicyOptions;

type Options = OptionValues<typeof options>;

/** What holds for all candidates of one choice. */
interface View {
  readonly blocks: PromptBlocks;
  readonly nowMs: number;
  readonly risen: number;
  /** Who holds fewer blocks than this would make the prompt's conversation move. */
  readonly kept: number;
  readonly crowding: number;
}

class CacheAware implements Policy {
  readonly #options: Options;
  readonly #deps: PolicyDeps;
  readonly #memory: CacheMemory;
  readonly #work = new FleetWork(TOKENS_PER_MS, WEIGHTS.recentMs);
  /** How long answers take from their first content to their end. */
  #answerMs = FIRST_ANSWER_MS;

  constructor(given: Options, deps: PolicyDeps) {
    this.#options = given;
    this.#deps = deps;
    this.#memory = new CacheMemory(given.maxTreeSize, Math.floor(deps.random.next() * 2 ** 32));
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    const blocks = hints.blocks();
    this.#memory.match(blocks);
    const view = this.#look(blocks);
    const best = this.#cheapest(candidates, view);
    if (!best || this.#isWithinBounds(best, candidates)) return best;
    const others = candidates.filter((candidate) => this.#isWithinBounds(candidate, candidates));
    return this.#cheapest(others, view) ?? best;
  }

  begin(candidate: Candidate, hints: Hints): CallWatch {
    const { slot } = candidate;
    const nowMs = this.#deps.now();
    const memory = this.#memory.remember(candidate, hints.blocks(), this.#work.queued(slot, nowMs));
    const prefill = new Prefill(memory.uncached, hints.blocks().tokens, hints.isStream ?? true);
    const ledger = this.#work.begin(slot, prefill, nowMs);
    return new Watch(this, { ledger, prefill, memory, contentAt: undefined });
  }

  /** The first content has come. */
  computed(watched: Watched): void {
    const { memory, ledger, prefill } = watched;
    watched.contentAt = this.#deps.now();
    this.#work.computed(memory.slot, { ledger, prefill }, watched.contentAt);
  }

  ended({ ledger, prefill, memory, contentAt }: Watched, isSuccess: boolean, usage: Usage | undefined): void {
    const nowMs = this.#deps.now();
    this.#work.leave(memory.slot, { ledger, prefill }, nowMs);
    if (contentAt !== undefined) this.#answerMs += (nowMs - contentAt - this.#answerMs) * ANSWER_STEP;
    if (isSuccess || contentAt !== undefined) this.#memory.confirm(memory, usage, prefill.measured);
    else this.#memory.revoke(memory);
  }

  explain({ slot }: Candidate, hints: Hints): string {
    const { tokens, tokensPerBlock } = hints.blocks();
    const uncached = Math.max(1, tokens - (this.#memory.held[slot] ?? 0) * tokensPerBlock);
    const queued = Math.round(this.#work.queued(slot, this.#deps.now()));
    const expectedMs = Math.round((queued + uncached) * (this.#work.msPerToken[slot] ?? 0));
    return `cached=${tokens - uncached}/${tokens} queued=${queued} expected_ms=${expectedMs}`;
  }

  forget({ slot }: Candidate): void {
    this.#memory.forget(slot);
    this.#work.forget(slot);
  }

  forgetCache({ slot }: Candidate): void {
    this.#memory.forget(slot);
  }

  get bytesHeld(): number {
    return this.#memory.bytesHeld;
  }

  #look(blocks: PromptBlocks): View {
    const nowMs = this.#deps.now();
    const risen = this.#work.risen(nowMs);
    const busy = Math.min(this.#work.usual / (risen * WEIGHTS.recentMs), 1 - Number.EPSILON);
    const crowding = Math.min((WEIGHTS.crowding * busy) / (1 - busy), WEIGHTS.mostCrowding);
    const { most } = this.#memory;
    const isWorthIt = most * blocks.tokensPerBlock >= this.#options.cacheThreshold * blocks.tokens;
    return { blocks, nowMs, risen, kept: isWorthIt ? most : 0, crowding };
  }

  /** Makes room for workers that are seen for the first time. */
  #meet(candidates: readonly Candidate[]): readonly Candidate[] {
    for (const { slot } of candidates) {
      this.#work.open(slot);
      this.#memory.reach(slot);
    }
    return candidates;
  }

  /** Among thousands of candidates this loop is the decision: plain arrays, nothing made, nothing called for the idle. */
  #cheapest(candidates: readonly Candidate[], view: View): Candidate | undefined {
    const { blocks, nowMs, risen, kept, crowding } = view;
    const { tokens, tokensPerBlock } = blocks;
    const { waiting, msPerToken, recent } = this.#work;
    const { held, fullness } = this.#memory;
    const { eviction, interference } = WEIGHTS;
    const recentWeight = WEIGHTS.recent / risen;
    // One that was away gets its turn, not a burst to catch up.
    const leastRecent = this.#work.usual / 2;
    const batchMs = WEIGHTS.batch * this.#answerMs;
    let best: Candidate | undefined;
    let bestMs = Number.POSITIVE_INFINITY;
    let ties = 0;
    let sum = 0;
    for (const candidate of candidates) {
      const { slot, load } = candidate;
      const speed = msPerToken[slot];
      if (!speed) return this.#cheapest(this.#meet(candidates), view);
      const blocksHeld = held[slot] as number;
      const prefills = waiting[slot] as number;
      const queued = (prefills === 0 ? 0 : this.#work.queued(slot, nowMs)) + othersTokens(candidate, load);
      const others = crowding + eviction * (fullness[slot] as number) + interference * Math.max(0, load - prefills);
      const own = Math.max(1, tokens - blocksHeld * tokensPerBlock) * (1 + others);
      const work = (queued + own + (blocksHeld < kept ? WEIGHTS.move : 0)) * speed;
      const given = recent[slot] as number;
      sum += given;
      const turn = recentWeight * Math.max(given, leastRecent);
      const ms = candidate.cost * (work + turn + batchMs * (load + 1));
      if (ms > bestMs) continue;
      ties = ms === bestMs ? ties + 1 : 1;
      // Reservoir of one: each of k tied workers stays with probability 1/k.
      if (ms < bestMs || this.#deps.random.next() * ties < 1) best = candidate;
      bestMs = ms;
    }
    this.#work.usual = sum / Math.max(1, candidates.length);
    return best;
  }

  /** The hard bounds of the options: beyond them a worker is not chosen, whatever its cache holds. */
  #isWithinBounds(candidate: Candidate, candidates: readonly Candidate[]): boolean {
    const { overloadTokenUsageThreshold, balanceTokenUsageThreshold, balanceAbsThreshold } = this.#options;
    const load = candidate.load * candidate.cost;
    const usage = tokenUsage(candidate);
    if (usage > overloadTokenUsageThreshold) return false;
    // Most calls end here, without a look at all the others.
    if (load <= balanceAbsThreshold && usage <= balanceTokenUsageThreshold) return true;
    let leastLoad = load;
    let leastUsage = usage;
    for (const other of candidates) {
      leastLoad = Math.min(leastLoad, other.load * other.cost);
      leastUsage = Math.min(leastUsage, tokenUsage(other));
    }
    return usage - leastUsage <= balanceTokenUsageThreshold && isBalanced(load, leastLoad, this.#options);
  }
}

interface Watched {
  readonly ledger: WorkLedger;
  readonly prefill: Prefill;
  readonly memory: Memory;
  /** When its first content came. */
  contentAt: number | undefined;
}

/** Follows one call. Harmless after its worker has left: what it holds is of the time when the call began. */
class Watch implements CallWatch {
  readonly #policy: CacheAware;
  readonly #watched: Watched;

  constructor(policy: CacheAware, watched: Watched) {
    this.#policy = policy;
    this.#watched = watched;
  }

  firstContent(): void {
    this.#policy.computed(this.#watched);
  }

  ended(verdict: AttemptVerdict, usage: Usage | undefined): void {
    this.#policy.ended(this.#watched, verdict.kind === 'success', usage);
  }
}

/** Prompt tokens that wait at the engine for calls of others, by their share of its calls. */
function othersTokens({ inFlight, report }: Candidate, load: number): number {
  if (load <= inFlight || report?.waitingTokens === undefined) return 0;
  return (report.waitingTokens * (load - inFlight)) / load;
}

/** Share of the engine's KV memory in use; 0 when it does not say. */
function tokenUsage({ report }: Candidate): number {
  if (!report?.usedTokens || !report.capacityTokens) return 0;
  return report.usedTokens / report.capacityTokens;
}

export default definePolicy({
  name: 'cache_aware',
  summary:
    'The worker that is expected to answer soonest, by the work that waits there and what its cache has of the prompt.',
  options,
  create: (given, deps) => new CacheAware(given, deps),
});
