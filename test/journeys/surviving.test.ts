/** Workers that fail in every way, and the calls that succeed all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allReady, chatBody, engineFor, gatewayFor, payloads, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

/** Runs `total` tasks, `width` at a time, in order of their number. */
async function inParallel(total: number, width: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < total) {
      const index = next;
      next += 1;
      await task(index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function chatOnce(rig: Pick<Rig, 'gateway'>, index: number): Promise<void> {
  const stream = index % 2 === 0;
  const reply = await post(rig.gateway, '/v1/chat/completions', chatBody({ stream, seed: index }));
  const text = await reply.text();
  assert.equal(reply.status, 200, `call ${index}: ${text}`);
  if (stream) assert.equal(payloads(text).at(-1), '[DONE]', `call ${index}`);
  else
    assert.ok(
      (JSON.parse(text) as { choices: { finish_reason: string }[] }).choices[0]?.finish_reason,
      `call ${index}`,
    );
}

const chats = (rig: Rig) =>
  rig.engines.reduce((sum, engine) => sum + (engine.stats().requestsByPath['/v1/chat/completions'] ?? 0), 0);

test('of three engines one refuses, one hangs and one fails at random: 1,000 calls succeed at 1.2 attempts each', async (t) => {
  const rig = await rigFor(t, 3, {
    policy: 'round_robin',
    responseHeadersTimeoutSecs: 0.25,
    retryInitialBackoffMs: 5,
    cbTimeoutDurationSecs: 600,
    disableHealthCheck: true,
  });
  const [refusing, hanging, flaky] = rig.engines;
  await refusing?.refuse(true);
  hanging?.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  flaky?.setFaults([{ kind: 'status', status: 503, rate: 0.05 }]);
  await inParallel(200, 8, (index) => chatOnce(rig, index));
  const learned = chats(rig);
  await inParallel(1_000, 8, (index) => chatOnce(rig, index));
  const attempts = chats(rig) - learned;
  assert.ok(attempts <= 1_200, `${attempts} attempts for 1,000 calls`);
  assert.ok((hanging?.stats().faultsFired['hang_before_headers'] ?? 0) >= 10, 'the hang fired');
  assert.ok((flaky?.stats().faultsFired['status'] ?? 0) >= 30, 'the 503s fired');
  await hanging?.waitFor((stats) => stats.inFlight === 0);
  for (const engine of rig.engines) assert.equal(engine.stats().inFlight, 0);
});

test('the retry of a call never goes to a worker that it has tried while another is left', async (t) => {
  const rig = await rigFor(t, 3, { policy: 'passthrough', retryInitialBackoffMs: 1, disableCircuitBreaker: true });
  for (const engine of rig.engines.slice(0, 2)) engine.setFaults([{ kind: 'status', status: 500, rate: 1 }]);
  for (let call = 0; call < 3; call += 1) await chatOnce(rig, call);
  assert.deepEqual(
    rig.engines.map((engine) => engine.stats().requestsByPath['/v1/chat/completions']),
    [3, 3, 3],
  );
});

test('when every attempt fails the client gets the last real answer, Retry-After included', async (t) => {
  const rig = await rigFor(t, 2, { retryInitialBackoffMs: 1 });
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 503, retryAfter: 30, rate: 1 }]);
  const reply = await post(rig.gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual(
    [reply.status, reply.headers.get('retry-after'), reply.headers.get('x-smg-error-code')],
    [503, '30', 'upstream_error'],
  );
  assert.ok(reply.headers.get('x-smg-worker'));
  assert.equal(chats(rig), 2);
});

test('a short Retry-After of the only worker is waited out, a long one is passed on', async (t) => {
  const rig = await rigFor(t, 1, { retryInitialBackoffMs: 1, retryAfterMaxWaitMs: 1_500 });
  const [engine] = rig.engines;
  engine?.setFaults([{ kind: 'status', status: 429, retryAfter: 1, rate: 1, times: 1 }]);
  assert.equal((await post(rig.gateway, '/v1/chat/completions', chatBody())).status, 200);
  assert.equal(chats(rig), 2);
  engine?.setFaults([{ kind: 'status', status: 429, retryAfter: 60, rate: 1 }]);
  const limited = await post(rig.gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '60']);
  const cooling = await post(rig.gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual([cooling.status, cooling.headers.get('x-smg-error-code')], [429, 'rate_limited']);
  assert.ok(Number(cooling.headers.get('retry-after')) > 50);
  assert.equal(chats(rig), 3, 'a worker that cools down is not asked');
});

