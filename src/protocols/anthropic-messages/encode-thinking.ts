/**
 * Thinking, effort and the length of the answer, which hang together: what the client wishes, in the way that the
 * model takes it.
 *
 *   adaptive models        `thinking: adaptive` with an effort; a budget becomes the effort whose budget holds it
 *   models with budgets    an effort becomes its budget (hub/effort.ts), at least 1,024, below `max_tokens`
 *   effort alone           thinking is on: that is what the word means in the APIs that have nothing else
 *
 * `max_tokens` of the client is never raised: a budget that does not fit is cut to half of it, and when that is below
 * the smallest budget there is no thinking. Source: Anthropic, thinking; thinking troubleshooting; effort.
 */
import type { Effort, GenerationRequest, ReasoningOptions } from '../../domain/generation.ts';
import { budgetOf, effortOf, nearestEffort } from '../hub/effort.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { Writer } from './encode-block.ts';

const MIN_BUDGET_TOKENS = 1_024;
/** What is asked for when the client sets no limit: long answers are asked for by name. */
const DEFAULT_MAX_TOKENS = 32_000;
/** The same for models whose limit is not known. */
const CAUTIOUS_MAX_TOKENS = 4_096;
/** Room for the answer after thoughts, where the client sets no limit. */
const ANSWER_TOKENS = 4_096;

export interface ThinkingPlan {
  readonly thinking: JsonOut | undefined;
  readonly effort: Effort | undefined;
  readonly isThinking: boolean;
  readonly maxTokens: number;
}

export interface ThinkingFacts {
  /** The client forces a call. */
  readonly isForced: boolean;
  /** See Conversation.mayThinkOn. */
  readonly mayThinkOn: boolean;
}

export function planThinking(request: GenerationRequest, writer: Writer, facts: ThinkingFacts): ThinkingPlan {
  const wish = wishOf(request.reasoning);
  if (wish === 'off') return switchedOff(request, writer);
  if (wish === undefined) {
    const isThinking = writer.traits.thinksByDefault !== 'no';
    return { thinking: undefined, effort: undefined, isThinking, maxTokens: maxTokensOf(request, writer, 0) };
  }
  const obstacle = obstacleOf(writer, facts);
  if (obstacle !== undefined) {
    writer.warnings.lost('reasoning', obstacle);
    return switchedOff(request, writer);
  }
  return isAdaptive(request.reasoning, writer) ? adaptive(request, writer) : budgeted(request, writer, facts);
}

function wishOf({ mode, effort, budgetTokens }: ReasoningOptions): 'on' | 'off' | undefined {
  if (mode === 'off' || effort === 'none' || budgetTokens === 0) return 'off';
  return mode !== undefined || effort !== undefined || budgetTokens !== undefined ? 'on' : undefined;
}

function obstacleOf({ traits }: Writer, { isForced }: ThinkingFacts): string | undefined {
  if (traits.thinking === 'none') return 'is not known to this model';
  if (isForced && traits.takesForcedTools === 'without_thinking')
    return 'cannot be had from this model together with a forced tool call';
  return undefined;
}

function isAdaptive({ mode, budgetTokens }: ReasoningOptions, { traits }: Writer): boolean {
  if (traits.thinking !== 'both') return traits.thinking === 'adaptive';
  return mode === 'adaptive' || budgetTokens === undefined || budgetTokens < 0;
}

function switchedOff(request: GenerationRequest, writer: Writer): ThinkingPlan {
  const { traits, warnings } = writer;
  const { mode, effort } = request.reasoning;
  const isEffortLost = traits.efforts.length === 0 && mode !== 'off';
  // Without efforts, one stands for thinking alone, of which it is told already that there is none.
  const kept = isEffortLost ? undefined : effortFor(effort, writer);
  const plan = { effort: kept, isThinking: false, maxTokens: maxTokensOf(request, writer, 0) };
  if (traits.thinksByDefault === 'always') {
    warnings.changed('reasoning', 'cannot be switched off in this model and is set to the lowest effort');
    return { ...plan, thinking: undefined, effort: kept ?? 'low', isThinking: true };
  }
  const isSaid = traits.thinksByDefault === 'yes' || (mode === 'off' && traits.thinking !== 'none');
  if (!isSaid) return { ...plan, thinking: undefined };
  if (traits.thinkingOff !== 'disabled')
    warnings.changed('reasoning', 'can be switched off in this model only before the first call');
  return { ...plan, thinking: { type: traits.thinkingOff }, effort: belowXhigh(kept, writer) };
}

