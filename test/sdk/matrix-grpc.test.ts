/**
 * Every official client against engines behind gRPC, feature by feature: the gateway renders the template, makes the
 * tokens, drives the generation and turns tokens into answers. The tokenizer is the engine's own, by its bundle.
 */
import { after, before, describe, test } from 'node:test';
import type { SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { startGateway } from '../../src/app/build.ts';
import { loadConfig } from '../../src/config/load.ts';
import { CLIENTS, FEATURES } from './matrix/cells.ts';
import { GRPC_ENGINES, GRPC_MODEL, GRPC_SHOWS, grpcNotApplicable } from './matrix/grpc-cells.ts';

async function gatewayFor(url: string): Promise<Gateway> {
  const flags = {
    host: '127.0.0.1',
    port: 0,
    disableMetrics: true,
    logLevel: 'error',
    disableAuditLogging: true,
    disableRetries: true,
    disableCircuitBreaker: true,
    workerUrls: [url],
  };
  const loaded = loadConfig({ flags });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return startGateway(loaded.config);
}

for (const kind of GRPC_ENGINES) {
  describe(`an engine of ${kind} behind gRPC`, () => {
    let engine: SimGrpcEngine;
    let gateway: Gateway;
    before(async () => {
      engine = await startGrpcEngine({
        kind,
        models: [GRPC_MODEL],
        speed: Number.POSITIVE_INFINITY,
        reportsTokenizerPath: false,
      });
      gateway = await gatewayFor(engine.url);
      await gateway.whenReady(1);
    });
    after(async () => {
      await gateway.stop({ force: true });
      await engine.close();
    });
    for (const make of CLIENTS) {
      const { name } = make({ url: 'http://127.0.0.1', key: 'none' });
      for (const feature of FEATURES) {
        const reason = grpcNotApplicable(feature, kind);
        test(`${name}: ${feature}`, { skip: reason ?? false }, async () => {
          await GRPC_SHOWS[feature]({
            client: make({ url: gateway.url, key: 'none' }),
            cutStream: (tokens) => engine.setFaults([{ kind: 'reset_after', events: tokens, times: 1 }]),
          });
          await engine.clearFaults();
        });
      }
    }
  });
}
