/**
 * Generation by tokens, as no engine in particular has it: what is asked of an engine behind gRPC and what it tells. How
 * each engine says it on the wire is for `backends/grpc/engines`.
 */
import type { GatewayError } from './errors.ts';
import type { Exchange } from './ports.ts';
import type { TokenIds } from './tokenizer.ts';
import type { Engine, WorkerAddress } from './worker.ts';

export interface TokenPrompt {
  readonly ids: TokenIds;
  /** What was tokenized; empty where the client gave ids. */
  readonly text: string;
}

/** What bounds the form of the output, done by the engine. */
export interface OutputConstraint {
  readonly kind: 'json_schema' | 'regex' | 'ebnf' | 'structural_tag';
  /** A schema, an expression, a grammar or a tag, as text. */
  readonly text: string;
}

/** Undefined: nobody has said, and each engine's file knows what its engine makes of that. */
export interface Sampling {
  readonly maxTokens: number | undefined;
  readonly minTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  /** −1 or 0: off. */
  readonly topK: number | undefined;
  readonly minP: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly seed: number | undefined;
  /** The gateway looks for them itself; engines that can are told too, so that they stop in time. */
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  /** The stop string stays in the output. */
  readonly keepsStop: boolean;
  readonly skipSpecialTokens: boolean;
  /** By token id. */
  readonly logitBias: ReadonlyMap<number, number> | undefined;
  /** Answers to each prompt, at least 1. */
  readonly choices: number;
  /** Undefined: none wanted. 0: of the chosen token only; n: of the n likeliest too. */
  readonly logprobs: number | undefined;
  /** The same for the tokens of the prompt. */
  readonly promptLogprobs: number | undefined;
  readonly constraint: OutputConstraint | undefined;
  /** The prompt ends inside of a thought: a constraint is for what comes behind it (SGLang's `require_reasoning`). */
  readonly beginsInThought: boolean;
}

export interface TokenOrder {
  /** The engine's id of it; orders of several prompts or choices get suffixes where an engine needs one for each. */
  readonly requestId: string;
  /** At least one; each gets `sampling.choices` answers. */
  readonly prompts: readonly TokenPrompt[];
  readonly sampling: Sampling;
  /** False: tokens are not needed before all of them are there. */
  readonly isStream: boolean;
  /** Data-parallel rank that is to serve it. */
  readonly rank: number | undefined;
  /** Credential for the worker, or undefined. */
  readonly key: string | undefined;
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** The adapter (LoRA) to use, by its name; undefined: the base model. */
  readonly adapter: string | undefined;
}

/** Lists run in step with the ids of the same message; the second index of `top*` runs over the likeliest. */
export interface OutputLogprobs {
  readonly logprobs: ArrayLike<number>;
  readonly topIds: readonly ArrayLike<number>[];
  readonly topLogprobs: readonly ArrayLike<number>[];
}

/** Of all tokens of the prompt; the first has none. */
export interface PromptLogprobs {
  readonly ids: ArrayLike<number>;
  readonly logprobs: readonly (number | undefined)[];
  readonly topIds: readonly ArrayLike<number>[];
  readonly topLogprobs: readonly ArrayLike<number>[];
}

/** New tokens of one answer. What engines repeat or accumulate has been taken away. */
export interface TokenChunk {
  /** Index of the prompt, and of the answer to it. */
  readonly prompt: number;
  readonly choice: number;
  readonly ids: ArrayLike<number>;
  readonly logprobs: OutputLogprobs | undefined;
  /** Once for each prompt, with its first message. */
  readonly promptLogprobs: PromptLogprobs | undefined;
  /** Of the prompt, as far as the engine has said: an answer that a stop string ends here never hears of its finish. */
  readonly cachedTokens?: number;
}

/** One answer is complete. Counts are of this answer; prompt counts are the same for all answers to a prompt. */
export interface TokenFinish {
  readonly prompt: number;
  readonly choice: number;
  readonly reason: 'stop' | 'length' | 'abort';
  /** The engine's own word for the reason. */
  readonly detail: string;
  /** What stopped it, where the engine says: a string or the id of a token. */
  readonly matchedStop: string | number | undefined;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  /** Undefined: the engine does not count them. */
  readonly reasoningTokens: number | undefined;
}

/** What a generation tells: `begun` once, chunks and finishes, then `end` or `error` once. */
export interface TokenSink {
  /** The engine has taken the call: its headers are here. */
  begun(): void;
  chunk(chunk: TokenChunk): void;
  finished(finish: TokenFinish): void;
  /** Every stream has ended well; answers without a finish are incomplete all the same. */
  end(): void;
  /** `mayRetry`: the engine has not begun and says that it cannot now (UNAVAILABLE), or could not be reached. */
  error(error: GatewayError, mayRetry: boolean): void;
}

export interface EmbedOrder {
  readonly requestId: string;
  readonly prompts: readonly TokenPrompt[];
  readonly key: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

export interface Embedding {
  readonly values: ArrayLike<number>;
  readonly promptTokens: number;
}

export interface EmbedSink {
  /** One for each prompt, in their order. */
  embedded(embeddings: readonly Embedding[]): void;
  error(error: GatewayError, mayRetry: boolean): void;
}

/** A worker behind gRPC. */
export interface TokenWorker {
  readonly address: WorkerAddress;
  readonly engine: Engine;
}

/** A generation under way. */
export interface TokenExchange extends Exchange {
  /**
   * This answer is over for whoever reads it (a stop string was found in it), while others go on: an engine that does not
   * know by itself is told to drop what nobody waits for.
   */
  stop(prompt: number, choice: number): void;
}

/** Drives engines that take tokens. Aborting an exchange that has not ended tells the engine to drop it. */
export interface TokenBackend {
  /** What this engine cannot be asked (a constraint on MLX): `not_translatable`. Undefined: it can. */
  problem(engine: Engine, order: TokenOrder): GatewayError | undefined;
  generate(worker: TokenWorker, order: TokenOrder, sink: TokenSink): TokenExchange;
  /** The same for embeddings. */
  embedProblem(engine: Engine): GatewayError | undefined;
  embed(worker: TokenWorker, order: EmbedOrder, sink: EmbedSink): Exchange;
  /** What of `Sampling` the engine does not have and goes without, e.g. `logitBias`; with `stop` the gateway looks alone. */
  lacks(engine: Engine): readonly (keyof Sampling)[];
}
