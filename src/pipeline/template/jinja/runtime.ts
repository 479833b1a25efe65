/** What a render goes on: its budget, the text it has written, and the variables of each function. */
import { Budget } from './budget.ts';
import { LimitError, PythonError, typeError, valueError } from './errors.ts';
import { isEqual } from './compare.ts';
import { listOf } from './sequence.ts';
import { PyFunction, PyObject, PyTuple, Undefined, given } from './values.ts';
import type { Keywords, Value } from './values.ts';

export class Run extends Budget {
  /** What was written so far, of the innermost thing that collects text. */
  out = '';

  emit(text: string): void {
    const out = this.out + text;
    if (out.length > this.textLimit) throw new LimitError(`it writes more than ${this.textLimit}`);
    this.out = out;
  }
}

/** The variables of a template, or of one call of a macro; undefined where nothing was assigned yet. */
export class Frame {
  readonly run: Run;
  readonly slots: (Value | undefined)[];
  readonly parent: Frame | undefined;

  constructor(run: Run, slotCount: number, parent: Frame | undefined) {
    this.run = run;
    this.parent = parent;
    this.slots = [];
    for (let slot = 0; slot < slotCount; slot += 1) this.slots.push(undefined);
  }
}

export type Evaluate = (frame: Frame) => Value;
/** What comes next: the next statement, the next iteration, or what follows the loop. */
export const GO_ON = 0;
export const CONTINUE = 1;
export const BREAK = 2;
export type Flow = typeof GO_ON | typeof CONTINUE | typeof BREAK;
export type Execute = (frame: Frame) => Flow;

/** `loop`. */
export class LoopContext extends PyObject {
  readonly typeName = 'LoopContext';
  readonly #items: readonly Value[];
  readonly #depth: number;
  readonly #recurse: ((items: Value, depth: number) => Value) | undefined;
  #changed: readonly Value[] | undefined;
  index0 = 0;

  constructor(items: readonly Value[], depth: number, recurse: ((items: Value, depth: number) => Value) | undefined) {
    super();
    this.#items = items;
    this.#depth = depth;
    this.#recurse = recurse;
  }

  override attribute(name: string): Value | undefined {
    const { length } = this.#items;
    switch (name) {
      case 'index':
        return this.index0 + 1;
      case 'index0':
        return this.index0;
      case 'first':
        return this.index0 === 0;
      case 'last':
        return this.index0 === length - 1;
      case 'length':
        return length;
      case 'revindex':
        return length - this.index0;
      case 'revindex0':
        return length - this.index0 - 1;
      case 'depth':
        return this.#depth + 1;
      case 'depth0':
        return this.#depth;
      case 'previtem':
        return given(this.#items[this.index0 - 1], new Undefined(() => 'there is no previous item'));
      case 'nextitem':
        return given(this.#items[this.index0 + 1], new Undefined(() => 'there is no next item'));
      case 'cycle':
        return new PyFunction('cycle', (_budget, args) => this.#cycle(args));
      case 'changed':
        return new PyFunction('changed', (budget, args) => this.#hasChanged(args, budget));
      default:
        return undefined;
    }
  }

  #cycle(args: readonly Value[]): Value {
    const item = args[this.index0 % args.length];
    if (item === undefined) throw typeError('no items for cycling given');
    return item;
  }

  #hasChanged(values: readonly Value[], budget: Budget): boolean {
    if (this.#changed !== undefined && isEqual(this.#changed, values, budget)) return false;
    this.#changed = values;
    return true;
  }

  call(items: Value): Value {
    if (this.#recurse === undefined)
      throw typeError("The loop must have the 'recursive' marker to be called recursively.");
    return this.#recurse(items, this.#depth + 1);
  }
}

export function callValue(callee: Value, run: Run, args: readonly Value[], keywords: Keywords | undefined): Value {
  run.spend(1);
  if (callee instanceof PyFunction) return callee.invoke(run, args, keywords);
  if (callee instanceof Undefined) throw callee.fail();
  if (callee instanceof LoopContext) return callee.call(args[0] ?? null);
  throw typeError(
    `'${callee === null ? 'NoneType' : callee instanceof PyObject ? callee.typeName : typeof callee}' object is not callable`,
  );
}

/** As many values as there are targets, out of anything that can be gone through. */
export function unpack(value: Value, count: number, budget: Budget): readonly Value[] {
  const items = value instanceof PyTuple ? value.items : listOf(value, budget);
  if (items.length > count) throw valueError(`too many values to unpack (expected ${count})`);
  if (items.length < count) throw valueError(`not enough values to unpack (expected ${count}, got ${items.length})`);
  return items;
}

export const runtimeError = (message: string): PythonError => new PythonError('TemplateRuntimeError', message);
