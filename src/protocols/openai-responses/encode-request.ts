/**
 * A request of the hub for a worker that speaks Responses: OpenAI, xAI and whoever is compatible with them.
 * Members are written in this order: model, instructions, input, tools, tool_choice, parallel_tool_calls, text,
 * reasoning, max_output_tokens, temperature, top_p, top_logprobs, include, metadata, user or safety_identifier,
 * prompt_cache_key, service_tier, store, fields of this API only, stream.
 * Source: OpenAI API reference, create a response; xAI: generate text (no `instructions`, no `safety_identifier`).
 */
import type { Effort, GenerationRequest } from '../../domain/generation.ts';
import type { EncodedRequest, EncodeTarget } from '../hub/codec.ts';
import { effortOf, nearestEffort } from '../hub/effort.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, raw, rawOr } from '../hub/json-text.ts';
import { parseNode } from '../hub/json-node.ts';
import { Warnings } from '../hub/object-reader.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import { ENCRYPTED, ENGINE_FIELDS, LOGPROBS, OWN_FIELDS } from './decode-request.ts';
import type { ModelTraits } from './model-traits.ts';
import { modelTraits } from './model-traits.ts';
import { OWN, placeOf } from './own-forms.ts';
import { checkToolName, writeItems } from './write-input.ts';
import { formatOut, ownField, toolChoiceOut, toolOut } from './write-tools.ts';

/** Source: OpenAI API reference: at least 16. */
const MIN_OUTPUT_TOKENS = 16;
/** Source: OpenAI API reference, `safety_identifier`: at most 128 characters. */
const USER = { maxLength: 128, pattern: /^/ };
const TIERS: ReadonlySet<string> = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']);
/** Fields that chat completions has under the same name, with the same values. */
const CHAT_FIELDS: ReadonlySet<string> = new Set(['prompt_cache_retention', 'prompt_cache_options', 'moderation']);
/** Extras that are written into other members. */
const PLACED_FIELDS: ReadonlySet<string> = new Set(['tool_choice', 'include', 'reasoning.context', 'reasoning.mode']);

/** Throws `invalid_request` for names of tools that the API refuses. */
export function encodeRequest(request: GenerationRequest, target: EncodeTarget): EncodedRequest {
  const writer = new RequestWriter(request, target);
  return { body: jsonBytes(writer.write()), warnings: writer.warnings.list };
}

class RequestWriter {
  readonly warnings = new Warnings();
  readonly #request: GenerationRequest;
  readonly #target: EncodeTarget;
  readonly #traits: ModelTraits;
  readonly #isXai: boolean;
  readonly #isOpenai: boolean;

  constructor(request: GenerationRequest, target: EncodeTarget) {
    this.#request = request;
    this.#target = target;
    this.#traits = modelTraits(target);
    this.#isXai = target.provider?.thoughts === 'xai';
    this.#isOpenai = target.provider?.thoughts === 'openai';
  }

  write(): JsonOut {
    const request = this.#request;
    const reasoning = this.#reasoning();
    const out = {
      model: this.#target.model,
      ...this.#input(),
      ...this.#tools(),
      parallel_tool_calls: request.mayCallInParallel,
      text: this.#text(),
      reasoning,
      max_output_tokens: this.#maxTokens(),
      ...this.#sampling(),
      include: this.#include(reasoning !== undefined),
      metadata: rawOr(request.metadataText),
      ...this.#user(),
      prompt_cache_key: request.promptCacheKey,
      service_tier: this.#tier(),
      store: request.store ?? false,
      ...this.#extras(),
      stream: request.isStream ? true : undefined,
    };
    this.#loseRest();
    return out;
  }

  #input(): { instructions?: JsonOut; input: JsonOut } {
    const { turns } = this.#request;
    const rules = { target: this.#target, traits: this.#traits, warnings: this.warnings };
    const [first] = turns;
    const prompt = first?.parts[0];
    const isInstructed = placeOf(first) === 'instructions' && !this.#isXai && prompt?.type === 'text';
    const rest = isInstructed ? turns.slice(1) : turns;
    const [alone] = rest;
    const text = rest.length === 1 && placeOf(alone) === 'input' ? alone?.parts[0] : undefined;
    const input = text?.type === 'text' ? text.text : writeItems(rest, isInstructed ? 1 : 0, rules);
    return isInstructed ? { instructions: prompt.text, input } : { input };
  }

