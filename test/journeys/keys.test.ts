/** Where keys go: the gateway's own to no worker and into no line, the caller's and the stored ones where they belong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { controlRoutes } from '../../src/server/route-table.ts';
import { bearer, FORMS, type Headers, KEYS, keyFlags } from '../support/keys.ts';
import type { NotedRequest } from '../support/recording-worker.ts';
import { recordingWorkerFor } from '../support/recording-worker.ts';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { folderFor, readLog } from '../support/log-folder.ts';
import { told, tracesOf } from '../support/traces.ts';

const STORED = 'stored-4417d28be0';
const PROVIDER = 'provider-d97a5f21c0';

/** The credentials of a request as a worker sees them. */
function credentialsOf({ headers }: NotedRequest): string[] {
  const names = ['authorization', 'x-api-key', 'x-goog-api-key', 'x-smg-provider-key', 'cookie'];
  return headers.flatMap((name, index) =>
    index % 2 === 0 && names.includes(name.toLowerCase()) ? [`${name.toLowerCase()}: ${headers[index + 1]}`] : [],
  );
}

/** Calls of every kind, retried ones and streams among them, and the questions that a worker answers itself. */
async function callEverything(gateway: Gateway, headers: Headers, control: Headers): Promise<void> {
  const calls: readonly (readonly [string, unknown])[] = [
    ['/v1/chat/completions', chatBody()],
    ['/v1/chat/completions', chatBody({ stream: true })],
    ['/v1/messages', chatBody({ max_tokens: 8 })],
    ['/v1/completions', { model: 'sim-model', prompt: 'x' }],
    ['/v1/embeddings', { model: 'sim-model', input: 'x' }],
  ];
  for (const [path, body] of calls) {
    const reply = await post(gateway, path, body, { headers });
    const answer = await reply.text();
    assert.equal(reply.status, 200, `${path}: ${answer}`);
  }
  for (const path of ['/health_generate', '/get_model_info', '/get_server_info']) {
    assert.equal((await fetch(gateway.url + path, { headers: { ...headers, ...control } })).status, 200);
  }
}

const mixes: readonly (readonly [stored: string | undefined, provider: string | undefined])[] = [
  [undefined, undefined],
  [STORED, undefined],
  [undefined, PROVIDER],
  [STORED, PROVIDER],
];

for (const [stored, provider] of mixes) {
  for (const [form, headersOf] of Object.entries(FORMS)) {
    const names = `${stored ? 'a' : 'no'} stored key and ${provider ? 'a' : 'no'} key of the caller`;
    test(`the gateway's key in ${form} reaches no worker, with ${names}`, async (t) => {
      // A worker that needs its stored key also on probes; a caller's key is another one and would not pass there.
      const options = {
        kind: 'sglang' as const,
        ...(stored && !provider ? { apiKey: stored, healthNeedsKey: true } : {}),
      };
      const engines = await Promise.all([engineFor(t, options), engineFor(t, options)]);
      const workers = await Promise.all(engines.map((engine) => recordingWorkerFor(t, engine)));
      const urls = workers.map(({ url }) => url);
      const gateway = await gatewayFor(t, urls, {
        ...keyFlags('api', 'tenant', 'control'),
        workerApiKey: stored,
        policy: 'passthrough',
        retryInitialBackoffMs: 1,
      });
      await allReady(gateway, 2);
      for (const key of [KEYS.api, KEYS.tenant, KEYS.user, KEYS.admin]) {
        // The first attempt fails, so that every kind of key is sent along a retry too.
        engines[0]?.setFaults([{ kind: 'status', status: 503, rate: 1, times: 1 }]);
        const headers = { ...headersOf(key), ...(provider ? { 'x-smg-provider-key': provider } : {}) };
        await callEverything(gateway, headers, headersOf(KEYS.admin));
      }
      const noted = workers.flatMap((worker) => worker.noted);
      assert.ok(workers.every((worker) => worker.noted.some(({ method }) => method === 'POST')));
      for (const request of noted) {
        for (const key of Object.values(KEYS)) assert.ok(!JSON.stringify(request).includes(key), request.url);
        // Probes and questions have the worker's own key; calls the caller's before it.
        const sent = request.method === 'POST' ? (provider ?? stored) : stored;
        assert.deepEqual(credentialsOf(request), sent === undefined ? [] : [`authorization: Bearer ${sent}`]);
      }
    });
  }
}

