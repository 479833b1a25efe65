/**
 * Who holds which run: one row for each pair of a run and a tenant (one life of one worker's cache).
 *
 *   run ── all its holdings, in a list            tenant ── its holdings, most recently used first
 *
 * A tenant that holds a run holds the runs before it too, and has used them no less recently: what leaves at the old
 * end of a tenant's list is always the tail of a prompt. Owner: one PrefixIndex
 */
import { FIRST_FIELD, LinearHash, NEXT } from './linear-hash.ts';
import { FIRST_HOLDING, HOLDING_COUNT, type Runs } from './runs.ts';
import { type Budget, WordTable } from './word-table.ts';

export const RUN = FIRST_FIELD;
export const TENANT = FIRST_FIELD + 1;
/** Neighbours in the tenant's list. */
const OLDER = FIRST_FIELD + 2;
const NEWER = FIRST_FIELD + 3;
/** Neighbours in the run's list. */
const BEFORE = FIRST_FIELD + 4;
export const AFTER = FIRST_FIELD + 5;
/** How many runs that follow this one the tenant holds too. */
const CHILDREN = FIRST_FIELD + 6;
/** When it was used last, in uses of the whole index. */
export const STAMP = FIRST_FIELD + 7;
/** When it was used last, in tokens that the tenant had taken in. */
export const TAKEN_IN = FIRST_FIELD + 8;
const STRIDE = FIRST_FIELD + 9;

/** One life of one worker's cache: a restart or a new worker in the slot is another tenant. */
export class Tenant {
  /** Small whole number, reused when nothing of its last bearer is left. */
  readonly id: number;
  newest = 0;
  oldest = 0;
  /** Tokens held. */
  tokens = 0;
  /** Tokens that the worker's cache has room for. */
  capacity = Number.POSITIVE_INFINITY;
  /** Tokens taken in so far; wraps at 2^32. */
  takenIn = 0;

  constructor(id: number) {
    this.id = id;
  }
}

export class Holdings {
  readonly table: WordTable;
  readonly #hash: LinearHash;
  readonly #runs: Runs;
  #stamp = 0;

  constructor(budget: Budget, share: number, runs: Runs) {
    this.table = new WordTable(STRIDE, budget, share);
    this.#hash = new LinearHash(this.table, budget);
    this.#runs = runs;
  }

  get bytes(): number {
    return this.table.bytes + this.#hash.bytes;
  }

  /** The stamp of the latest use. */
  get stamp(): number {
    return this.#stamp;
  }

  find(run: number, { id }: Tenant): number {
    const { table } = this;
    let holding = this.#hash.first(hashOf(run, id));
    while (holding !== 0) {
      const page = table.page(holding);
      const at = table.offset(holding);
      if (page[at + RUN] === run && page[at + TENANT] === id) return holding;
      holding = page[at + NEXT] as number;
    }
    return 0;
  }

