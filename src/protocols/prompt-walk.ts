/**
 * Walks a JSON value that the engine will read and gives a hasher its canonical bytes: white space outside of strings
 * and `cache_control` members are left out, images and files count by identity, whole numbers in lists as one token
 * each. Everything else goes as it stands, escapes too: a client writes the same text the same way from turn to turn,
 * and to decode would cost more than all the rest. (Text in `\u` escapes is taken for up to twice its tokens.)
 * Cost    one pass; long strings go by native search and copy
 * Errors  JsonScanError for a value that cannot be followed
 * Rules   no recursion, so that depth costs nothing
 */
import type { Span } from '../domain/call.ts';
import type { BlockHasher } from './block-hasher.ts';
import { isDigit, skipSpace, skipString, skipValue, startsWith } from './json-scan.ts';
import type { WalkedValue } from './prompt-measure.ts';
import { PAYLOAD_BYTES } from './prompt-measure.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_C = 0x63;
const LETTER_D = 0x64;
const LETTER_H = 0x68;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Anthropic's clients move it from turn to turn; engines of one's own ignore it. */
const SKIPPED = '"cache_control"';
const BASE64_BYTES = 64;
const STAGE_BYTES = 4 * 1024;
/** Shorter strings are copied in a loop, which is cheaper than the call of a native copy (55 ns). */
const COPY_BYTES = 64;
/** A data URL says so within this. */
const DATA_URL_BYTES = 128;
const TEXT_KEYS = quoted(['text', 'content']);
const PAYLOAD_KEYS = quoted([
  ...['data', 'file_data', 'file_url', 'image', 'image_data', 'image_url'],
  ...['audio', 'audio_data', 'audio_url', 'video', 'video_data', 'video_url'],
]);
/** A `url` is a payload in one of these only: `{"image_url":{"url":…}}`, Anthropic's `{"source":{"url":…}}`. */
const URL_KEYS = quoted(['url']);
const URL_OWNERS = quoted(['image_url', 'audio_url', 'video_url', 'source']);

export class PromptWalk {
  readonly #hasher: BlockHasher;
  /** Canonical bytes on their way to the hasher. */
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  readonly #stageWords = new Int32Array(this.#stage.buffer);
  #fill = 0;
  /** The last key, quotes included; -1: none. */
  #keyStart = -1;
  #keyEnd = -1;
  /** Where the object that holds the next value was opened, if no other was closed since; -1: unknown. */
  #objectAt = -1;
  /** The top-level member is one of payloads, such as `image_data`. */
  #isPayloadMember = false;

  constructor(hasher: BlockHasher) {
    this.#hasher = hasher;
  }

  /**
   * The outer brackets or quotes are left out: a list or a text that has grown by the next turn then begins with all
   * that it was.
   */
  walk(bytes: Buffer, { start, end, name, isPlain }: WalkedValue): void {
    this.#keyStart = -1;
    this.#objectAt = -1;
    this.#isPayloadMember = PAYLOAD_KEYS.includes(`"${name}"`);
    const first = bytes[start];
    const isOpen = first === QUOTE || first === OPEN_BRACKET;
    const from = isOpen ? start + 1 : start;
    const to = isOpen ? end - 1 : end;
    if (first === QUOTE && this.#isPayloadMember && this.#isPayload(bytes, start, end)) {
      this.#hasher.payload(bytes, from, to);
    } else if (first === QUOTE || isPlain) this.#hasher.text(bytes, from, to);
    else this.#inside(bytes, first === OPEN_BRACKET ? this.#numbers(bytes, from) : from, to);
  }

