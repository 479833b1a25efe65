/**
 * Writes what is asked of the model's thinking in the form that the target has. Effort and budget are changed into
 * each other by the hub's table.
 */
import type { Effort, GenerationRequest, ReasoningOptions } from '../../domain/generation.ts';
import { EFFORTS, effortOf, nearestEffort } from '../hub/effort.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Writing } from './encode-target.ts';
import { showsThoughts, titleOf } from './encode-target.ts';
import { ORIGIN } from './field-names.ts';

type Members = { [name: string]: JsonOut | undefined };

interface Wish {
  readonly isOff: boolean;
  /** Asked for in so many words, not left to the model. */
  readonly isOn: boolean;
  readonly effort: Effort | undefined;
  readonly budgetTokens: number | undefined;
}

function wishOf({ mode, effort, budgetTokens }: ReasoningOptions): Wish {
  const isOff = mode === 'off' || (mode === undefined && (effort === 'none' || budgetTokens === 0));
  const asked = effort === 'none' ? undefined : effort;
  const budget = budgetTokens !== undefined && budgetTokens > 0 ? budgetTokens : undefined;
  return {
    isOff,
    isOn: !isOff && (mode === 'on' || asked !== undefined || budget !== undefined),
    effort: isOff ? undefined : asked,
    budgetTokens: isOff ? undefined : budget,
  };
}

export function writeReasoning(request: GenerationRequest, writing: Writing): Members {
  const { reasoning } = request;
  const wish = wishOf(reasoning);
  if (wish.isOff && reasoning.effort !== undefined && reasoning.effort !== 'none')
    writing.warnings.lost('reasoning.effort', 'stands beside thinking that is off, which counts');
  const isShown = reasoning.summary === undefined || reasoning.summary === 'none';
  if (!isShown && !showsThoughts(writing)) writing.warnings.lost('reasoning.summary', 'has no place in this API');
  switch (writing.traits.reasoning) {
    case 'reasoning_effort':
      return writeEffort(wish, reasoning, writing);
    case 'reasoning_object':
      return writeReasoningObject(wish, reasoning, writing);
    case 'thinking_object':
      return writeThinkingObject(wish, writing);
    case 'chat_template_kwargs':
      return writeTemplateFlags(wish, request, writing);
    case 'none':
      if (wish.isOff || wish.isOn) writing.warnings.lost('reasoning', `cannot be asked of ${titleOf(writing)}`);
      return {};
  }
}

/** The effort of the wish, whatever it was said in. */
function effortOfWish({ effort, budgetTokens }: Wish, { warnings }: Writing): Effort | undefined {
  if (budgetTokens === undefined) return effort;
  const result = effort ?? effortOf(budgetTokens);
  warnings.changed('reasoning.budgetTokens', `is asked as the effort ${result}`);
  return result;
}

function writeEffort(wish: Wish, reasoning: ReasoningOptions, writing: Writing): Members {
  const known = writing.rule?.efforts ?? EFFORTS;
  if (known.length === 0) {
    if (wish.isOn) writing.warnings.lost('reasoning', 'is asked of a model that does not think');
    return {};
  }
  if (wish.isOff) return known.includes('none') ? { reasoning_effort: 'none' } : leastEffort(known, writing);
  const effort = effortOfWish(wish, writing);
  if (effort !== undefined) return { reasoning_effort: nearest(effort, known, writing) };
  // Some models think only when they are asked to.
  const isAsked = reasoning.mode === 'on' || reasoning.mode === 'adaptive';
  return isAsked && writing.rule && known.includes('none') ? { reasoning_effort: 'medium' } : {};
}

function leastEffort(known: readonly Effort[], { warnings }: Writing): Members {
  const least = EFFORTS.find((effort) => known.includes(effort));
  warnings.changed('reasoning.mode', `cannot be off with this model and is the effort ${least ?? ''}`);
  return { reasoning_effort: least };
}

function nearest(effort: Effort, known: readonly Effort[], { warnings }: Writing): Effort | undefined {
  const result = nearestEffort(effort, known);
  if (result !== effort) warnings.changed('reasoning.effort', `is ${result ?? 'left out'}, the nearest that is known`);
  return result;
}

/** OpenRouter takes either an effort or a budget. */
function writeReasoningObject(wish: Wish, { mode, effort, summary }: ReasoningOptions, { warnings }: Writing): Members {
  if (wish.effort !== undefined && wish.budgetTokens !== undefined)
    warnings.lost('reasoning.budgetTokens', 'stands beside an effort, which counts');
  const isNone = wish.isOff && effort === 'none';
  const members = {
    effort: isNone ? 'none' : wish.effort,
    max_tokens: wish.effort === undefined ? wish.budgetTokens : undefined,
    enabled: wish.isOff ? (isNone ? undefined : false) : mode === 'on' || mode === 'adaptive' ? true : undefined,
    exclude: summary === 'none' ? true : undefined,
  };
  return Object.values(members).some((value) => value !== undefined) ? { reasoning: members } : {};
}

function writeThinkingObject(wish: Wish, { warnings }: Writing): Members {
  if (wish.isOff) return { thinking: { type: 'disabled' } };
  if (!wish.isOn) return {};
  if (wish.effort !== undefined) warnings.changed('reasoning.effort', 'is asked as thinking without a measure');
  else if (wish.budgetTokens !== undefined)
    warnings.changed('reasoning.budgetTokens', 'is asked as thinking without a measure');
  return { thinking: { type: 'enabled' } };
}

/** What every version of the engines takes. */
const ENGINE_EFFORTS: readonly Effort[] = ['low', 'medium', 'high'];

/**
 * Templates have no common word for it: Qwen's and GLM's read `enable_thinking`, DeepSeek's `thinking`, and those that
 * know neither read neither. An effort goes as `reasoning_effort`, which both engines take.
 */
function writeTemplateFlags(wish: Wish, request: GenerationRequest, writing: Writing): Members {
  const own = request.extras.find(({ origin, name }) => origin === ORIGIN && name === 'chat_template_kwargs');
  const isOn = wish.isOff ? false : request.reasoning.mode === 'on' ? true : undefined;
  const flags = isOn === undefined ? undefined : { enable_thinking: isOn, thinking: isOn };
  // What the client says to the template itself counts.
  if (own && flags && !/"(enable_)?thinking"/.test(own.json))
    writing.warnings.lost('reasoning.mode', 'stands beside `chat_template_kwargs`, which count');
  const members = { chat_template_kwargs: own ? raw(own.json) : flags };
  const effort = effortOfWish(wish, writing);
  if (effort === undefined) return members;
  return { ...members, reasoning_effort: nearest(effort, ENGINE_EFFORTS, writing) };
}
