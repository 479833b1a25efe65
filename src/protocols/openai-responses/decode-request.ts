/**
 * A request of a Responses client, as the hub has it.
 * Source: OpenAI API reference, create a response; the fields of self-hosted engines from the request models of vLLM
 * and SGLang.
 */
import { GatewayError } from '../../domain/errors.ts';
import type {
  ExtraField,
  GenerationRequest,
  JsonText,
  ReasoningOptions,
  ResponseFormat,
} from '../../domain/generation.ts';
import type { DecodedRequest, RequestFacts } from '../hub/codec.ts';
import { isEffort } from '../hub/effort.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { thoughtsOf } from './carried-thought.ts';
import { OWN } from './own-forms.ts';
import { readTurns } from './read-input.ts';
import { readToolChoice, readTools } from './read-tools.ts';

/** What an API of Responses keeps between calls; the workers of other APIs keep nothing. */
const STATEFUL: readonly string[] = ['previous_response_id', 'conversation', 'prompt'];

/** Of this API only, in the order in which they are written again. */
export const OWN_FIELDS: readonly string[] = [
  ...['max_tool_calls', 'prompt_cache_options', 'prompt_cache_retention', 'user', 'context_management', 'moderation'],
  ...['access_programs', 'image', 'stream_options', 'truncation'],
];
/** Of engines that speak this API; refused by providers. */
export const ENGINE_FIELDS: readonly string[] = [
  ...['repetition_penalty', 'chat_template_kwargs', 'lora_path', 'cache_salt', 'priority', 'ignore_eos', 'min_tokens'],
  ...['stop_token_ids', 'skip_special_tokens', 'mm_processor_kwargs'],
];

/** Of the fields above, those whose value decides what becomes of them. */
const READ_CLOSELY: ReadonlySet<string> = new Set(['user', 'truncation']);

/** What `include` may name that needs no field: it is carried, or always asked for. */
export const LOGPROBS = 'message.output_text.logprobs';
export const ENCRYPTED = 'reasoning.encrypted_content';

/** Throws `invalid_json`, `missing_model` or `invalid_request`. */
export function decodeRequest(body: Buffer, facts: RequestFacts): DecodedRequest {
  const warnings = new Warnings();
  const reader = readBody(body, warnings);
  refuseState(reader);
  const model = reader.text('model') ?? facts.model;
  if (model === undefined) throw new GatewayError('missing_model', '`model` is missing.', { param: 'model' });
  const extras = new Extras(reader);
  const { mayLog, ...included } = readInclude(reader, extras);
  const text = reader.object('text');
  const choice = readToolChoice(reader);
  if (choice?.raw !== undefined) extras.add('tool_choice', choice.raw);
  const request: GenerationRequest = {
    model,
    isStream: facts.isStream ?? reader.flag('stream') ?? false,
    wantsUsage: true,
    turns: readTurns(reader, thoughtsOf(model)),
    tools: readTools(reader),
    toolChoice: choice?.choice,
    mayCallInParallel: reader.flag('parallel_tool_calls'),
    responseFormat: text && readFormat(text),
    reasoning: readReasoning(reader, extras),
    ...readSampling(reader),
    wantsLogprobs: mayLog || included.wantsLogprobs,
    topLogprobs: included.topLogprobs,
    user: readUser(reader, extras),
    metadataText: readObjectText(reader, 'metadata'),
    serviceTier: reader.text('service_tier'),
    verbosity: text?.text('verbosity'),
    promptCacheKey: reader.text('prompt_cache_key'),
    store: reader.flag('store'),
    extras: extras.finish(),
  };
  reader.ignore('stream');
  text?.finish();
  reader.finish();
  return { request, warnings: warnings.list };
}

function refuseState(reader: ObjectReader): void {
  const kept = STATEFUL.find((name) => reader.value(name) !== undefined);
  if (kept !== undefined)
    throw reader.refuse(kept, 'is kept by an API of responses, and the worker of this model has none');
  if (reader.flag('background') === true)
    throw reader.refuse('background', 'needs an API of responses, and the worker of this model has none');
}

