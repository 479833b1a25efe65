/**
 * Gemini's streams without `alt=sse`: one JSON array that grows by a response at a time, beside whose passing it is
 * known where it stands, so that one that is cut can be told from a whole one and be ended in Gemini's form.
 * Source: Gemini API reference, `streamGenerateContent`.
 * Cost  a look at every byte; nothing is kept
 */
import type { GatewayError } from '../../domain/errors.ts';
import { geminiErrorObject } from '../dialect.ts';
import type { ArrayTap } from '../protocol.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LAST_SPACE = 0x20;

export class GrowingArray implements ArrayTap {
  /** Brackets and braces that are open. */
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isArray: boolean | undefined;
  /** The last byte outside of texts that is no space. */
  #last = 0;

  get isArray(): boolean {
    return this.#isArray === true;
  }

  get isCut(): boolean {
    return this.isArray && this.#depth > 0;
  }

  push(chunk: Buffer): void {
    this.#isArray ??= beginsAsArray(chunk);
    if (!this.#isArray) return;
    for (const byte of chunk) {
      if (this.#isInText) this.#inText(byte);
      else if (byte > LAST_SPACE) this.#outside(byte);
    }
  }

  encodeError(error: GatewayError): Buffer | undefined {
    // In the middle of a response nothing can be said that a client could read.
    if (!this.isCut || this.#depth > 1 || this.#isInText) return undefined;
    const between = this.#last === OPEN_BRACKET || this.#last === COMMA ? '' : ',';
    return Buffer.from(`${between}${JSON.stringify({ error: geminiErrorObject(error) })}]`);
  }

  #inText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInText = false;
  }

  #outside(byte: number): void {
    this.#last = byte;
    if (byte === QUOTE) this.#isInText = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) this.#depth += 1;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) this.#depth -= 1;
  }
}

/** Undefined while there is nothing but spaces. */
function beginsAsArray(chunk: Buffer): boolean | undefined {
  const first = chunk.find((byte) => byte > LAST_SPACE);
  return first === undefined ? undefined : first === OPEN_BRACKET;
}
