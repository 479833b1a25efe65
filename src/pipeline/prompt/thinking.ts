/** Shall the model think, and does its prompt end inside of a thought? */
import type { GenerationRequest } from '../../domain/generation.ts';
import type { ChatTemplate } from '../../domain/token-model.ts';

/** What the request says of thinking; undefined: nothing. */
export function wantsThought({ reasoning }: Pick<GenerationRequest, 'reasoning'>): boolean | undefined {
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === 'off' || effort === 'none' || effort === 'minimal') return false;
  if (mode !== undefined || effort !== undefined) return true;
  return budgetTokens === undefined ? undefined : budgetTokens > 0;
}

/** What the template will do. */
export function isThinking(template: ChatTemplate, wanted: boolean | undefined): boolean {
  if (!template.thinkingToggle) return wanted !== false && template.opensThought;
  return wanted ?? template.thinkingToggle.isOnByDefault;
}

const TAIL = 64;

/**
 * The prompt opens a thought and does not close it. Read off the text itself, because templates differ in what they do
 * with the same switch.
 */
export function endsInThought(prompt: string, openings: readonly string[]): boolean {
  const tail = prompt.slice(-TAIL).trimEnd();
  return openings.some((opening) => tail.endsWith(opening));
}
