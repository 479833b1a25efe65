/**
 * Token ids to text for byte-level vocabularies, at a twentieth of the library's price, which matters because every
 * prompt is decoded. Source of the alphabet: GPT-2's `bytes_to_unicode`: printable Latin-1 stands for itself, every
 * other byte for the next code point from U+0100 on.
 */

import { isRecord, type JsonRecord, listOf, recordOf, stringOf } from '../json.ts';

/** Decodes; unknown ids have no text. */
export type Decode = (ids: readonly number[]) => string;

/** A decoder for a tokenizer.json; undefined when it is of another kind. */
export function byteDecoder(definition: JsonRecord, vocabulary: Readonly<Record<string, number>>): Decode | undefined {
  if (!isByteLevel(definition['decoder'])) return undefined;
  const added = new Set(listOf(definition['added_tokens']).map((token) => stringOf(recordOf(token)['content'])));
  const alphabet = createAlphabet();
  /** Bytes as Latin-1 text: joining texts is cheaper than joining buffers. */
  const texts: string[] = [];
  for (const [token, id] of Object.entries(vocabulary)) {
    texts[id] = added.has(token) ? Buffer.from(token).toString('latin1') : bytesOf(token, alphabet);
  }
  return (ids) => {
    let bytes = '';
    for (const id of ids) bytes += texts[id] ?? '';
    return Buffer.from(bytes, 'latin1').toString('utf8');
  };
}

function isByteLevel(decoder: unknown): boolean {
  if (!isRecord(decoder)) return false;
  if (decoder['type'] === 'ByteLevel') return true;
  const parts = listOf(decoder['decoders']);
  return decoder['type'] === 'Sequence' && parts.length === 1 && parts.some(isByteLevel);
}

function createAlphabet(): ReadonlyMap<string, string> {
  const alphabet = new Map<string, string>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isItself = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    alphabet.set(String.fromCodePoint(isItself ? byte : next++), String.fromCodePoint(byte));
  }
  return alphabet;
}

/** A character outside of the alphabet is not from a byte; it is what it is. */
function bytesOf(token: string, alphabet: ReadonlyMap<string, string>): string {
  let bytes = '';
  for (const char of token) bytes += alphabet.get(char) ?? Buffer.from(char).toString('latin1');
  return bytes;
}
