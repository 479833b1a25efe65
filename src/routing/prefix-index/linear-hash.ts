/**
 * A hash index over the rows of a WordTable that grows by one bucket at a time (linear hashing): no insert ever pays
 * for moving the whole table.
 * Shapes  add(row, hash), remove(row); first(hash) → row, then along NEXT; each row keeps its hash
 * Cost    O(1) on average: about one row a bucket while the budget lasts, longer chains after that
 */
import type { Budget, WordTable } from './word-table.ts';

/** The fields of a row that belong to the index. */
export const NEXT = 0;
export const HASH = 1;
/** The first field that belongs to the owner of the rows. */
export const FIRST_FIELD = 2;

const PAGE_BITS = 12;
const PAGE_BUCKETS = 1 << PAGE_BITS;
const BUCKET_MASK = PAGE_BUCKETS - 1;
const PAGE_BYTES = PAGE_BUCKETS * Uint32Array.BYTES_PER_ELEMENT;

export class LinearHash {
  readonly #rows: WordTable;
  readonly #budget: Budget;
  readonly #pages: Uint32Array[] = [];
  /** Buckets are numbered by the hash's bits under this mask; those below `#split` by one bit more. */
  #mask = BUCKET_MASK;
  #split = 0;

  constructor(rows: WordTable, budget: Budget) {
    this.#rows = rows;
    this.#budget = budget;
  }

  /** The first row of the bucket where rows of this hash are, 0 for none. */
  first(hash: number): number {
    return this.#pages.length === 0 ? 0 : this.#head(this.#bucketOf(hash));
  }

  add(row: number, hash: number): void {
    if (this.#pages.length === 0) this.#addPage();
    const bucket = this.#bucketOf(hash);
    this.#rows.set(row, NEXT, this.#head(bucket));
    this.#rows.set(row, HASH, hash);
    this.#setHead(bucket, row);
    if (this.#rows.count > this.#mask + this.#split) this.#grow();
  }

  remove(row: number): void {
    const bucket = this.#bucketOf(this.#rows.get(row, HASH));
    const next = this.#rows.get(row, NEXT);
    let at = this.#head(bucket);
    if (at === row) return this.#setHead(bucket, next);
    while (this.#rows.get(at, NEXT) !== row) at = this.#rows.get(at, NEXT);
    this.#rows.set(at, NEXT, next);
  }

  get bytes(): number {
    return this.#pages.length * PAGE_BYTES;
  }

  #bucketOf(hash: number): number {
    const bucket = (hash & this.#mask) >>> 0;
    return bucket < this.#split ? (hash & (2 * this.#mask + 1)) >>> 0 : bucket;
  }

  #head(bucket: number): number {
    return (this.#pages[bucket >>> PAGE_BITS] as Uint32Array)[bucket & BUCKET_MASK] as number;
  }

  #setHead(bucket: number, row: number): void {
    (this.#pages[bucket >>> PAGE_BITS] as Uint32Array)[bucket & BUCKET_MASK] = row;
  }

  #addPage(): void {
    this.#pages.push(new Uint32Array(PAGE_BUCKETS));
    this.#budget.used += PAGE_BYTES;
  }

  /** One bucket more: takes its rows out of the one that had them until now. */
  #grow(): void {
    const bucket = this.#mask + 1 + this.#split;
    if (bucket >>> PAGE_BITS === this.#pages.length) {
      if (this.#budget.used + PAGE_BYTES > this.#budget.limit) return;
      this.#addPage();
    }
    const rows = this.#rows;
    let row = this.#head(this.#split);
    let [stay, move] = [0, 0];
    while (row !== 0) {
      const next = rows.get(row, NEXT);
      const moves = (rows.get(row, HASH) & (this.#mask + 1)) !== 0;
      rows.set(row, NEXT, moves ? move : stay);
      if (moves) move = row;
      else stay = row;
      row = next;
    }
    this.#setHead(this.#split, stay);
    this.#setHead(bucket, move);
    this.#split += 1;
    if (this.#split <= this.#mask) return;
    this.#mask = 2 * this.#mask + 1;
    this.#split = 0;
  }
}
