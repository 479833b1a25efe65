/**
 * The engine's KV memory in blocks: who holds which, and what is still worth keeping for the next prompt.
 *
 *   private block --share()--> shared block (found by hash) --last release()--> idle, oldest evicted first
 *
 * Blocks of a released sequence go idle tail first, so a chain is evicted from its end and its start stays useful.
 * Owner: one scheduler. No clock, no randomness.
 */

interface Block {
  readonly hash: number;
  holders: number;
  older: Block | undefined;
  newer: Block | undefined;
}

/** The memory of one running sequence; give it back with `release` exactly once. */
export interface Hold {
  readonly shared: Block[];
  privateBlocks: number;
}

/** Block prefix cache with reference counts and least-recently-used eviction. Units: blocks. */
export class PrefixCache {
  readonly capacity: number;
  readonly #byHash = new Map<number, Block>();
  #idle = 0;
  #private = 0;
  #oldest: Block | undefined;
  #newest: Block | undefined;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Blocks that running sequences hold; idle ones are free for the taking and do not count. */
  get heldBlocks(): number {
    return this.#private + this.#byHash.size - this.#idle;
  }

  /** Blocks findable by hash, held or idle. */
  get cachedBlocks(): number {
    return this.#byHash.size;
  }

  /** Length of the longest cached prefix of `blocks`, looking at no more than `limit`. Changes nothing. */
  match(blocks: readonly number[], limit: number): number {
    const end = Math.min(blocks.length, limit);
    let matched = 0;
    while (matched < end && this.#byHash.has(blocks[matched] as number)) matched++;
    return matched;
  }

  /** Takes `needed` blocks, of which the first `matched` are cached ones; undefined when memory is short. */
  acquire(blocks: readonly number[], matched: number, needed: number): Hold | undefined {
    const hold: Hold = { shared: [], privateBlocks: 0 };
    for (let index = 0; index < matched; index++) {
      const block = this.#byHash.get(blocks[index] as number);
      if (block !== undefined) this.#join(hold, block);
    }
    const missing = needed - hold.shared.length;
    if (this.heldBlocks + missing > this.capacity) {
      this.release(hold);
      return undefined;
    }
    while (this.#private + this.#byHash.size + missing > this.capacity) this.#evictOldest();
    hold.privateBlocks = missing;
    this.#private += missing;
    return hold;
  }

  /** Makes one private block findable by its hash; a twin computed meanwhile by another sequence is used instead. */
  share(hold: Hold, hash: number): void {
    if (hold.privateBlocks === 0) return;
    hold.privateBlocks--;
    this.#private--;
    const twin = this.#byHash.get(hash);
    if (twin !== undefined) {
      this.#join(hold, twin);
      return;
    }
    const block: Block = { hash, holders: 1, older: undefined, newer: undefined };
    this.#byHash.set(hash, block);
    hold.shared.push(block);
  }

  /** Gives everything back; shared blocks nobody else holds stay cached until memory is wanted. */
  release(hold: Hold): void {
    this.#private -= hold.privateBlocks;
    hold.privateBlocks = 0;
    for (let block = hold.shared.pop(); block !== undefined; block = hold.shared.pop()) {
      block.holders--;
      if (block.holders === 0) this.#appendIdle(block);
    }
  }

  /** Forgets every idle block. */
  flush(): void {
    while (this.#oldest !== undefined) this.#evictOldest();
  }

  #join(hold: Hold, block: Block): void {
    if (block.holders === 0) this.#removeIdle(block);
    block.holders++;
    hold.shared.push(block);
  }

  #evictOldest(): void {
    const block = this.#oldest;
    if (block === undefined) return;
    this.#removeIdle(block);
    this.#byHash.delete(block.hash);
  }

  #appendIdle(block: Block): void {
    block.older = this.#newest;
    block.newer = undefined;
    if (this.#newest === undefined) this.#oldest = block;
    else this.#newest.newer = block;
    this.#newest = block;
    this.#idle++;
  }

  #removeIdle(block: Block): void {
    if (block.older === undefined) this.#oldest = block.newer;
    else block.older.newer = block.newer;
    if (block.newer === undefined) this.#newest = block.older;
    else block.newer.older = block.older;
    block.older = undefined;
    block.newer = undefined;
    this.#idle--;
  }
}
