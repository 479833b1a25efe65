/**
 * Finding thoughts and calls of tools in a text that a model has written, for those who have the text from elsewhere; done by
 * `pipeline/parsers`.
 */
import type { FunctionTool, JsonText } from './generation.ts';

export interface FoundCall {
  readonly callId: string;
  readonly name: string;
  readonly argumentsText: JsonText;
}

export interface AnswerParsers {
  /** What `--tool-call-parser` takes. */
  readonly toolFormats: readonly string[];
  /** What `--reasoning-parser` takes. */
  readonly reasoningFormats: readonly string[];
  /** `format` is one of `toolFormats`. What calls none of the tools stays text. */
  calls(
    text: string,
    format: string,
    tools: readonly FunctionTool[],
  ): { readonly text: string; readonly calls: readonly FoundCall[] };
  /** `format` is one of `reasoningFormats`. */
  reasoning(text: string, format: string): { readonly text: string; readonly reasoning: string };
}