test('a control key on open calls is not taken for a key of the provider', async (t) => {
  const worker = await recordingWorkerFor(t, await engineFor(t));
  const gateway = await gatewayFor(t, [worker.url], keyFlags('control'));
  await allReady(gateway, 1);
  for (const key of [KEYS.admin, KEYS.user, 'sk-mine']) {
    assert.equal((await post(gateway, '/v1/chat/completions', chatBody(), { headers: bearer(key) })).status, 200);
  }
  const calls = worker.noted.filter(({ method }) => method === 'POST');
  assert.deepEqual(calls.map(credentialsOf), [[], [], ['authorization: Bearer sk-mine']]);
});

test('a key of the gateway in the header for the provider’s is refused and not sent', async (t) => {
  const worker = await recordingWorkerFor(t, await engineFor(t));
  const gateway = await gatewayFor(t, [worker.url], keyFlags('api'));
  await allReady(gateway, 1);
  const headers = { ...bearer(KEYS.api), 'x-smg-provider-key': KEYS.api };
  const reply = await post(gateway, '/v1/chat/completions', chatBody(), { headers });
  assert.deepEqual([reply.status, reply.headers.get('x-smg-error-code')], [400, 'invalid_request']);
  assert.ok(worker.noted.every(({ method }) => method === 'GET'));
});

const BROKEN = [
  'not json',
  '{"model":7}',
  '{"model":"none"}',
  '{"model":"sim-model","sim_fault":{"kind":"status","status":401}}',
];

for (const logJson of [false, true]) {
  test(`no key leaves a trace in ${logJson ? 'JSON' : 'text'} logs, answers, metrics or the list of workers`, async (t) => {
    const folder = folderFor(t);
    const engine = await engineFor(t, { apiKey: STORED, healthNeedsKey: true });
    const flags: GatewayFlags = {
      ...keyFlags('api', 'tenant', 'control'),
      workerApiKey: STORED,
      retryInitialBackoffMs: 1,
      logDir: folder,
      logLevel: 'debug',
      disableAuditLogging: false,
      logJson,
    };
    const gateway = await gatewayFor(t, [engine.url], flags);
    await allReady(gateway, 1);
    const wrong = 'wrong-5c3ab98e10';
    const shown: string[] = [];
    const noteCall = async (body: unknown, headers: Headers) => {
      shown.push(await told(post(gateway, '/v1/chat/completions', body, { headers })));
      shown.push(await told(post(gateway, '/v1/messages', body, { headers })));
    };
    for (const key of [...Object.values(KEYS), wrong]) {
      for (const form of Object.values(FORMS)) {
        await noteCall(chatBody(), form(key));
        await noteCall(chatBody({ stream: true }), { ...form(key), 'x-smg-provider-key': STORED });
        await noteCall(chatBody(), { ...form(key), 'x-smg-provider-key': PROVIDER });
        await noteCall(chatBody(), { ...form(key), 'x-smg-provider-key': key });
        for (const body of BROKEN) await noteCall(body, { ...form(key), cookie: key, 'proxy-authorization': key });
        for (const { method, path } of controlRoutes) {
          const body = method === 'GET' || method === 'DELETE' ? null : JSON.stringify({ api_key: PROVIDER, url: 7 });
          const init = { method, body, headers: { ...form(key), 'content-type': 'application/json' } };
          shown.push(await told(fetch(gateway.url + path.replace('{id}', 'no-such-id'), init)));
        }
        shown.push(await told(fetch(gateway.metricsUrl ?? '', { headers: form(key) })));
      }
    }
    shown.push(await told(fetch(`${gateway.url}/workers`, { headers: bearer(KEYS.admin) })));
    shown.push(await told(fetch(gateway.metricsUrl ?? '', { headers: bearer(KEYS.admin) })));
    await gateway.stop({ settle: false });
    const log = readLog(folder);
    // The search would find something: calls and their tenant are in the log, workers and metrics in the answers.
    assert.match(log, /tenant"?[=:]"?acme/);
    assert.ok(shown.some((text) => text.includes('smg_http_requests_total')));
    assert.ok(shown.some((text) => text.includes('"has_api_key":true')));
    for (const key of [...Object.values(KEYS), wrong, STORED, PROVIDER]) {
      for (const trace of tracesOf(key)) {
        assert.ok(!log.includes(trace), `the log has ${trace}`);
        for (const text of shown) assert.ok(!text.includes(trace), `${trace} in ${text.slice(0, 500)}`);
      }
    }
  });
}

