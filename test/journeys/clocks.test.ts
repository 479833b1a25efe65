/** The time limits of an attempt, one by one, and what they leave alone. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { allReady, chatBody, engineFor, gatewayFor, payloads, post, rigFor } from '../support/rig.ts';

test('a worker that no connection reaches is given up after the connect limit and replaced', async (t) => {
  const worker = fork(new URL('../support/blocking-worker.ts', import.meta.url));
  t.after(() => worker.kill('SIGKILL'));
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }];
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [`http://127.0.0.1:${port}`, engine.url], {
    policy: 'passthrough',
    connectTimeoutSecs: 0.3,
    disableHealthCheck: true,
  });
  await allReady(gateway, 2);
  worker.send('block');
  await once(worker, 'message');
  // Nobody accepts any more: these fill the listener's queue.
  for (let i = 0; i < 8; i += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
  }
  const reply = await post(gateway, '/v1/chat/completions', chatBody());
  assert.equal(reply.status, 200);
  const metrics = await (await fetch(gateway.metricsUrl ?? '')).text();
  assert.match(
    metrics,
    /smg_router_upstream_responses_total\{router_type="http",status_code="0",error_code="upstream_unreachable"\} 1/,
  );
});

test('each limit ends its own phase with 504 and frees the engine', async (t) => {
  const off = {
    responseHeadersTimeoutSecs: 0,
    firstContentTimeoutSecs: 0,
    streamIdleTimeoutSecs: 0,
    requestTimeoutSecs: 0,
    disableRetries: true,
  };
  const cases = [
    [{ responseHeadersTimeoutSecs: 0.2 }, { kind: 'hang_before_headers' }, false],
    [{ firstContentTimeoutSecs: 0.2 }, { kind: 'hang_before_first_byte' }, true],
    [{ streamIdleTimeoutSecs: 0.2 }, { kind: 'hang_before_first_byte' }, true],
    [{ requestTimeoutSecs: 0.2 }, { kind: 'hang_before_headers' }, false],
    [{ requestTimeoutSecs: 0.2 }, { kind: 'hang_before_headers' }, true],
  ] as const;
  for (const [limit, fault, stream] of cases) {
    const { gateway, engines } = await rigFor(t, 1, { ...off, ...limit });
    const reply = await post(gateway, '/v1/chat/completions', chatBody({ stream, sim_fault: fault }));
    assert.deepEqual(
      [reply.status, reply.headers.get('x-smg-error-code')],
      [504, 'upstream_timeout'],
      JSON.stringify(limit),
    );
    await engines[0]?.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0);
  }
});

test('a stream that falls silent in the middle ends with an error event', async (t) => {
  const { gateway } = await rigFor(t, 1, { streamIdleTimeoutSecs: 0.2 });
  const fault = { kind: 'hang_after', events: 5 } as const;
  const text = await (await post(gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }))).text();
  assert.match(payloads(text).at(-1) ?? '', /"code":"upstream_timeout"/);
});

test('the limit of the whole call does not cut a stream that is alive', async (t) => {
  const { gateway } = await rigFor(t, 1, { requestTimeoutSecs: 0.3 });
  const fault = { kind: 'slow', firstByteMs: 10, interEventMs: 60 } as const;
  const text = await (await post(gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }))).text();
  assert.equal(payloads(text).at(-1), '[DONE]');
});

test('calls in flight are counted on every path, and counted out when they end', async (t) => {
  const { gateway, engines } = await rigFor(t, 1);
  const [engine] = engines;
  engine?.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const load = async () =>
    ((await (await fetch(`${gateway.url}/workers`)).json()) as { workers: { load: number }[] }).workers[0]?.load;
  const paths = [
    '/v1/chat/completions',
    '/v1/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
    '/v1/rerank',
    '/rerank',
    '/v1/score',
    '/v1/classify',
    '/generate',
  ];
  const leave = new AbortController();
  const calls = paths.map((path) => post(gateway, path, chatBody(), { signal: leave.signal }).catch(() => undefined));
  await engine?.waitFor((stats) => stats.inFlight === paths.length);
  assert.equal(await load(), paths.length);
  leave.abort();
  await Promise.all(calls);
  await engine?.waitFor((stats) => stats.inFlight === 0);
  assert.equal(await load(), 0);
});
