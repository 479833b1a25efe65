/**
 * The hub to a chat completions body, for OpenAI, for a server that is like it, or for an engine: what each of them
 * takes is data of the provider (ChatTraits). Members have a fixed order, so that equal requests are equal bytes.
 */
import type { ExtraField, GenerationRequest } from '../../domain/generation.ts';
import type { EncodedRequest, EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, jsonText, raw, RawJson, rawOr } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import { writeMessages } from './encode-messages.ts';
import { writeResponseFormat, writeTools } from './encode-options.ts';
import { writeReasoning } from './encode-reasoning.ts';
import type { Writing } from './encode-target.ts';
import { startWriting, titleOf } from './encode-target.ts';
import { OPENAI_FIELDS, ORIGIN } from './field-names.ts';

type Members = { [name: string]: JsonOut | undefined };

/** Throws `invalid_request` for the name of a tool that the target refuses. */
export function encodeRequest(request: GenerationRequest, target: EncodeTarget): EncodedRequest {
  const warnings = new Warnings();
  const writing = startWriting(target, warnings);
  const members: Members = {
    model: target.model,
    messages: withJsonWord(writeMessages(request.turns, writing), request, writing),
    ...writeTools(request, writing),
    ...writeResponseFormat(request.responseFormat, writing),
    ...writeReasoning(request, writing),
    ...writeLimit(request, writing),
    ...writeSampling(request, writing),
    ...writeStop(request, writing),
    seed: request.seed,
    n: request.choices > 1 ? request.choices : undefined,
    ...writeEngineNumbers(request, writing),
    user: request.user,
    ...writeOwnFields(request, writing),
    ...writePrefill(request, writing),
    ...writeExtras(request.extras, writing),
    ...writeStream(request, writing),
  };
  return { body: jsonBytes(withQuirks(members, writing)), warnings: warnings.list };
}

const ASK_FOR_JSON = 'Answer with one JSON object.';

/** Source: OpenAI refuses `json_object` when no message has the word JSON; other APIs ask nothing of the prompt. */
function withJsonWord(
  messages: readonly JsonOut[],
  { responseFormat }: GenerationRequest,
  { target, warnings }: Writing,
): readonly JsonOut[] {
  if (responseFormat?.type !== 'json_object' || target.provider === undefined) return messages;
  if (/json/i.test(jsonText(messages))) return messages;
  warnings.changed('response_format', `needs the word JSON in the prompt, so \`${ASK_FOR_JSON}\` stands before it`);
  return [{ role: 'system', content: ASK_FOR_JSON }, ...messages];
}

function writeLimit({ maxTokens }: GenerationRequest, { traits, target, warnings }: Writing): Members {
  const most = target.maxOutputTokens;
  if (maxTokens === undefined || most === undefined || maxTokens <= most) return { [traits.maxTokensField]: maxTokens };
  warnings.changed('max_tokens', `is ${most}, the most that the model gives`);
  return { [traits.maxTokensField]: most };
}

/** Thinking models refuse these, some of them only while they think. */
function writeSampling(request: GenerationRequest, writing: Writing): Members {
  const members: Members = {
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    logprobs: request.wantsLogprobs ? true : undefined,
    top_logprobs: request.topLogprobs,
    logit_bias: rawOr(request.logitBiasText),
  };
  if (takesSampling(request, writing)) return members;
  return onlyDefaults(members, writing);
}

function takesSampling({ reasoning }: GenerationRequest, { rule }: Writing): boolean {
  if (!rule || rule.sampling === 'always') return true;
  if (rule.sampling === 'never') return false;
  const { mode, effort, budgetTokens } = reasoning;
  const isThinking = mode === 'on' || mode === 'adaptive' || (effort !== undefined && effort !== 'none');
  return mode === 'off' || (!isThinking && !budgetTokens);
}

/** The value that a model has anyway is no loss. */
function onlyDefaults(members: Members, { warnings }: Writing): Members {
  for (const [name, value] of Object.entries(members)) {
    const isDefault =
      value === undefined || ((name === 'temperature' || name === 'top_p') && value === 1) || value === 0;
    if (!isDefault || (name === 'temperature' && value === 0))
      warnings.lost(name, 'is not taken by a model that thinks');
  }
  return {};
}

function writeStop({ stop }: GenerationRequest, { traits, rule, warnings }: Writing): Members {
  if (stop.length === 0) return {};
  if (rule?.sampling === 'never') {
    warnings.lost('stop', 'is not taken by a model that thinks');
    return {};
  }
  const most = traits.maxStops ?? stop.length;
  if (stop.length > most)
    warnings.lost(`stop[${most}]`, `and those behind it are more than the ${most} that are taken`);
  return { stop: stop.slice(0, most) };
}

