/**
 * What makes a provider that provider: its paths, its key, its words for errors. One implementation per API family,
 * listed in `kinds.ts`.
 */

import type { ErrorFrames } from '../faults/stream.ts';
import type { Exchange } from '../http/exchange.ts';
import type { JsonRecord } from '../json.ts';
import type { SeenKey } from './credentials.ts';
import type { ProviderOptions } from './options.ts';
import type { RefusalWords } from './refusal.ts';
import type { Sealer } from './seal.ts';
import type { Item } from './transcript.ts';

/** A request that reached its endpoint: key, content type and JSON are in order. */
export interface ProviderCall {
  readonly exchange: Exchange;
  readonly options: ProviderOptions;
  readonly sealer: Sealer;
  /** The parsed body, without the simulator's own `sim_…` fields; empty for GET. */
  readonly body: JsonRecord;
  /** Named parts of the path: `model`, `id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly cache: PrefixMemory;
  readonly conversations: ConversationMemory;
  /** A fresh id: prefix and so many hexadecimal digits. */
  newId(prefix: string, digits?: number): string;
}

/** Which prefixes were stored in the provider's prompt cache. */
export interface PrefixMemory {
  /** Was this prefix stored before? It is from now on. */
  visit(prefix: string): boolean;
}

/** Conversations the provider stores, by the id of their last response. */
export interface ConversationMemory {
  keep(id: string, items: readonly Item[]): void;
  find(id: string): readonly Item[] | undefined;
}

/** One path of a provider. */
export interface Endpoint {
  /** Counted under this name. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly pattern: RegExp;
  /** Answers, or throws a Refusal. */
  answer(call: ProviderCall): void;
}

/** An API family as one provider speaks it. */
export interface Dialect {
  readonly serverName: string;
  readonly endpoints: readonly Endpoint[];
  /** What is wrong with the credentials or other obligatory headers; undefined when nothing is. */
  checkHeaders(keys: readonly SeenKey[], call: HeaderCheck): RefusalWords | undefined;
  /** The body of an error. */
  wordRefusal(words: RefusalWords, requestId: string): unknown;
  /** Headers on every answer: request id, rate limits. */
  answerHeaders(requestId: string): Readonly<Record<string, string>>;
  /** The path or method is not there. */
  notFound(method: string, path: string): RefusalWords;
}

/** What header checks may look at. */
export interface HeaderCheck {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: URLSearchParams;
  readonly keys: readonly string[];
}

/** A whole answer and the same answer as a stream. */
export interface Worded {
  readonly whole: unknown;
  readonly frames: readonly string[];
  readonly errorFrames: ErrorFrames;
  /** When it is not SSE. */
  readonly contentType?: string;
}
