/** The ways to workers behind gRPC. */
import type { Clock } from '../base/clock.ts';
import { GrpcChannels } from '../backends/grpc/channels.ts';
import { GrpcProber } from '../backends/grpc/probe.ts';
import { GrpcTokenBackend } from '../backends/grpc/send.ts';
import { GrpcTokenizerBundles } from '../backends/grpc/tokenizer-bundle.ts';
import type { ChannelPool } from '../backends/grpc/rpc.ts';

export interface TokenParts {
  readonly channels: ChannelPool;
  readonly tokenBackend: GrpcTokenBackend;
  readonly engines: GrpcProber;
  readonly bundles: GrpcTokenizerBundles;
}

export function tokenParts(clock: Clock): TokenParts {
  const channels = new GrpcChannels(clock);
  return {
    channels,
    tokenBackend: new GrpcTokenBackend(channels),
    engines: new GrpcProber(channels, clock),
    bundles: new GrpcTokenizerBundles(channels),
  };
}