function writeEngineNumbers({ topK, minP }: GenerationRequest, writing: Writing): Members {
  if (writing.traits.takesEngineFields) return { top_k: topK, min_p: minP };
  if (topK !== undefined) writing.warnings.lost('top_k', `is not taken by ${titleOf(writing)}`);
  if (minP !== undefined) writing.warnings.lost('min_p', `is not taken by ${titleOf(writing)}`);
  return {};
}

const TIERS: ReadonlySet<string> = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** What is OpenAI's own; `store: false` is what everybody else does anyway. */
function writeOwnFields(request: GenerationRequest, writing: Writing): Members {
  const { traits, warnings } = writing;
  const members: Members = {
    metadata: rawOr(request.metadataText),
    service_tier: tierOf(request.serviceTier, writing),
    verbosity: request.verbosity,
    prompt_cache_key: request.promptCacheKey,
    store: request.store,
  };
  if (traits.takesOpenAiFields) return members;
  for (const [name, value] of Object.entries(members))
    if (value !== undefined && value !== false) warnings.lost(name, `is not taken by ${titleOf(writing)}`);
  return {};
}

function tierOf(tier: string | undefined, { traits, warnings }: Writing): string | undefined {
  if (tier === undefined || TIERS.has(tier) || !traits.takesOpenAiFields) return tier;
  // Anthropic's word for what is not bought in advance.
  if (tier === 'standard_only') warnings.changed('service_tier', 'is `default`, which is the same');
  else warnings.lost('service_tier', 'is no tier that is known');
  return tier === 'standard_only' ? 'default' : undefined;
}

/** An assistant's turn at the end is to be continued; engines have to be told, the others begin a new turn. */
function writePrefill({ turns, extras }: GenerationRequest, { traits, warnings }: Writing): Members {
  const last = turns.at(-1);
  if (last?.role !== 'assistant' || last.parts.some(({ type }) => type === 'tool_call')) return {};
  const isTold = extras.some(({ name }) => name === 'continue_final_message' || name === 'add_generation_prompt');
  if (isTold) return {};
  if (traits.takesEngineFields) return { continue_final_message: true, add_generation_prompt: false };
  warnings.changed(`turns[${turns.length - 1}]`, 'is not continued: the answer is a turn of its own');
  return {};
}

function writeExtras(extras: readonly ExtraField[], writing: Writing): Members {
  const members: Members = {};
  for (const { origin, name, json } of extras) {
    const isOpenAi = OPENAI_FIELDS.includes(name) || name === 'tool_choice';
    const isTaken = isOpenAi ? writing.traits.takesOpenAiFields : writing.traits.takesEngineFields;
    if (origin === ORIGIN && isTaken) members[name] = raw(json);
    else writing.warnings.lost(name, `is not taken by ${titleOf(writing)}`);
  }
  return members;
}

/** Usage is always asked for: calls are counted whether the client wants to know or not. */
function writeStream({ isStream }: GenerationRequest, { traits }: Writing): Members {
  if (!isStream) return {};
  return { stream: true, stream_options: traits.takesStreamOptions ? { include_usage: true } : undefined };
}

/** What this provider refuses or has under another name, at the top or in each object of a list. */
function withQuirks(members: Members, { target, warnings }: Writing): Members {
  const quirks = (target.provider?.quirks ?? []).filter(
    ({ protocol, models }) => protocol === 'openai-chat' && (models?.test(target.model) ?? true),
  );
  const edit = (object: Members, prefix: string, path: string): Members =>
    Object.fromEntries(
      Object.entries(object).flatMap(([name, value]) => {
        const quirk = quirks.find((each) => each.name === prefix + name);
        if (value === undefined || !quirk) return [[name, inList(name, value, path)]];
        if (quirk.act !== 'remove') return [[quirk.act.rename, value]];
        warnings.lost(path + name, `is not taken by ${target.provider?.title ?? 'it'}`);
        return [];
      }),
    );
  const inList = (name: string, value: JsonOut | undefined, path: string): JsonOut | undefined => {
    const isListed = path === '' && quirks.some((each) => each.name.startsWith(`${name}[].`));
    if (!isListed || !isList(value)) return value;
    return value.map((item, at) => (isObject(item) ? edit(item, `${name}[].`, `${name}[${at}].`) : item));
  };
  return quirks.length === 0 ? members : edit(members, '', '');
}

function isList(value: JsonOut | undefined): value is readonly JsonOut[] {
  return Array.isArray(value);
}

function isObject(value: JsonOut): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RawJson);
}
