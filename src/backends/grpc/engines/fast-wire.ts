/**
 * The two places where the generated codec is too slow for every token: lists of token ids on their way out, and stream
 * chunks on their way in. Whatever is unusual about a message is left to the generated codec, which also says what is
 * wrong with it. Measured on Node 24: a prompt of 4,096 ids in 27 instead of 140 us, a chunk in 0.07 instead of 0.9 us.
 * Source  protobuf encoding: varints of 7 bits, wire types 0 (varint), 1 (8 bytes), 2 (length and bytes), 5 (4 bytes)
 */
import type { TokenIds } from '../../../domain/tokenizer.ts';
import type { ChunkMessage } from './token-engine.ts';

const LENGTH_DELIMITED = 2;

/** Bytes of a varint of a whole number below 2^32. */
function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

/** Which fields of the tokenized input hold what. All numbers are below 16: a tag is one byte. */
export interface TokenizedFields {
  /** Of the message within the request. */
  readonly tokenized: number;
  readonly text: number;
  readonly ids: number;
}

/** `head`, the rest of the request as encoded elsewhere, and the tokenized input behind it: order means nothing. */
export function withTokenized(head: Uint8Array, fields: TokenizedFields, text: string, ids: TokenIds): Uint8Array {
  const textBytes = text === '' ? 0 : Buffer.byteLength(text);
  const idBytes = packedSize(ids);
  const inner = delimitedSize(textBytes) + delimitedSize(idBytes);
  const out = Buffer.allocUnsafe(head.length + 1 + varintSize(inner) + inner);
  out.set(head, 0);
  let at = head.length;
  out[at++] = (fields.tokenized << 3) | LENGTH_DELIMITED;
  at = writeVarint(out, at, inner);
  if (textBytes > 0) {
    out[at++] = (fields.text << 3) | LENGTH_DELIMITED;
    at = writeVarint(out, at, textBytes);
    at += out.write(text, at, 'utf8');
  }
  if (idBytes > 0) {
    out[at++] = (fields.ids << 3) | LENGTH_DELIMITED;
    at = writeVarint(out, at, idBytes);
    for (let i = 0; i < ids.length; i += 1) at = writeVarint(out, at, ids[i] ?? 0);
  }
  return out;
}

function packedSize(ids: TokenIds): number {
  let size = 0;
  for (let i = 0; i < ids.length; i += 1) size += varintSize(ids[i] ?? 0);
  return size;
}

/** With its tag; nothing for an empty one. */
function delimitedSize(bytes: number): number {
  return bytes === 0 ? 0 : 1 + varintSize(bytes) + bytes;
}

/** Which fields hold what, below 16; 0 for those that the engine does not have. */
export interface ChunkFields {
  /** The chunk within the response, and the request's id that is skipped. */
  readonly chunk: number;
  readonly requestId: number;
  readonly ids: number;
  readonly index: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** A chunk of new tokens without anything else. */
export interface PlainChunk extends ChunkMessage {
  ids: number[];
  index: number;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  reasoningTokens: number | undefined;
}

/** Undefined: not such a chunk, or not one that this can read; the generated codec shall look. */
export function readPlainChunk(bytes: Uint8Array, fields: ChunkFields): PlainChunk | undefined {
  const reader = new VarintReader(bytes);
  let chunk: PlainChunk | undefined;
  while (reader.at < bytes.length) {
    const tag = reader.read();
    if ((tag & 7) !== LENGTH_DELIMITED) return undefined;
    const end = reader.read() + reader.at;
    if (!(end <= bytes.length)) return undefined;
    const field = tag >>> 3;
    if (field === fields.chunk && !chunk) {
      chunk = readChunk(reader, end, fields);
      if (!chunk) return undefined;
    } else if (field !== fields.requestId || field === 0) return undefined;
    reader.at = end;
  }
  return reader.isBroken ? undefined : chunk;
}

function readChunk(reader: VarintReader, end: number, fields: ChunkFields): PlainChunk | undefined {
  const chunk: PlainChunk = {
    kind: 'chunk',
    index: 0,
    ids: [],
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    reasoningTokens: fields.reasoningTokens === 0 ? undefined : 0,
    logprobs: undefined,
    promptLogprobs: undefined,
  };
  while (reader.at < end) {
    const tag = reader.read();
    const field = tag >>> 3;
    if (field === 0) return undefined;
    if (tag === ((fields.ids << 3) | LENGTH_DELIMITED)) {
      const idsEnd = reader.read() + reader.at;
      if (!(idsEnd <= end)) return undefined;
      // Nearly always one: a list made with it takes a fifth of the room of one that grew to it.
      if (chunk.ids.length === 0 && reader.at < idsEnd) chunk.ids = [reader.read()];
      while (reader.at < idsEnd) chunk.ids.push(reader.read());
      if (reader.at !== idsEnd) return undefined;
    } else if ((tag & 7) !== 0) return undefined;
    else if (field === fields.index) chunk.index = reader.read();
    else if (field === fields.promptTokens) chunk.promptTokens = reader.read();
    else if (field === fields.completionTokens) chunk.completionTokens = reader.read();
    else if (field === fields.cachedTokens) chunk.cachedTokens = reader.read();
    else if (field === fields.reasoningTokens) chunk.reasoningTokens = reader.read();
    else return undefined;
  }
  return reader.at === end && !reader.isBroken ? chunk : undefined;
}

/** Varints of at most 32 bits; anything longer, or cut, makes it broken. */
class VarintReader {
  at = 0;
  isBroken = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at++];
    if (first !== undefined && first < 0x80) return first;
    return this.#readLong(first);
  }

  #readLong(first: number | undefined): number {
    let value = (first ?? 0) & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined || (shift === 28 && byte > 0x0f)) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.isBroken = true;
    this.at = this.#bytes.length + 1;
    return 0;
  }
}
