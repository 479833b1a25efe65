/** Admission as clients see it: who waits, who is turned away and with which words, who has to give way. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SimEngine } from '../../sim/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { chatBody, payloads, post, rigFor } from '../support/rig.ts';
import { readMetrics } from '../support/prometheus-text.ts';

/** A call that the engine keeps until it is killed, left or preempted. */
const HANGS = { sim_fault: { kind: 'hang_before_headers' } };

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';

const messagesBody = (extra: Record<string, unknown> = {}) => ({ ...chatBody(extra), max_tokens: 4 });

/** A call that runs until `end`. */
async function occupy(gateway: Gateway, engine: SimEngine | undefined, headers: Record<string, string> = {}) {
  const before = engine?.stats().faultsFired['hang_before_headers'] ?? 0;
  const leaving = new AbortController();
  const reply = post(gateway, CHAT, chatBody(HANGS), { signal: leaving.signal, headers });
  reply.catch(() => undefined);
  await engine?.waitFor((stats) => (stats.faultsFired['hang_before_headers'] ?? 0) > before);
  return { reply, end: () => leaving.abort() };
}

async function metric(gateway: Gateway, name: string, labels: Record<string, string> = {}): Promise<number> {
  const text = await (await fetch(gateway.metricsUrl ?? '')).text();
  const wanted = Object.entries(labels);
  const found = readMetrics(text)
    .flatMap(({ samples }) => samples)
    .find((sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value));
  return found?.value ?? 0;
}

/** Asks until so many calls wait; each question waits for its answer, and there is an end to asking. */
async function untilWaiting(gateway: Gateway, count: number, labels: Record<string, string> = {}): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if ((await metric(gateway, 'smg_scheduler_queue_length', labels)) === count) return;
  }
  throw new Error(`never ${count} calls were waiting`);
}

const LIMIT_HEADERS = ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];

function shown(reply: Response, more: readonly string[] = []): (string | number | null)[] {
  const names = ['x-smg-error-code', ...LIMIT_HEADERS, ...more];
  return [reply.status, ...names.map((name) => reply.headers.get(name))];
}

test('when the queue is full a call is refused at once, in the words of its dialect', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { maxConcurrentRequests: 1, queueSize: 1 });
  const running = await occupy(gateway, engines[0]);
  const waiting = post(gateway, CHAT, chatBody());
  await untilWaiting(gateway, 1);
  const chat = await post(gateway, CHAT, chatBody());
  assert.deepEqual(shown(chat), [429, 'queue_full', '1', '1', '0', '1']);
  const message = 'The gateway is busy and 1 call is waiting already; try again in 1 s.';
  const type = 'rate_limit_error';
  assert.deepEqual(await chat.json(), { error: { message, type, param: null, code: 'queue_full' } });
  const claude = await post(gateway, MESSAGES, messagesBody());
  assert.deepEqual(shown(claude), [429, 'queue_full', '1', '1', '0', '1']);
  const id = claude.headers.get('x-request-id');
  assert.deepEqual(await claude.json(), { type: 'error', error: { type, message }, request_id: id });
  running.end();
  const served = await waiting;
  assert.equal(served.status, 200);
  assert.match(served.headers.get('server-timing') ?? '', /queue;dur=[1-9]/);
  assert.equal(served.headers.get('x-ratelimit-limit'), null, 'only refusals speak of limits');
  assert.equal(await metric(gateway, 'smg_scheduler_wait_seconds_count', { class: 'default' }), 1);
  assert.equal(await metric(gateway, 'smg_scheduler_refused_total', { reason: 'queue_full' }), 2);
});

test('a call that waited too long gets 408, in the words of its dialect', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { maxConcurrentRequests: 1, queueTimeoutSecs: 0.3 });
  await occupy(gateway, engines[0]);
  const startedAt = performance.now();
  const [chat, claude] = await Promise.all([
    post(gateway, CHAT, chatBody({ stream: true })),
    post(gateway, MESSAGES, messagesBody()),
  ]);
  assert.ok(performance.now() - startedAt >= 290);
  assert.deepEqual(shown(chat), [408, 'queue_timeout', '1', '1', '0', '1']);
  const message = 'The call waited 0.3 s for a free place; try again in 1 s.';
  const type = 'timeout_error';
  assert.deepEqual(await chat.json(), { error: { message, type, param: null, code: 'queue_timeout' } });
  assert.deepEqual(shown(claude), [408, 'queue_timeout', '1', '1', '0', '1']);
  const id = claude.headers.get('x-request-id');
  const { error } = (await claude.json()) as { error: unknown };
  assert.deepEqual(error, { type, message }, id ?? '');
  assert.match(chat.headers.get('server-timing') ?? '', /queue;dur=[23]\d\d/);
  assert.equal(engines[0]?.stats().requestsByPath[CHAT], 1, 'nothing of it reached a worker');
});

