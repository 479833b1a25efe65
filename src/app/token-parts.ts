/** The ways to workers behind gRPC. */
import type { Clock } from '../base/clock.ts';
import { GrpcChannels } from '../backends/grpc/channels.ts';
import { GrpcProber } from '../backends/grpc/probe.ts';
import { GrpcTokenBackend } from '../backends/grpc/send.ts';
import { GrpcTokenizerBundles } from '../backends/grpc/tokenizer-bundle.ts';
import type { ChannelPool } from '../backends/grpc/rpc.ts';

/**
 * A stream that is held back because its client is slow keeps what has come of it, and its share of the connection's
 * window: 256 KiB are some thousands of tokens, and hundreds of such streams do not stop the others.
 */
const WINDOWS = { streamWindowBytes: 256 * 1024, connectionWindowBytes: 64 * 1024 * 1024 };

export interface TokenParts {
  readonly channels: ChannelPool;
  readonly tokenBackend: GrpcTokenBackend;
  readonly engines: GrpcProber;
  readonly bundles: GrpcTokenizerBundles;
  /** Closes all channels, after engines have heard of the calls that were cut last. */
  close(): Promise<void>;
}

/** How long the end waits for engines to hear what they may drop. */
const LAST_ABORTS_MS = 1_000;

export function tokenParts(clock: Clock): TokenParts {
  const channels = new GrpcChannels(clock, WINDOWS);
  const tokenBackend = new GrpcTokenBackend(channels);
  return {
    channels,
    tokenBackend,
    engines: new GrpcProber(channels, clock),
    bundles: new GrpcTokenizerBundles(channels),
    close: async () => {
      const late = Promise.withResolvers<void>();
      const timer = clock.setTimer(late.resolve, LAST_ABORTS_MS);
      await Promise.race([tokenBackend.settled(), late.promise]);
      clock.clearTimer(timer);
      channels.close();
    },
  };
}
