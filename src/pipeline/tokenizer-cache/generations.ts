/**
 * A bounded memory that forgets what has not been asked for lately, in two generations: new and used entries live in the
 * young one; when it has half of what is allowed, it becomes the old one, and what was still old is gone. A hit costs one
 * look-up and moves nothing within a map, so that no map turns over at every call.
 */
import type { TokenIds } from '../../domain/tokenizer.ts';

export interface GenerationLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Of one entry beside its text and ids: string, typed array with its buffer, and its place in a map. Measured: 200 to 260. */
const ENTRY_BYTES = 256;

/** What an entry keeps in memory. `text` must be a string of its own, not a part of a longer one. */
function bytesOf(text: string, ids: TokenIds): number {
  return ENTRY_BYTES + text.length * (isNarrow(text) ? 1 : 2) + ids.length * 4;
}

/** Kept with one byte for each character. */
function isNarrow(text: string): boolean {
  return /^[\0-\xff]*$/.test(text);
}

/** A string that keeps no longer one alive: a part of a string is a view of it. */
function ownCopy(text: string): string {
  const encoding = isNarrow(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}

class Generation {
  readonly entries = new Map<string, TokenIds>();
  bytes = 0;
}

export class Generations {
  readonly #limits: GenerationLimits;
  #young = new Generation();
  #old = new Generation();

  constructor(limits: GenerationLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#young.entries.size + this.#old.entries.size;
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(text: string): TokenIds | undefined {
    const young = this.#young.entries.get(text);
    if (young) return young;
    const old = this.#old.entries.get(text);
    if (old) {
      const bytes = bytesOf(text, old);
      this.#old.entries.delete(text);
      this.#old.bytes -= bytes;
      // `text` may be a part of a longer one.
      this.#put(ownCopy(text), old, bytes);
    }
    return old;
  }

  /** Does nothing for an entry that is too large to be worth its place. */
  set(text: string, ids: TokenIds): void {
    const bytes = bytesOf(text, ids);
    if (bytes > this.#limits.maxBytes / 4 || this.#limits.maxEntries < 2) return;
    if (this.#young.entries.has(text) || this.#old.entries.has(text)) return;
    this.#put(ownCopy(text), ids, bytes);
  }

  #put(text: string, ids: TokenIds, bytes: number): void {
    const { maxBytes, maxEntries } = this.#limits;
    const young = this.#young;
    if (young.bytes + bytes > maxBytes / 2 || young.entries.size + 1 > maxEntries / 2) {
      this.#old = young;
      this.#young = new Generation();
    }
    this.#young.entries.set(text, ids);
    this.#young.bytes += bytes;
  }
}
