/** The orderly end: readiness first, streams to their end, an error for those that take too long. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { folderFor, readLog } from '../support/log-folder.ts';
import { chatBody, payloads, post, rigFor } from '../support/rig.ts';

const slow = { speed: 1, decodeBaseMs: 20 };

test('while it drains the gateway says so, serves new calls for the settle time, and lets streams finish', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { drainSettleSecs: 0.5, shutdownGracePeriodSecs: 60 }, slow);
  const streams = Array.from({ length: 50 }, (_, i) =>
    post(gateway, '/v1/chat/completions', chatBody({ stream: true, max_tokens: 40, seed: i })),
  );
  const replies = await Promise.all(streams);
  const stopped = gateway.stop();
  const readiness = await fetch(`${gateway.url}/readiness`);
  assert.deepEqual([readiness.status, ((await readiness.json()) as { reason: string }).reason], [503, 'draining']);
  const late = await post(gateway, '/v1/chat/completions', chatBody({ max_tokens: 2 }));
  assert.equal(late.status, 200);
  assert.equal(late.headers.get('connection'), 'close');
  for (const reply of replies) assert.equal(payloads(await reply.text()).at(-1), '[DONE]');
  await stopped;
  await assert.rejects(fetch(`${gateway.url}/health`));
  assert.equal(engines[0]?.stats().aborted, 0);
});

test('a stream that outlives the grace ends with an error event, not with a cut that looks complete', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { drainSettleSecs: 0, shutdownGracePeriodSecs: 0.5 }, slow);
  const reply = await post(
    gateway,
    '/v1/chat/completions',
    chatBody({ stream: true, sim_fault: { kind: 'hang_after', events: 4 } }),
  );
  const [text] = await Promise.all([reply.text(), gateway.stop()]);
  assert.match(payloads(text).at(-1) ?? '', /"code":"shutting_down"/);
  await engines[0]?.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0);
});

test('a call that has no answer yet when the grace ends gets 503 and is not sent to another worker', async (t) => {
  const { gateway, engines } = await rigFor(t, 2, { drainSettleSecs: 0, shutdownGracePeriodSecs: 0.5 });
  for (const engine of engines) engine.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const reply = post(gateway, '/v1/chat/completions', chatBody());
  await Promise.race(
    engines.map((engine) => engine.waitFor((stats) => stats.faultsFired['hang_before_headers'] === 1)),
  );
  await gateway.stop();
  assert.deepEqual([(await reply).status, (await reply).headers.get('x-smg-error-code')], [503, 'shutting_down']);
  const asked = engines.map((engine) => engine.stats().requestsByPath['/v1/chat/completions'] ?? 0);
  assert.deepEqual(
    asked.sort((a, b) => a - b),
    [0, 1],
  );
});

test('a forced end is an end', async (t) => {
  const { gateway } = await rigFor(t, 1, { drainSettleSecs: 60, shutdownGracePeriodSecs: 600 }, slow);
  const reply = await post(
    gateway,
    '/v1/chat/completions',
    chatBody({ stream: true, sim_fault: { kind: 'hang_after', events: 4 } }),
  );
  const first = gateway.stop();
  await gateway.stop({ force: true });
  await first;
  await assert.rejects(reply.text());
});

test('a call that waits to be tried again when the grace ends is told so', { timeout: 30_000 }, async (t) => {
  const backoff = { retryInitialBackoffMs: 120_000, retryMaxBackoffMs: 120_000 };
  const { gateway, engines } = await rigFor(t, 2, { drainSettleSecs: 0, shutdownGracePeriodSecs: 0.5, ...backoff });
  for (const engine of engines) engine.setFaults([{ kind: 'status', status: 503, rate: 1 }]);
  const call = post(gateway, '/v1/chat/completions', chatBody());
  await Promise.any(engines.map((engine) => engine.waitFor((stats) => (stats.faultsFired.status ?? 0) > 0)));
  const [reply] = await Promise.all([call, gateway.stop()]);
  assert.deepEqual([reply.status, reply.headers.get('x-smg-error-code')], [503, 'shutting_down']);
});

test('a connection that never sent a request does not hold up the end', { timeout: 30_000 }, async (t) => {
  const { gateway } = await rigFor(t, 1, { drainSettleSecs: 0, shutdownGracePeriodSecs: 600 });
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  // The gateway has seen it: a later connection has been served.
  await (await fetch(`${gateway.url}/health`)).arrayBuffer();
  const closed = once(socket, 'close');
  await Promise.all([gateway.stop({ settle: false }), closed]);
});

test('a stop is a line of the log, once, however often it is asked for', async (t) => {
  const folder = folderFor(t);
  const { gateway } = await rigFor(t, 1, { drainSettleSecs: 0, logDir: folder, logLevel: 'info', logJson: true });
  await Promise.all([gateway.stop(), gateway.stop({ force: true })]);
  const lines = readLog(folder).split('\n');
  assert.equal(lines.filter((line) => line.includes('gateway stopping')).length, 1);
});
