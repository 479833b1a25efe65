/** A chat completions body to the hub. Source: OpenAI API reference, "Create chat completion". */
import type { ExtraField, GenerationRequest } from '../../domain/generation.ts';
import type { DecodedRequest, RequestFacts } from '../hub/codec.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { readTurns } from './decode-messages.ts';
import { extra, readReasoning, readResponseFormat, readToolChoice, readTools } from './decode-options.ts';
import { OPENAI_FIELDS, SERVER_FIELDS } from './field-names.ts';

/**
 * Throws `invalid_json` and `invalid_request`. Fields that only some servers know become extra fields; those that
 * nobody knows are in the warnings.
 */
export function decodeRequest(bytes: Buffer, facts: RequestFacts): DecodedRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const extras = readExtras(body);
  if (body.value('messages') === undefined) throw body.refuse('messages', 'is missing');
  const request: GenerationRequest = {
    model: facts.model ?? body.text('model') ?? '',
    isStream: body.flag('stream') ?? facts.isStream ?? false,
    wantsUsage: wantsUsage(body),
    turns: readTurns(body),
    tools: readTools(body),
    toolChoice: readToolChoice(body, extras),
    mayCallInParallel: body.flag('parallel_tool_calls'),
    responseFormat: readResponseFormat(body, extras),
    reasoning: readReasoning(body, extras),
    maxTokens: readMaxTokens(body),
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: body.whole('top_k'),
    minP: body.number('min_p'),
    stop: readStop(body),
    seed: body.whole('seed'),
    frequencyPenalty: body.number('frequency_penalty'),
    presencePenalty: body.number('presence_penalty'),
    choices: readChoices(body),
    wantsLogprobs: body.flag('logprobs') ?? false,
    topLogprobs: body.whole('top_logprobs'),
    logitBiasText: body.object('logit_bias')?.node.text,
    user: readUser(body),
    metadataText: body.object('metadata')?.node.text,
    serviceTier: body.text('service_tier'),
    verbosity: body.text('verbosity'),
    promptCacheKey: body.text('prompt_cache_key'),
    store: body.flag('store'),
    extras,
  };
  body.ignore('model');
  body.finish();
  return { request, warnings: warnings.list };
}

const EXTRA_FIELDS = [...OPENAI_FIELDS, ...SERVER_FIELDS];
const isExtra = new Set(EXTRA_FIELDS);

/** In the order of the lists. Most bodies have none, and are not asked for each. */
function readExtras(body: ObjectReader): ExtraField[] {
  const names = [...body.node.members.keys()].filter((name) => isExtra.has(name));
  if (names.length === 0) return [];
  return EXTRA_FIELDS.flatMap((name) => {
    const node = names.includes(name) ? body.value(name) : undefined;
    return node ? [extra(name, node)] : [];
  });
}

/** `include_obfuscation` asks for padding of the frames, which says nothing about the answer. */
function wantsUsage(body: ObjectReader): boolean {
  const options = body.object('stream_options');
  options?.ignore('include_obfuscation');
  const wanted = options?.flag('include_usage') ?? false;
  options?.finish();
  return wanted;
}

/** The newer name counts where both are given. */
function readMaxTokens(body: ObjectReader): number | undefined {
  const newer = body.whole('max_completion_tokens');
  const older = body.whole('max_tokens');
  if (newer !== undefined && older !== undefined && newer !== older)
    body.warnings.lost('max_tokens', 'stands beside `max_completion_tokens`, which counts');
  return newer ?? older;
}

function readStop(body: ObjectReader): readonly string[] {
  const text = body.value('stop')?.string;
  return text === undefined ? body.texts('stop') : [text];
}

function readChoices(body: ObjectReader): number {
  const count = body.whole('n') ?? 1;
  if (count < 1) throw body.refuse('n', 'must be at least 1');
  return count;
}

/** The newer name takes the place of the older one. */
function readUser(body: ObjectReader): string | undefined {
  const newer = body.text('safety_identifier');
  const older = body.text('user');
  if (newer !== undefined && older !== undefined && newer !== older)
    body.warnings.lost('user', 'stands beside `safety_identifier`, which counts');
  return newer ?? older;
}
