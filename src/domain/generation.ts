/**
 * The hub: a generation request as no API in particular has it, and as every API's can be read into and written from.
 * All of it immutable. Text that must keep its bytes (arguments, schemas, native blocks) is kept as JSON text.
 */

/** JSON as it was written, key order and number text included; never parsed and written again on the way. */
export type JsonText = string;

/** Whose model a signature or an encrypted thought belongs to: it can be replayed to nobody else. */
export type ThoughtOrigin = 'anthropic' | 'gemini' | 'openai' | 'xai';

/** Opaque proof of a thought, replayed byte for byte to its origin and to nobody else. */
export interface Signature {
  readonly origin: ThoughtOrigin;
  readonly value: string;
}

/** A prompt-cache breakpoint that stands on a part, a tool or the system prompt. */
export interface CacheMark {
  /** As Anthropic writes it, e.g. `5m` or `1h`; undefined = the provider's default. */
  readonly ttl: string | undefined;
}

export type MediaSource =
  | { readonly kind: 'url'; readonly url: string; readonly mediaType: string | undefined }
  /** `base64` without line breaks, as it came. */
  | { readonly kind: 'base64'; readonly base64: string; readonly mediaType: string }
  /** Uploaded to a provider before; known there only. */
  | { readonly kind: 'file_id'; readonly id: string; readonly origin: ThoughtOrigin }
  /** A document given as plain text. */
  | { readonly kind: 'text'; readonly text: string; readonly mediaType: string };

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  readonly cache: CacheMark | undefined;
  /** Gemini signs text parts too. */
  readonly signature: Signature | undefined;
}

export interface ImagePart {
  readonly type: 'image';
  readonly source: MediaSource;
  /** OpenAI's `detail`. */
  readonly detail: string | undefined;
  readonly cache: CacheMark | undefined;
}

/** A document, or any other file that is no image and no sound: PDF, plain text, video. */
export interface FilePart {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly filename: string | undefined;
  /** Anthropic's `title` and `context` of a document, and whether it may be cited. */
  readonly title: string | undefined;
  readonly context: string | undefined;
  readonly isCitable: boolean | undefined;
  readonly cache: CacheMark | undefined;
}

export interface AudioPart {
  readonly type: 'audio';
  readonly source: MediaSource;
}

export interface ToolCallPart {
  readonly type: 'tool_call';
  readonly callId: string;
  readonly name: string;
  /** A JSON object as text; `{}` for a call without arguments. */
  readonly argumentsText: JsonText;
  /** Gemini's `thoughtSignature` of the call. */
  readonly signature: Signature | undefined;
  readonly cache: CacheMark | undefined;
}

export interface ToolResultPart {
  readonly type: 'tool_result';
  readonly callId: string;
  /** Of the tool; undefined where the API does not say and the call is not in the history. */
  readonly name: string | undefined;
  readonly parts: readonly (TextPart | ImagePart | FilePart)[];
  /** The content was one plain text, not a list. */
  readonly isPlain: boolean;
  readonly isError: boolean;
  /** The result as a JSON object (Gemini's `response`), when it came as one; `parts` holds it as text too. */
  readonly responseText: JsonText | undefined;
  readonly cache: CacheMark | undefined;
}

export interface ReasoningPart {
  readonly type: 'reasoning';
  /** Empty when the provider shows none. */
  readonly text: string;
  readonly signature: Signature | undefined;
  /** Thoughts that came encrypted whole: Anthropic's `redacted_thinking`. `text` is empty then. */
  readonly isRedacted: boolean;
  /** Id of the item in Responses. */
  readonly itemId: string | undefined;
}

export interface RefusalPart {
  readonly type: 'refusal';
  readonly text: string;
}

/** A block that only its own API has (server tools, containers …): carried to the same API, a loss to all others. */
export interface NativePart {
  readonly type: 'native';
  readonly origin: string;
  /** For messages: the block's own type. */
  readonly name: string;
  readonly json: JsonText;
}

