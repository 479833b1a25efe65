/**
 * The contracts of what finds structure in the text of an answer: thoughts, then calls of tools. Parsers are fed text
 * cut anywhere and tell the same whatever the cuts; one lives as long as one answer. They hold back only what may yet
 * turn out to be something else, and nothing of the text is lost: what is no thought and no call stays text.
 * Most models write thoughts and calls into their text, each in a way of its own (ReasoningFormat, ToolFormat); some
 * have one format for all of the answer (AnswerFormat).
 */
import type { Transform } from '../../base/transform.ts';
import type { FunctionTool } from '../../domain/generation.ts';

/** `from`: where the text stood in all the text that was pushed, in UTF-16 units. */
export type ThoughtEvent =
  | { readonly type: 'text' | 'reasoning'; readonly text: string; readonly from: number }
  | { readonly type: 'reasoning-end' };

export type ToolEvent =
  | { readonly type: 'text'; readonly text: string; readonly from: number }
  | { readonly type: 'call-start'; readonly callId: string; readonly name: string }
  /** A piece of the arguments' JSON text. */
  | { readonly type: 'call-delta'; readonly callId: string; readonly argumentsDelta: string }
  | { readonly type: 'call-end'; readonly callId: string };

export type ThoughtParser = Transform<string, ThoughtEvent>;
export type ToolParser = Transform<string, ToolEvent>;

export interface ReasoningFormat {
  readonly id: string;
  /** Parts of model ids, in lower case. The longest that is found in an id decides. */
  readonly models: readonly string[];
  readonly opening: string;
  readonly closing: string;
  /** The model begins inside of a thought, whether or not it says so. */
  readonly startsInside: boolean;
  /** What cannot stand in a thought and ends it; it belongs to what follows. */
  readonly alsoEndsBefore: readonly string[];
  /** Marks around other parts of the answer, which are no text. */
  readonly alsoDrops: readonly string[];
  /** Texts of special tokens that it reads: kept in the text though special tokens are left out elsewhere. */
  readonly markers: readonly string[];
}

export interface ToolParserOptions {
  /** Those that may be called. What calls others stays text. */
  readonly tools: readonly FunctionTool[];
  newCallId(name: string): string;
}

export interface CallPlace {
  readonly name: string;
  /** Counts the calls of the whole conversation. */
  readonly index: number;
  newId(prefix: string): string;
}

export interface ToolFormat {
  readonly id: string;
  readonly models: readonly string[];
  /** Texts of special tokens that it reads: shown to it though special tokens are left out elsewhere. */
  readonly markers: readonly string[];
  create(options: ToolParserOptions): ToolParser;
  /** For models that were trained on ids of a certain form. */
  callIdOf?(call: CallPlace): string;
}

/**
 * Stands before the text of a special token in what an AnswerParser is given, so that text which only spells a mark (a
 * model that writes about its own format, or was led to) is text. A noncharacter: texts have no use for it.
 */
export const MARK_SIGN = '\uFFFF';

export type AnswerEvent =
  | ThoughtEvent
  | ToolEvent
  /** What follows is another text. */
  | { readonly type: 'text-end' };

/** Takes text with marks signed by MARK_SIGN; tells it without. */
export type AnswerParser = Transform<string, AnswerEvent>;

export interface AnswerParserOptions extends ToolParserOptions {
  /** The prompt ends inside of a text: the model goes on with it. */
  readonly beginsInText: boolean;
}

export interface AnswerFormat {
  readonly id: string;
  readonly models: readonly string[];
  readonly markers: readonly string[];
  /** Texts of the special tokens that end an answer, whether or not the model's files say so. */
  readonly ends: readonly string[];
  /** Stands in the prompt before a text that the client began and the model goes on with. */
  readonly textOpening: string;
  create(options: AnswerParserOptions): AnswerParser;
}