/** Fields that have no place in the hub, in a fixed order. */
class Extras {
  readonly #reader: ObjectReader;
  readonly #found = new Map<string, JsonText>();

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  add(name: string, json: JsonText | undefined): void {
    if (json !== undefined) this.#found.set(name, json);
  }

  finish(): ExtraField[] {
    for (const name of [...OWN_FIELDS, ...ENGINE_FIELDS])
      if (!READ_CLOSELY.has(name)) this.add(name, this.#reader.raw(name));
    // `disabled` is what everyone else does.
    const truncation = this.#reader.text('truncation');
    if (truncation !== undefined && truncation !== 'disabled') this.add('truncation', JSON.stringify(truncation));
    return [...this.#found].map(([name, json]) => ({ origin: OWN, name, json }));
  }
}

function readInclude(reader: ObjectReader, extras: Extras) {
  const include = reader.texts('include');
  const rest = include.filter((each) => each !== LOGPROBS && each !== ENCRYPTED);
  if (rest.length > 0) extras.add('include', JSON.stringify(rest));
  const topLogprobs = reader.whole('top_logprobs');
  return { mayLog: include.includes(LOGPROBS), wantsLogprobs: (topLogprobs ?? 0) > 0, topLogprobs };
}

function readReasoning(reader: ObjectReader, extras: Extras): ReasoningOptions {
  const reasoning = reader.object('reasoning');
  const effort = reasoning?.text('effort');
  if (reasoning && effort !== undefined && !isEffort(effort)) throw reasoning.refuse('effort', 'is not known');
  const summary = reasoning?.text('summary') ?? reasoning?.text('generate_summary');
  const known = (['auto', 'concise', 'detailed', 'none'] as const).find((each) => each === summary);
  if (reasoning && summary !== undefined && known === undefined) throw reasoning.refuse('summary', 'is not known');
  reasoning?.ignore('generate_summary');
  for (const name of ['context', 'mode']) extras.add(`reasoning.${name}`, reasoning?.raw(name));
  reasoning?.finish();
  return {
    mode: effort === 'none' ? 'off' : undefined,
    effort: effort !== undefined && isEffort(effort) ? effort : undefined,
    budgetTokens: undefined,
    summary: known,
  };
}

function readFormat(text: ObjectReader): ResponseFormat | undefined {
  const format = text.object('format');
  if (format === undefined) return undefined;
  const type = format.textOf('type');
  if (type !== 'text' && type !== 'json_object' && type !== 'json_schema') throw format.refuse('type', 'is not known');
  const read: ResponseFormat =
    type === 'json_schema'
      ? {
          type,
          name: format.textOf('name'),
          description: format.text('description'),
          schemaText: readObjectText(format, 'schema'),
          isStrict: format.flag('strict'),
        }
      : { type };
  format.finish();
  return read;
}

/** Only the first three are OpenAI's; engines that speak this API take the others too. */
function readSampling(reader: ObjectReader) {
  return {
    maxTokens: reader.whole('max_output_tokens'),
    temperature: reader.number('temperature'),
    topP: reader.number('top_p'),
    topK: reader.whole('top_k'),
    minP: reader.number('min_p'),
    stop: readStop(reader),
    seed: reader.whole('seed'),
    frequencyPenalty: reader.number('frequency_penalty'),
    presencePenalty: reader.number('presence_penalty'),
    choices: 1,
    logitBiasText: readObjectText(reader, 'logit_bias'),
  };
}

function readStop(reader: ObjectReader): readonly string[] {
  const alone = reader.value('stop')?.string;
  return alone === undefined ? reader.texts('stop') : [alone];
}

/** `safety_identifier` took the place of `user`; with both, the old one is a field of this API only. */
function readUser(reader: ObjectReader, extras: Extras): string | undefined {
  const user = reader.text('user');
  const identifier = reader.text('safety_identifier');
  if (identifier !== undefined && user !== undefined) extras.add('user', JSON.stringify(user));
  return identifier ?? user;
}

/** The text of an object, as it was written. */
export function readObjectText(reader: ObjectReader, name: string): JsonText | undefined {
  return reader.object(name)?.node.text;
}
