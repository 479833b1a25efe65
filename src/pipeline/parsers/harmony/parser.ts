/**
 * Reads answers in Harmony: messages, each with a header that says whether it is a thought, a call or text.
 *
 *   <|start|>HEADER<|message|>CONTENT<|end|>      the first `<|start|>` and the role are the prompt's
 *
 * The content is told as it comes. A message that is broken off counts as far as it goes; what stands outside of
 * messages is text.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import { MARK_SIGN } from '../parser.ts';
import type { AnswerEvent, AnswerParser, AnswerParserOptions } from '../parser.ts';
import type { Reading } from '../text-reader.ts';
import { GrammarParser, TextReader } from '../text-reader.ts';
import { CallWriter } from '../tool/call-writer.ts';
import { kindOf, readHeader } from './header.ts';

const mark = (name: string): string => `${MARK_SIGN}<|${name}|>`;

const START = mark('start');
const CHANNEL = mark('channel');
const CONSTRAIN = mark('constrain');
const MESSAGE = mark('message');
const END = mark('end');
const RETURN = mark('return');
const CALL = mark('call');
const RECIPIENT = 'to=';

const MARKS: readonly string[] = [START, CHANNEL, CONSTRAIN, MESSAGE, END, RETURN, CALL];

const plain = (text: string): string => text.replaceAll(MARK_SIGN, '');

/** Texts of the special tokens. */
export const MARKERS: readonly string[] = MARKS.map(plain);

/** After these the model says nothing more; `<|end|>` only ends a message. */
export const ANSWER_ENDS: readonly string[] = [RETURN, CALL].map(plain);

const headerEnds = new TextAutomaton([MESSAGE, START, END, RETURN, CALL]);
const contentEnds = new TextAutomaton([START, END, RETURN, CALL]);
const strayEnds = new TextAutomaton(MARKS);

/** A role, a channel, a recipient and a type; names of functions have up to 64 characters. */
const HEADER_CHARS = 1024;

export function createHarmonyParser(options: AnswerParserOptions): AnswerParser {
  return new GrammarParser<AnswerEvent>((emit) => {
    const calls = new CallWriter(options, emit);
    const telling = new Telling(emit, calls);
    const reader = new TextReader((text, from) => telling.tell(text, from));
    return { reader, reading: readAnswer({ reader, calls, telling }, options.beginsInText) };
  });
}

interface Parts {
  readonly reader: TextReader;
  readonly calls: CallWriter;
  readonly telling: Telling;
}

/** The mark that was read last and begins what comes; empty: none. */
type Opening = string;

function* readAnswer(parts: Parts, beginsInText: boolean): Reading {
  const { telling } = parts;
  let opening: Opening | undefined = '';
  if (beginsInText) opening = yield* readContent(parts, 'text');
  while (opening !== undefined) {
    if (opening === '') opening = yield* readOpening(parts);
    else opening = yield* readMessage(parts, opening);
  }
  telling.end();
}

/** Up to the first mark of a message. Undefined: there is none. */
function* readOpening({ reader, telling }: Parts): Reading<Opening | undefined> {
  reader.hold();
  yield* reader.skipSpace();
  const next = yield* reader.peek();
  if (next === undefined) {
    if (telling.hasMessages) reader.drop();
    else reader.tell();
    return (yield* reader.peek()) === undefined ? undefined : '';
  }
  if (next === RECIPIENT[0] && (yield* reader.literal(RECIPIENT))) return RECIPIENT;
  if (next === MARK_SIGN) for (const found of MARKS) if (yield* reader.literal(found)) return found;
  telling.begin('text');
  reader.tell();
  const found = yield* reader.textUntil(strayEnds);
  telling.end();
  return found < 0 ? undefined : MARKS[found];
}

/** The mark is held. */
function* readMessage(parts: Parts, opening: Opening): Reading<Opening | undefined> {
  const { reader, calls, telling } = parts;
  if (opening === END || opening === RETURN || opening === CALL) {
    reader.drop();
    return '';
  }
  const header = opening === MESSAGE ? { text: '', found: 0 } : yield* reader.until(headerEnds, HEADER_CHARS);
  const end = headerEnds.texts[header.found];
  if (end === MESSAGE) {
    const text = opening + header.text;
    const what = kindOf(readHeader(plain(text)), (name) => calls.isTool(name));
    if (what.kind === 'call') return yield* readCall(parts, what.name);
    if (what.kind !== 'unknown-call') return yield* readContent(parts, what.kind);
    telling.begin('text');
    reader.tell();
    return yield* readContent(parts, 'text');
  }
  if (end === undefined) return yield* readBroken(parts, opening);
  // It says nothing: another message begins, or this one is over.
  reader.drop();
  if (end === START) reader.hold();
  return end === START ? START : '';
}

/** No end of the header was found: the answer ends in it, or it is none. */
function* readBroken({ reader, telling }: Parts, opening: Opening): Reading<Opening | undefined> {
  const hasEnded = (yield* reader.peek()) === undefined;
  if (hasEnded && opening !== RECIPIENT) {
    reader.drop();
    return undefined;
  }
  telling.begin('text');
  reader.tell();
  const found = yield* reader.textUntil(strayEnds);
  telling.end();
  return found < 0 ? undefined : MARKS[found];
}

function* readCall({ reader, calls, telling }: Parts, name: string): Reading<Opening | undefined> {
  reader.drop();
  telling.begin('arguments');
  calls.start(name);
  yield* reader.skipSpace();
  const found = yield* reader.textUntil(contentEnds);
  calls.end();
  telling.end();
  return contentEnds.texts[found];
}

function* readContent({ reader, telling }: Parts, kind: 'text' | 'reasoning'): Reading<Opening | undefined> {
  reader.drop();
  telling.begin(kind);
  const found = yield* reader.textUntil(contentEnds);
  telling.end();
  return contentEnds.texts[found];
}

/** Where the content of a message goes. */
class Telling {
  readonly #emit: (event: AnswerEvent) => void;
  readonly #calls: CallWriter;
  #kind: 'text' | 'reasoning' | 'arguments' = 'text';
  #hasTold = false;
  #hasMessages = false;

  constructor(emit: (event: AnswerEvent) => void, calls: CallWriter) {
    this.#emit = emit;
    this.#calls = calls;
  }

  get hasMessages(): boolean {
    return this.#hasMessages;
  }

  begin(kind: 'text' | 'reasoning' | 'arguments'): void {
    this.#kind = kind;
    this.#hasMessages = true;
  }

  tell(signed: string, from: number): void {
    const text = plain(signed);
    if (text === '') return;
    this.#hasTold = true;
    if (this.#kind === 'arguments') this.#calls.arguments(text);
    else this.#emit({ type: this.#kind, text, from });
  }

  /** Messages of one kind that follow one another stay apart. */
  end(): void {
    const hasTold = this.#hasTold;
    this.#hasTold = false;
    if (hasTold && this.#kind !== 'arguments') this.#emit({ type: `${this.#kind}-end` });
  }
}