  #tools(): { tools?: JsonOut; tool_choice?: JsonOut | undefined } {
    const { tools, toolChoice } = this.#request;
    const out = tools.flatMap((tool, index) => {
      const field = `tools[${index}]`;
      if (tool.type === 'function') {
        checkToolName(tool.name, `${field}.name`);
        if (tool.cache) this.warnings.changed(`${field}.cache`, 'is not sent: prompts are cached by themselves here');
      }
      const written = toolOut(tool);
      if (written === undefined) this.warnings.lost(field, `is a tool (${tool.name}) that another provider runs`);
      return written ?? [];
    });
    const choice = toolChoice ? toolChoiceOut(toolChoice) : rawOr(ownField(this.#request, 'tool_choice'));
    if (out.length > 0) return { tools: out, tool_choice: choice };
    const isMoot = toolChoice === undefined || toolChoice.mode === 'auto' || toolChoice.mode === 'none';
    if (!isMoot) this.warnings.lost('tool_choice', 'chooses from tools that are not there');
    return isMoot && toolChoice ? { tool_choice: choice } : {};
  }

  #text(): JsonOut | undefined {
    const { responseFormat, verbosity } = this.#request;
    if (responseFormat === undefined && verbosity === undefined) return undefined;
    return { format: responseFormat && formatOut(responseFormat, this.#formatName()), verbosity };
  }

  /** Source: OpenAI API reference: letters, digits, _ and -, at most 64. */
  #formatName(): string {
    const { responseFormat } = this.#request;
    const name = responseFormat?.type === 'json_schema' ? responseFormat.name : '';
    const fitted = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'answer';
    if (responseFormat?.type === 'json_schema' && fitted !== name)
      this.warnings.changed('response_format.name', `is not as the API takes it, so it is ${fitted}`);
    return fitted;
  }

  #reasoning(): JsonOut | undefined {
    const effort = this.#effort();
    const out = {
      effort,
      summary: this.#summary(),
      context: rawOr(ownField(this.#request, 'reasoning.context')),
      mode: rawOr(ownField(this.#request, 'reasoning.mode')),
    };
    return Object.values(out).every((value) => value === undefined) ? undefined : out;
  }

  #effort(): Effort | undefined {
    const { mode, effort, budgetTokens } = this.#request.reasoning;
    const budgeted = budgetTokens === undefined ? undefined : effortOf(budgetTokens);
    const wanted = mode === 'off' ? 'none' : (effort ?? budgeted);
    const { efforts, isReasoning } = this.#traits;
    if (wanted === undefined || (wanted === 'none' && isReasoning === false)) {
      if (mode === 'on' && isReasoning === false) this.warnings.lost('reasoning', 'is not what the model can do');
      return undefined;
    }
    const fitted = efforts === undefined ? wanted : nearestEffort(wanted, efforts);
    if (fitted === undefined)
      this.warnings.lost(effort ? 'reasoning.effort' : 'reasoning.budget_tokens', 'is not taken by the model');
    else if (fitted !== wanted)
      this.warnings.changed('reasoning.effort', `${wanted} is not taken by the model, so it is ${fitted}`);
    else if (budgetTokens !== undefined && mode !== 'off')
      this.warnings.changed('reasoning.budget_tokens', `has no place in Responses, so the effort is ${fitted}`);
    return fitted;
  }

  /** A client that turned thinking on wants to see thoughts. */
  #summary(): string | undefined {
    const { mode, summary } = this.#request.reasoning;
    if (summary === 'none') return undefined;
    const wanted = summary ?? (mode === 'on' || mode === 'adaptive' ? 'auto' : undefined);
    if (wanted === undefined || this.#traits.isReasoning !== false) return wanted;
    if (summary !== undefined) this.warnings.lost('reasoning.summary', 'is not taken by a model that does not think');
    return undefined;
  }

  #maxTokens(): number | undefined {
    const { maxTokens } = this.#request;
    if (maxTokens === undefined) return undefined;
    const most = Math.min(maxTokens, this.#target.maxOutputTokens ?? maxTokens);
    const fitted = this.#isOpenai ? Math.max(most, MIN_OUTPUT_TOKENS) : most;
    if (fitted !== maxTokens) this.warnings.changed('max_tokens', `is beyond what the model takes, so it is ${fitted}`);
    return fitted;
  }

  #sampling(): Record<string, JsonOut | undefined> {
    const { temperature, topP, topLogprobs, wantsLogprobs } = this.#request;
    const asked = { temperature, top_p: topP, top_logprobs: wantsLogprobs || topLogprobs ? topLogprobs : undefined };
    if (this.#takesSampling()) return asked;
    for (const [name, value] of Object.entries(asked))
      if (value !== undefined) this.warnings.lost(name, 'is not taken by a model that thinks');
    return {};
  }

  #takesSampling(): boolean {
    const { sampling } = this.#traits;
    const isOff = this.#request.reasoning.mode === 'off' || this.#request.reasoning.effort === 'none';
    return sampling === 'always' || (sampling === 'unreasoned' && isOff);
  }

  /** Encrypted thoughts are asked for, so that they can be given back; who does not think refuses to be asked. */
  #include(asksForThoughts: boolean): JsonOut | undefined {
    const { wantsLogprobs, turns } = this.#request;
    const own = ownField(this.#request, 'include');
    const include: JsonOut[] = own === undefined ? [] : parseNode(own).items.map((item) => raw(item.text));
    if (wantsLogprobs && this.#takesSampling()) include.push(LOGPROBS);
    else if (wantsLogprobs) this.warnings.lost('logprobs', 'are not given by a model that thinks');
    const hasThoughts = turns.some(({ parts }) => parts.some(({ type }) => type === 'reasoning'));
    const mayThink = this.#traits.isReasoning ?? (asksForThoughts || hasThoughts);
    if (this.#target.provider?.thoughts !== undefined && mayThink) include.push(ENCRYPTED);
    return include.length === 0 ? undefined : include;
  }

  #user(): { user?: JsonOut; safety_identifier?: JsonOut } {
    const { user } = this.#request;
    if (user === undefined) return {};
    const fitted = fitToolId(user, USER);
    if (fitted !== user) this.warnings.changed('user', 'is too long for the API, so it is shortened');
    return this.#isOpenai ? { safety_identifier: fitted } : { user: fitted };
  }

  #tier(): string | undefined {
    const { serviceTier } = this.#request;
    if (serviceTier === undefined || TIERS.has(serviceTier)) return serviceTier;
    if (serviceTier !== 'standard_only') this.warnings.lost('service_tier', `${serviceTier} is not known to the API`);
    else this.warnings.changed('service_tier', 'is called default here');
    return serviceTier === 'standard_only' ? 'default' : undefined;
  }

  #extras(): Record<string, JsonOut> {
    const out: Record<string, JsonOut> = {};
    for (const { origin, name, json } of this.#request.extras) {
      const isEngines = ENGINE_FIELDS.includes(name) && this.#target.provider !== undefined;
      const isTaken = (origin === OWN && !isEngines) || (origin.startsWith('openai-') && CHAT_FIELDS.has(name));
      if (!isTaken) this.warnings.lost(name, 'has no place in Responses');
      else if (!PLACED_FIELDS.has(name)) out[name] = raw(json);
    }
    const order = (name: string) => OWN_FIELDS.indexOf(name);
    return Object.fromEntries(Object.entries(out).sort(([one], [other]) => order(one) - order(other)));
  }

  #loseRest(): void {
    const { topK, minP, stop, seed, frequencyPenalty, presencePenalty, choices, logitBiasText } = this.#request;
    const rest = {
      top_k: topK,
      min_p: minP,
      stop: stop.length > 0 ? stop : undefined,
      seed,
      frequency_penalty: frequencyPenalty,
      presence_penalty: presencePenalty,
      n: choices > 1 ? choices : undefined,
      logit_bias: logitBiasText,
    };
    for (const [name, value] of Object.entries(rest))
      if (value !== undefined) this.warnings.lost(name, 'has no place in Responses');
  }
}