  #inside(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.#hasher.room > this.#fill) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) at = this.#string(bytes, at);
      else if (byte <= SPACE) at += 1;
      else if (byte === COMMA || byte === OPEN_BRACE) at = this.#beforeMember(bytes, at);
      else {
        this.#put(byte);
        at += 1;
        if (byte === OPEN_BRACKET) at = this.#numbers(bytes, at);
        else if (byte === CLOSE_BRACE) this.#objectAt = -1;
      }
    }
    this.#flush();
    // Past what will be hashed the rest counts by its bytes.
    this.#hasher.text(bytes, at, Math.max(at, end));
  }

  #string(bytes: Buffer, at: number): number {
    const end = this.#copyShort(bytes, at);
    if (end < 0) return this.#longString(bytes, at);
    if (isKey(bytes, end)) {
      this.#keyStart = at;
      this.#keyEnd = end;
    } else if (bytes[at + 1] === LETTER_H && this.#isPayload(bytes, at, end)) {
      // Takes back what was copied.
      this.#fill -= end - at;
      this.#flush();
      this.#hasher.payload(bytes, at + 1, end - 1);
    }
    return end;
  }

  #longString(bytes: Buffer, at: number): number {
    const end = skipString(bytes, at);
    this.#flush();
    if (isKey(bytes, end)) {
      this.#keyStart = at;
      this.#keyEnd = end;
      this.#hasher.text(bytes, at, end);
    } else if (this.#isPayload(bytes, at, end)) this.#hasher.payload(bytes, at + 1, end - 1);
    else this.#hasher.text(bytes, at, end);
    return end;
  }

  /** Copies a string while it looks for its end; -1, and nothing copied, when it is not a short one. */
  #copyShort(bytes: Buffer, start: number): number {
    if (this.#fill + COPY_BYTES > STAGE_BYTES) this.#flush();
    const stage = this.#stage;
    let fill = this.#fill;
    stage[fill] = QUOTE;
    const limit = Math.min(bytes.length, start + COPY_BYTES) - 1;
    for (let at = start + 1; at < limit; at += 1) {
      const byte = bytes[at] as number;
      fill += 1;
      stage[fill] = byte;
      if (byte === QUOTE) {
        this.#fill = fill + 1;
        return at + 1;
      }
      if (byte === BACKSLASH) {
        at += 1;
        fill += 1;
        stage[fill] = bytes[at] as number;
      }
    }
    return -1;
  }

  /** At a comma or an opening brace: goes past the member after it when that is one to skip. */
  #beforeMember(bytes: Buffer, at: number): number {
    const isFirst = bytes[at] === OPEN_BRACE;
    if (isFirst) {
      this.#objectAt = at;
      this.#put(OPEN_BRACE);
    }
    const key = (bytes[at + 1] as number) <= SPACE ? skipSpace(bytes, at + 1) : at + 1;
    const end = bytes[key + 1] === LETTER_C ? endOfSkipped(bytes, key) : -1;
    if (end < 0) {
      if (!isFirst) this.#put(COMMA);
      return at + 1;
    }
    const comma = skipSpace(bytes, end);
    return isFirst && bytes[comma] === COMMA ? comma + 1 : end;
  }

  /** After an opening bracket: token ids, one word each, without the commas between them. */
  #numbers(bytes: Buffer, from: number): number {
    let at = skipSpace(bytes, from);
    if (!isDigit(bytes[at])) return from;
    this.#flush();
    let count = 0;
    while (isDigit(bytes[at])) {
      let end = at;
      let value = 0;
      for (; isDigit(bytes[end]); end += 1) value = (value * 10 + (bytes[end] as number) - ZERO) | 0;
      if ((bytes[end] as number) <= SPACE) end = skipSpace(bytes, end);
      const isLast = bytes[end] !== COMMA;
      // A fraction, or no number at all: as it stands.
      if (isLast && bytes[end] !== CLOSE_BRACKET) break;
      this.#stageWords[count] = value;
      count += 1;
      at = isLast ? end : end + 1;
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);
      if (count < STAGE_BYTES / 4) continue;
      this.#hasher.text(this.#stage, 0, STAGE_BYTES);
      count = 0;
      if (this.#hasher.room === 0) break;
    }
    this.#fill = 4 * count;
    return at;
  }

  #put(byte: number): void {
    if (this.#fill === STAGE_BYTES) this.#flush();
    this.#stage[this.#fill] = byte;
    this.#fill += 1;
  }

  #flush(): void {
    if (this.#fill > 0) this.#hasher.text(this.#stage, 0, this.#fill);
    this.#fill = 0;
  }

  #isPayload(bytes: Buffer, at: number, end: number): boolean {
    const first = bytes[at + 1];
    if (first === LETTER_H && startsWith(bytes, at + 1, 'http')) return this.#isFetched(bytes);
    if (end - at < PAYLOAD_BYTES) return false;
    if (first === LETTER_D && isDataUrl(bytes, at + 1)) return !this.#keyIsOneOf(bytes, TEXT_KEYS);
    return this.#isOfPayloads(bytes) && isBase64(bytes, at + 1);
  }

  #isFetched(bytes: Buffer): boolean {
    if (this.#isOfPayloads(bytes)) return true;
    return (
      this.#objectAt >= 0 && this.#keyIsOneOf(bytes, URL_KEYS) && isOwnedByOneOf(bytes, this.#objectAt, URL_OWNERS)
    );
  }

  #isOfPayloads(bytes: Buffer): boolean {
    return this.#keyStart < 0 ? this.#isPayloadMember : this.#keyIsOneOf(bytes, PAYLOAD_KEYS);
  }

  #keyIsOneOf(bytes: Buffer, tokens: readonly string[]): boolean {
    return this.#keyStart >= 0 && isOneOf(bytes, { start: this.#keyStart, end: this.#keyEnd }, tokens);
  }
}

function quoted(keys: readonly string[]): string[] {
  return keys.map((key) => `"${key}"`);
}

function isOneOf(bytes: Buffer, { start, end }: Span, tokens: readonly string[]): boolean {
  for (const token of tokens) if (token.length === end - start && startsWith(bytes, start, token)) return true;
  return false;
}

/** Is the object that opens at `at` the value of one of these keys? */
function isOwnedByOneOf(bytes: Buffer, at: number, tokens: readonly string[]): boolean {
  let end = skipSpaceBack(bytes, at);
  if (bytes[end - 1] !== COLON) return false;
  end = skipSpaceBack(bytes, end - 1);
  return tokens.some((token) => startsWith(bytes, end - token.length, token));
}

function skipSpaceBack(bytes: Buffer, from: number): number {
  let at = from;
  while (at > 0 && (bytes[at - 1] as number) <= SPACE) at -= 1;
  return at;
}

/** Does a colon follow the string that ends before `end`? */
function isKey(bytes: Buffer, end: number): boolean {
  const byte = bytes[end];
  return byte === COLON || (byte !== undefined && byte <= SPACE && bytes[skipSpace(bytes, end)] === COLON);
}

/** The end of the member whose key stands at `at` when it is one to skip, else -1. */
function endOfSkipped(bytes: Buffer, at: number): number {
  if (!startsWith(bytes, at, SKIPPED)) return -1;
  const colon = skipSpace(bytes, at + SKIPPED.length);
  return bytes[colon] === COLON ? skipValue(bytes, skipSpace(bytes, colon + 1)) : -1;
}

function isDataUrl(bytes: Buffer, at: number): boolean {
  return startsWith(bytes, at, 'data:') && bytes.toString('latin1', at, at + DATA_URL_BYTES).includes(';base64,');
}

function isBase64(bytes: Buffer, at: number): boolean {
  return /^[\w+/=-]+$/.test(bytes.toString('latin1', at, at + BASE64_BYTES));
}