test('a 429 inside a stream, before any content, lets the worker rest as its status would; one of 500 does not', async (t) => {
  const rig = await rigFor(t, 1, { disableRetries: true });
  const inBand = async (code: number) => {
    const fault = { kind: 'error_event', events: 0, message: 'slow down', code } as const;
    const reply = await post(rig.gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }));
    return [reply.status, reply.headers.get('x-smg-error-code')];
  };
  for (const code of [500, 500]) assert.deepEqual(await inBand(code), [502, 'upstream_error']);
  for (const code of [429, 429]) assert.deepEqual(await inBand(code), [429, 'rate_limited']);
  assert.equal(chats(rig), 3, 'a worker that cools down is not asked');
});

test('a 429 rests one key on one worker, not another key', async (t) => {
  const rig = await rigFor(t, 1, { disableRetries: true });
  rig.engines[0]?.setFaults([{ kind: 'status', status: 429, retryAfter: 60, rate: 1, times: 1 }]);
  const as = async (key: string) =>
    (await post(rig.gateway, '/v1/chat/completions', chatBody(), { headers: { authorization: `Bearer ${key}` } }))
      .status;
  assert.deepEqual([await as('one'), await as('one'), await as('two')], [429, 429, 200]);
});

test('a thousand 400s leave the breaker closed; ten failures in a row open it, and an open one is not asked', async (t) => {
  const rig = await rigFor(t, 1, {
    disableRetries: true,
    cbFailureThreshold: 10,
    cbTimeoutDurationSecs: 600,
    disableHealthCheck: true,
  });
  const [engine] = rig.engines;
  const bad = { model: 'sim-model', nonsense: true };
  await inParallel(1_000, 8, async () => {
    assert.equal((await post(rig.gateway, '/v1/chat/completions', bad)).status, 400);
  });
  engine?.setFaults([{ kind: 'status', status: 500, rate: 1 }]);
  for (let call = 0; call < 10; call += 1)
    assert.equal((await post(rig.gateway, '/v1/chat/completions', chatBody())).status, 500);
  const before = chats(rig);
  const reply = await post(rig.gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual([reply.status, reply.headers.get('x-smg-error-code')], [503, 'no_available_workers']);
  assert.equal(chats(rig), before);
});

test('a breaker lets one probe through after its time and closes after successes', async (t) => {
  const rig = await rigFor(t, 1, {
    disableRetries: true,
    cbFailureThreshold: 2,
    cbSuccessThreshold: 2,
    cbTimeoutDurationSecs: 0.2,
    disableHealthCheck: true,
  });
  const [engine] = rig.engines;
  engine?.setFaults([{ kind: 'status', status: 500, rate: 1, times: 2 }]);
  for (let call = 0; call < 2; call += 1) await post(rig.gateway, '/v1/chat/completions', chatBody());
  const breaker = async () => {
    const { workers } = (await (await fetch(`${rig.gateway.url}/workers`)).json()) as {
      workers: { circuit_breaker: string }[];
    };
    return workers[0]?.circuit_breaker;
  };
  assert.equal(await breaker(), 'open');
  for (let tries = 0; (await breaker()) !== 'closed' && tries < 5_000; tries += 1)
    await post(rig.gateway, '/v1/chat/completions', chatBody());
  assert.equal(await breaker(), 'closed');
});

test('an engine that dies under load costs no call', async (t) => {
  const rig = await rigFor(t, 2, { healthCheckIntervalSecs: 1 });
  const [dying] = rig.engines;
  let done = 0;
  const work = inParallel(300, 16, async (index) => {
    const reply = await post(rig.gateway, '/v1/embeddings', { model: 'sim-model', input: `text ${index}` });
    assert.equal(reply.status, 200, await reply.text());
    done += 1;
    if (done === 60) dying?.kill();
  });
  await work;
  assert.equal(done, 300);
});

test('a worker that fails its health checks leaves and comes back by itself', async (t) => {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url], {
    healthCheckIntervalSecs: 0.2,
    healthFailureThreshold: 2,
    healthSuccessThreshold: 2,
  });
  await allReady(gateway, 1);
  await engine.refuse(true);
  const statusIs = async (wanted: string) => {
    for (;;) {
      const { workers } = (await (await fetch(`${gateway.url}/workers`)).json()) as { workers: { status: string }[] };
      if (workers[0]?.status === wanted) return;
    }
  };
  await statusIs('unhealthy');
  await statusIs('failed');
  await engine.refuse(false);
  await statusIs('ready');
  assert.equal((await post(gateway, '/v1/chat/completions', chatBody())).status, 200);
});

test('retries spread over a stream of failures stay within the budget', async (t) => {
  const rig = await rigFor(t, 2, { retryInitialBackoffMs: 0, disableCircuitBreaker: true });
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 500, rate: 1 }]);
  const calls = 1_000;
  await inParallel(calls, 16, async () => {
    assert.equal((await post(rig.gateway, '/v1/chat/completions', chatBody())).status, 500);
  });
  // 12 at the start and what trickles in over the seconds that this takes stand beside the 20 %.
  assert.ok(chats(rig) <= calls * 1.2 + 60, `${chats(rig)} attempts for ${calls} calls`);
});
