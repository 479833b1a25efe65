/** Arguments that are written one by one, as they become whole, into the JSON text of an object. */
import type { CallWriter } from './call-writer.ts';
import type { PropertyTypes } from './coerce.ts';
import { coerce, typesOf } from './coerce.ts';

/** Longest value of one argument; what is longer is cut off there, and the call with it. */
export const MAX_VALUE_CHARS = 4_194_304;

export class ParameterWriter {
  readonly #calls: CallWriter;
  readonly #types: PropertyTypes;
  #count = 0;

  constructor(calls: CallWriter, name: string) {
    this.#calls = calls;
    this.#types = typesOf(calls.schemaOf(name));
  }

  /** As the schema has it. `isString`: the model has said itself whether it is one. */
  add(key: string, text: string, isString?: boolean): void {
    const types = isString === true ? TEXT : isString === false ? undefined : this.#types.get(key);
    this.#write(key, coerce(text, types));
  }

  /** The text ended inside of this value: what there is, not closed, so that nobody takes the arguments for whole. */
  addCut(key: string, text: string): void {
    this.#write(key, JSON.stringify(text).slice(0, -1));
  }

  /** All of them are there. */
  close(): void {
    this.#calls.arguments(this.#count === 0 ? '{}' : '}');
  }

  #write(key: string, value: string): void {
    this.#calls.arguments(`${this.#count === 0 ? '{' : ', '}${JSON.stringify(key)}: ${value}`);
    this.#count += 1;
  }
}

const TEXT: ReadonlySet<string> = new Set(['string']);

/** Templates put values on lines of their own: one line break on either side is not of the value. */
export function withoutFrame(text: string): string {
  return text.replace(/^\r?\n/, '').replace(/\r?\n$/, '');
}
