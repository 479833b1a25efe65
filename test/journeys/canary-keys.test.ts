/**
 * Canary keys: one of its own for each place that has a key, and every way in that there is. A provider sees its own
 * keys only, in its own form; logs, metrics, lists, events and answers hold none of them in any form.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { FaultSpec } from '../../sim/faults/fault.ts';
import type { SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { bearer, KEYS, keyFlags } from '../support/keys.ts';
import { folderFor, readLog } from '../support/log-folder.ts';
import { allReady, engineFor, gatewayFor, post } from '../support/rig.ts';
import { told, tracesOf } from '../support/traces.ts';

interface Cloud {
  readonly sim: SimProvider;
  readonly model: string;
  readonly header: string;
  readonly stored: string;
  /** A caller's own; its shape says whose it is. */
  readonly byok: string;
}

const FORMS = {
  openai: { model: 'gpt-4o-mini', header: 'authorization', shape: 'sk-proj-' },
  anthropic: { model: 'claude-haiku-4-5', header: 'x-api-key', shape: 'sk-ant-' },
  gemini: { model: 'gemini-2.5-flash', header: 'x-goog-api-key', shape: 'AIza' },
  xai: { model: 'grok-3', header: 'authorization', shape: 'xai-' },
} as const;

async function cloudsFor(t: TestContext): Promise<Cloud[]> {
  const kinds = Object.keys(FORMS) as (keyof typeof FORMS)[];
  const clouds = await Promise.all(
    kinds.map(async (kind) => {
      const { model, header, shape } = FORMS[kind];
      const stored = `${shape}stored-${kind}-7be14c92af05`;
      const byok = `${shape}byok-${kind}-c05d81e6b73f`;
      return { sim: await startProvider({ kind, keys: [stored, byok] }), model, header, stored, byok };
    }),
  );
  t.after(() => Promise.all(clouds.map(({ sim }) => sim.close())));
  return clouds;
}

/** The same question in every client's API. */
function questions(model: string, isStream: boolean): readonly (readonly [path: string, body: unknown])[] {
  const messages = [{ role: 'user', content: 'Hello. #ping' }];
  const method = isStream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return [
    ['/v1/chat/completions', { model, messages, stream: isStream }],
    ['/v1/messages', { model, messages, max_tokens: 64, stream: isStream }],
    ['/v1/responses', { model, input: 'Hello.', stream: isStream, store: false }],
    [`/v1beta/models/${model}:${method}`, { contents: [{ role: 'user', parts: [{ text: 'Hello.' }] }] }],
    ['/v1/messages/count_tokens', { model, messages }],
  ];
}

/** Providers that show the key: all of it, its beginning and its end. */
function quoting(key: string): FaultSpec[] {
  const message = `Bad key ${key}, or ${key.slice(0, 14)}, or ${key.slice(0, 15)}...${key.slice(-5)}`;
  const body = { error: { message, type: 'authentication_error', code: 'invalid_api_key', param: key } };
  const headers = { 'x-why': message };
  return [
    { kind: 'status', status: 401, body, headers },
    { kind: 'status', status: 401, body: { type: 'error', error: { type: 'authentication_error', message } } },
    { kind: 'status', status: 503, body, headers },
    { kind: 'error_event', events: 0, message, code: 401 },
    { kind: 'error_event', events: 0, message, code: 529 },
    { kind: 'error_event', events: 3, message, code: 529 },
  ];
}

/** What a provider does to the calls with a key. */
function faultsFor(key: string): readonly (FaultSpec | undefined)[] {
  return [
    undefined,
    { kind: 'status', status: 503, times: 1 },
    { kind: 'status', status: 429, times: 1, headers: { 'retry-after': '0' } },
    { kind: 'status', status: 401, times: 1 },
    { kind: 'reset_after', events: 3, times: 1 },
    ...quoting(key),
  ];
}

