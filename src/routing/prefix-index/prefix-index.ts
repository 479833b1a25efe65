/**
 * Which worker has how much of a prompt in its cache, as far as a gateway can know: from where it sent what.
 *
 * Shapes  match(blocks) then held[slot] → blocks · hold(slot, blocks) · drop · forget(slot)
 * Units   depths in blocks of the PromptBlocks at hand, what a worker holds in tokens, since prompts may be cut into
 *         blocks of different sizes; workers by the slot of their Candidate
 * Cost    match and hold O(runs of the prompt + holders of those shared); growth and eviction a few rows at a time
 * Memory  never above `maxBytes`, but for a first page of each table (0.2 MB). Beyond it what was used longest ago
 *         goes first, approximately: of a few workers looked at, the one whose oldest entry is the oldest gives it up
 * Promise who holds a block holds everything before it; tails leave before heads. A new tenant of a slot inherits
 *         nothing. A prompt that finds no room is left out in part: this is a prediction, not a record.
 * Source  the idea is the radix tree of SGLang and its router; differs: hashed blocks, an LRU list for each worker
 *         that follows the engine's own, bounded in bytes, no sweeps
 */
import type { PromptBlocks } from '../../domain/prompt.ts';
import { AFTER, Holdings, RUN, STAMP, TAKEN_IN, TENANT, Tenant } from './holdings.ts';
import { FIRST_HOLDING, HOLDING_COUNT, RUN_BLOCKS, Runs } from './runs.ts';
import type { Budget } from './word-table.ts';

/** Neither table may crowd the other out. */
const TABLE_SHARE = 0.75;
/** Workers whose oldest entries are compared when room is needed. */
const VICTIM_SAMPLE = 16;
/** Entries of workers that have left, cleared with each prompt. */
const CLEARED_PER_PROMPT = 16;
/** Entries given up at most for one prompt beyond those that it needs itself: bounds the time of one call. */
const EXTRA_EVICTIONS = 64;
/** A worker's cache never counts as smaller than this. */
const MIN_CAPACITY_TOKENS = 2_048;
const GONE = -1;

export class PrefixIndex {
  readonly #budget: Budget;
  readonly #runs: Runs;
  readonly #holdings: Holdings;
  /** By id. */
  readonly #tenants: Tenant[] = [];
  /** Their slots by id, apart for a loop over many; GONE for those that have left. */
  #slots = new Int32Array(64);
  readonly #freeIds: number[] = [];
  /** The living, by slot. */
  readonly #bySlot: (Tenant | undefined)[] = [];
  /** Tenants that have left and still have entries. */
  readonly #leaving: Tenant[] = [];
  #nextVictim = 0;
  /** Moves whenever runs or holdings come or go, so that a walk can be used twice. */
  #changes = 0;

  /** The last walk: the prompt, its runs from the first, how many of its blocks they cover. */
  #walked: PromptBlocks | undefined = undefined;
  #walkedAt = -1;
  readonly #path: number[] = [];
  #known = 0;

  /** By slot: blocks that the worker holds of the prompt matched last. Another array when `reach` has grown it. */
  held = new Uint32Array(64);
  /** The most that any worker holds of that prompt. */
  most = 0;

  /** Of the last `hold`: tokens that the worker took in between its last use of the deepest known run and now. */
  distance = 0;

  constructor(maxBytes: number, seed: number) {
    this.#budget = { limit: maxBytes, used: 0 };
    this.#runs = new Runs(this.#budget, TABLE_SHARE, seed);
    this.#holdings = new Holdings(this.#budget, TABLE_SHARE, this.#runs);
  }

  get bytesHeld(): number {
    return this.#budget.used;
  }