/** Tokenizing is no change: it is asked with the rights of a call. */
const changes = controlRoutes.filter(({ method, access }) => method !== 'GET' && access === 'control');

test('each change through the control plane is one line, whoever asks and whatever the log level', async (t) => {
  const folder = folderFor(t);
  const logFlags = { logDir: folder, logLevel: 'error', logJson: true, disableAuditLogging: false };
  const flags = { ...keyFlags('tenant', 'control'), ...logFlags };
  const gateway = await gatewayFor(t, [], flags);
  const askers = [undefined, 'wrong', KEYS.tenant, KEYS.user, KEYS.admin];
  for (const { method, path } of changes) {
    for (const key of askers) {
      const url = gateway.url + path.replace('{id}', 'no-such-id');
      await told(fetch(url, { method, headers: key === undefined ? {} : bearer(key) }));
    }
  }
  await gateway.stop({ settle: false });
  const lines = readLog(folder)
    .split('\n')
    .filter((line) => line.includes('"level":"audit"'))
    .map((line) => JSON.parse(line) as Record<string, string>);
  assert.deepEqual(
    lines.map(({ who, method, path, outcome }) => [who, `${method} ${path}`, outcome === 'denied']),
    changes.flatMap(({ name }) => [
      ['anonymous', name, true],
      ['anonymous', name, true],
      ['tenant acme', name, true],
      ['App (app)', name, true],
      ['CI deploys (ci)', name, false],
    ]),
  );
});

test('the audit log can be switched off', async (t) => {
  const folder = folderFor(t);
  const gateway = await gatewayFor(t, [], { disableAuditLogging: true, logDir: folder, logJson: true });
  for (const { method, path } of changes) await told(fetch(gateway.url + path.replace('{id}', 'x'), { method }));
  await gateway.stop({ settle: false });
  assert.doesNotMatch(readLog(folder), /"audit"/);
});

test('the log line of a call names its tenant and never its key', async (t) => {
  const folder = folderFor(t);
  const engine = await engineFor(t);
  const flags = { ...keyFlags('api', 'tenant'), logDir: folder, logLevel: 'info', logJson: true };
  const gateway = await gatewayFor(t, [engine.url], flags);
  await allReady(gateway, 1);
  for (const key of [KEYS.tenant, KEYS.api])
    await post(gateway, '/v1/chat/completions', chatBody(), { headers: bearer(key) });
  await gateway.stop({ settle: false });
  const calls = readLog(folder)
    .split('\n')
    .filter((line) => line.includes('"msg":"call"'))
    .map((line) => JSON.parse(line) as Record<string, string>);
  assert.deepEqual(
    calls.map(({ tenant }) => tenant),
    ['acme', undefined],
  );
});
