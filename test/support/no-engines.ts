/** An EngineProber for tests without workers behind gRPC. */
import { GatewayError } from '../../src/domain/errors.ts';
import type { EngineProber } from '../../src/domain/engine-prober.ts';

async function refuse(): Promise<never> {
  throw new GatewayError('upstream_unreachable', 'No engine is there');
}

export const noEngines: EngineProber = {
  detect: refuse,
  health: refuse,
  describe: refuse,
  loads: refuse,
  flushCache: refuse,
  startProfile: refuse,
  stopProfile: refuse,
};
