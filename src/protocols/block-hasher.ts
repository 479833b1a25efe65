/**
 * Turns a stream of canonical bytes into chained hashes of its blocks (see domain/prompt.ts).
 * Shapes  begin · text/byte/word/payload … · seal (what came so far is salt) · … · blocks or key
 * Cost    about 0.3 ns a byte; holds one scratch of fixed size and allocates nothing but what it returns
 * Owner   one reader at a time, from `begin` to `blocks` or `key`
 * Rules   Not seeded by the process: gateways beside each other, and one that was started anew, must agree where a
 *         prefix belongs. Whoever crafts a collision, which 64 bits do not prevent, gains a cache miss.
 */
import type { PromptBlocks } from '../domain/prompt.ts';

const BLOCK_BYTES = 512;
/** An estimate without a tokenizer: English prose has about four, code fewer; a Chinese character has three. */
export const BYTES_PER_TOKEN = 4;
/** Hashed of one prompt at most, about a million tokens; of what is longer the rest counts as tokens only. */
export const MAX_HASHED_BYTES = 4 * 1024 * 1024;
/** Stays in the first-level cache; a multiple of the block. */
const SCRATCH_BYTES = 16 * 1024;
/** Tokens that an image, a clip or a file stands for, whatever its bytes. */
const PAYLOAD_TOKENS = 768;
/** A payload up to this is hashed whole; of a longer one as much, in pieces spread evenly over it. */
const PAYLOAD_HASHED_BYTES = 256 * 1024;
const PAYLOAD_PIECE_BYTES = 1024;

const BLOCK_WORDS = BLOCK_BYTES / 4;
const FIRST = 0x9e3779b1 | 0;
const SECOND = 0x85ebca77 | 0;
const THIRD = 0xc2b2ae3d | 0;

export class BlockHasher {
  readonly #bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #words = new Int32Array(this.#bytes.buffer);
  readonly #piece = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #pieceWords = new Int32Array(this.#piece.buffer);
  readonly #hashes = new Uint32Array((2 * MAX_HASHED_BYTES) / BLOCK_BYTES);
  /** The chain: two lanes that each take in every word. */
  #one = 0;
  #two = 0;
  #fill = 0;
  #count = 0;
  #room = 0;
  #total = 0;

  begin(): void {
    this.#one = FIRST;
    this.#two = SECOND;
    this.#open(MAX_HASHED_BYTES);
  }

  /** What came so far changes every hash, but is no part of the prompt. `limitBytes` of what follows will be hashed. */
  seal(limitBytes: number): void {
    this.#takeRest();
    this.#open(Math.min(MAX_HASHED_BYTES, limitBytes));
  }

