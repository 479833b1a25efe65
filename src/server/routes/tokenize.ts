/** Text to tokens and back, for whoever wants to count or to see. Bounded, and the loop goes on between two pieces of work. */
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../domain/errors.ts';
import type { Tokenizer } from '../../domain/tokenizer.ts';
import { awaitTokenModel } from '../../domain/tokenizers.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_ITEMS = 4_096;
/** Characters, or tokens, between two turns of the loop: some milliseconds of work. */
const STEP = 32 * 1024;
/** In an answer, which is written in one go. */
const MAX_TOKENS = 2_000_000;
const MAX_ID = 0xffffffff;

type Fields = Readonly<Record<string, unknown>>;

/** For a list of prompts all three members of the answer are lists. */
export async function tokenize(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const fields = await readFields(request);
  const prompts = readPrompts(fields['prompt']);
  const addSpecialTokens = readFlag(fields, 'add_special_tokens', false);
  const tokenizer = await tokenizerOf(deps, fields, request.signal);
  const all: { tokens: number[]; count: number; chars: number }[] = [];
  let done = 0;
  let tokens = 0;
  for (const prompt of prompts.list) {
    const ids = await tokenizer.encode(prompt, addSpecialTokens);
    tokens += ids.length;
    if (tokens > MAX_TOKENS) throw refused('prompt', `has more than ${MAX_TOKENS} tokens`);
    all.push({ tokens: Array.from(ids), count: ids.length, chars: countChars(prompt) });
    done += prompt.length;
    if (done < STEP) continue;
    done = 0;
    await setImmediate();
    if (request.signal.aborted) throw new GatewayError('client_closed_request', 'The client left.');
  }
  const [first] = all;
  if (first && !prompts.isList) return json(200, { tokens: first.tokens, count: first.count, char_count: first.chars });
  return json(200, {
    tokens: all.map(({ tokens }) => tokens),
    count: all.map(({ count }) => count),
    char_count: all.map(({ chars }) => chars),
  });
}

/** For a list of lists the text is a list. */
export async function detokenize(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const fields = await readFields(request);
  const { lists, isNested } = readTokens(fields['tokens']);
  const skipSpecialTokens = readFlag(fields, 'skip_special_tokens', true);
  const tokenizer = await tokenizerOf(deps, fields, request.signal);
  const texts: string[] = [];
  for (const ids of lists) texts.push(await decode(tokenizer, ids, { skipSpecialTokens, signal: request.signal }));
  return json(200, { text: isNested ? texts : (texts[0] ?? '') });
}

async function decode(
  tokenizer: Tokenizer,
  ids: readonly number[],
  { skipSpecialTokens, signal }: { readonly skipSpecialTokens: boolean; readonly signal: AbortSignal },
): Promise<string> {
  if (ids.length <= STEP) return tokenizer.decode(ids, { skipSpecialTokens });
  const decoder = tokenizer.createDecoder({ skipSpecialTokens });
  const parts: string[] = [];
  for (let i = 0; i < ids.length; i += 1) {
    parts.push(decoder.push(ids[i] ?? 0));
    if ((i + 1) % STEP !== 0) continue;
    await setImmediate();
    if (signal.aborted) throw new GatewayError('client_closed_request', 'The client left.');
  }
  return parts.join('') + decoder.end();
}

/** Rejects with `tokenizer_not_found`, or why it cannot be had. */
async function tokenizerOf(deps: ServerDeps, fields: Fields, signal: AbortSignal): Promise<Tokenizer> {
  const { tokenizers, aliases, clock, options } = deps;
  const model = fields['model'] ?? '';
  if (typeof model !== 'string') throw refused('model', 'must be a text');
  const meant = aliases.get(model) ?? [model];
  const known = meant.find((each) => tokenizers.lookUp(each) !== undefined);
  const ask = () => {
    const state = known === undefined ? undefined : tokenizers.lookUp(known);
    if (state) return state;
    const names = tokenizers.list().map(({ name }) => name);
    const listed = names.length === 0 ? 'There is none yet.' : `There are: ${names.slice(0, 20).join(', ')}.`;
    const text = `There is no tokenizer for the model \`${model.slice(0, 200)}\`. ${listed}`;
    throw new GatewayError('tokenizer_not_found', text, { param: 'model' });
  };
  const found = await awaitTokenModel(ask, { clock, waitMs: options.tokenizerWaitMs, signal });
  return found.tokenizer;
}

async function readFields(request: ControlRequest): Promise<Fields> {
  const body = await request.readJson(MAX_BODY_BYTES);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  return { ...body };
}

function readPrompts(value: unknown): { readonly list: readonly string[]; readonly isList: boolean } {
  if (typeof value === 'string') return { list: [value], isList: false };
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
    throw refused('prompt', 'must be a text, or a list of texts');
  if (value.length > MAX_ITEMS) throw refused('prompt', `has more than ${MAX_ITEMS} texts`);
  return { list: value, isList: true };
}

function readTokens(value: unknown): { readonly lists: readonly (readonly number[])[]; readonly isNested: boolean } {
  if (isIds(value)) return { lists: [value], isNested: false };
  if (!Array.isArray(value) || !value.every(isIds))
    throw refused('tokens', 'must be a list of token ids, or a list of such lists');
  if (value.length > MAX_ITEMS) throw refused('tokens', `has more than ${MAX_ITEMS} lists`);
  return { lists: value, isNested: true };
}

function isIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_ID);
}

function readFlag(fields: Fields, name: string, unless: boolean): boolean {
  const value = fields[name] ?? unless;
  if (typeof value !== 'boolean') throw refused(name, 'must be true or false');
  return value;
}

function refused(param: string, text: string): GatewayError {
  return new GatewayError('invalid_request', `\`${param}\` ${text}.`, { param });
}

/** Code points, as people count; half of a pair is one. */
function countChars(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i += 1) {
    const isPair = (text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800;
    if (isPair) count -= 1;
  }
  return count;
}
