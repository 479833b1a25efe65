/**
 * Canary keys behind gRPC: each engine sees the key that is stored for it, in the metadata and in no other place; logs,
 * metrics, lists, events and answers hold none of them, whatever an engine says of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { hostileEngine, SMALL_MODEL } from '../support/hostile-engine.ts';
import type { Asked } from '../support/hostile-engine.ts';
import { bearer, KEYS, keyFlags } from '../support/keys.ts';
import { folderFor, readLog } from '../support/log-folder.ts';
import { gatewayFor, post } from '../support/rig.ts';
import { told, tracesOf } from '../support/traces.ts';

const STORED = ['sk-one-7be14c92af05d3', 'sk-two-c05d81e6b73f49', undefined] as const;

/** What an engine does with a call, in turn. */
const WAYS: readonly ((asked: Asked, key: string) => void)[] = [
  (asked) => {
    asked.chunk({ tokenIds: [70] });
    asked.complete();
    asked.end();
  },
  (asked, key) => asked.fail(16, `Bad key ${key}`),
  (asked, key) => asked.fail(3, `Bad key ${key.slice(0, 14)}, or ${key}`),
  (asked, key) => asked.fail(14, `Bad key ...${key.slice(-6)}`),
  (asked, key) => {
    asked.chunk({ tokenIds: [70] });
    setTimeout(() => asked.fail(13, key), 5);
  },
];

async function enginesFor(t: TestContext) {
  return Promise.all(
    STORED.map(async (key, index) => {
      const seen: Record<string, unknown>[] = [];
      let turn = 0;
      const engine = await hostileEngine(t, {
        unary: { getModelInfo: () => ({ servedModelName: `small-${index}` }) },
        generate: (asked) => {
          seen.push({
            ...asked.metadata.getMap(),
            request: JSON.stringify(asked.request, (_, value: unknown) =>
              typeof value === 'bigint' ? String(value) : value,
            ),
          });
          WAYS[turn++ % WAYS.length]?.(asked, key ?? 'none at all');
        },
      });
      return { engine, key, seen, model: `small-${index}` };
    }),
  );
}

function questions(model: string, isStream: boolean): readonly (readonly [path: string, body: unknown])[] {
  const messages = [{ role: 'user', content: 'Hello.' }];
  return [
    ['/v1/chat/completions', { model, messages, stream: isStream }],
    ['/v1/messages', { model, messages, max_tokens: 64, stream: isStream }],
    ['/v1/completions', { model, prompt: 'Hello.', stream: isStream }],
  ];
}

/** Streams of these engines end. */
async function wholeOf(reply: Promise<Response>): Promise<string> {
  const answer = await reply;
  return `${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text().catch(String)}`;
}

test('an engine behind gRPC sees its own key only, and nobody else sees any', async (t) => {
  const engines = await enginesFor(t);
  const folder = folderFor(t);
  const gateway = await gatewayFor(t, [], {
    ...keyFlags('api', 'tenant', 'control'),
    modelPath: SMALL_MODEL,
    logDir: folder,
    logLevel: 'debug',
    disableAuditLogging: false,
    retryInitialBackoffMs: 1,
    disableCircuitBreaker: true,
  });
  const shown: string[] = [];
  const admin = { ...bearer(KEYS.admin), 'content-type': 'application/json' };
  for (const { engine, key } of engines) {
    const spec = { url: engine.url, ...(key === undefined ? {} : { api_key: key }) };
    shown.push(
      await told(fetch(`${gateway.url}/workers`, { method: 'POST', headers: admin, body: JSON.stringify(spec) })),
    );
  }
  await gateway.whenReady(engines.length);
  const headers = { ...bearer(KEYS.tenant), 'x-api-key': KEYS.tenant };
  for (const { model } of engines)
    for (let round = 0; round < WAYS.length; round += 1)
      for (const isStream of [false, true])
        for (const [path, body] of questions(model, isStream))
          shown.push(await wholeOf(post(gateway, path, body, { headers })));
  for (const path of ['/workers', '/get_loads', '/events', '/readiness', '/v1/tokenizers'])
    shown.push(await told(fetch(gateway.url + path, { headers: admin })));
  shown.push(await told(fetch(gateway.metricsUrl ?? '', { headers: admin })));
  await gateway.stop({ settle: false });

  const stored = STORED.filter((key) => key !== undefined);
  for (const { key, seen, model } of engines) {
    assert.ok(seen.length >= 30, model);
    for (const { authorization, ...rest } of seen) {
      assert.equal(authorization, key === undefined ? undefined : `Bearer ${key}`, model);
      const text = JSON.stringify(rest);
      for (const each of [...stored, ...Object.values(KEYS)])
        assert.ok(!text.includes(each), `${model}: a key outside of its place`);
    }
  }
  const log = readLog(folder);
  assert.match(log, /tenant"?[=:]"?acme/, 'the search would find something');
  assert.ok(
    shown.some((text) => text.includes('Bad key')),
    'engines were heard',
  );
  for (const key of [...stored, ...Object.values(KEYS)])
    for (const trace of [...tracesOf(key), key.slice(-6)]) {
      assert.ok(
        !log.includes(trace),
        `the log has ${trace}: ${log.slice(Math.max(0, log.indexOf(trace) - 300), log.indexOf(trace) + 40)}`,
      );
      for (const text of shown) assert.ok(!text.includes(trace), `${trace} in ${text.slice(0, 500)}`);
    }
});
