/** The ways to workers behind gRPC. */
import type { Timer } from '../base/clock.ts';
import { GrpcChannels } from '../backends/grpc/channels.ts';
import { GrpcProber } from '../backends/grpc/probe.ts';
import { GrpcTokenBackend } from '../backends/grpc/send.ts';
import { GrpcTokenizerBundles } from '../backends/grpc/tokenizer-bundle.ts';
import type { Config } from '../config/schema.ts';
import type { CommonParts } from './common-parts.ts';

/**
 * A stream that is held back because its client is slow keeps what has come of it, and its share of the connection's
 * window: 256 KiB are some thousands of tokens, and hundreds of such streams do not stop the others.
 */
const WINDOWS = { streamWindowBytes: 256 * 1024, connectionWindowBytes: 64 * 1024 * 1024 };

export interface TokenParts {
  readonly channels: GrpcChannels;
  readonly tokenBackend: GrpcTokenBackend;
  readonly engines: GrpcProber;
  readonly bundles: GrpcTokenizerBundles;
  /** The end of the gateway: engines hear of the calls that ended with it, and the connections close. */
  close(): Promise<void>;
}

/** The longest that a timer takes. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** An engine that does not answer holds the end up no longer than this. */
const LAST_ABORTS_MS = 1_000;

export function tokenParts({ connectTimeoutSecs }: Config, { clock, metrics }: CommonParts): TokenParts {
  const connectTimeoutMs = connectTimeoutSecs === 0 ? NO_LIMIT_MS : connectTimeoutSecs * 1_000;
  const channels = new GrpcChannels(clock, { ...WINDOWS, connectTimeoutMs });
  const tokenBackend = new GrpcTokenBackend(channels, clock);
  metrics?.watchGrpc(() => ({ channels: channels.counts, aborts: tokenBackend.abortCounts }));
  return {
    channels,
    tokenBackend,
    engines: new GrpcProber(channels, clock),
    bundles: new GrpcTokenizerBundles(channels),
    close: async () => {
      // Calls whose connections were cut a moment ago hear of it in this turn.
      await new Promise((resolve) => setImmediate(resolve));
      let timer: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        timer = clock.setTimer(resolve, LAST_ABORTS_MS);
      });
      await Promise.race([tokenBackend.abortsTaken(), late]);
      if (timer) clock.clearTimer(timer);
      channels.close();
    },
  };
}