export type Part =
  | TextPart
  | ImagePart
  | FilePart
  | AudioPart
  | ToolCallPart
  | ToolResultPart
  | ReasoningPart
  | RefusalPart
  | NativePart;

/**
 * One message, in the order of the conversation. System prompts stand where they stood (APIs that have one place for
 * them give them as the first turns). Tool results are turns of `tool` (chat, Responses) or parts of `user` turns
 * (Anthropic, Gemini); encoders take both.
 */
export interface Turn {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly Part[];
  /** The content was one plain text, not a list of parts. */
  readonly isPlain: boolean;
  /** OpenAI's `name` of a participant. */
  readonly name: string | undefined;
}

export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description: string | undefined;
  /** JSON schema of the arguments; undefined = takes none. */
  readonly schemaText: JsonText | undefined;
  readonly isStrict: boolean | undefined;
  readonly cache: CacheMark | undefined;
}

/** A tool that the provider runs itself (web search, code execution, MCP): for its own API only. */
export interface NativeTool {
  readonly type: 'native';
  readonly origin: string;
  readonly name: string;
  readonly json: JsonText;
}

export type Tool = FunctionTool | NativeTool;

export interface ToolChoice {
  readonly mode: 'auto' | 'none' | 'required' | 'named';
  /** Of the tool for `named`; of those that may be called for `auto` and `required`, empty = all. */
  readonly names: readonly string[];
}

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** What is asked of the model's thinking. All undefined: as the model does by itself. */
export interface ReasoningOptions {
  /** `off` and `on` as said by the client; `adaptive`: as much as the model finds right. */
  readonly mode: 'off' | 'on' | 'adaptive' | undefined;
  readonly effort: Effort | undefined;
  readonly budgetTokens: number | undefined;
  /** Shall thoughts be shown? Responses says how (`auto`, `concise`, `detailed`), Gemini and Anthropic only whether. */
  readonly summary: 'auto' | 'concise' | 'detailed' | 'none' | undefined;
}

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name: string;
      readonly description: string | undefined;
      readonly schemaText: JsonText | undefined;
      readonly isStrict: boolean | undefined;
    };

/** A field that only some servers have (engines' `top_k`, `regex` …; a provider's own): name as the API writes it. */
export interface ExtraField {
  readonly origin: string;
  readonly name: string;
  readonly json: JsonText;
}

export interface GenerationRequest {
  /** As the client named it; what goes upstream is `EncodeTarget.model`. */
  readonly model: string;
  readonly isStream: boolean;
  /** Chat: the client wants usage in the stream. Other APIs always tell: true. */
  readonly wantsUsage: boolean;
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | undefined;
  readonly mayCallInParallel: boolean | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly reasoning: ReasoningOptions;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly minP: number | undefined;
  readonly stop: readonly string[];
  readonly seed: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  /** Answers wanted; 1 unless said. */
  readonly choices: number;
  readonly wantsLogprobs: boolean;
  readonly topLogprobs: number | undefined;
  readonly logitBiasText: JsonText | undefined;
  /** The end user, for abuse detection. */
  readonly user: string | undefined;
  readonly metadataText: JsonText | undefined;
  readonly serviceTier: string | undefined;
  readonly verbosity: string | undefined;
  readonly promptCacheKey: string | undefined;
  readonly store: boolean | undefined;
  /** What else the client sent and its decoder knows to be of use to some. */
  readonly extras: readonly ExtraField[];
}

/** `lost`: it does not reach the worker, or the client. `changed`: it does, in another form or with another value. */
export interface TranslationWarning {
  readonly kind: 'lost' | 'changed';
  /** Path in the body of the client, e.g. `messages[2].content[0].cache_control`, or the name of a field. */
  readonly field: string;
  /** End of a sentence that begins with the field. */
  readonly reason: string;
}