/** Models that think by default refuse the two highest efforts without thinking. */
function belowXhigh(effort: Effort | undefined, { traits, warnings }: Writer): Effort | undefined {
  if (traits.thinksByDefault !== 'yes' || (effort !== 'xhigh' && effort !== 'max')) return effort;
  warnings.changed('reasoning.effort', 'is set to `high`, the highest without thinking');
  return 'high';
}

function adaptive(request: GenerationRequest, writer: Writer): ThinkingPlan {
  const { mode, effort, budgetTokens, summary } = request.reasoning;
  const isBudgetGiven = budgetTokens !== undefined && budgetTokens > 0;
  if (isBudgetGiven)
    writer.warnings.changed('reasoning.budget_tokens', 'is sent as an effort, since the model takes no budget');
  const wanted = effort ?? (isBudgetGiven ? effortOf(budgetTokens) : undefined);
  const display = displayOf(summary, writer.warnings);
  const isDefault = writer.traits.thinksByDefault !== 'no' && mode === undefined && display === undefined;
  return {
    thinking: isDefault ? undefined : { type: 'adaptive', display },
    effort: effortFor(wanted, writer),
    isThinking: true,
    maxTokens: maxTokensOf(request, writer, 0),
  };
}

function budgeted(request: GenerationRequest, writer: Writer, { mayThinkOn }: ThinkingFacts): ThinkingPlan {
  const { warnings, traits } = writer;
  const { mode, effort, budgetTokens, summary } = request.reasoning;
  const isGiven = budgetTokens !== undefined && budgetTokens > 0;
  const budget = Math.max(MIN_BUDGET_TOKENS, isGiven ? budgetTokens : budgetOf(effort ?? 'medium'));
  const maxTokens = maxTokensOf(request, writer, budget);
  const kept = traits.efforts.length > 0 ? effortFor(effort, writer) : undefined;
  const none = { thinking: undefined, effort: kept, isThinking: false, maxTokens };
  if (!mayThinkOn) {
    warnings.lost('reasoning', 'is left out, since the calls under way began without a thought of this provider');
    return none;
  }
  if (maxTokens <= MIN_BUDGET_TOKENS) {
    warnings.lost('reasoning', `needs \`max_tokens\` above ${MIN_BUDGET_TOKENS}`);
    return none;
  }
  if (isGiven && budget !== budgetTokens)
    warnings.changed('reasoning.budget_tokens', `is set to ${MIN_BUDGET_TOKENS}, the least that there is`);
  const fitting = budget < maxTokens ? budget : Math.max(MIN_BUDGET_TOKENS, Math.floor(maxTokens / 2));
  const field = isGiven ? 'reasoning.budget_tokens' : 'reasoning.effort';
  if (fitting !== budget) warnings.changed(field, `is sent as a budget of ${fitting}, to fit \`max_tokens\``);
  if (mode === 'adaptive')
    warnings.changed('reasoning.mode', 'is sent as a budget, since the model has no adaptive thinking');
  const display = displayOf(summary, warnings);
  return { thinking: { type: 'enabled', budget_tokens: fitting, display }, effort: kept, isThinking: true, maxTokens };
}

function effortFor(effort: Effort | undefined, { traits, warnings }: Writer): Effort | undefined {
  if (effort === undefined || effort === 'none') return undefined;
  const nearest = nearestEffort(effort, traits.efforts);
  if (nearest === undefined) warnings.lost('reasoning.effort', 'is not known to this model');
  else if (nearest !== effort) warnings.changed('reasoning.effort', `is set to \`${nearest}\``);
  return nearest;
}

function displayOf(summary: ReasoningOptions['summary'], warnings: Warnings): string | undefined {
  if (summary === undefined) return undefined;
  if (summary === 'concise' || summary === 'detailed')
    warnings.changed('reasoning.summary', 'is sent as thoughts shown, of which this API has one kind');
  return summary === 'none' ? 'omitted' : 'summarized';
}

function maxTokensOf({ maxTokens }: GenerationRequest, { target, traits, warnings }: Writer, budget: number): number {
  const limit = target.maxOutputTokens ?? traits.maxOutputTokens;
  if (maxTokens !== undefined) {
    if (limit === undefined || maxTokens <= limit) return maxTokens;
    warnings.changed('max_tokens', `is set to ${limit}, the longest answer of this model`);
    return limit;
  }
  const wanted = Math.max(limit === undefined ? CAUTIOUS_MAX_TOKENS : DEFAULT_MAX_TOKENS, budget + ANSWER_TOKENS);
  const chosen = Math.min(wanted, limit ?? wanted);
  warnings.changed('max_tokens', `is mandatory in this API and is set to ${chosen}`);
  return chosen;
}
