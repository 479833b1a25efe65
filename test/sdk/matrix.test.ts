/**
 * Every official client against every provider, feature by feature, through one gateway: callers bring the provider's
 * key, workers have none. No client is patched. What cannot be is listed with its reason in matrix/cells.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { startGateway } from '../../src/app/build.ts';
import { parseConfigFile } from '../../src/config/file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { chatOnlyEngineBefore } from '../support/chat-only-engine.ts';
import type { ChatOnlyEngine } from '../support/chat-only-engine.ts';
import { CLIENTS, FEATURES, notApplicable, PROVIDERS, SHOWS } from './matrix/cells.ts';
import type { MatrixProvider } from './matrix/cells.ts';

async function gatewayFor(provider: MatrixProvider, url: string): Promise<Gateway> {
  const flags = {
    host: '127.0.0.1',
    port: 0,
    disableMetrics: true,
    logLevel: 'error',
    disableAuditLogging: true,
    disableRetries: true,
  };
  const owner = provider.isEngine ? {} : { provider: provider.preset ?? provider.kind };
  const worker = { url, ...owner, models: [provider.model, provider.thinker] };
  const loaded = loadConfig({ flags, file: parseConfigFile('matrix.json', JSON.stringify({ workers: [worker] })) });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return startGateway(loaded.config);
}

for (const provider of PROVIDERS) {
  describe(`a worker of ${provider.name}`, () => {
    let sim: SimProvider;
    let engine: ChatOnlyEngine | undefined;
    let gateway: Gateway;
    before(async () => {
      sim = await startProvider({
        kind: provider.kind,
        keys: [provider.key],
        ...(provider.preset ? { preset: provider.preset } : {}),
        ...(provider.compatible ? { compatible: provider.compatible } : {}),
      });
      engine = provider.isEngine ? await chatOnlyEngineBefore(sim) : undefined;
      gateway = await gatewayFor(provider, engine?.url ?? sim.url);
      await gateway.whenReady(1);
    });
    after(async () => {
      await gateway.stop({ force: true });
      engine?.close();
      await sim.close();
    });
    for (const make of CLIENTS) {
      const { name } = make({ url: 'http://127.0.0.1', key: 'none' });
      for (const feature of FEATURES) {
        const reason = notApplicable(name, provider.name, feature);
        test(`${name}: ${feature}`, { skip: reason ?? false }, async () => {
          sim.forget();
          await SHOWS[feature]({
            client: make({ url: gateway.url, key: provider.key }),
            stranger: make({ url: gateway.url, key: `${provider.key}-unknown` }),
            provider,
            cutStream: (events) => sim.setFaults([{ kind: 'reset_after', events, times: 1 }]),
          });
          await sim.clearFaults();
          // What it refused it would have refused from the gateway's own users too.
          if (feature !== 'error') assert.deepEqual(sim.violations(), []);
        });
      }
    }
  });
}
