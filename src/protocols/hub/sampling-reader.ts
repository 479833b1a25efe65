/**
 * Reads how an answer is to be sampled from the members of an object, where two APIs say it alike: completions in the
 * body itself, `/generate` in `sampling_params`. Throws `invalid_request` for what no engine could make sense of.
 * Source: OpenAI API reference, "Create completion"; SGLang documentation, "Sampling Parameters"; vLLM's OpenAI server.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { OutputConstraint, Sampling } from '../../domain/token-generation.ts';
import type { JsonNode } from './json-node.ts';
import { isObjectText } from './json-text.ts';
import { ObjectReader } from './object-reader.ts';

export const MAX_CHOICES = 128;
/** Of all prompts together: each is an answer that is held. */
export const MAX_ANSWERS = 4_096;
const MAX_BIASES = 10_000;
const MAX_STOP_IDS = 4_096;

interface Range {
  readonly least: number;
  readonly most?: number;
}

/** Undefined when it is absent; throws outside of the range, whose ends are in it. */
export function numberIn(holder: ObjectReader, name: string, { least, most }: Range): number | undefined {
  return inRange(holder, name, { value: holder.number(name), least, most });
}

export function wholeIn(holder: ObjectReader, name: string, { least, most }: Range): number | undefined {
  return inRange(holder, name, { value: holder.whole(name), least, most });
}

interface Ranged {
  readonly value: number | undefined;
  readonly least: number;
  readonly most: number | undefined;
}

function inRange(holder: ObjectReader, name: string, { value, least, most }: Ranged): number | undefined {
  if (value === undefined || (value >= least && value <= (most ?? Number.POSITIVE_INFINITY))) return value;
  throw holder.refuse(name, most === undefined ? `must be at least ${least}` : `must be from ${least} to ${most}`);
}

/** What both APIs name and mean alike. */
export function readCommonSampling(holder: ObjectReader) {
  return {
    temperature: numberIn(holder, 'temperature', { least: 0 }),
    topP: numberIn(holder, 'top_p', { least: 0, most: 1 }),
    topK: wholeIn(holder, 'top_k', { least: -1 }),
    minP: numberIn(holder, 'min_p', { least: 0, most: 1 }),
    frequencyPenalty: numberIn(holder, 'frequency_penalty', { least: -2, most: 2 }),
    presencePenalty: numberIn(holder, 'presence_penalty', { least: -2, most: 2 }),
    repetitionPenalty: numberIn(holder, 'repetition_penalty', { least: 0 }),
    stop: readStops(holder),
    stopTokenIds: readIds(holder, 'stop_token_ids'),
    ignoreEos: holder.flag('ignore_eos') ?? false,
    skipSpecialTokens: holder.flag('skip_special_tokens') ?? true,
    logitBias: readLogitBias(holder),
    choices: wholeIn(holder, 'n', { least: 1, most: MAX_CHOICES }) ?? 1,
  } satisfies Partial<Sampling>;
}

export function checkAnswers(holder: ObjectReader, prompts: number, choices: number): void {
  if (prompts * choices > MAX_ANSWERS) throw holder.refuse('n', `asks for more than ${MAX_ANSWERS} answers together`);
}

export function checkLengths(holder: ObjectReader, leastName: string, { minTokens, maxTokens }: Lengths): void {
  if (minTokens !== undefined && maxTokens !== undefined && minTokens > maxTokens)
    throw holder.refuse(leastName, 'is more than the answer may have');
}

interface Lengths {
  readonly minTokens: number | undefined;
  readonly maxTokens: number | undefined;
}

/** An empty text would stop every answer before it began: it is left out. */
function readStops(holder: ObjectReader): readonly string[] {
  const single = holder.value('stop')?.string;
  const stops = single === undefined ? holder.texts('stop') : [single];
  const used = stops.filter((stop) => stop !== '');
  if (used.length < stops.length) holder.warnings.changed(holder.at('stop'), 'has an empty text, which stops nothing');
  return used;
}

function readIds(holder: ObjectReader, name: string): number[] {
  const ids = holder.list(name);
  if (ids.length > MAX_STOP_IDS) throw holder.refuse(name, `must have at most ${MAX_STOP_IDS} ids`);
  return ids.map(({ scalar }, index) => {
    if (typeof scalar === 'number' && Number.isInteger(scalar) && scalar >= 0) return scalar;
    throw holder.refuse(`${name}[${index}]`, 'must be the id of a token');
  });
}