  /** How many bytes more will be hashed; those after them only count. */
  get room(): number {
    return this.#room;
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#total += end - start;
    const stop = Math.min(end, bytes.length, start + this.#room);
    this.#room -= stop - start;
    for (let at = start; at < stop; ) {
      const copied = bytes.copy(this.#bytes, this.#fill, at, stop);
      at += copied;
      this.#fill += copied;
      if (this.#fill === SCRATCH_BYTES) this.#drain();
    }
  }

  byte(byte: number): void {
    this.#total += 1;
    if (this.#room < 1) return;
    this.#room -= 1;
    this.#bytes[this.#fill] = byte;
    this.#fill += 1;
    if (this.#fill === SCRATCH_BYTES) this.#drain();
  }

  /** Four bytes: one token. */
  word(word: number): void {
    if (this.#room < 4 || this.#fill % 4 !== 0) {
      for (let shift = 0; shift < 32; shift += 8) this.byte((word >>> shift) & 0xff);
      return;
    }
    this.#total += 4;
    this.#room -= 4;
    this.#words[this.#fill / 4] = word;
    this.#fill += 4;
    if (this.#fill === SCRATCH_BYTES) this.#drain();
  }

  /** Counts for its identity and for PAYLOAD_TOKENS, not for its bytes. */
  payload(bytes: Buffer, start: number, end: number): void {
    const one = this.#one;
    const two = this.#two;
    this.#one = FIRST ^ (end - start);
    this.#two = SECOND;
    this.#takePayload(bytes, start, end);
    const left = finalMix(this.#one);
    const right = finalMix(this.#two);
    this.#one = one;
    this.#two = two;
    for (let i = 0; i < PAYLOAD_TOKENS; i += 2) {
      this.word(left);
      this.word(right);
    }
  }

  blocks(): PromptBlocks {
    this.#drain();
    return {
      words: this.#hashes.slice(0, 2 * this.#count),
      count: this.#count,
      tokensPerBlock: BLOCK_BYTES / BYTES_PER_TOKEN,
      tokens: Math.max(1, Math.ceil(this.#total / BYTES_PER_TOKEN)),
    };
  }

  /** Of everything up to the limit, as a whole number of 53 bits. */
  key(): number {
    this.#takeRest();
    return (finalMix(this.#one) >>> 0) * 0x20_0000 + (finalMix(this.#two) >>> 11);
  }

  #open(room: number): void {
    this.#fill = 0;
    this.#count = 0;
    this.#total = 0;
    this.#room = room;
  }

  /** Hashes the full blocks of the scratch and keeps what is left over. */
  #drain(): void {
    const words = this.#words;
    const full = this.#fill - (this.#fill % BLOCK_BYTES);
    for (let at = 0; at < full / 4; at += BLOCK_WORDS) {
      this.#mix(words, at, at + BLOCK_WORDS);
      this.#hashes[2 * this.#count] = finalMix(this.#one);
      this.#hashes[2 * this.#count + 1] = finalMix(this.#two);
      this.#count += 1;
    }
    if (full > 0 && full < this.#fill) this.#bytes.copyWithin(0, full, this.#fill);
    this.#fill -= full;
  }

  /** Takes in what is no full block, and how long it is. */
  #takeRest(): void {
    this.#drain();
    const length = this.#fill;
    const end = length + 8 - (length % 8);
    this.#bytes.fill(0, length, end);
    this.#mix(this.#words, 0, end / 4);
    this.#one = Math.imul(this.#one ^ length, FIRST);
    this.#two = Math.imul(this.#two + length, SECOND);
  }

  /**
   * An even number of words into the chain. Each step is a bijection of the lanes and of the words, so that one change
   * is never lost; two words are mixed with each other beside the chain, which alone costs time (2.3 against 4.1 µs for
   * 8 KB).
   */
  #mix(words: Int32Array, from: number, to: number): void {
    let one = this.#one;
    let two = this.#two;
    for (let i = from; i < to; i += 2) {
      const left = words[i] as number;
      const right = ((words[i + 1] as number) + Math.imul(left, THIRD)) | 0;
      one = Math.imul(one ^ right, FIRST);
      one = (one << 15) | (one >>> 17);
      two = Math.imul((two + (left ^ ((right << 16) | (right >>> 16)))) | 0, THIRD);
      two = (two << 13) | (two >>> 19);
    }
    // The lanes meet once a block: what is alike in one of them by chance does not stay so.
    this.#one = (one + Math.imul(two, THIRD)) | 0;
    this.#two = two ^ Math.imul(this.#one, FIRST);
  }

  #takePayload(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length <= PAYLOAD_HASHED_BYTES) {
      for (let at = start; at < end; at += SCRATCH_BYTES) this.#take(bytes, at, Math.min(end, at + SCRATCH_BYTES));
      return;
    }
    const pieces = PAYLOAD_HASHED_BYTES / PAYLOAD_PIECE_BYTES;
    const step = (length - PAYLOAD_PIECE_BYTES) / (pieces - 1);
    for (let i = 0; i < pieces; i += 1) {
      const at = start + Math.floor(i * step);
      this.#take(bytes, at, at + PAYLOAD_PIECE_BYTES);
    }
  }

  /** One piece of a payload into the lanes, past the scratch. */
  #take(bytes: Buffer, start: number, end: number): void {
    const length = bytes.copy(this.#piece, 0, start, end);
    const padded = Math.ceil(length / 8) * 8;
    this.#piece.fill(0, length, padded);
    this.#mix(this.#pieceWords, 0, padded / 4);
  }
}

/** Spreads every bit over all of them, so that any of them will do for a table. */
function finalMix(lane: number): number {
  let hash = lane ^ (lane >>> 16);
  hash = Math.imul(hash, SECOND);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, THIRD);
  return hash ^ (hash >>> 16);
}
