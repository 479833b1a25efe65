/**
 * What one render may spend. A step is some tens of nanoseconds: every statement, iteration and call takes one per two
 * nodes of its expressions, and work on texts and lists takes steps by their size, so that steps bound time and memory
 * together; a clock need not be asked.
 * Units  steps; UTF-16 code units of text
 * Cost   one subtraction per statement
 * Errors LimitError
 */
import { LimitError } from './errors.ts';

const BASE_STEPS = 60_000;
/** Some templates go through every character of a content, twice, with four steps each. */
const STEPS_PER_INPUT_UNIT = 12;
/** Some 20 ms; a conversation of 850 KB takes as much in most templates. */
const MOST_STEPS = 300_000;
const BASE_TEXT = 1 << 20;
const TEXT_PER_INPUT_UNIT = 8;
const MOST_TEXT = 1 << 26;
/** Calls of macros and of recursive loops inside of each other. */
const MOST_DEPTH = 100;
/** Values inside of values, where they are printed or compared. */
const MOST_NESTING = 600;
const READ_SHIFT = 8;
const SCAN_SHIFT = 3;
const WALK_SHIFT = 1;
const WRITE_SHIFT = 6;
const ITEM_SHIFT = 2;

export class Budget {
  readonly stepLimit: number;
  readonly textLimit: number;
  /** Steps that are left. */
  left: number;
  depth = 0;
  #nesting = 0;

  /** Of all texts that go in. */
  constructor(inputUnits: number) {
    this.stepLimit = Math.min(BASE_STEPS + STEPS_PER_INPUT_UNIT * inputUnits, MOST_STEPS);
    // Whatever comes in may go out again: a long conversation has to be written, even where it is past the cap.
    this.textLimit = Math.max(Math.min(BASE_TEXT + TEXT_PER_INPUT_UNIT * inputUnits, MOST_TEXT), 2 * inputUnits);
    this.left = this.stepLimit;
  }

  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new LimitError(`it takes more than ${this.stepLimit} steps`);
  }

  /** For a text that native code compares, copies or makes whole. */
  read(units: number): void {
    this.spend(units >> READ_SHIFT);
  }

  /** For a text that native code searches or changes. */
  scan(units: number): void {
    this.spend(units >> SCAN_SHIFT);
  }

  /** For a text that is read or written unit by unit. */
  walk(units: number): void {
    this.spend(units >> WALK_SHIFT);
  }

  /** For a text that is to be made by native code: before it is made. */
  write(units: number): void {
    this.fits(units);
    this.spend(units >> WRITE_SHIFT);
  }

  /** For a text that shares its memory with what it is made of. */
  fits(units: number): void {
    if (units > this.textLimit) throw new LimitError(`it makes a text longer than ${this.textLimit}`);
  }

  /** For a list that is to be made. */
  items(count: number): void {
    this.spend(count >> ITEM_SHIFT);
  }

  enter(): void {
    this.depth += 1;
    if (this.depth > MOST_DEPTH) throw new LimitError(`its calls are nested deeper than ${MOST_DEPTH}`);
  }

  /** Goes into a value that holds others. Whoever comes back says `unnest`; a failed render does not. */
  nest(): void {
    this.#nesting += 1;
    if (this.#nesting > MOST_NESTING) throw new LimitError(`its values are nested deeper than ${MOST_NESTING}`);
  }

  unnest(): void {
    this.#nesting -= 1;
  }

  leave(): void {
    this.depth -= 1;
  }
}
