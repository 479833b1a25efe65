/**
 * The contract between those who cut a text into words and the one who encodes them, and the ways to join cutters.
 * A word is a range of a text, so that no string is made for it.
 */

export interface WordSink {
  word(text: string, from: number, to: number): void;
}

/** Cuts `text[from..to)`, taking `to` for the end of the text, and hands all of it on, in order and without gaps. */
export type Scan = (text: string, from: number, to: number, sink: WordSink) => void;

/** A pre-tokenizer: may change the text, may leave parts out. `isFirst`: the text begins the prompt. */
export type Cutter = (text: string, isFirst: boolean, sink: WordSink) => void;

/** Each word of the first is cut again by the second, as a text of its own. */
export function chain(first: Cutter, second: Cutter): Cutter {
  return (text, isFirst, sink) => {
    first(text, isFirst, {
      word(from, start, end) {
        const piece = start === 0 && end === from.length ? from : from.slice(start, end);
        second(piece, isFirst && start === 0, sink);
      },
    });
  };
}

/** Uncut. */
export const whole: Cutter = (text, _isFirst, sink) => {
  if (text.length > 0) sink.word(text, 0, text.length);
};

/** The code point at `at`, a low surrogate beyond `to` not looked at. */
export function codePointAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff) return unit;
  return text.codePointAt(at) ?? unit;
}
