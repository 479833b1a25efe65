/**
 * Which worker serves a routing key: remembered for as long as the key is used, at most two workers for each key.
 * Shapes  keyOf(hints) → key; find(key, candidates); remember(key, candidate); groupsOf(candidate)
 * Units   seconds of idleness
 * Cost    O(1) but for finding a worker among the candidates; the clean-up is spread over the calls, a few keys each time
 * Owner   the policy instance that has it. Only a 64-bit hash of a key is kept, never its text
 */
import type { Candidate } from '../domain/candidate.ts';
import type { Hints, OptionValues, PolicyDeps, PolicyOptions } from './policy.ts';
import { hash64 } from './text-hash.ts';

export const ROUTING_KEY_HEADER = 'x-smg-routing-key';

export const stickyOptions = {
  maxIdleSecs: {
    kind: 'seconds',
    min: 1,
    default: 14_400,
    doc: 'A routing key that is not used for so long is forgotten, also under --routing-key-override.',
  },
  maxRoutingKeys: {
    kind: 'whole',
    min: 64,
    default: 500_000,
    doc: 'Routing keys remembered at most, about 150 bytes each; beyond it the longest unused are forgotten.',
  },
} as const satisfies PolicyOptions;

/** A worker as keys remember it: emptied when the worker leaves, so that no key keeps it and none needs a visit. */
interface Seat {
  candidate: Candidate | undefined;
  /** Keys that were last served here. */
  keys: number;
}

interface Entry {
  /** Where the key is at home, and who stands in while home cannot serve. */
  home: Seat;
  standIn: Seat | undefined;
  /** The one of both that served last. */
  last: Seat;
  /** Whole seconds: a small integer needs no box. */
  usedAt: number;
}

/** Many small maps: growing one of them takes no time that could be felt. */
const SHARDS = 64;
const SWEPT_AT_ONCE = 4;
/** Measured with a million keys: key text, entry and map slot. */
const BYTES_PER_KEY = 150;

export class StickyKeys {
  readonly #now: () => number;
  readonly #seed: number;
  readonly #maxIdleSecs: number;
  readonly #maxPerShard: number;
  /** In order of last use, the oldest first. */
  readonly #shards: readonly Map<string, Entry>[] = Array.from({ length: SHARDS }, () => new Map<string, Entry>());
  /** By slot. */
  readonly #seats: (Seat | undefined)[] = [];
  #swept = 0;

  constructor(options: OptionValues<typeof stickyOptions>, deps: PolicyDeps) {
    this.#now = () => Math.floor(deps.now() / 1_000);
    this.#seed = Math.floor(deps.random.next() * 4_294_967_296);
    this.#maxIdleSecs = options.maxIdleSecs;
    this.#maxPerShard = Math.ceil(options.maxRoutingKeys / SHARDS);
  }

  /** The key of a call, or undefined when the client sent none. The same text for two models is two keys. */
  keyOf(hints: Hints): string | undefined {
    const text = hints.header(ROUTING_KEY_HEADER);
    return text === undefined || text === '' ? undefined : hash64(hints.model, text, this.#seed);
  }

  /** The worker of the key if it is a candidate: its home, else its stand-in. Changes nothing. */
  find(key: string, candidates: readonly Candidate[]): Candidate | undefined {
    const entry = this.#shardOf(key).get(key);
    if (!entry || this.#isIdle(entry)) return undefined;
    for (const seat of [entry.home, entry.standIn]) {
      if (seat?.candidate && candidates.includes(seat.candidate)) return seat.candidate;
    }
    return undefined;
  }

  /** The key was served here now. A third worker takes the stand-in's place: who comes home finds its cache. */
  remember(key: string, candidate: Candidate): void {
    const shard = this.#shardOf(key);
    const seat = this.#seatOf(candidate);
    const before = shard.get(key);
    if (before) this.#remove(shard, key, before);
    const entry = before && !this.#isIdle(before) ? before : { home: seat, standIn: undefined, last: seat, usedAt: 0 };
    if (!entry.home.candidate) entry.home = entry.standIn?.candidate ? entry.standIn : seat;
    entry.standIn = entry.home === seat ? entry.standIn : seat;
    if (entry.standIn === entry.home) entry.standIn = undefined;
    entry.last = seat;
    entry.usedAt = this.#now();
    seat.keys += 1;
    // Set after it was removed: the key now stands last, as the one used most recently.
    shard.set(key, entry);
    this.#dropOldest(shard, shard.size - this.#maxPerShard);
    this.#sweep();
  }

  /** Routing keys that were last served by this worker. */
  groupsOf({ slot, workerId }: Candidate): number {
    const seat = this.#seats[slot];
    return seat?.candidate?.workerId === workerId ? seat.keys : 0;
  }

  forget({ slot }: Candidate): void {
    const seat = this.#seats[slot];
    if (seat) seat.candidate = undefined;
    this.#seats[slot] = undefined;
  }

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  get bytesHeld(): number {
    return this.size * BYTES_PER_KEY;
  }

  #shardOf(key: string): Map<string, Entry> {
    return this.#shards[key.charCodeAt(0) % SHARDS] as Map<string, Entry>;
  }

  #seatOf(candidate: Candidate): Seat {
    const known = this.#seats[candidate.slot];
    if (known?.candidate === candidate) return known;
    this.forget(candidate);
    const seat: Seat = { candidate, keys: 0 };
    this.#seats[candidate.slot] = seat;
    return seat;
  }

  #isIdle(entry: Entry): boolean {
    return this.#now() - entry.usedAt > this.#maxIdleSecs;
  }

  #remove(shard: Map<string, Entry>, key: string, entry: Entry): void {
    entry.last.keys -= 1;
    shard.delete(key);
  }

  #dropOldest(shard: Map<string, Entry>, count: number): void {
    let left = count;
    for (const [key, entry] of shard) {
      if (left <= 0) return;
      this.#remove(shard, key, entry);
      left -= 1;
    }
  }

  /** Drops a few idle keys of the next shard: every shard has its turn, and none a pause. */
  #sweep(): void {
    this.#swept = (this.#swept + 1) % SHARDS;
    const shard = this.#shards[this.#swept] as Map<string, Entry>;
    let left = SWEPT_AT_ONCE;
    for (const [key, entry] of shard) {
      if (left <= 0 || !this.#isIdle(entry)) return;
      this.#remove(shard, key, entry);
      left -= 1;
    }
  }
}
