/**
 * Where names live. Each function (the template itself, a macro, a recursive loop) has one row of slots; blocks inside
 * of it (loops, with, set blocks) have slots of their own in that row, which take the value of the name around them
 * when the block begins. A name that is nowhere assigned is a variable of the caller's, in the first row.
 */
import type { Body, Target } from './ast.ts';

export interface Place {
  /** Functions between here and where the name lives. */
  readonly depth: number;
  readonly slot: number;
}

export class FunctionScope {
  readonly parent: BlockScope | undefined;
  slotCount = 0;

  constructor(parent: BlockScope | undefined) {
    this.parent = parent;
  }

  take(): number {
    this.slotCount += 1;
    return this.slotCount - 1;
  }
}

export class BlockScope {
  readonly owner: FunctionScope;
  readonly parent: BlockScope | undefined;
  readonly #names = new Map<string, number>();

  constructor(owner: FunctionScope, parent: BlockScope | undefined) {
    this.owner = owner;
    this.parent = parent;
  }

  declare(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const slot = this.owner.take();
    this.#names.set(name, slot);
    return slot;
  }

  own(name: string): number | undefined {
    return this.#names.get(name);
  }

  find(name: string): Place {
    const slot = this.#names.get(name);
    if (slot !== undefined) return { depth: 0, slot };
    const outer = this.parent ?? this.owner.parent;
    if (outer === undefined) return { depth: 0, slot: this.declare(name) };
    const place = outer.find(name);
    return outer.owner === this.owner ? place : { depth: place.depth + 1, slot: place.slot };
  }

  /** The names that the outermost scope knows, with their slots: what a caller may give. */
  names(): ReadonlyMap<string, number> {
    return this.#names;
  }
}

/** Names that a body assigns in its own scope; what inner scopes assign stays there. */
export function assignedNames(body: Body, found = new Set<string>()): ReadonlySet<string> {
  for (const statement of body) {
    if (statement.kind === 'if') {
      for (const branch of statement.branches) assignedNames(branch.body, found);
      assignedNames(statement.otherwise, found);
    } else if (statement.kind === 'set' || statement.kind === 'set_block') addTarget(statement.target, found);
    else if (statement.kind === 'macro') found.add(statement.name);
    else if (statement.kind === 'missing_template') for (const name of statement.stores) found.add(name);
  }
  return found;
}

function addTarget(target: Target, found: Set<string>): void {
  if (target.kind === 'name') found.add(target.name);
  else if (target.kind === 'tuple') for (const item of target.items) addTarget(item, found);
}
