/** How a model writes its thoughts and its calls: which parsers read its answers, and what is asked of it beforehand. */
import type { Call } from '../../domain/call.ts';
import type { AnswerForms } from '../../pipeline/prompt/prepare-chat.ts';
import type { ReasoningFormat, ToolFormat } from '../../pipeline/parsers/parser.ts';
import { toolConstraint } from '../../pipeline/parsers/tool-constraint.ts';

export interface ModelForms {
  /** Undefined: its thoughts are not told from its text. */
  readonly reasoning: ReasoningFormat | undefined;
  /** Undefined: its calls are not looked for. */
  readonly tools: ToolFormat | undefined;
  /** The operator chose the tool format, so that an engine may be bound to its very words. */
  readonly isToolsChosen: boolean;
}

/** By model id. */
export type FormsOf = (model: string) => ModelForms;

/** What has to be known of them for the prompt of a call. */
export function answerForms({ reasoning, tools, isToolsChosen }: ModelForms, { protocol }: Call): AnswerForms {
  return {
    thoughtOpenings: reasoning ? [reasoning.opening] : [],
    goesOnWithLast: protocol === 'anthropic-messages' || protocol === 'anthropic-count-tokens',
    constraintFor: (offered, choice) => toolConstraint(offered, choice, isToolsChosen ? tools?.id : undefined),
  };
}
