/** Simulated providers and engines behind one gateway, registered as an operator does it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ProviderSpec, SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { allReady, gatewayFor, post } from './rig.ts';
import type { GatewayFlags } from './rig.ts';

/** One key for each kind, in the form that it has there. */
const KEYS = {
  openai: 'sk-proj-of-the-gateway',
  anthropic: 'sk-ant-of-the-gateway',
  gemini: 'AIza-of-the-gateway',
  xai: 'xai-of-the-gateway',
  compatible: 'key-of-the-gateway',
} as const;

export async function simulatedCloudFor(t: TestContext, spec: ProviderSpec): Promise<SimProvider> {
  const provider = await startProvider({ keys: [], ...spec });
  t.after(() => provider.close());
  return provider;
}

/** The fields with which a provider is registered: its own name, a stored key, and one of its models. */
export function cloudFields({ kind, url }: SimProvider, model: string, fields: Record<string, unknown> = {}) {
  const provider = kind === 'compatible' ? 'openai' : kind;
  return { url, provider, api_key: KEYS[kind], models: [model], ...fields };
}

/** A gateway that serves with these workers, all of them ready; the ids are in their order. */
export async function gatewayWith(
  t: TestContext,
  workers: readonly Record<string, unknown>[],
  flags: GatewayFlags = {},
): Promise<{ readonly gateway: Gateway; readonly ids: readonly string[] }> {
  const gateway = await gatewayFor(t, [], { enableIgw: true, disableHealthCheck: true, ...flags });
  const ids: string[] = [];
  for (const fields of workers) {
    const reply = await post(gateway, '/workers', fields);
    const { worker_id: id } = (await reply.json()) as { worker_id: string };
    assert.equal(reply.status, 202);
    ids.push(id);
  }
  await allReady(gateway, workers.length);
  return { gateway, ids };
}
