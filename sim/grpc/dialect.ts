/** What the five engines have in common, and what each of them says in its own messages. Types only. */

import type { Load } from '../core/scheduler.ts';
import type { JsonRecord } from '../json.ts';
import type { MatchedStop } from './answer.ts';
import type { Ask, Fields } from './ask.ts';
import type { GrpcEngineOptions } from './options.ts';
import type { SimTokenizer } from './tokenizer.ts';

/** New tokens of one answer. */
export interface Step {
  readonly ask: Ask;
  /** Index of the answer. */
  readonly index: number;
  /** The tokens that this message is about. */
  readonly delta: readonly number[];
  /** How many tokens have been sent so far, these too, and which. */
  readonly sent: number;
  readonly all: () => readonly number[];
  /** Tokens generated so far: with one that stopped the answer and is not sent. */
  readonly generated: number;
  /** Tokens generated since the message before. */
  readonly newlyGenerated: number;
  readonly cachedTokens: number;
  /** Of this answer. */
  readonly isFirst: boolean;
}

/** The end of one answer; `delta` is what the last chunk had. */
export interface Finish extends Step {
  readonly reason: 'stop' | 'length' | 'abort';
  readonly matched: MatchedStop | undefined;
}

/** What an engine tells of itself. */
export interface Identity {
  readonly options: GrpcEngineOptions;
  readonly tokenizer: SimTokenizer;
  readonly startedAtMs: number;
  readonly activeRequests: number;
  readonly load: Load;
  readonly cacheHitRate: number;
  /** Of requests by rank. */
  readonly runningByRank: readonly number[];
  readonly isHealthy: boolean;
}

/** One engine's messages. */
export interface GrpcDialect {
  /** Full name of the service. */
  readonly service: string;
  /** Throws RpcRefusal for what the engine refuses. */
  readGenerate(request: Fields): Ask;
  chunk(step: Step): JsonRecord;
  complete(finish: Finish): JsonRecord;
  health(identity: Identity): JsonRecord;
  modelInfo(identity: Identity): JsonRecord;
  serverInfo(identity: Identity): JsonRecord;
  /** Ids that an Abort is about, and what it is answered. */
  abortedIds(request: Fields): readonly string[];
  abortAnswer(found: boolean): JsonRecord;
  /** Absent: UNIMPLEMENTED. */
  readonly loads?: (identity: Identity, request: Fields) => JsonRecord;
  readonly embedding?: (requestId: string, values: readonly number[], promptTokens: number) => JsonRecord;
  /** FlushCache, profiling. */
  readonly hasAdministration?: boolean;
  readonly hasAdapters?: boolean;
}