test('a client that leaves the queue leaves no trace in it, whatever its call is', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { maxConcurrentRequests: 1, queueSize: 2 });
  const running = await occupy(gateway, engines[0]);
  const leaving = new AbortController();
  const large = chatBody({ messages: [{ role: 'user', content: 'x'.repeat(3_000_000) }] });
  for (const body of [chatBody(), large]) {
    const left = post(gateway, CHAT, body, { signal: leaving.signal });
    left.catch(() => undefined);
  }
  await untilWaiting(gateway, 2);
  leaving.abort();
  await untilWaiting(gateway, 0);
  const next = post(gateway, CHAT, chatBody());
  await untilWaiting(gateway, 1);
  running.end();
  assert.equal((await next).status, 200);
  assert.equal(engines[0]?.stats().requestsByPath[CHAT], 2, 'the calls that left were never sent');
  const left = { class: 'default', reason: 'client_closed_request' };
  assert.equal(await metric(gateway, 'smg_scheduler_refused_total', left), 2);
});

test('a client that sends its body slowly holds no place', async (t) => {
  const { gateway } = await rigFor(t, 1, { maxConcurrentRequests: 1 });
  const { hostname, port } = new URL(gateway.url);
  const slow = connect(Number(port), hostname);
  t.after(() => slow.destroy());
  slow.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`);
  for (let i = 0; i < 5; i += 1) assert.equal((await post(gateway, CHAT, chatBody())).status, 200);
});

test('the cap counts calls until their answers end, streams and failures alike', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { maxConcurrentRequests: 3, queueSize: 1_000, disableRetries: true });
  const calls = Array.from({ length: 120 }, async (_, i) => {
    const fault = i % 10 === 0 ? { sim_fault: { kind: 'status', status: 500 } } : {};
    const reply = await post(gateway, CHAT, chatBody({ stream: i % 2 === 0, seed: i, ...fault }));
    await reply.text();
    return reply.status;
  });
  const statuses = await Promise.all(calls);
  assert.equal(statuses.filter((status) => status === 200).length, 108);
  const peak = engines[0]?.stats().peakConcurrency ?? 0;
  // Three at once in the gateway; the engine counts a call until its own socket has closed the answer.
  assert.ok(peak >= 3 && peak <= 6, `${peak} at once`);
  assert.equal(await metric(gateway, 'smg_scheduler_running'), 0);
  assert.equal(await metric(gateway, 'smg_scheduler_admitted_total'), 120);
});

test('a call of a higher class takes the place of one whose answer has not begun', async (t) => {
  const flags = {
    prioritySchedulerEnabled: true,
    prioritySchedulerDefaultMaxClass: 'system',
    maxConcurrentRequests: 1,
  };
  const { gateway, engines } = await rigFor(t, 1, flags);
  const bulk = { 'x-smg-priority': 'bulk' };
  for (const path of [CHAT, MESSAGES]) {
    const victim = post(gateway, path, path === CHAT ? chatBody(HANGS) : messagesBody(HANGS), { headers: bulk });
    await engines[0]?.waitFor((stats) => stats.inFlight === 1);
    const urgent = await post(gateway, CHAT, chatBody(), { headers: { 'x-smg-priority': 'interactive' } });
    assert.equal(urgent.status, 200);
    const given = await victim;
    assert.deepEqual(
      [given.status, ...['x-smg-error-code', 'retry-after', 'x-smg-preempted'].map((name) => given.headers.get(name))],
      [503, 'preempted', '1', 'true'],
    );
    const message = 'A call of a higher class took the place of this one; try again.';
    const type = 'overloaded_error';
    const id = given.headers.get('x-request-id');
    assert.deepEqual(
      await given.json(),
      path === CHAT
        ? { error: { message, type, param: null, code: 'preempted' } }
        : { type: 'error', error: { type, message }, request_id: id },
    );
    await engines[0]?.waitFor((stats) => stats.inFlight === 0);
  }
  assert.equal(engines[0]?.stats().aborted, 2, 'the worker was told to stop');
  assert.equal(await metric(gateway, 'smg_scheduler_preempted_total', { class: 'bulk' }), 2);
});

test('a call that waits before a retry can be preempted too, and is not sent again', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, {
    prioritySchedulerEnabled: true,
    prioritySchedulerDefaultMaxClass: 'system',
    maxConcurrentRequests: 1,
    retryInitialBackoffMs: 60_000,
    retryMaxBackoffMs: 60_000,
  });
  const fault = { sim_fault: { kind: 'status', status: 503 } };
  const victim = post(gateway, CHAT, chatBody(fault), { headers: { 'x-smg-priority': 'bulk' } });
  await engines[0]?.waitFor((stats) => stats.faultsFired['status'] === 1 && stats.inFlight === 0);
  const urgent = await post(gateway, CHAT, chatBody(), { headers: { 'x-smg-priority': 'system' } });
  assert.deepEqual([urgent.status, (await victim).status], [200, 503]);
  assert.equal((await victim).headers.get('x-smg-preempted'), 'true');
  assert.equal(engines[0]?.stats().requestsByPath[CHAT], 2);
});

test('a stream that has begun is not preempted', async (t) => {
  const flags = {
    prioritySchedulerEnabled: true,
    prioritySchedulerDefaultMaxClass: 'system',
    maxConcurrentRequests: 1,
  };
  const { gateway } = await rigFor(t, 1, flags, { speed: 1, decodeBaseMs: 5 });
  const stream = await post(gateway, CHAT, chatBody({ stream: true, max_tokens: 30 }), {
    headers: { 'x-smg-priority': 'bulk' },
  });
  const urgent = post(gateway, CHAT, chatBody({ max_tokens: 1 }), { headers: { 'x-smg-priority': 'system' } });
  await untilWaiting(gateway, 1, { class: 'system' });
  assert.equal(payloads(await stream.text()).at(-1), '[DONE]');
  assert.equal((await urgent).status, 200);
});

test('the class is capped by default, and a class that does not exist is refused by name', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { prioritySchedulerEnabled: true, maxConcurrentRequests: 1 });
  const running = await occupy(gateway, engines[0], { 'x-smg-priority': 'bulk' });
  const asked = post(gateway, CHAT, chatBody(), { headers: { 'x-smg-priority': 'system' } });
  await untilWaiting(gateway, 1, { class: 'default' });
  const wrong = await post(gateway, CHAT, chatBody(), { headers: { 'x-smg-priority': 'urgent' } });
  assert.equal(wrong.status, 400);
  const { error } = (await wrong.json()) as { error: { param: string; message: string; code: string } };
  assert.deepEqual([error.param, error.code], ['x-smg-priority', 'invalid_request']);
  assert.match(error.message, /"urgent" is not one of system, interactive, default, bulk/);
  running.end();
  assert.equal((await asked).status, 200);
});

test('the scheduler file decides about queues, and the places are those of the fleet', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-classes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'classes.yaml');
  writeFileSync(
    path,
    'classes:\n  system: {reserved_floor: 0}\n  interactive: {reserved_floor: 0, reserved_per_slot: 0}\n  default: {queue_size: 0}\n',
  );
  const flags = { prioritySchedulerEnabled: true, prioritySchedulerConfig: path, maxInFlightPerWorker: 1 };
  const { gateway, engines } = await rigFor(t, 2, flags);
  assert.equal(await metric(gateway, 'smg_scheduler_capacity'), 2);
  const body = chatBody(HANGS);
  const leaving = new AbortController();
  for (let i = 0; i < 2; i += 1) post(gateway, CHAT, body, { signal: leaving.signal }).catch(() => undefined);
  for (const engine of engines) await engine.waitFor((stats) => stats.inFlight === 1);
  const refused = await post(gateway, CHAT, chatBody());
  assert.deepEqual(shown(refused).slice(0, 2), [429, 'queue_full']);
  leaving.abort();
});

test('a tenant is held to its class by its key', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smg-classes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'classes.yaml');
  writeFileSync(path, 'tenant_policies:\n  auth:acme: {max_class: interactive}\n  cheap: {max_class: bulk}\n');
  const { gateway, engines } = await rigFor(t, 1, {
    prioritySchedulerEnabled: true,
    prioritySchedulerConfig: path,
    maxConcurrentRequests: 1,
    metricsPublic: true,
    tenantApiKey: ['acme:key-of-acme', 'cheap:key-of-cheap', 'other:key-of-other'],
  });
  const as = (tenant: string, body: unknown) =>
    post(gateway, CHAT, body, { headers: { authorization: `Bearer key-of-${tenant}`, 'x-smg-priority': 'system' } });
  const victim = as('cheap', chatBody(HANGS));
  await engines[0]?.waitFor((stats) => stats.inFlight === 1);
  const waiting = as('other', chatBody());
  const served = await as('acme', chatBody());
  assert.deepEqual([served.status, (await victim).status, (await waiting).status], [200, 503, 200]);
  const preempted = await metric(gateway, 'smg_scheduler_preempted_total', { class: 'bulk' });
  assert.equal(preempted, 1, 'default may not preempt, interactive may');
});

test('no more calls are let in per second than the rate says', async (t) => {
  const flags = { rateLimitTokensPerSecond: 20, maxConcurrentRequests: 4, queueSize: 1_000 };
  const { gateway } = await rigFor(t, 1, flags);
  const startedAt = performance.now();
  const calls = Array.from({ length: 24 }, () => post(gateway, CHAT, chatBody()).then((reply) => reply.status));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set([200]));
  // 4 at once, 20 more at 20 a second.
  assert.ok(performance.now() - startedAt >= 950);
});

test('at the end of the grace calls that still wait are told that the gateway ends', async (t) => {
  const flags = { maxConcurrentRequests: 1, drainSettleSecs: 0, shutdownGracePeriodSecs: 0.5 };
  const { gateway, engines } = await rigFor(t, 1, flags);
  const running = await occupy(gateway, engines[0]);
  const waiting = post(gateway, CHAT, chatBody());
  await untilWaiting(gateway, 1);
  await gateway.stop();
  for (const reply of [await waiting, await running.reply]) {
    assert.deepEqual([reply.status, reply.headers.get('x-smg-error-code')], [503, 'shutting_down']);
  }
  assert.equal(engines[0]?.stats().requestsByPath[CHAT], 1);
});

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly afterMs: number;
}

/** A call over kept connections; what comes back is read and thrown away. */
function callOver(agent: Agent, url: string, body: string, onSent: () => void = () => undefined): Promise<Answered> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url + CHAT, { method: 'POST', agent, headers }, (reply) => {
      reply.resume();
      const answer = { status: reply.statusCode ?? 0, headers: reply.headers };
      reply.on('end', () => resolve({ ...answer, afterMs: performance.now() - startedAt }));
    });
    sent.on('error', reject);
    sent.end(body, onSent);
  });
}

function agentFor(t: TestContext, maxSockets: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets });
  t.after(() => agent.destroy());
  return agent;
}

test('of 10,000 arrivals at a full gateway exactly as many wait as may, the rest are refused at once', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { maxConcurrentRequests: 1, queueSize: 100 });
  const running = await occupy(gateway, engines[0]);
  const body = JSON.stringify(chatBody());
  const waiters = agentFor(t, 100);
  const others = agentFor(t, 64);
  const order: number[] = [];
  const waiting: Promise<Answered>[] = [];
  for (let i = 0; i < 100; i += 1) {
    waiting.push(
      callOver(waiters, gateway.url, body).then((answer) => {
        order.push(i);
        return answer;
      }),
    );
    await untilWaiting(gateway, i + 1);
  }
  const refused: Answered[] = [];
  let left = 9_900;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      refused.push(await callOver(others, gateway.url, body));
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  assert.deepEqual(new Set(refused.map(({ status }) => status)), new Set([429]));
  assert.ok(refused.every(({ headers }) => Number(headers['retry-after']) >= 1));
  assert.equal(await metric(gateway, 'smg_scheduler_queue_length'), 100);
  const slowest = Math.max(...refused.map(({ afterMs }) => afterMs));
  t.diagnostic(`slowest refusal ${slowest.toFixed(0)} ms, 64 clients at once`);
  running.end();
  const served = await Promise.all(waiting);
  assert.deepEqual(new Set(served.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    'first come, first served',
  );
  assert.equal(engines[0]?.stats().requestsByPath[CHAT], 101);
  // The engine counts a call until its own socket has closed the answer, and by then the next one may have come.
  assert.ok((engines[0]?.stats().peakConcurrency ?? 0) <= 2);
});
