/** Many calls at a bad moment: fleets that fail, rest, vanish and come back at once. Single faults are surviving.test.ts. */
import assert from 'node:assert/strict';
import { setTimeout as pass } from 'node:timers/promises';
import { test } from 'node:test';
import type { SimEngine } from '../../sim/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { chatBody, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

const CHAT = '/v1/chat/completions';

const chatsOf = (engine: SimEngine) => engine.stats().requestsByPath[CHAT] ?? 0;
const chats = ({ engines }: Rig) => engines.reduce((sum, engine) => sum + chatsOf(engine), 0);

interface Answered {
  readonly status: number;
  readonly code: string | null;
  readonly retryAfter: string | null;
  readonly afterMs: number;
}

async function call(gateway: Gateway, index: number, extra: Record<string, unknown> = {}): Promise<Answered> {
  const startedAt = performance.now();
  const reply = await post(gateway, CHAT, chatBody({ stream: index % 2 === 0, seed: index, max_tokens: 2, ...extra }));
  await reply.text();
  const { status, headers } = reply;
  const afterMs = performance.now() - startedAt;
  return { status, code: headers.get('x-smg-error-code'), retryAfter: headers.get('retry-after'), afterMs };
}

/** `width` clients, each with its next call when it has its answer, `total` calls in all. */
async function storm(gateway: Gateway, total: number, width: number): Promise<Answered[]> {
  const answers: Answered[] = [];
  let next = 0;
  const lane = async () => {
    while (next < total) {
      next += 1;
      answers.push(await call(gateway, next));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return answers;
}

async function breakers(gateway: Gateway): Promise<string[]> {
  const reply = await fetch(`${gateway.url}/workers`);
  const { workers } = (await reply.json()) as { workers: { circuit_breaker: string }[] };
  return workers.map(({ circuit_breaker: state }) => state);
}

const count = <Value>(values: readonly Value[]) =>
  new Map([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));

const OPEN_SECONDS = 0.5;

/** Engines that fail until every breaker is open, and for as long as they stay open. */
async function openAll(rig: Rig): Promise<void> {
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 500, rate: 1 }]);
  for (let tries = 0; tries < 1_000 && (await breakers(rig.gateway)).some((state) => state !== 'open'); tries += 1) {
    await call(rig.gateway, tries);
  }
  assert.deepEqual(new Set(await breakers(rig.gateway)), new Set(['open']));
  await pass(OPEN_SECONDS * 1_000);
}

const fragile = {
  cbFailureThreshold: 2,
  cbTimeoutDurationSecs: OPEN_SECONDS,
  disableHealthCheck: true,
  retryInitialBackoffMs: 1,
};
/** Calls take their time, so that they meet. */
const working = { speed: 1, decodeBaseMs: 4 };

for (const [name, admission] of [
  ['held by the gateway', {}],
  ['most of them in its queue', { maxConcurrentRequests: 64, queueSize: 1_000 }],
] as const) {
  test(`500 calls wait, ${name}, as four workers come back: none fails and none of the four is overrun`, async (t) => {
    const rig = await rigFor(t, 4, { ...fragile, ...admission }, working);
    await openAll(rig);
    // The first call on each takes long, so that all the others have come by then.
    for (const engine of rig.engines) engine.setFaults([{ kind: 'slow', firstByteMs: 1_500, rate: 1, times: 1 }]);
    const before = rig.engines.map(chatsOf);
    const first = await Promise.all(Array.from({ length: 500 }, (_, i) => call(rig.gateway, i)));
    const shares = rig.engines.map((engine, i) => chatsOf(engine) - (before[i] ?? 0));
    t.diagnostic(
      `shares ${shares.join(' ')}, slowest ${Math.max(...first.map(({ afterMs }) => afterMs)).toFixed(0)} ms`,
    );
    assert.deepEqual(count(first.map(({ status }) => status)), new Map([[200, 500]]));
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      500,
      'each call was sent once',
    );
    for (const share of shares) assert.ok(share <= 1.5 * 125, `a worker got ${share} of 500`);
    assert.deepEqual(new Set(await breakers(rig.gateway)), new Set(['closed']));
    const then = await storm(rig.gateway, 300, 32);
    assert.deepEqual(count(then.map(({ status }) => status)), new Map([[200, 300]]));
  });
}

test('calls that wait for workers that fail again get their 503 when that is known, not later', async (t) => {
  const rig = await rigFor(t, 4, { ...fragile, disableRetries: true });
  await openAll(rig);
  const before = chats(rig);
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => call(rig.gateway, i)));
  const tried = chats(rig) - before;
  // One try for each worker, and one more whenever the time of its breaker is over again.
  const rounds = 1 + Math.ceil((performance.now() - startedAt) / (OPEN_SECONDS * 1_000));
  assert.ok(tried <= 4 * rounds, `${tried} calls reached workers that fail`);
  assert.deepEqual(
    count(answers.map(({ status, code }) => `${status} ${code}`).toSorted()),
    new Map([
      ['500 upstream_error', tried],
      ['503 no_available_workers', 500 - tried],
    ]),
  );
  const slowest = Math.max(...answers.map(({ afterMs }) => afterMs));
  t.diagnostic(`${tried} tries, slowest ${slowest.toFixed(0)} ms`);
  assert.ok(slowest < 4_000, 'nobody waited out the hold');
});

