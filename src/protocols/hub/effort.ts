/**
 * The table between the two ways of asking for thought: an effort in words and a budget in tokens.
 * Source of the steps: Google's mapping of `reasoning_effort` to budgets (low 1,024, medium 8,192, high 24,576),
 * with steps of our own around them.
 */
import type { Effort } from '../../domain/generation.ts';

const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
};

export const EFFORTS = Object.keys(BUDGETS) as readonly Effort[];

export function isEffort(text: string): text is Effort {
  return Object.hasOwn(BUDGETS, text);
}

export function budgetOf(effort: Effort): number {
  return BUDGETS[effort];
}

/** The smallest effort whose budget holds so many tokens. */
export function effortOf(budgetTokens: number): Effort {
  return EFFORTS.find((effort) => BUDGETS[effort] >= budgetTokens) ?? 'max';
}

/** The nearest effort that the target knows: the same, else the next smaller one, else the smallest but none. */
export function nearestEffort(effort: Effort, known: readonly Effort[]): Effort | undefined {
  if (known.includes(effort)) return effort;
  const upTo = EFFORTS.slice(0, EFFORTS.indexOf(effort) + 1).reverse();
  return (
    upTo.find((each) => each !== 'none' && known.includes(each)) ??
    EFFORTS.find((each) => each !== 'none' && known.includes(each))
  );
}