  /** Runs and holdings that there are: what tests and benchmarks count. */
  get size(): { readonly runs: number; readonly holdings: number } {
    return { runs: this.#runs.table.count, holdings: this.#holdings.table.count };
  }

  /** Makes `held` long enough for this slot. */
  reach(slot: number): void {
    while (slot >= this.held.length) this.held = doubled(this.held);
  }

  /** Finds for all workers at once how much of the prompt each one holds, and leaves it in `held`. */
  match(blocks: PromptBlocks): void {
    this.#walk(blocks);
    this.held.fill(0);
    this.most = 0;
    let depth = this.#known;
    let seen = 0;
    for (let index = this.#path.length - 1; index >= 0; index -= 1) {
      const run = this.#path[index] as number;
      // Who holds a run holds those before it: as many holders as the run behind it means the same ones.
      const holders = this.#runs.table.get(run, HOLDING_COUNT);
      if (holders !== seen) this.#noteHolders(run, depth);
      seen = holders;
      depth = this.#runs.start(run);
    }
  }

  /** The worker in the slot has these blocks from now on, used just now. Returns how many it had before. */
  hold(slot: number, blocks: PromptBlocks): number {
    const tenant = this.#tenantIn(slot);
    this.#clearSome(CLEARED_PER_PROMPT);
    this.distance = 0;
    if (blocks.count === 0 || !this.#makeRoom(blocks)) return 0;
    const before = this.#join(tenant, blocks);
    this.#append(tenant, blocks);
    tenant.takenIn = (tenant.takenIn + (blocks.count - before) * blocks.tokensPerBlock) >>> 0;
    this.#useAll(tenant);
    this.#trim(tenant, Math.ceil(blocks.count / RUN_BLOCKS) + EXTRA_EVICTIONS);
    return before;
  }

  /** A mark in time for `drop`: what is used after it stays. */
  get mark(): number {
    return this.#holdings.stamp;
  }

  /** The worker in the slot does not hold the prompt beyond `keep` blocks, unless it was used again after `mark`. */
  drop(slot: number, blocks: PromptBlocks, { keep, mark }: { readonly keep: number; readonly mark: number }): void {
    const tenant = this.#bySlot[slot];
    if (!tenant) return;
    this.#walk(blocks);
    for (let index = this.#path.length - 1; index >= 0; index -= 1) {
      const run = this.#path[index] as number;
      if (this.#runs.start(run) < keep) return;
      const holding = this.#holdings.find(run, tenant);
      if (holding === 0) continue;
      const isUsedSince = ((this.#holdings.table.get(holding, STAMP) - mark) | 0) > 0;
      if (isUsedSince || this.#holdings.hasChildren(holding)) return;
      this.#remove(holding, tenant);
    }
  }

  /** Tokens that the worker's cache has room for; Infinity when nobody knows. Shrinks with the next prompts. */
  setCapacity(slot: number, tokens: number): void {
    this.#tenantIn(slot).capacity = Math.max(MIN_CAPACITY_TOKENS, tokens);
  }

  /** Tokens that the worker in the slot is believed to hold. */
  tokensIn(slot: number): number {
    return this.#bySlot[slot]?.tokens ?? 0;
  }

  /** Whoever is in the slot holds nothing any more. O(1): the entries are cleared bit by bit. */
  forget(slot: number): void {
    const tenant = this.#bySlot[slot];
    if (!tenant) return;
    this.#bySlot[slot] = undefined;
    this.#slots[tenant.id] = GONE;
    this.#leaving.push(tenant);
  }

  #walk(blocks: PromptBlocks): void {
    if (this.#walked === blocks && this.#walkedAt === this.#changes) return;
    this.#walked = blocks;
    this.#walkedAt = this.#changes;
    this.#path.length = 0;
    const { words, count } = blocks;
    const from = { block: 0, count };
    let run = 0;
    while (from.block < count) {
      run = this.#runs.find(words, from.block, run);
      if (run === 0) break;
      const matching = this.#runs.matching(run, words, from);
      this.#path.push(run);
      from.block += matching;
      if (matching < this.#runs.length(run)) break;
    }
    this.#known = from.block;
  }

  #noteHolders(run: number, depth: number): void {
    const { table } = this.#holdings;
    const { held } = this;
    let holding = this.#runs.table.get(run, FIRST_HOLDING);
    while (holding !== 0) {
      const page = table.page(holding);
      const at = table.offset(holding);
      const slot = this.#slots[page[at + TENANT] as number] as number;
      if (slot >= 0 && held[slot] === 0) {
        held[slot] = depth;
        if (depth > this.most) this.most = depth;
      }
      holding = page[at + AFTER] as number;
    }
  }

  #tenantIn(slot: number): Tenant {
    const known = this.#bySlot[slot];
    if (known) return known;
    const id = this.#freeIds.pop() ?? this.#tenants.length;
    const tenant = new Tenant(id);
    this.#tenants[id] = tenant;
    while (id >= this.#slots.length) this.#slots = doubledSlots(this.#slots);
    this.#slots[id] = slot;
    this.#bySlot[slot] = tenant;
    this.reach(slot);
    return tenant;
  }

  /** Reserves all rows that holding the prompt may take, and leaves it walked; false when there is no room. */
  #makeRoom(blocks: PromptBlocks): boolean {
    let evictions = EXTRA_EVICTIONS + 2 * Math.ceil(blocks.count / RUN_BLOCKS);
    for (;;) {
      this.#walk(blocks);
      const last = this.#path.at(-1);
      const fresh = Math.ceil((blocks.count - this.#known) / RUN_BLOCKS);
      const copies = last === undefined ? 0 : this.#runs.table.get(last, HOLDING_COUNT);
      const holdings = this.#path.length + fresh + copies + 1;
      if (this.#runs.table.reserve(fresh + 1) && this.#holdings.table.reserve(holdings)) return true;
      if (evictions <= 0 || !this.#evictOldest()) return false;
      evictions -= 1;
    }
  }

  /** Makes the tenant a holder of the runs that are known of the prompt; returns how many blocks it held before. */
  #join(tenant: Tenant, { count }: PromptBlocks): number {
    const last = this.#path.length - 1;
    let before = 0;
    for (let index = 0; index <= last; index += 1) {
      const run = this.#path[index] as number;
      const known = index === last ? this.#known - this.#runs.start(run) : this.#runs.length(run);
      const holding = this.#holdings.find(run, tenant);
      if (holding !== 0) {
        before = this.#runs.start(run) + known;
        this.distance = (tenant.takenIn - this.#holdings.table.get(holding, TAKEN_IN)) >>> 0;
      }
      const isPart = known < this.#runs.length(run);
      // A prompt that ends inside a run which its worker holds needs no cut.
      if (isPart && (holding === 0 || this.#known < count)) this.#path[index] = this.#cut(run, known);
      const joined = this.#path[index] as number;
      if (holding === 0) this.#addHolding(joined, tenant);
    }
    return before;
  }

  #cut(run: number, length: number): number {
    this.#changes += 1;
    const head = this.#runs.cut(run, length);
    this.#holdings.copyTo(head, run, this.#tenants);
    return head;
  }

  #addHolding(run: number, tenant: Tenant): void {
    this.#changes += 1;
    this.#holdings.add(run, tenant);
  }

  /** Adds the blocks of the prompt that were not known: to the end of its last run if only this tenant has it, or anew. */
  #append(tenant: Tenant, { words, count, tokensPerBlock }: PromptBlocks): void {
    let start = this.#known;
    let parent = this.#path.at(-1) ?? 0;
    const room = parent === 0 ? 0 : this.#roomIn(parent, tenant);
    if (room > 0 && start < count) {
      const blocks = Math.min(room, count - start);
      this.#changes += 1;
      this.#runs.extend(parent, words, blocks);
      tenant.tokens += blocks * this.#runs.tokensPerBlock(parent);
      start += blocks;
    }
    while (start < count) {
      const length = Math.min(RUN_BLOCKS, count - start);
      parent = this.#runs.create(parent, words, { start, length, tokensPerBlock });
      this.#addHolding(parent, tenant);
      this.#path.push(parent);
      start += length;
    }
  }

  #roomIn(run: number, tenant: Tenant): number {
    if (this.#runs.table.get(run, HOLDING_COUNT) !== 1) return 0;
    const holding = this.#holdings.find(run, tenant);
    return holding === 0 || this.#holdings.hasChildren(holding) ? 0 : RUN_BLOCKS - this.#runs.length(run);
  }

  /** Marks the whole path as used, its end first: heads then leave after their tails. */
  #useAll(tenant: Tenant): void {
    for (let index = this.#path.length - 1; index >= 0; index -= 1) {
      this.#holdings.use(this.#holdings.find(this.#path[index] as number, tenant), tenant);
    }
    // The path now holds runs that a walk would have found: it may be used again.
    this.#walked = undefined;
  }

  /** Follows the engine's own eviction: what no longer fits into the worker's cache goes, oldest first. */
  #trim(tenant: Tenant, most: number): void {
    for (let left = most; left > 0 && tenant.oldest !== 0; left -= 1) {
      const run = this.#holdings.table.get(tenant.oldest, RUN);
      if (tenant.tokens - this.#runs.tokens(run) < tenant.capacity) return;
      if (!this.#removeOldest(tenant)) return;
    }
  }

  /** Gives up one entry for the sake of memory: one of a worker that has left, or about the oldest of all. */
  #evictOldest(): boolean {
    if (this.#leaving.length > 0) return this.#clearSome(1);
    let victim: Tenant | undefined;
    let oldest = 0;
    const { table, stamp } = this.#holdings;
    const looks = Math.min(VICTIM_SAMPLE, this.#bySlot.length);
    for (let look = 0; look < looks; look += 1) {
      this.#nextVictim = (this.#nextVictim + 1) % this.#bySlot.length;
      const tenant = this.#bySlot[this.#nextVictim];
      if (!tenant || tenant.oldest === 0) continue;
      const age = (stamp - table.get(tenant.oldest, STAMP)) >>> 0;
      if (victim && age <= oldest) continue;
      victim = tenant;
      oldest = age;
    }
    // Among many empty slots the sample may have met nobody; the next look goes on from here.
    return victim ? this.#removeOldest(victim) : this.#holdings.table.count > 0;
  }

  #removeOldest(tenant: Tenant): boolean {
    if (this.#holdings.hasChildren(tenant.oldest)) return false;
    this.#remove(tenant.oldest, tenant);
    return true;
  }

  /** Clears entries of tenants that have left. False when there were none. */
  #clearSome(most: number): boolean {
    let left = most;
    while (left > 0) {
      const tenant = this.#leaving.at(-1);
      if (!tenant) break;
      if (tenant.oldest === 0) {
        this.#leaving.pop();
        this.#freeIds.push(tenant.id);
        continue;
      }
      this.#remove(tenant.oldest, tenant);
      left -= 1;
    }
    return left < most;
  }

  #remove(holding: number, tenant: Tenant): void {
    this.#changes += 1;
    this.#holdings.remove(holding, tenant);
  }
}

function doubledSlots(slots: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(slots.length * 2);
  larger.set(slots);
  return larger;
}

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(words.length * 2);
  larger.set(words);
  return larger;
}