test('calls that wait for a worker that hangs do not hang with it', async (t) => {
  const rig = await rigFor(t, 1, { ...fragile, disableRetries: true });
  await openAll(rig);
  rig.engines[0]?.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const leaving = new AbortController();
  post(rig.gateway, CHAT, chatBody(), { signal: leaving.signal }).catch(() => undefined);
  await rig.engines[0]?.waitFor((stats) => (stats.faultsFired['hang_before_headers'] ?? 0) === 1);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call(rig.gateway, i)));
  assert.deepEqual(count(answers.map(({ code }) => code)), new Map([['no_available_workers', 20]]));
  for (const { afterMs } of answers) assert.ok(afterMs > 4_900 && afterMs < 20_000);
  leaving.abort();
});

test('a client that leaves while its call is held is gone, and the others come in', async (t) => {
  const rig = await rigFor(t, 1, { ...fragile, cbSuccessThreshold: 1 });
  await openAll(rig);
  const [engine] = rig.engines;
  engine?.setFaults([{ kind: 'slow', firstByteMs: 300, rate: 1, times: 1 }]);
  const before = chats(rig);
  const probe = call(rig.gateway, 1);
  await engine?.waitFor((stats) => stats.inFlight === 1);
  const leaving = new AbortController();
  const left = Array.from({ length: 10 }, () => post(rig.gateway, CHAT, chatBody(), { signal: leaving.signal }));
  const stay = Array.from({ length: 10 }, (_, i) => call(rig.gateway, i));
  setImmediate(() => leaving.abort());
  await Promise.allSettled(left);
  assert.deepEqual(
    count([(await probe).status, ...(await Promise.all(stay)).map(({ status }) => status)]),
    new Map([[200, 11]]),
  );
  assert.equal(chats(rig) - before, 11);
});

test('a half-open breaker is closed by as many calls as it wants, one at a time, and nobody else is sent', async (t) => {
  const rig = await rigFor(t, 1, { ...fragile, cbSuccessThreshold: 3 }, working);
  await openAll(rig);
  const [engine] = rig.engines;
  engine?.setFaults([]);
  const answers = await Promise.all([call(rig.gateway, 1), call(rig.gateway, 2), call(rig.gateway, 3)]);
  assert.deepEqual(count(answers.map(({ status }) => status)), new Map([[200, 3]]));
  // One at a time in the gateway; the engine counts a call until its own socket has closed the answer.
  assert.ok((engine?.stats().peakConcurrency ?? 0) <= 2);
  assert.deepEqual(await breakers(rig.gateway), ['closed']);
});

for (const status of [500, 503]) {
  test(`under a storm of ${status}s from all workers attempts stay within 1.2 of calls`, async (t) => {
    const rig = await rigFor(t, 4, { retryInitialBackoffMs: 1 });
    for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status, rate: 1 }]);
    const answers = await storm(rig.gateway, 1_000, 16);
    const attempts = chats(rig);
    t.diagnostic(`${attempts} attempts for 1000 calls`);
    assert.ok(attempts >= 40 && attempts <= 1_200, `${attempts} attempts for 1,000 calls`);
    const real = answers.filter(({ code }) => code === 'upstream_error');
    assert.ok(real.length > 0 && real.every((answer) => answer.status === status));
    const others = answers.filter(({ code }) => code !== 'upstream_error');
    assert.deepEqual(count(others.map(({ code }) => code)), new Map([['no_available_workers', others.length]]));
    for (const answer of others) assert.deepEqual([answer.status, answer.retryAfter], [503, '1']);
    assert.deepEqual(new Set(await breakers(rig.gateway)), new Set(['open']));
  });
}

test('under a storm of 429s workers rest, no breaker opens, and clients hear for how long', async (t) => {
  const rig = await rigFor(t, 4, { retryInitialBackoffMs: 1 });
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 429, retryAfter: 30, rate: 1 }]);
  const answers = await storm(rig.gateway, 1_000, 16);
  const attempts = chats(rig);
  t.diagnostic(`${attempts} attempts for 1000 calls`);
  assert.ok(attempts <= 1_200);
  assert.deepEqual(count(answers.map(({ status }) => status)), new Map([[429, 1_000]]));
  const [real] = answers.filter(({ code }) => code === 'upstream_error');
  assert.equal(real?.retryAfter, '30', 'the last real answer');
  for (const { retryAfter } of answers) assert.ok(Number(retryAfter) > 15 && Number(retryAfter) <= 30, `${retryAfter}`);
  assert.deepEqual(new Set(await breakers(rig.gateway)), new Set(['closed']));
});

test('with all workers down a call hears so at once', async (t) => {
  const rig = await rigFor(t, 4, { retryInitialBackoffMs: 1, retryMaxBackoffMs: 1 });
  for (const engine of rig.engines) await engine.refuse(true);
  for (let tries = 0; tries < 1_000 && (await call(rig.gateway, tries)).code !== 'no_available_workers'; tries += 1);
  const answers = await storm(rig.gateway, 300, 4);
  assert.deepEqual(
    count(answers.map(({ status, code }) => `${status} ${code}`)),
    new Map([['503 no_available_workers', 300]]),
  );
  const times = answers.map(({ afterMs }) => afterMs).toSorted((a, b) => a - b);
  t.diagnostic(`median ${times[150]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms`);
  assert.ok((times[150] ?? Infinity) < 20);
});

test('a dead worker that the policy always prefers costs no call', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'passthrough', disableHealthCheck: true, disableCircuitBreaker: true });
  await rig.engines[0]?.refuse(true);
  const answers = await storm(rig.gateway, 200, 8);
  assert.deepEqual(count(answers.map(({ status }) => status)), new Map([[200, 200]]));
});
