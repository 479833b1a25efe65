/** Patterns of `Split` and `Replace`, and what becomes of a text at their matches. */

import { isObject } from './json-shape.ts';
import { translateRegex } from './oniguruma.ts';
import { UnusableTokenizer } from './unusable.ts';
import type { Cutter, WordSink } from './words.ts';

export type SplitBehaviour = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

const BEHAVIOURS: readonly string[] = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

export function behaviourOf(value: unknown): SplitBehaviour {
  const found = BEHAVIOURS.find((name) => name === value);
  if (found === undefined) throw new UnusableTokenizer(`the split behaviour ${String(value)}`);
  return found as SplitBehaviour;
}

/** `{"String": …}` or `{"Regex": …}`, as an expression. */
export function patternOf(value: unknown): RegExp {
  if (typeof value === 'string') return literal(value);
  if (isObject(value) && typeof value['String'] === 'string') return literal(value['String']);
  if (isObject(value) && typeof value['Regex'] === 'string') return translateRegex(value['Regex']);
  throw new UnusableTokenizer('a pattern of no known form');
}

function literal(text: string): RegExp {
  // Never matches: an empty text splits nothing.
  if (text === '') return /(?!)/gv;
  const units = Array.from(text, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return new RegExp(units.join(''), 'gv');
}

/** Ranges of a text in turn: even ones did not match, odd ones did; empty ones are left out by who reads them. */
function rangesOf(text: string, pattern: RegExp): number[] {
  const ends: number[] = [];
  for (const match of text.matchAll(pattern)) {
    if (match[0].length === 0) continue;
    ends.push(match.index, match.index + match[0].length);
  }
  ends.push(text.length);
  return ends;
}

/** Cuts at the matches of `pattern`; with `invert` at what does not match. */
export function splitBy(pattern: RegExp, behaviour: SplitBehaviour, invert: boolean): Cutter {
  return (text, _isFirst, sink) => {
    const join = new Joiner(text, behaviour, sink);
    let from = 0;
    rangesOf(text, pattern).forEach((to, index) => {
      if (to > from) join.range(from, to, (index % 2 === 1) !== invert);
      from = to;
    });
    join.end();
  };
}

/** Puts matches and the rest together as the behaviour wants it. */
class Joiner {
  readonly #text: string;
  readonly #behaviour: SplitBehaviour;
  readonly #sink: WordSink;
  /** What may still grow; empty where nothing waits. */
  #from = 0;
  #to = 0;
  #wasMatch = false;

  constructor(text: string, behaviour: SplitBehaviour, sink: WordSink) {
    this.#text = text;
    this.#behaviour = behaviour;
    this.#sink = sink;
  }

  range(from: number, to: number, isMatch: boolean): void {
    if (this.#mayGrow(isMatch)) this.#to = to;
    else {
      this.end();
      this.#from = from;
      this.#to = to;
    }
    this.#wasMatch = isMatch;
    if (this.#behaviour === 'Removed' && isMatch) this.#from = to;
  }

  end(): void {
    if (this.#to > this.#from) this.#sink.word(this.#text, this.#from, this.#to);
    this.#from = this.#to;
  }

  #mayGrow(isMatch: boolean): boolean {
    if (this.#to === this.#from) return false;
    if (this.#behaviour === 'Contiguous') return this.#wasMatch === isMatch;
    if (this.#behaviour === 'MergedWithPrevious') return isMatch && !this.#wasMatch;
    return this.#behaviour === 'MergedWithNext' && !isMatch && this.#wasMatch;
  }
}
