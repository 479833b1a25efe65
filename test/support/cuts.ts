/** Ways to cut bytes into chunks, for the split-anywhere law: every reader gives the same result for each of them. */
import { randomInteger, seededRandom } from '../../src/base/random.ts';

export interface Cut {
  /** How the bytes were cut, for messages. */
  readonly name: string;
  /** Copies, as a socket would hand them out. */
  readonly chunks: readonly Buffer[];
}

const RANDOM_CUTS = 40;
/** Beyond this size the two-way cuts are sampled, so that a test stays quick. */
const ALL_TWO_WAY_BYTES = 3_000;

/** Whole, byte by byte, every two-way cut (a sample for long input) and seeded random cuts. */
export function* cutsOf(bytes: Buffer, seed: number): Generator<Cut> {
  yield { name: 'whole', chunks: [Buffer.from(bytes)] };
  yield { name: 'byte by byte', chunks: Array.from(bytes, (byte) => Buffer.of(byte)) };
  const step = Math.max(1, Math.ceil(bytes.length / ALL_TWO_WAY_BYTES));
  for (let at = 1; at < bytes.length; at += step) yield { name: `cut at ${at}`, chunks: chunksAt(bytes, [at]) };
  const random = seededRandom(seed);
  for (let round = 0; round < RANDOM_CUTS; round += 1) {
    const points: number[] = [];
    const longest = 1 + randomInteger(random, bytes.length + 1);
    for (let at = 0; at < bytes.length; at += 1 + randomInteger(random, longest)) points.push(at);
    yield { name: `random cut ${round} of seed ${seed}`, chunks: chunksAt(bytes, points) };
  }
}

/** The bytes cut before each of the given places, which ascend. */
export function chunksAt(bytes: Buffer, points: readonly number[]): Buffer[] {
  const ends = [...points, bytes.length];
  const chunks = ends.map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)));
  return chunks.filter((chunk) => chunk.length > 0);
}

export interface TextCut {
  readonly name: string;
  readonly chunks: readonly string[];
}

/** The same ways for text: between UTF-16 units, so that pairs are cut too. */
export function* textCutsOf(text: string, seed: number): Generator<TextCut> {
  yield { name: 'whole', chunks: [text] };
  yield { name: 'unit by unit', chunks: Array.from({ length: text.length }, (_, i) => text.charAt(i)) };
  for (let at = 1; at < text.length; at += 1)
    yield { name: `cut at ${at}`, chunks: [text.slice(0, at), text.slice(at)] };
  const random = seededRandom(seed);
  for (let round = 0; round < RANDOM_CUTS; round += 1) {
    const chunks: string[] = [];
    const longest = 1 + randomInteger(random, 12);
    for (let at = 0; at < text.length; ) {
      const length = 1 + randomInteger(random, longest);
      chunks.push(text.slice(at, at + length));
      at += length;
    }
    yield { name: `random cut ${round} of seed ${seed}`, chunks };
  }
}
