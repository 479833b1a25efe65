/**
 * Which tokens belong to which text, where both are shown side by side: a token goes out with the text that makes it
 * whole, never before it. Tokens wait here while bytes of theirs are no character yet, or while their text is held back.
 */
import type { ShownToken } from '../../domain/text-event.ts';

interface Waiting {
  readonly id: number;
  readonly token: ShownToken | undefined;
  /** Where its text begins, in characters of all text. */
  readonly start: number;
  /** Where its bytes end, in bytes of all tokens. */
  readonly endByte: number;
  /** Where the text ends that makes it whole; undefined: not there yet. */
  end: number | undefined;
}

export interface LineEntry {
  readonly id: number;
  readonly token: ShownToken | undefined;
}

export class TokenLine {
  readonly #waiting: Waiting[] = [];
  readonly #bytes = new Utf8Tail();
  #chars = 0;

  /** A token came, and `text` became certain by it. `bytes`: what it adds to the text; undefined: it is left out of it. */
  add({ id, token }: LineEntry, bytes: Uint8Array | undefined, text: string): void {
    const isSilent = bytes === undefined || bytes.length === 0;
    if (bytes) this.#bytes.push(bytes);
    const isFirst = this.#waiting.at(-1)?.end !== undefined || this.#waiting.length === 0;
    const start = this.#chars;
    this.#chars += text.length;
    const end = isSilent && isFirst ? this.#chars : undefined;
    this.#waiting.push({ id, token, start, endByte: this.#bytes.total, end });
    if (text !== '') this.#settle(this.#bytes.total - this.#bytes.tail);
  }

  /** The decoder has given its rest. */
  close(text: string): void {
    this.#chars += text.length;
    this.#settle(this.#bytes.total);
  }

  #settle(wholeBytes: number): void {
    for (let i = this.#waiting.length - 1; i >= 0; i -= 1) {
      const entry = this.#waiting[i];
      if (entry?.end !== undefined) return;
      if (entry && entry.endByte <= wholeBytes) entry.end = this.#chars;
    }
  }

  /** Those that are whole in the first `chars` characters of the text. */
  release(chars: number): readonly LineEntry[] {
    return this.#take(({ end }) => end !== undefined && end <= chars);
  }

  /** The text ends after `chars` characters: those that have a part in it too. The others never come. */
  cut(chars: number): readonly LineEntry[] {
    return this.#take(({ start, end }) => start < chars || (end !== undefined && end <= chars));
  }

  #take(goes: (entry: Waiting) => boolean): readonly LineEntry[] {
    const stays = this.#waiting.findIndex((entry) => !goes(entry));
    return this.#waiting.splice(0, stays < 0 ? this.#waiting.length : stays);
  }
}

/** How many bytes at the end of all that came are the beginning of a character. */
class Utf8Tail {
  total = 0;
  tail = 0;
  #missing = 0;
  /** What the next byte must lie between to go on with the character. */
  #low = 0x80;
  #high = 0xbf;

  push(bytes: Uint8Array): void {
    this.total += bytes.length;
    for (const byte of bytes) this.#next(byte);
  }

  #next(byte: number): void {
    if (this.#missing > 0 && byte >= this.#low && byte <= this.#high) {
      this.#missing -= 1;
      this.tail = this.#missing === 0 ? 0 : this.tail + 1;
      this.#low = 0x80;
      this.#high = 0xbf;
      return;
    }
    this.#missing = byte >= 0xc2 && byte <= 0xf4 ? (byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3) : 0;
    this.tail = this.#missing === 0 ? 0 : 1;
    this.#low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.#high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
  }
}
