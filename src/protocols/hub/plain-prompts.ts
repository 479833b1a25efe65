/**
 * Prompts that are no conversation, in the forms in which completions, `/generate` and embeddings take them: a text, a
 * list of texts, the tokens of one prompt, a list of such lists.
 * Cost  one native parse of the value: a prompt of 100,000 tokens takes about a millisecond
 */
import { GatewayError } from '../../domain/errors.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import type { ObjectReader } from './object-reader.ts';
import type { PlainPrompt } from './text-codec.ts';

/** In one request; OpenAI's own bound for embeddings. */
export const MAX_PROMPTS = 2_048;
/** Ids are signed 32-bit numbers on some wires. */
const MAX_ID = 0x7fff_ffff;

export interface PlainPrompts {
  /** At least one. */
  readonly prompts: readonly PlainPrompt[];
  /** A list of prompts was given, be it of one. */
  readonly isBatch: boolean;
}

/** Undefined when it is absent. Throws `invalid_request`. */
export function readPlainPrompts(holder: ObjectReader, name: string): PlainPrompts | undefined {
  const node = holder.value(name);
  if (node === undefined) return undefined;
  if (node.kind === 'string') return { prompts: [{ kind: 'text', text: node.string ?? '' }], isBatch: false };
  const path = holder.at(name);
  const values: unknown = node.kind === 'array' ? JSON.parse(node.text) : undefined;
  if (!Array.isArray(values)) throw refused(path, 'must be a string, a list of strings, or lists of token ids');
  if (values.length === 0) throw refused(path, 'must not be empty');
  if (typeof values[0] === 'number') return { prompts: [{ kind: 'ids', ids: idsOf(values, path) }], isBatch: false };
  if (values.length > MAX_PROMPTS) throw refused(path, `must have at most ${MAX_PROMPTS} prompts`);
  return { prompts: values.map((value, index) => promptOf(value, `${path}[${index}]`)), isBatch: true };
}

function promptOf(value: unknown, path: string): PlainPrompt {
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (!Array.isArray(value)) throw refused(path, 'must be a string or a list of token ids');
  if (value.length === 0) throw refused(path, 'must not be empty');
  return { kind: 'ids', ids: idsOf(value, path) };
}

function idsOf(values: readonly unknown[], path: string): TokenIds {
  const ids = new Uint32Array(values.length);
  for (let index = 0; index < ids.length; index += 1) {
    const id = values[index];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_ID)
      throw refused(`${path}[${index}]`, 'must be the id of a token');
    ids[index] = id;
  }
  return ids;
}

function refused(path: string, text: string): GatewayError {
  return new GatewayError('invalid_request', `\`${path}\` ${text}.`, { param: path });
}
