/**
 * Which two neighbours become which token, and in what order: pairs of ids in an open-addressing table.
 * Cost: 16 bytes a slot, at most 60 % full; a look-up touches one cache line as a rule.
 */

const SLOT = 4;

export class MergeTable {
  /** Per slot: left id (-1: empty), right id, rank, id of both together. */
  readonly slots: Int32Array;
  readonly #mask: number;

  constructor(pairs: number) {
    let slots = 1024;
    while (slots * 0.6 < pairs) slots *= 2;
    this.slots = new Int32Array(slots * SLOT).fill(-1);
    this.#mask = slots - 1;
  }

  /** A pair that is there already gets the new rank. */
  set(left: number, right: number, rank: number, joined: number): void {
    let slot = this.#slotOf(left, right);
    for (;;) {
      const at = slot * SLOT;
      const found = this.slots[at];
      if (found === -1 || (found === left && this.slots[at + 1] === right)) {
        this.slots[at] = left;
        this.slots[at + 1] = right;
        this.slots[at + 2] = rank;
        this.slots[at + 3] = joined;
        return;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Where in `slots` the pair begins, or -1. */
  find(left: number, right: number): number {
    const slots = this.slots;
    for (let slot = this.#slotOf(left, right); ; slot = (slot + 1) & this.#mask) {
      const at = slot * SLOT;
      const found = slots[at];
      if (found === left && slots[at + 1] === right) return at;
      if (found === -1) return -1;
    }
  }

  #slotOf(left: number, right: number): number {
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }
}
