/** The ports to engines behind gRPC outside of any call: what they are, how they are, and small orders to them. */
import type { EngineLoad } from './engine-load.ts';
import type { TokenWorker } from './token-generation.ts';
import type { SamplingDefaults } from './token-model.ts';
import type { TokenEngineName, WorkerAddress } from './worker.ts';

/** What an engine answers to the question whether it is well. */
export interface EngineHealth {
  readonly isHealthy: boolean;
  readonly message: string;
}

export interface DetectedEngine {
  readonly engine: TokenEngineName;
  readonly health: EngineHealth;
}

/** What an engine says of itself and of its model. */
export interface EngineDescription {
  readonly version: string | undefined;
  /** The best of the names that it has for its model; undefined: it takes any. */
  readonly model: string | undefined;
  readonly contextLength: number | undefined;
  readonly maxRunning: number | undefined;
  readonly capacityTokens: number | undefined;
  readonly dataParallelSize: number | undefined;
  /** See WorkerFacts. */
  readonly instance: string | undefined;
  readonly samplingDefaults: SamplingDefaults | undefined;
  /** What else it says, by the names of its messages: numbers and truth values as text, lists as JSON. */
  readonly labels: Readonly<Record<string, string>>;
}

/** All send the worker's own key, and reject with a GatewayError when there is no answer in time. */
export interface EngineProber {
  /** Which engine answers there, and what it answered. */
  detect(worker: WorkerAddress, timeoutMs: number): Promise<DetectedEngine>;
  health(worker: TokenWorker, timeoutMs: number): Promise<EngineHealth>;
  /** Rejects only when nothing at all is answered. */
  describe(worker: TokenWorker, timeoutMs: number): Promise<EngineDescription>;
  /** Undefined: this engine does not report. */
  loads(worker: TokenWorker, timeoutMs: number): Promise<EngineLoad | undefined>;
  /** Rejects with `not_translatable` where the engine has no such order, as do the two below. */
  flushCache(worker: TokenWorker, timeoutMs: number): Promise<void>;
  startProfile(worker: TokenWorker, order: Readonly<Record<string, unknown>>): Promise<void>;
  stopProfile(worker: TokenWorker): Promise<void>;
}

/** What workers behind gRPC give of their tokenizers. */
export interface TokenizerBundles {
  /** A ZIP archive, whole and as its checksum says. Rejects with `tokenizer_unavailable`, or when the signal aborts. */
  fetch(worker: TokenWorker, signal: AbortSignal): Promise<Buffer>;
}