  /** The tenant holds the run from now on, most recently used. A row must have been reserved. */
  add(run: number, tenant: Tenant): number {
    const { table } = this;
    const holding = table.take();
    table.set(holding, RUN, run);
    table.set(holding, TENANT, tenant.id);
    table.set(holding, CHILDREN, 0);
    table.set(holding, STAMP, this.#stamp);
    table.set(holding, TAKEN_IN, tenant.takenIn);
    this.#hash.add(holding, hashOf(run, tenant.id));
    this.#joinRun(holding, run);
    this.#linkNewest(holding, tenant);
    tenant.tokens += this.#runs.tokens(run);
    this.#countChild(this.#runs.parent(run), tenant, 1);
    return holding;
  }

  /** After `Runs.cut`: who holds the rest holds the head too, used as recently. `tenants` by id; a row reserved for each. */
  copyTo(head: number, rest: number, tenants: readonly Tenant[]): void {
    const { table } = this;
    const runs = this.#runs.table;
    for (let holding = runs.get(rest, FIRST_HOLDING); holding !== 0; holding = table.get(holding, AFTER)) {
      const copy = table.take();
      const id = table.get(holding, TENANT);
      table.set(copy, RUN, head);
      table.set(copy, TENANT, id);
      table.set(copy, CHILDREN, 1);
      table.set(copy, STAMP, table.get(holding, STAMP));
      table.set(copy, TAKEN_IN, table.get(holding, TAKEN_IN));
      this.#hash.add(copy, hashOf(head, id));
      this.#joinRun(copy, head);
      // Before the rest in the list: a head leaves after its tail.
      const newer = table.get(holding, NEWER);
      table.set(copy, OLDER, holding);
      table.set(copy, NEWER, newer);
      table.set(holding, NEWER, copy);
      if (newer === 0) (tenants[id] as Tenant).newest = copy;
      else table.set(newer, OLDER, copy);
    }
  }

  use(holding: number, tenant: Tenant): void {
    const { table } = this;
    this.#stamp = (this.#stamp + 1) >>> 0;
    table.set(holding, STAMP, this.#stamp);
    table.set(holding, TAKEN_IN, tenant.takenIn);
    if (tenant.newest === holding) return;
    this.#unlink(holding, tenant);
    this.#linkNewest(holding, tenant);
  }

  hasChildren(holding: number): boolean {
    return this.table.get(holding, CHILDREN) > 0;
  }

  /** The tenant no longer holds the run, which must have no children of its own. Frees the run when it was the last. */
  remove(holding: number, tenant: Tenant): void {
    const { table } = this;
    const run = table.get(holding, RUN);
    this.#unlink(holding, tenant);
    this.#hash.remove(holding);
    tenant.tokens -= this.#runs.tokens(run);
    this.#countChild(this.#runs.parent(run), tenant, -1);
    const isLast = this.#leaveRun(holding, run);
    table.give(holding);
    if (isLast) this.#runs.free(run);
  }

  #countChild(parent: number, tenant: Tenant, by: 1 | -1): void {
    if (parent === 0) return;
    const holding = this.find(parent, tenant);
    this.table.set(holding, CHILDREN, this.table.get(holding, CHILDREN) + by);
  }

  #joinRun(holding: number, run: number): void {
    const runs = this.#runs.table;
    const first = runs.get(run, FIRST_HOLDING);
    this.table.set(holding, BEFORE, 0);
    this.table.set(holding, AFTER, first);
    if (first !== 0) this.table.set(first, BEFORE, holding);
    runs.set(run, FIRST_HOLDING, holding);
    runs.set(run, HOLDING_COUNT, runs.get(run, HOLDING_COUNT) + 1);
  }

  /** True when nobody holds the run any more. */
  #leaveRun(holding: number, run: number): boolean {
    const runs = this.#runs.table;
    const before = this.table.get(holding, BEFORE);
    const after = this.table.get(holding, AFTER);
    if (before === 0) runs.set(run, FIRST_HOLDING, after);
    else this.table.set(before, AFTER, after);
    if (after !== 0) this.table.set(after, BEFORE, before);
    const left = runs.get(run, HOLDING_COUNT) - 1;
    runs.set(run, HOLDING_COUNT, left);
    return left === 0;
  }

  #linkNewest(holding: number, tenant: Tenant): void {
    this.table.set(holding, NEWER, 0);
    this.table.set(holding, OLDER, tenant.newest);
    if (tenant.newest === 0) tenant.oldest = holding;
    else this.table.set(tenant.newest, NEWER, holding);
    tenant.newest = holding;
  }

  #unlink(holding: number, tenant: Tenant): void {
    const newer = this.table.get(holding, NEWER);
    const older = this.table.get(holding, OLDER);
    if (newer === 0) tenant.newest = older;
    else this.table.set(newer, OLDER, older);
    if (older === 0) tenant.oldest = newer;
    else this.table.set(older, NEWER, newer);
  }
}

function hashOf(run: number, tenant: number): number {
  const hash = Math.imul(run, 0x9e37_79b1) ^ Math.imul(tenant + 1, 0xc2b2_ae3d);
  return (hash ^ (hash >>> 15)) >>> 0;
}
