/**
 * Tells thoughts from the rest of an answer by the marks around them. Text before the opening mark is text; the first
 * closing mark ends the thought, and what follows is text whatever it holds. White space is kept, but a thought of
 * nothing else is none.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import type { ReasoningFormat, ThoughtEvent, ThoughtParser } from '../parser.ts';
import type { Reading } from '../text-reader.ts';
import { GrammarParser, TextReader } from '../text-reader.ts';

interface Marks {
  readonly opening: TextAutomaton;
  readonly dropped: TextAutomaton;
  /** A second opening mark inside of a thought means nothing. */
  readonly inside: TextAutomaton;
}

const compiled = new WeakMap<ReasoningFormat, Marks>();

function marksOf(format: ReasoningFormat): Marks {
  let marks = compiled.get(format);
  if (!marks) {
    const { opening, closing, alsoEndsBefore, alsoDrops } = format;
    marks = {
      opening: new TextAutomaton([opening, ...alsoDrops]),
      dropped: new TextAutomaton(alsoDrops),
      inside: new TextAutomaton([opening, closing, ...alsoEndsBefore]),
    };
    compiled.set(format, marks);
  }
  return marks;
}

export interface ThoughtStart {
  /** The prompt has opened the thought. */
  readonly beginsInside: boolean;
  /** The engine was bound to write JSON: some let the model think before it, some do not. */
  readonly mayBeJson: boolean;
}

export function createThoughtParser(format: ReasoningFormat, start: ThoughtStart): ThoughtParser {
  return new GrammarParser<ThoughtEvent>((emit) => {
    const telling = new ThoughtTelling(emit);
    const reader = new TextReader((text, from) => telling.tell(text, from));
    const isInside = start.beginsInside || format.startsInside;
    const parts = { reader, telling, marks: marksOf(format) };
    return { reader, reading: start.mayBeJson ? readJsonOrThought(parts, isInside) : readThought(parts, isInside) };
  });
}

interface Parts {
  readonly reader: TextReader;
  readonly telling: ThoughtTelling;
  readonly marks: Marks;
}

const OPENING = 0;
const CLOSING = 1;

function* readJsonOrThought(parts: Parts, isInside: boolean): Reading {
  const { reader, telling } = parts;
  if (isInside) telling.beginThought();
  reader.hold();
  yield* reader.skipSpace();
  const first = yield* reader.peek();
  if (first !== '{' && first !== '[') {
    reader.tell();
    return yield* readThought(parts, isInside);
  }
  telling.isJson();
  yield* reader.rest();
}

function* readThought({ reader, telling, marks }: Parts, isInside: boolean): Reading {
  if (!isInside && !(yield* readUntilThought({ reader, telling, marks }))) return telling.endText();
  telling.beginThought();
  let found = OPENING;
  while (found === OPENING) {
    found = yield* reader.textUntil(marks.inside);
    if (found <= CLOSING) reader.drop();
  }
  telling.endThought();
  // A mark that belongs to what follows is still held.
  if (marks.dropped.texts.includes(marks.inside.texts[found] ?? '')) reader.drop();
  reader.tell();
  while ((yield* reader.textUntil(marks.dropped)) >= 0) reader.drop();
}

/** False: there was none. */
function* readUntilThought({ reader, marks }: Parts): Reading<boolean> {
  for (;;) {
    const found = yield* reader.textUntil(marks.opening);
    if (found < 0) return false;
    reader.drop();
    if (found === OPENING) return true;
  }
}

/** White space counts with what follows it: before a thought it is nothing, before text it is text. */
class ThoughtTelling {
  readonly #emit: (event: ThoughtEvent) => void;
  #type: 'text' | 'reasoning' = 'text';
  #space = '';
  #spaceFrom = 0;
  /** Something has been told of this type. */
  #hasBegun = false;

  constructor(emit: (event: ThoughtEvent) => void) {
    this.#emit = emit;
  }

  tell(text: string, from: number): void {
    if (this.#hasBegun) return this.#emit({ type: this.#type, text, from });
    if (this.#space === '') this.#spaceFrom = from;
    this.#space += text;
    if (this.#space.trim() === '' && this.#space.length < MAX_SPACE_CHARS) return;
    this.#flush();
  }

  beginThought(): void {
    if (this.#type === 'reasoning') return;
    this.#type = 'reasoning';
    this.#space = '';
    this.#hasBegun = false;
  }

  endThought(): void {
    this.#type = 'text';
    this.#space = '';
    if (this.#hasBegun) this.#emit({ type: 'reasoning-end' });
    this.#hasBegun = true;
  }

  /** All of the answer is text. */
  isJson(): void {
    this.#type = 'text';
  }

  /** There was no thought. */
  endText(): void {
    if (this.#space !== '') this.#flush();
  }

  #flush(): void {
    this.#hasBegun = true;
    this.#emit({ type: this.#type, text: this.#space, from: this.#spaceFrom });
    this.#space = '';
  }
}

/** More than this at the beginning is told as it comes. */
const MAX_SPACE_CHARS = 4096;
