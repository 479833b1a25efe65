/** What has to be known to read the answer to a conversation from an engine's tokens. */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { FunctionTool } from '../../domain/generation.ts';
import type { Sampling } from '../../domain/token-generation.ts';
import type { Tokenizer } from '../../domain/tokenizer.ts';
import type { AnswerFormat, ReasoningFormat, ToolFormat } from '../parsers/parser.ts';

/** The engine was bound by a JSON schema to answer with calls and nothing else. */
export type ForcedCalls = { readonly kind: 'named'; readonly name: string } | { readonly kind: 'required' };

export interface AnswerOptions {
  readonly id: string;
  /** The model as the client named it. */
  readonly model: string;
  readonly createdSeconds: number | undefined;
  readonly tokenizer: Tokenizer;
  readonly endTokenIds: readonly number[];
  readonly sampling: Sampling;
  /** Of the prompt: what is counted when no engine says. */
  readonly promptTokens: number;
  /** Undefined: thoughts are not told apart. */
  readonly reasoning: ReasoningFormat | undefined;
  /** The prompt ends inside of a thought. */
  readonly beginsInThought: boolean;
  /** False: thoughts stay in the text, with the marks around them. */
  readonly separatesThoughts: boolean;
  /** Undefined: calls are not looked for. */
  readonly toolFormat: ToolFormat | undefined;
  /** Says it all: neither of the other two is asked. `beginsInText`: see AnswerParserOptions. */
  readonly whole?: { readonly format: AnswerFormat; readonly beginsInText: boolean } | undefined;
  /** Those that may be called; without any, calls are not looked for. */
  readonly tools: readonly FunctionTool[];
  readonly forced: ForcedCalls | undefined;
  /** Calls in the conversation so far: Kimi's ids count on. */
  readonly priorCalls: number;
  newId(prefix: string): string;
}

export type EmitEvent = (event: GenerationEvent) => void;