async function callEverything(gateway: Gateway, clouds: readonly Cloud[], shown: string[]): Promise<void> {
  for (const cloud of clouds) {
    const own: Record<string, string>[] = [
      {},
      { 'x-smg-provider-key': cloud.byok },
      // A key of somebody else: it must not get there.
      { 'x-smg-provider-key': clouds.find(({ sim }) => sim !== cloud.sim)?.byok ?? '' },
    ];
    for (const extra of own) {
      const byOwn = faultsFor(cloud.byok);
      for (const [index, fault] of faultsFor(cloud.stored).entries()) {
        for (const isStream of [false, true]) {
          for (const [path, body] of questions(cloud.model, isStream)) {
            const rules = [
              { ...fault, key: cloud.stored },
              { ...byOwn[index], key: cloud.byok },
            ];
            cloud.sim.setFaults(fault ? (rules as FaultSpec[]) : []);
            const headers = { ...bearer(KEYS.tenant), ...extra };
            const reply = await post(gateway, path, body, { headers });
            const text = await reply.text().catch((error: unknown) => String(error));
            shown.push(`${reply.status} ${JSON.stringify([...reply.headers])} ${text}`);
            if (!fault) assert.equal(reply.status, 200, `${path} ${cloud.sim.kind}: ${text}`);
          }
        }
      }
    }
    cloud.sim.setFaults([]);
  }
}

test('a provider sees its own keys only, and nobody else sees any', async (t) => {
  const clouds = await cloudsFor(t);
  const engine = await engineFor(t);
  const folder = folderFor(t);
  const gateway = await gatewayFor(t, [engine.url], {
    ...keyFlags('api', 'tenant', 'control'),
    logDir: folder,
    logLevel: 'debug',
    disableAuditLogging: false,
    retryInitialBackoffMs: 1,
    disableCircuitBreaker: true,
  });
  const shown: string[] = [];
  const admin = { ...bearer(KEYS.admin), 'content-type': 'application/json' };
  for (const { sim, stored } of clouds) {
    const spec = { url: sim.url, provider: sim.kind, api_key: stored };
    shown.push(
      await told(fetch(`${gateway.url}/workers`, { method: 'POST', headers: admin, body: JSON.stringify(spec) })),
    );
  }
  await allReady(gateway, clouds.length + 1);
  await callEverything(gateway, clouds, shown);
  for (const scope of ['', '?scope=all'])
    for (const key of [undefined, ...clouds.map(({ byok }) => byok)]) {
      const headers = { ...bearer(KEYS.tenant), ...(key === undefined ? {} : { 'x-smg-provider-key': key }) };
      shown.push(await told(fetch(`${gateway.url}/v1/models${scope}`, { headers })));
    }
  for (const path of ['/workers', '/get_loads', '/events', '/readiness'])
    shown.push(await told(fetch(gateway.url + path, { headers: admin })));
  shown.push(await told(fetch(gateway.metricsUrl ?? '', { headers: admin })));
  await gateway.stop({ settle: false });

  for (const { sim, stored, byok, header } of clouds) {
    const seen = sim.keysSeen();
    for (const { value } of seen) assert.ok(value === stored || value === byok, `${sim.kind} has seen a foreign key`);
    assert.deepEqual([...new Set(seen.map(({ value }) => value))].sort(), [stored, byok].sort());
    assert.deepEqual([...new Set(seen.map((key) => key.header))], [header], `${sim.kind}: in its own form`);
    for (const request of sim.requests()) {
      const text = JSON.stringify(request);
      const foreign = [
        ...Object.values(KEYS),
        ...clouds.filter((other) => other.sim !== sim).flatMap((other) => [other.stored, other.byok]),
      ];
      for (const key of foreign) assert.ok(!text.includes(key), `${sim.kind}: a foreign key in a request`);
    }
  }
  const log = readLog(folder);
  assert.match(log, /tenant"?[=:]"?acme/, 'the search would find something');
  const keys = [...Object.values(KEYS), ...clouds.flatMap(({ stored, byok }) => [stored, byok])];
  for (const key of keys)
    for (const trace of [...tracesOf(key), key.slice(0, 14), key.slice(-5)]) {
      assert.ok(!log.includes(trace), `the log has ${trace}`);
      for (const text of shown) assert.ok(!text.includes(trace), `${trace} in ${text.slice(0, 500)}`);
    }
});
