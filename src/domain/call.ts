/** One client request on its way through the spine. */
import type { CallRecord } from './record.ts';

/** The wire formats that the gateway knows by name; each has a folder or file under `protocols/`. */
export type ProtocolName =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'anthropic-count-tokens'
  | 'gemini'
  | 'gemini-count-tokens'
  | 'gemini-embeddings'
  | 'sglang-generate'
  | 'rerank'
  | 'score'
  | 'classify';

export interface Call {
  readonly requestId: string;
  readonly protocol: ProtocolName;
  /** Path and query to use upstream. */
  readonly upstreamPath: string;
  /** The model as the client wrote it; undefined when the body names none. */
  readonly model: string | undefined;
  /** True when the protocol allows a call without a model. */
  readonly modelOptional: boolean;
  readonly stream: boolean;
  /** The body as it came. Owned by the call; nobody writes into it. */
  readonly body: Buffer;
  /** Byte spans of the top-level `model` values in `body`, quotes included: what an alias rewrites. */
  readonly modelSpans: readonly Span[];
  /** Names are lower-case. */
  readonly headers: ClientHeaders;
  /** The caller's own key for the worker, or undefined. Never logged. */
  readonly callerKey: string | undefined;
  readonly record: CallRecord;
}

export type ClientHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}
