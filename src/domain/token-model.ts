/** What the gateway must have of a model to serve it on engines that take tokens: tokenizer, template, and its habits. */
import type { GatewayError } from './errors.ts';
import type { JsonText } from './generation.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What a template is given. JSON texts keep the order of keys and the form of numbers, which templates print. */
export interface TemplateInput {
  /** A JSON array of messages, as transformers' `apply_chat_template` takes them. */
  readonly messages: JsonText;
  /** A JSON array of tools in OpenAI's form; undefined: none. */
  readonly tools: JsonText | undefined;
  readonly addGenerationPrompt: boolean;
  /** A JSON object of further variables (`enable_thinking`, `documents` …); undefined: none. */
  readonly variables: JsonText | undefined;
}

/** A model's chat template, compiled. */
export interface ChatTemplate {
  /**
   * How it wants `content`: as a plain text, or as a list of typed parts (`openai`). `harmony`: as a plain text, and the
   * conversation as gpt-oss has it (see `pipeline/prompt/harmony-turns.ts`).
   */
  readonly contentFormat: 'string' | 'openai' | 'harmony';
  /** The variable that switches thinking on and off, and how it stands when nobody says; undefined: there is none. */
  readonly thinkingToggle:
    | { readonly name: 'enable_thinking' | 'thinking'; readonly isOnByDefault: boolean }
    | undefined;
  /** The prompt it renders may end inside of a thought: the model goes on with it and does not open it itself. */
  readonly opensThought: boolean;
  /** It has a place for tools. */
  readonly takesTools: boolean;
  /**
   * The prompt. Throws `template_refused` (the template itself raises, or the conversation is of a form that it cannot
   * read) or `template_limit` (it took more steps or wrote more than it may).
   */
  render(input: TemplateInput): string;
}

/** Of a model's generation_config, or of the engine that overrides it: for what a client leaves open. */
export interface SamplingDefaults {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
}

export interface TokenModel {
  /** Where it came from, for people: a path, a hub id, or `worker <id>`. */
  readonly source: string;
  readonly tokenizer: Tokenizer;
  /** Undefined: the model has none; plain prompts work. Unusable ones throw when they render. */
  readonly template: ChatTemplate | undefined;
  /** Ends a turn: `eos_token_id` of config.json and generation_config.json together, else the tokenizer's own. */
  readonly endTokenIds: readonly number[];
  readonly modelType: string | undefined;
  readonly architectures: readonly string[];
  readonly contextLength: number | undefined;
  readonly defaults: SamplingDefaults;
}

export type TokenModelState =
  | { readonly kind: 'ready'; readonly model: TokenModel }
  /** Under way. `settled` never rejects; ask again afterwards. */
  | { readonly kind: 'loading'; readonly settled: Promise<void> }
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** Where the spine finds what it needs of a model. */
export interface TokenModels {
  /** By canonical model id. `failed` with `tokenizer_unavailable` where nobody knows a source. */
  of(model: string): TokenModelState;
}
