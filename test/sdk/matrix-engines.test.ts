/**
 * Every official client against engines of one's own, feature by feature: in the client's own API where the engine has
 * it, and translated to chat completions where it has not. What cannot be is listed in matrix/engine-cells.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SimEngine } from '../../sim/engine.ts';
import { startEngine } from '../../sim/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { startGateway } from '../../src/app/build.ts';
import { parseConfigFile } from '../../src/config/file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { CLIENTS, FEATURES } from './matrix/cells.ts';
import { ENGINE_MODEL, ENGINE_SHOWS, engineNotApplicable, enginePathOf, ENGINES } from './matrix/engine-cells.ts';

const KEY = 'key-of-the-engine';

async function gatewayFor(url: string): Promise<Gateway> {
  const flags = {
    host: '127.0.0.1',
    port: 0,
    disableMetrics: true,
    logLevel: 'error',
    disableAuditLogging: true,
    disableRetries: true,
    disableCircuitBreaker: true,
  };
  const file = parseConfigFile('matrix.json', JSON.stringify({ workers: [{ url, api_key: KEY }] }));
  const loaded = loadConfig({ flags, file });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return startGateway(loaded.config);
}

for (const kind of ENGINES) {
  describe(`an engine of ${kind}`, () => {
    let engine: SimEngine;
    let gateway: Gateway;
    before(async () => {
      engine = await startEngine({ kind, apiKey: KEY, models: [ENGINE_MODEL], speed: Number.POSITIVE_INFINITY });
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
        const show = ENGINE_SHOWS[feature];
        const reason = engineNotApplicable(feature);
        assert.equal(show === undefined, reason !== undefined, `${feature} is shown or has a reason`);
        test(`${name}: ${feature}`, { skip: reason ?? false }, async () => {
          engine.resetStats();
          await show?.({
            client: make({ url: gateway.url, key: KEY }),
            stranger: make({ url: gateway.url, key: `${KEY}-unknown` }),
            lastBody: () => Buffer.from(engine.lastRequest()?.bodyBase64 ?? '', 'base64').toString(),
            cutStream: (events) => engine.setFaults([{ kind: 'reset_after', events, times: 1 }]),
          });
          await engine.clearFaults();
          assert.equal(engine.lastRequest()?.path, enginePathOf(name, kind));
        });
      }
    }
  });
}
