/**
 * What a client asks of the model's thinking, as `thinkingConfig`: a budget for the 2.5 family, a level for those after
 * it. Source: Gemini API documentation, thinking: ranges and levels by model, which of them cannot be switched off.
 */
import type { Effort, GenerationRequest, ReasoningOptions } from '../../domain/generation.ts';
import { budgetOf, effortOf, nearestEffort } from '../hub/effort.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { BudgetRange, Thinking } from './model-family.ts';

const DYNAMIC = -1;

/** Undefined when nothing is asked that the model can be told. */
export function thinkingConfig(
  { reasoning, maxTokens }: Pick<GenerationRequest, 'reasoning' | 'maxTokens'>,
  thinking: Thinking,
  warnings: Warnings,
): JsonOut | undefined {
  if (thinking.by === 'none') {
    warnUnable(reasoning, warnings);
    return undefined;
  }
  const config = {
    includeThoughts: isShown(reasoning, warnings),
    thinkingBudget:
      thinking.by === 'budget' ? budget(reasoning, within(thinking.range, maxTokens), warnings) : undefined,
    thinkingLevel: thinking.by === 'level' ? level(reasoning, thinking.levels, warnings) : undefined,
  };
  return Object.values(config).some((value) => value !== undefined) ? config : undefined;
}

/** To be told not to think, or not to show it, is no loss for a model that does not think. */
function warnUnable({ mode, effort, budgetTokens, summary }: ReasoningOptions, warnings: Warnings): void {
  const asked = mode === 'on' || mode === 'adaptive' || budgetTokens !== undefined;
  if (asked || (effort !== undefined && effort !== 'none')) warnings.lost('reasoning', 'this model does not think');
  else if (summary !== undefined && summary !== 'none') warnings.lost('reasoning.summary', 'this model does not think');
}

/** A client that asks for thought and does not say wants to see it, as its own API would show it. */
function isShown({ mode, effort, budgetTokens, summary }: ReasoningOptions, warnings: Warnings): true | undefined {
  if (summary === 'concise' || summary === 'detailed')
    warnings.changed('reasoning.summary', 'becomes yes: Gemini shows its thoughts or does not');
  if (summary !== undefined) return summary === 'none' ? undefined : true;
  const isAsked = mode === 'on' || mode === 'adaptive' || (effort ?? 'none') !== 'none' || (budgetTokens ?? 0) > 0;
  return isAsked && mode !== 'off' ? true : undefined;
}

/** Thoughts count towards the limit of the answer: what an effort stands for leaves half of it to the words. */
function within(range: BudgetRange, maxTokens: number | undefined): Room {
  const half = maxTokens === undefined ? range.most : Math.floor(maxTokens / 2);
  return { ...range, mostOfEffort: Math.max(range.least, Math.min(range.most, half)) };
}

interface Room extends BudgetRange {
  readonly mostOfEffort: number;
}

function budget(reasoning: ReasoningOptions, range: Room, warnings: Warnings): number | undefined {
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === 'off' || (effort === 'none' && budgetTokens === undefined)) {
    if (range.mayBeOff) return 0;
    warnings.changed('reasoning', `becomes ${range.least} tokens: this model cannot be kept from thinking`);
    return range.least;
  }
  if (budgetTokens !== undefined) {
    if (effort !== undefined) warnings.lost('reasoning.effort', 'gives way to the budget');
    const clamped = Math.min(range.most, Math.max(range.least, budgetTokens));
    if (clamped !== budgetTokens)
      warnings.changed('reasoning.budgetTokens', `becomes ${clamped}, which the model takes`);
    return clamped;
  }
  // The range says what an effort means here; that it ends at the model's limits is no change.
  if (effort !== undefined) return Math.min(range.mostOfEffort, Math.max(range.least, budgetOf(effort)));
  return mode === undefined ? undefined : DYNAMIC;
}

function level(reasoning: ReasoningOptions, levels: readonly Effort[], warnings: Warnings): Effort | undefined {
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === 'off' || (effort === 'none' && budgetTokens === undefined)) {
    warnings.changed('reasoning', `becomes ${levels[0]}: this model cannot be kept from thinking`);
    return levels[0];
  }
  if (effort !== undefined) {
    if (budgetTokens !== undefined) warnings.lost('reasoning.budgetTokens', 'gives way to the effort');
    const nearest = nearestEffort(effort, levels);
    if (nearest !== effort) warnings.changed('reasoning.effort', `becomes ${nearest}, which the model knows`);
    return nearest;
  }
  if (budgetTokens === undefined) return undefined;
  const nearest = nearestEffort(effortOf(budgetTokens), levels);
  warnings.changed('reasoning.budgetTokens', `becomes the level ${nearest}: this model takes no budget`);
  return nearest;
}
