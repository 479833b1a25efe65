/**
 * What an engine's file says about its engine: how an order is told, what its messages mean, and what else it can be
 * asked. The types in between are the same for all engines.
 */
import type { EngineHealth } from '../../../domain/engine-prober.ts';
import type { EngineLoad } from '../../../domain/engine-load.ts';
import type {
  Embedding,
  OutputLogprobs,
  PromptLogprobs,
  Sampling,
  TokenOrder,
  TokenPrompt,
} from '../../../domain/token-generation.ts';
import type { TokenEngineName } from '../../../domain/worker.ts';
import type { GetTokenizerChunk } from '../gen/common_pb.ts';
import type { Channel, RpcMethod, RpcOptions } from '../rpc.ts';
import type { TimedDescription } from './description.ts';

/** One Generate stream. */
export interface GenerateCall {
  readonly requestId: string;
  readonly prompt: TokenPrompt;
  readonly order: TokenOrder;
  /** Answers that this stream is to give. */
  readonly choices: number;
}

interface MessageFacts {
  /** Of the answer, as the engine counts. */
  readonly index: number;
  readonly ids: ArrayLike<number>;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  /** Undefined: the engine does not count them. */
  readonly reasoningTokens: number | undefined;
  /** As the engine tells them: of this message's ids, or of all so far. */
  readonly logprobs: OutputLogprobs | undefined;
  readonly promptLogprobs: PromptLogprobs | undefined;
}

export interface ChunkMessage extends MessageFacts {
  readonly kind: 'chunk';
}

export interface CompleteMessage extends MessageFacts {
  readonly kind: 'complete';
  readonly reason: string;
  readonly matchedStop: string | number | undefined;
}

/** Undefined: a message without anything in it. */
export type EngineMessage = ChunkMessage | CompleteMessage | undefined;

/** In what the messages of an engine differ from those of others; see answer-reader.ts. */
export interface AnswerHabits {
  /** `completion_tokens` of a stream's messages: those of this message only, or all so far. */
  readonly completionTokens: 'delta' | 'total';
  /** Without streaming all of its Completes have index 0, and the order of their coming is that of the answers. */
  readonly numbersByArrival: boolean;
}

export interface EmbedCall {
  readonly requestId: string;
  readonly prompt: TokenPrompt;
}

export interface AbortCall {
  /** At least one; exactly one where the engine takes no lists. */
  readonly requestIds: readonly string[];
  readonly reason: string;
}

/** What a profile is to hold; as the HTTP API of SGLang has it. */
export type ProfileOrder = Readonly<Record<string, unknown>>;

/** The engine did, or why it did not. */
export interface Outcome {
  readonly isDone: boolean;
  readonly message: string;
}

export interface TokenEngine {
  readonly name: TokenEngineName;
  /** What it goes without; see TokenBackend. */
  readonly lacks: readonly (keyof Sampling)[];
  /** Answers that one stream can give. */
  readonly maxChoices: number;
  readonly habits: AnswerHabits;
  /** Why this engine cannot be asked for that, as the end of a sentence that begins with its name; undefined: it can. */
  refusalOf(order: TokenOrder): string | undefined;
  readonly generate: RpcMethod<GenerateCall, EngineMessage>;
  readonly embed: RpcMethod<EmbedCall, Embedding> | undefined;
  readonly abort: RpcMethod<AbortCall, unknown>;
  readonly abortTakesMany: boolean;
  readonly health: RpcMethod<undefined, EngineHealth>;
  describe(channel: Channel, options: RpcOptions): Promise<TimedDescription>;
  /** Undefined, as the three below: it has none. */
  readonly loads: RpcMethod<undefined, EngineLoad | undefined> | undefined;
  readonly flushCache: RpcMethod<{ readonly timeoutSeconds: number }, Outcome> | undefined;
  readonly startProfile: RpcMethod<ProfileOrder, Outcome> | undefined;
  readonly stopProfile: RpcMethod<undefined, Outcome> | undefined;
  /** Chunks that it decodes are copies. */
  readonly tokenizer: RpcMethod<undefined, Pick<GetTokenizerChunk, 'data' | 'sha256'>>;
}