/** Keys are ids of tokens, as text. */
function readLogitBias(holder: ObjectReader): ReadonlyMap<number, number> | undefined {
  const biases = holder.object('logit_bias');
  if (!biases) return undefined;
  if (biases.node.members.size > MAX_BIASES)
    throw holder.refuse('logit_bias', `must have at most ${MAX_BIASES} tokens`);
  const byId = new Map<number, number>();
  for (const name of biases.node.members.keys()) {
    const bias = numberIn(biases, name, { least: -100, most: 100 });
    if (!/^\d{1,10}$/.test(name)) throw biases.refuse(name, 'must be named by the id of a token');
    if (bias !== undefined) byId.set(Number(name), bias);
  }
  return byId.size > 0 ? byId : undefined;
}

type ConstraintKind = OutputConstraint['kind'];

/** Names of both engines for the same thing, besides `response_format` and `structured_outputs`. */
const CONSTRAINTS: readonly (readonly [string, ConstraintKind])[] = [
  ['json_schema', 'json_schema'],
  ['regex', 'regex'],
  ['ebnf', 'ebnf'],
  ['structural_tag', 'structural_tag'],
  ['guided_json', 'json_schema'],
  ['guided_regex', 'regex'],
  ['guided_grammar', 'ebnf'],
];
const STRUCTURED: readonly (readonly [string, ConstraintKind])[] = [
  ['json', 'json_schema'],
  ['regex', 'regex'],
  ['grammar', 'ebnf'],
  ['structural_tag', 'structural_tag'],
];

/** What bounds the form of the output, in any of the ways in which engines are told; throws where there are two. */
export function readConstraint(holder: ObjectReader): OutputConstraint | undefined {
  const structured = holder.object('structured_outputs');
  const found = [
    ...CONSTRAINTS.flatMap(([name, kind]) => constraintOf(holder, name, kind)),
    ...(structured ? STRUCTURED.flatMap(([name, kind]) => constraintOf(structured, name, kind)) : []),
    ...choiceOf(holder, 'guided_choice'),
    ...(structured ? choiceOf(structured, 'choice') : []),
    ...responseFormat(holder.object('response_format')),
  ];
  structured?.finish();
  const [first, second] = found;
  if (!second) return first?.constraint;
  throw new GatewayError(
    'invalid_request',
    `\`${second.path}\` stands beside \`${first?.path}\`: only one may bound the output.`,
    {
      param: second.path,
    },
  );
}

interface Found {
  readonly path: string;
  readonly constraint: OutputConstraint;
}

function constraintOf(holder: ObjectReader, name: string, kind: ConstraintKind): Found[] {
  const node = holder.value(name);
  if (!node) return [];
  const isJson = kind === 'json_schema' || kind === 'structural_tag';
  const text = isJson ? jsonOf(node) : node.string;
  if (text === undefined)
    throw holder.refuse(name, isJson ? 'must be a JSON object or the text of one' : 'must be a string');
  return [{ path: holder.at(name), constraint: { kind, text } }];
}

/** One of these texts, as an expression. */
function choiceOf(holder: ObjectReader, name: string): Found[] {
  if (holder.value(name) === undefined) return [];
  const choices = holder.texts(name).map((choice) => choice.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return [{ path: holder.at(name), constraint: { kind: 'regex', text: `(${choices.join('|')})` } }];
}

function jsonOf(node: JsonNode): string | undefined {
  if (node.kind === 'object') return node.text;
  return node.string !== undefined && isObjectText(node.string) ? node.string : undefined;
}

function responseFormat(format: ObjectReader | undefined): Found[] {
  if (!format) return [];
  const { path, node } = format;
  const type = format.textOf('type');
  if (type === 'structural_tag') return [{ path, constraint: { kind: 'structural_tag', text: node.text } }];
  const found: Found[] = [];
  if (type === 'json_object') found.push({ path, constraint: { kind: 'json_schema', text: '{"type":"object"}' } });
  else if (type === 'json_schema') {
    const holder = format.object('json_schema');
    if (!holder) throw format.refuse('json_schema', 'is missing');
    holder.ignore('name', 'description', 'strict');
    const schema = holder.object('schema');
    if (!schema) throw holder.refuse('schema', 'is missing');
    holder.finish();
    found.push({ path, constraint: { kind: 'json_schema', text: schema.node.text } });
  } else if (type !== 'text') throw format.refuse('type', 'is no form of an answer that is known');
  format.finish();
  return found;
}
