/**
 * Which call a result answers. Gemini's older models give their calls no ids: results then follow in the order of the
 * calls, each with the name of its function.
 */
import { unnamedCallId } from './call-ids.ts';

/** Of one conversation, read from its start. Cost does not grow with the calls that wait. */
export class CallBook {
  #count = 0;
  /** Calls that wait for their results. */
  readonly #open = new Set<string>();
  /** All ids by the names of the functions, in order, those that were answered too; and how many of them are past. */
  readonly #byName = new Map<string, { readonly ids: string[]; past: number }>();

  /** Of a call: its own id, or one that is made for it. */
  called(id: string | undefined, name: string): string {
    const callId = id ?? unnamedCallId(this.#count);
    this.#count += 1;
    this.#open.add(callId);
    const calls = this.#byName.get(name) ?? { ids: [], past: 0 };
    this.#byName.set(name, calls);
    calls.ids.push(callId);
    return callId;
  }

  /** Of a result: the id that it names, else that of the first call of this function that waits for one. */
  answered(id: string | undefined, name: string): string {
    const callId = id ?? this.#first(name) ?? this.#unasked();
    this.#open.delete(callId);
    return callId;
  }

  #first(name: string): string | undefined {
    const calls = this.#byName.get(name);
    if (!calls) return undefined;
    const { ids } = calls;
    while (calls.past < ids.length) {
      const callId = ids[calls.past];
      calls.past += 1;
      if (callId !== undefined && this.#open.has(callId)) return callId;
    }
    return undefined;
  }

  /** A result that nobody asked for still needs an id of its own. */
  #unasked(): string {
    const callId = unnamedCallId(this.#count);
    this.#count += 1;
    return callId;
  }
}
