/** How a model writes its thoughts and its calls: which parsers read its answers, and what is asked of it beforehand. */
import type { Call } from '../../domain/call.ts';
import type { TokenModel } from '../../domain/token-model.ts';
import type { AnswerForms } from '../../pipeline/prompt/prepare-chat.ts';
import { boundAnswer } from '../../pipeline/parsers/harmony/constraint.ts';
import type { AnswerFormat, ReasoningFormat, ToolFormat } from '../../pipeline/parsers/parser.ts';
import { toolConstraint } from '../../pipeline/parsers/tool-constraint.ts';

export interface ModelForms {
  /** Undefined: its thoughts are not told from its text. */
  readonly reasoning: ReasoningFormat | undefined;
  /** Undefined: its calls are not looked for. */
  readonly tools: ToolFormat | undefined;
  /** Reads all of its answers, in place of both; undefined: there is none. */
  readonly whole: AnswerFormat | undefined;
  /** The operator chose the tool format, so that an engine may be bound to its very words. */
  readonly isToolsChosen: boolean;
}

/** By model id, and by what the model's files say. */
export type FormsOf = (model: string, facts: TokenModel) => ModelForms;

/** What has to be known of them for the prompt of a call. */
export function answerForms({ reasoning, tools, whole, isToolsChosen }: ModelForms, { protocol }: Call): AnswerForms {
  const goesOnWithLast = protocol === 'anthropic-messages' || protocol === 'anthropic-count-tokens';
  if (whole)
    return {
      thoughtOpenings: [],
      goesOnWithLast,
      textOpening: whole.textOpening,
      constraintFor: (offered, choice) => toolConstraint(offered, choice, whole.id),
      boundAnswer,
    };
  return {
    thoughtOpenings: reasoning ? [reasoning.opening] : [],
    goesOnWithLast,
    constraintFor: (offered, choice) => toolConstraint(offered, choice, isToolsChosen ? tools?.id : undefined),
  };
}
