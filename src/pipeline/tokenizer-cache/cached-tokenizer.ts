/**
 * A tokenizer that remembers. L0: whole texts. L1: the parts of a text between ends of special tokens, so that all of a
 * conversation but its newest part is known when it comes again; a part is known wherever it stands, also in another
 * conversation, and memory grows with what is new. The ids are always those of the tokenizer itself.
 * Cost    a hit of L0: one look-up by the text; L1: one search for boundaries, one look-up for each part
 */
import type { DecodeOptions, TokenDecoder, TokenIds, Tokenizer } from '../../domain/tokenizer.ts';
import { Generations } from './generations.ts';
import type { GenerationLimits } from './generations.ts';

export interface TokenizerCacheOptions {
  /** Undefined: no L0. */
  readonly l0: GenerationLimits | undefined;
  /** Undefined: no L1. */
  readonly l1: GenerationLimits | undefined;
  /** Special tokens behind which a text may be cut (`boundaryTokens`); none: no L1. */
  readonly boundaries: readonly string[];
  /** UTF-16 units that are encoded part by part for one text; what is beyond it goes to the tokenizer whole. */
  readonly maxFreshChars: number;
}

export interface CacheCounts {
  hits: number;
  misses: number;
}

export interface CacheLevelView extends Readonly<CacheCounts> {
  readonly entries: number;
  readonly bytes: number;
}

export interface TokenizerCacheView {
  readonly l0: CacheLevelView | undefined;
  readonly l1: CacheLevelView | undefined;
}

export class CachedTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #inner: Tokenizer;
  /** By whether special tokens are added: the same text has other ids then. */
  readonly #whole: readonly [without: Generations, added: Generations] | undefined;
  readonly #parts: Generations | undefined;
  readonly #boundary: RegExp | undefined;
  readonly #maxFreshChars: number;
  readonly #wholeCounts: CacheCounts = { hits: 0, misses: 0 };
  readonly #partCounts: CacheCounts = { hits: 0, misses: 0 };

  constructor(inner: Tokenizer, { l0, l1, boundaries, maxFreshChars }: TokenizerCacheOptions) {
    this.#inner = inner;
    this.#maxFreshChars = maxFreshChars;
    this.vocabularySize = inner.vocabularySize;
    this.specialTokens = inner.specialTokens;
    const half = l0 && { maxEntries: l0.maxEntries / 2, maxBytes: l0.maxBytes / 2 };
    this.#whole = half && [new Generations(half), new Generations(half)];
    this.#parts = l1 && boundaries.length > 0 ? new Generations(l1) : undefined;
    this.#boundary = this.#parts && boundaryPattern(boundaries);
  }

  encode(text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds> {
    const whole = this.#whole?.[addSpecialTokens ? 1 : 0];
    if (!whole) return this.#encode(text, addSpecialTokens);
    const known = whole.get(text);
    if (known) {
      this.#wholeCounts.hits += 1;
      return known;
    }
    this.#wholeCounts.misses += 1;
    const ids = this.#encode(text, addSpecialTokens);
    return then(ids, (found) => {
      whole.set(text, found);
      return found;
    });
  }

  /** What is added around a text is no part of it: such texts are not cut. */
  #encode(text: string, addSpecialTokens: boolean): TokenIds | Promise<TokenIds> {
    if (!this.#parts || !this.#boundary || addSpecialTokens) return this.#inner.encode(text, addSpecialTokens);
    const ends = boundaryEnds(text, this.#boundary);
    return ends.length === 0 ? this.#inner.encode(text, false) : joined(this.#encodeParts(text, ends, this.#parts));
  }

  /**
   * What stands behind the last boundary ends nowhere yet, and is not kept. Of parts that are not known no more is encoded
   * one by one than may block; the rest goes to the tokenizer whole, which knows what to do with long texts.
   */
  #encodeParts(text: string, ends: readonly number[], memory: Generations): (TokenIds | Promise<TokenIds>)[] {
    const all: (TokenIds | Promise<TokenIds>)[] = [];
    let from = 0;
    let fresh = 0;
    for (const end of ends) {
      const part = text.slice(from, end);
      let ids: TokenIds | Promise<TokenIds> | undefined = memory.get(part);
      if (ids) {
        this.#partCounts.hits += 1;
      } else {
        this.#partCounts.misses += 1;
        fresh += part.length;
        if (fresh > this.#maxFreshChars) break;
        ids = then(this.#inner.encode(part, false), (found) => {
          memory.set(part, found);
          return found;
        });
      }
      all.push(ids);
      from = end;
    }
    if (from < text.length) all.push(this.#inner.encode(text.slice(from), false));
    return all;
  }

  /** Counts since it was made, and what it holds now. */
  view(): TokenizerCacheView {
    const sum = (levels: readonly Generations[], counts: CacheCounts) => ({
      ...counts,
      entries: levels.reduce((total, { size }) => total + size, 0),
      bytes: levels.reduce((total, { bytes }) => total + bytes, 0),
    });
    return {
      l0: this.#whole && sum(this.#whole, this.#wholeCounts),
      l1: this.#parts && sum([this.#parts], this.#partCounts),
    };
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    return this.#inner.decode(ids, options);
  }

  createDecoder(options?: DecodeOptions): TokenDecoder {
    return this.#inner.createDecoder(options);
  }

  bytesOf(id: number): Uint8Array {
    return this.#inner.bytesOf(id);
  }

  idOf(token: string): number | undefined {
    return this.#inner.idOf(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#inner.tokenOf(id);
  }
}

/** The longest that fits is meant, as tokenizers do; none of them overlaps another. */
function boundaryPattern(boundaries: readonly string[]): RegExp {
  const longestFirst = [...boundaries].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((each) => each.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** Where the boundaries of a text end. */
function boundaryEnds(text: string, boundary: RegExp): number[] {
  const ends: number[] = [];
  boundary.lastIndex = 0;
  while (boundary.exec(text)) ends.push(boundary.lastIndex);
  return ends;
}

/** At once where they are there already. */
function then(ids: TokenIds | Promise<TokenIds>, keep: (ids: TokenIds) => TokenIds): TokenIds | Promise<TokenIds> {
  return ids instanceof Promise ? ids.then((found) => keep(found)) : keep(ids);
}

function joined(parts: readonly (TokenIds | Promise<TokenIds>)[]): TokenIds | Promise<TokenIds> {
  const known = parts.filter((part) => part instanceof Uint32Array);
  return known.length === parts.length ? concat(known) : joinedLater(parts);
}

async function joinedLater(parts: readonly (TokenIds | Promise<TokenIds>)[]): Promise<TokenIds> {
  return concat(await Promise.all(parts.map(async (part) => part)));
}

function concat(parts: readonly TokenIds[]): TokenIds {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
