/**
 * The vocabulary of the simulated model and its answers: which text follows from (model, prompt, seed).
 * Every piece is one pseudo token of four UTF-16 units; some need several UTF-8 bytes per unit on purpose.
 * The JSON form of each piece is computed once, so that a streamed token costs no escaping.
 */

import { createRandom, hashText } from '../random.ts';

/** One generated token. */
export interface Piece {
  readonly id: number;
  readonly text: string;
  /** `text` escaped for a JSON string, without the quotes. */
  readonly json: string;
}

const OPENERS = ['Sure', 'Well', 'Okay', 'Here', 'Then', 'Yes,', 'Now,', 'Once'];

const WORDS = (
  'the and for you can see how one two ten map key run set log out top low ' +
  'big red sky sea sun dog cat fox owl bee ant elm oak fir ice air day way ' +
  'now new old few all any own use add put get let may too not but yet née ' +
  'für été año één 日本語 मेल "a" \\o/ 🙂a'
).split(' ');

/** What an answer may begin with. */
export const OPENING_PIECES: readonly Piece[] = OPENERS.map((text, index) => createPiece(text, 100 + index));
/** What an answer goes on with. */
export const WORD_PIECES: readonly Piece[] = [...WORDS.map((word) => ` ${word}`), ' ok\n'].map((text, index) =>
  createPiece(text, 200 + index),
);

/** A piece of any text; tool arguments use it, the vocabulary is prepared with it. */
export function createPiece(text: string, id: number): Piece {
  return { id, text, json: JSON.stringify(text).slice(1, -1) };
}

/** The first `count` tokens of the answer. A longer answer to the same question starts with the shorter one. */
export function answerPieces(model: string, prompt: string, seed: number, count: number): readonly Piece[] {
  const random = createRandom(hashText(prompt, hashText(model, seed)));
  const pieces: Piece[] = [];
  for (let index = 0; index < count; index++) {
    const list = index === 0 ? OPENING_PIECES : WORD_PIECES;
    pieces.push(list[Math.floor(random() * list.length)] as Piece);
  }
  return pieces;
}

/** The text of pieces, joined. */
export function textOfPieces(pieces: readonly Piece[]): string {
  let text = '';
  for (const piece of pieces) text += piece.text;
  return text;
}
