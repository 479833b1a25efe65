/**
 * What the engine will read of a body, as hashed blocks (see domain/prompt.ts). Only the members that it reads count,
 * in the order in which a chat template puts them before the model, whatever their order in the body.
 * Rules   the prefix law: a body that goes on where another ended has all full blocks of that one, but for the block in
 *         which its text ended. Equal means written alike: a message as a string and the same in parts are two prompts.
 */
import type { PromptBlocks } from '../domain/prompt.ts';
import { BlockHasher, BYTES_PER_TOKEN } from './block-hasher.ts';
import { JsonScanError, scanMembers, startsWith } from './json-scan.ts';
import type { Protocol } from './protocol.ts';
import type { WalkedValue } from './prompt-measure.ts';
import { measure } from './prompt-measure.ts';
import { PromptWalk } from './prompt-walk.ts';

/** Which members of a body the engine reads. */
export interface PromptFields {
  /** In the order in which a chat template puts them before the model. */
  readonly content: readonly string[];
  /** Those that change what is computed for the same words, such as an adapter. */
  readonly salt: readonly string[];
}

/** Scratch of all readers: a body is read in one go, and nothing of it stays. */
const hasher = new BlockHasher();
const walk = new PromptWalk(hasher);

export function promptReader(fields: PromptFields): Pick<Protocol, 'readPrompt' | 'hashPrefix'> {
  const reader = new PromptReader(fields);
  return {
    readPrompt: (body, model): PromptBlocks => {
      reader.read(body, model, Number.POSITIVE_INFINITY);
      return hasher.blocks();
    },
    hashPrefix: (body, model, tokens) => {
      reader.read(body, model, Math.max(0, Math.floor(tokens)) * BYTES_PER_TOKEN);
      return hasher.key();
    },
  };
}

class PromptReader {
  readonly #names: readonly string[];
  /** How many of the names are salt; the others are content. */
  readonly #saltCount: number;
  /** Where the value of each name stands in the body under way; of a key given twice the last one counts. */
  readonly #values: WalkedValue[];

  constructor({ salt, content }: PromptFields) {
    this.#names = [...salt, ...content];
    this.#saltCount = salt.length;
    this.#values = this.#names.map((name) => ({ name, start: 0, end: 0, isPlain: false }));
  }

  /** Feeds the hasher; `limitBytes` of the content at most are hashed. */
  read(body: Buffer, model: string, limitBytes: number): void {
    try {
      if (this.#readMembers(body, model, limitBytes)) return;
    } catch (thrown) {
      if (!(thrown instanceof JsonScanError)) throw thrown;
    }
    // Not as its API says: every byte may count.
    begin(model);
    hasher.seal(limitBytes);
    hasher.text(body, 0, body.length);
  }

  /** False when there is nothing that the engine reads. */
  #readMembers(body: Buffer, model: string, limitBytes: number): boolean {
    const values = this.#values;
    for (const value of values) value.end = 0;
    scanMembers(body, this.#names, (index, start) => measure(body, start, values[index] as WalkedValue));
    begin(model);
    for (let i = 0; i < this.#saltCount; i += 1) this.#readMember(body, i);
    let first = this.#saltCount;
    while (first < values.length && !isGiven(body, values[first] as WalkedValue)) first += 1;
    if (first === values.length) return false;
    hasher.byte(first);
    hasher.seal(limitBytes);
    walk.walk(body, values[first] as WalkedValue);
    for (let i = first + 1; i < values.length; i += 1) this.#readMember(body, i);
    return true;
  }

  #readMember(body: Buffer, index: number): void {
    const value = this.#values[index] as WalkedValue;
    if (!isGiven(body, value)) return;
    // Says which member it is, and where the one before it ends: no JSON has such a byte.
    hasher.byte(index);
    walk.walk(body, value);
  }
}

function begin(model: string): void {
  hasher.begin();
  for (let i = 0; i < model.length; i += 1) hasher.word(model.charCodeAt(i));
}

/** Present and not null. */
function isGiven(body: Buffer, { start, end }: WalkedValue): boolean {
  return end > 0 && !(end - start === 4 && startsWith(body, start, 'null'));
}
