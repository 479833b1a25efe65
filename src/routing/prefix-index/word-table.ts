/**
 * Rows of 32-bit words in pages: a heap of its own for millions of small records that the garbage collector never sees.
 * Shapes  take() → row, give(row), get(row, field), set(row, field, value); row 0 stands for none
 * Cost    O(1); a page more when it is full, never a copy of what is there
 * Owner   one PrefixIndex; the budget is shared with its other tables
 */

/** Bytes that several tables may take together. */
export interface Budget {
  readonly limit: number;
  used: number;
}

const PAGE_BITS = 10;
const PAGE_ROWS = 1 << PAGE_BITS;
const ROW_MASK = PAGE_ROWS - 1;
/** While a row is free, its first word names the next free one. */
const NEXT_FREE = 0;

export class WordTable {
  /** Rows that are taken. */
  count = 0;
  readonly #stride: number;
  readonly #budget: Budget;
  readonly #maxBytes: number;
  readonly #pages: Uint32Array[] = [];
  /** Rows up to here were taken once; row 0 is never taken. */
  #end = 1;
  #firstFree = 0;

  /** `share`: the part of the budget that this table may take at most. */
  constructor(stride: number, budget: Budget, share: number) {
    this.#stride = stride;
    this.#budget = budget;
    this.#maxBytes = Math.max(budget.limit * share, this.#pageBytes);
  }

  get(row: number, field: number): number {
    return this.page(row)[(row & ROW_MASK) * this.#stride + field] as number;
  }

  set(row: number, field: number, value: number): void {
    this.page(row)[(row & ROW_MASK) * this.#stride + field] = value;
  }

  /** The page that holds the row, for loops over its fields. */
  page(row: number): Uint32Array {
    return this.#pages[row >>> PAGE_BITS] as Uint32Array;
  }

  /** Where in its page the row begins. */
  offset(row: number): number {
    return (row & ROW_MASK) * this.#stride;
  }

  /** Adds pages until so many rows are free; false when the budget does not allow it. */
  reserve(rows: number): boolean {
    while (this.#pages.length * PAGE_ROWS - 1 - this.count < rows) {
      const isFirst = this.#pages.length === 0;
      const isAllowed =
        this.#budget.used + this.#pageBytes <= this.#budget.limit && this.bytes + this.#pageBytes <= this.#maxBytes;
      // The first page is needed for anything to work at all, however small the limit.
      if (!isAllowed && !isFirst) return false;
      this.#pages.push(new Uint32Array(PAGE_ROWS * this.#stride));
      this.#budget.used += this.#pageBytes;
    }
    return true;
  }

  /** A row of undefined content. A reservation must have been made for it. */
  take(): number {
    this.count += 1;
    const row = this.#firstFree;
    if (row === 0) return this.#end++;
    this.#firstFree = this.get(row, NEXT_FREE);
    return row;
  }

  give(row: number): void {
    this.count -= 1;
    this.set(row, NEXT_FREE, this.#firstFree);
    this.#firstFree = row;
  }

  get bytes(): number {
    return this.#pages.length * this.#pageBytes;
  }

  get #pageBytes(): number {
    return PAGE_ROWS * this.#stride * Uint32Array.BYTES_PER_ELEMENT;
  }
}
