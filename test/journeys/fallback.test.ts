/** Chains of models: who answers when the first cannot, why the others did not, and what never moves a call on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { folderFor, readLog } from '../support/log-folder.ts';
import { allReady, chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { chunkOf, failing, frames, saying, scriptedWorkerFor } from '../support/scripted-worker.ts';
import type { Script, ScriptedWorker, WorkerListing } from '../support/scripted-worker.ts';

const BUSY = failing(503, { error: { message: 'busy', type: 'server_error', code: null } });
const NO_QUOTA = failing(429, {
  error: { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 'insufficient_quota' },
});
const TOO_LONG = failing(400, {
  error: { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' },
});

interface Chain {
  readonly gateway: Gateway;
  /** One for each model, `a` first. */
  readonly workers: readonly ScriptedWorker[];
}

/** The alias `chat` for one model on each of as many workers as there are scripts: `a`, `b`, `c`. */
async function chainFor(
  t: TestContext,
  scripts: readonly Script[],
  flags: GatewayFlags = {},
  listings: readonly Partial<WorkerListing>[] = [],
): Promise<Chain> {
  const names = scripts.map((_, i) => 'abc'[i] ?? '');
  const workers = await Promise.all(
    scripts.map((script, i) => scriptedWorkerFor(t, { models: [names[i] ?? ''], ...listings[i] }, script)),
  );
  const gateway = await gatewayFor(
    t,
    workers.map(({ url }) => url),
    { retryInitialBackoffMs: 1, modelAlias: [`chat=${names.join(',')}`], disableHealthCheck: true, ...flags },
  );
  await allReady(gateway, workers.length);
  return { gateway, workers };
}

async function ask(gateway: Gateway, body: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ model: 'chat', ...body }), { headers });
  const text = await reply.text();
  const header = (name: string) => reply.headers.get(name);
  return { status: reply.status, text, model: header('x-smg-model'), code: header('x-smg-error-code'), header };
}

const callsOf = ({ workers }: Chain) => workers.map(({ calls }) => calls.length);

test('the first model of the chain answers while it can, under its own name', async (t) => {
  const chain = await chainFor(t, [saying('from a'), saying('from b')]);
  const { status, text, model } = await ask(chain.gateway);
  assert.deepEqual([status, model], [200, 'a']);
  assert.match(text, /from a/);
  assert.equal(chain.workers[0]?.calls[0]?.body['model'], 'a');
  assert.deepEqual(callsOf(chain), [1, 0]);
});

test('a model that is called by its own name is not named again, and has no fallback', async (t) => {
  const chain = await chainFor(t, [BUSY, saying('from b')], { disableRetries: true });
  assert.deepEqual([(await ask(chain.gateway, { model: 'b' })).model, (await ask(chain.gateway)).model], [null, 'b']);
  assert.equal((await ask(chain.gateway, { model: 'a' })).status, 503);
});

test('an alias may have the name of its first model: clients need not change', async (t) => {
  const chain = await chainFor(t, [BUSY, saying('from b')], { modelAlias: ['a=a,b'] });
  const { status, model } = await ask(chain.gateway, { model: 'a' });
  assert.deepEqual([status, model], [200, 'b']);
});

test('a model whose workers are down is passed over', async (t) => {
  const down = await engineFor(t, { models: ['a'] });
  const up = await scriptedWorkerFor(t, { models: ['b'] });
  const gateway = await gatewayFor(t, [down.url, up.url], {
    modelAlias: ['chat=a,b'],
    healthCheckIntervalSecs: 0.05,
    healthFailureThreshold: 1,
    retryInitialBackoffMs: 1,
  });
  await allReady(gateway, 2);
  assert.equal((await ask(gateway)).model, 'a');
  await down.refuse(true);
  const { status, model } = await ask(gateway);
  assert.deepEqual([status, model], [200, 'b']);
});

test('a model that fails is followed by the next one at once, whole and as a stream', async (t) => {
  for (const stream of [false, true]) {
    const chain = await chainFor(t, [BUSY, saying('from b')]);
    const { status, text, model } = await ask(chain.gateway, { stream });
    assert.deepEqual([status, model, callsOf(chain)], [200, 'b', [1, 1]]);
    assert.match(text, /from b/);
  }
});

test('other workers of the model come before other models', async (t) => {
  const [first, second] = [
    await scriptedWorkerFor(t, { models: ['a'] }, BUSY),
    await scriptedWorkerFor(t, { models: ['a'] }),
  ];
  const third = await scriptedWorkerFor(t, { models: ['b'] });
  const gateway = await gatewayFor(t, [first.url, second.url, third.url], {
    modelAlias: ['chat=a,b'],
    policy: 'passthrough',
    retryInitialBackoffMs: 1,
  });
  await allReady(gateway, 3);
  for (let call = 0; call < 4; call += 1) assert.equal((await ask(gateway)).model, 'a');
  assert.equal(third.calls.length, 0);
});

test('where no later model can take the call, the one that failed is tried again as if it stood alone', async (t) => {
  let calls = 0;
  const flaky: Script = (response, call) => {
    calls += 1;
    return calls < 3 ? BUSY(response, call) : saying('at last')(response, call);
  };
  const chain = await chainFor(t, [flaky], { modelAlias: ['chat=a,gone'] });
  const { status, model } = await ask(chain.gateway);
  assert.deepEqual([status, model, calls], [200, 'a', 3]);
});

test('a model without quota rests for that key; the next one answers, and the first is not asked again', async (t) => {
  const chain = await chainFor(t, [NO_QUOTA, saying('from b')]);
  for (let call = 0; call < 3; call += 1) assert.equal((await ask(chain.gateway)).model, 'b');
  assert.deepEqual(callsOf(chain), [1, 3]);
  const other = await ask(chain.gateway, {}, { authorization: 'Bearer another-key' });
  assert.deepEqual([other.model, callsOf(chain)], ['b', [2, 4]], 'another key may have quota');
});

test('a quota that is spent is told by the worker itself when nobody else can be asked, and then by the gateway', async (t) => {
  const chain = await chainFor(t, [NO_QUOTA]);
  const first = await ask(chain.gateway, { model: 'a' });
  assert.deepEqual([first.status, first.code], [429, 'upstream_error']);
  assert.match(first.text, /insufficient_quota/);
  const second = await ask(chain.gateway, { model: 'a' });
  assert.deepEqual([second.status, second.code], [429, 'rate_limited']);
  assert.ok(Number(second.header('retry-after')) > 50);
  assert.deepEqual(callsOf(chain), [1]);
});

test('a prompt that does not fit goes to the next model, and the worker that said so is well', async (t) => {
  const chain = await chainFor(t, [TOO_LONG, saying('from b')], { cbFailureThreshold: 1 });
  for (let call = 0; call < 3; call += 1) assert.equal((await ask(chain.gateway)).model, 'b');
  assert.deepEqual(callsOf(chain), [3, 3]);
});

test('an answer about the context that comes first in a stream moves the call on too', async (t) => {
  const inBand: Script = (response) =>
    frames(response, [
      { error: { message: 'too long', type: 'BadRequestError', code: 'context_length_exceeded' } },
    ]).end();
  const chain = await chainFor(t, [inBand, saying('from b')]);
  assert.equal((await ask(chain.gateway, { stream: true })).model, 'b');
  const alone = await ask(chain.gateway, { stream: true, model: 'a' });
  assert.deepEqual([alone.status, alone.model], [200, null]);
  assert.match(alone.text, /context_length_exceeded/);
});

test('a model whose known context is clearly too short is not asked; one that may do is', async (t) => {
  const chain = await chainFor(t, [saying('from a'), saying('from b')], {}, [{ contextLength: 1_000 }]);
  const content = 'Many words make a prompt. '.repeat(400);
  const long = await ask(chain.gateway, { messages: [{ role: 'user', content }] });
  assert.deepEqual([long.model, callsOf(chain)], ['b', [0, 1]]);
  const answer = await ask(chain.gateway, { max_tokens: 5_000 });
  assert.deepEqual([answer.model, callsOf(chain)], ['b', [0, 2]]);
  assert.equal((await ask(chain.gateway)).model, 'a');
});

test('a model that the worker does not have after all is followed by the next one', async (t) => {
  const missing = failing(404, { error: { message: 'The model `a` does not exist.', code: 'model_not_found' } });
  const chain = await chainFor(t, [missing, saying('from b')]);
  assert.equal((await ask(chain.gateway)).model, 'b');
});

for (const [name, script, status] of [
  ['a wrong request', failing(400, { error: { message: 'Unknown parameter: x', code: 'unknown_parameter' } }), 400],
  ['a wrong key', failing(401, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } }), 401],
  ['what the key may not do', failing(403, { error: { message: 'Not allowed', code: null } }), 403],
  ['a path that is not there', failing(404, { detail: 'Not Found' }), 404],
  ['a filter', failing(400, { error: { message: 'filtered', code: 'content_filter' } }), 400],
] as const) {
  test(`${name} is the client’s answer: nobody else is asked`, async (t) => {
    const chain = await chainFor(t, [script, saying('from b')]);
    const reply = await ask(chain.gateway);
    assert.deepEqual([reply.status, reply.model, callsOf(chain)], [status, 'a', [1, 0]]);
  });
}

test('a refusal is an answer, and a stream that has begun stays with its model', async (t) => {
  const refusing: Script = (response) =>
    frames(response, [chunkOf({ refusal: 'I cannot help.' }), chunkOf({}, 'content_filter'), '[DONE]']).end();
  const cutting: Script = (response) => {
    frames(response, [chunkOf({ content: 'half' })]);
    response.socket?.destroySoon();
  };
  for (const script of [refusing, cutting]) {
    const chain = await chainFor(t, [script, saying('from b')]);
    const { status, text, model } = await ask(chain.gateway, { stream: true });
    assert.deepEqual([status, model, callsOf(chain)], [200, 'a', [1, 0]]);
    assert.equal(text.includes('[DONE]'), script === refusing);
  }
});

test('a client that leaves ends the call at the model that it is at', async (t) => {
  let seen: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const chain = await chainFor(t, [() => seen?.(), saying('from b')]);
  const leaving = new AbortController();
  const body = chatBody({ model: 'chat' });
  const reply = post(chain.gateway, '/v1/chat/completions', body, { signal: leaving.signal });
  await arrived;
  leaving.abort();
  await assert.rejects(reply);
  assert.equal((await ask(chain.gateway, { model: 'b' })).status, 200);
  assert.deepEqual(callsOf(chain), [1, 1]);
});

test('when the whole chain fails the client gets the last real answer, with its worker and its model', async (t) => {
  const last = failing(500, { error: { message: 'the last word' } });
  const chain = await chainFor(t, [BUSY, last], { disableRetries: true });
  const { status, text, model, code } = await ask(chain.gateway);
  assert.deepEqual([status, model, code, callsOf(chain)], [500, 'b', 'upstream_error', [1, 1]]);
  assert.match(text, /the last word/);
});

test('a real answer counts for more than a later worker that cannot be reached', async (t) => {
  const cutting: Script = (response) => response.socket?.destroy();
  const chain = await chainFor(t, [BUSY, cutting], { disableRetries: true });
  const { status, model, text } = await ask(chain.gateway);
  assert.deepEqual([status, model], [503, 'a']);
  assert.match(text, /busy/);
  assert.ok((callsOf(chain)[1] ?? 0) > 0);
});

test('when nobody of the chain could be asked the answer names each model and says when to try again', async (t) => {
  const limited = failing(429, { error: { message: 'slow down' } }, { 'retry-after': '30' });
  const chain = await chainFor(t, [limited], { modelAlias: ['chat=gone,a'] });
  await ask(chain.gateway);
  const { status, code, text, header } = await ask(chain.gateway);
  assert.deepEqual([status, code], [429, 'rate_limited']);
  assert.ok(Number(header('retry-after')) > 20);
  assert.match(text, /gone \(unknown\), a \(rate_limited\)/);
  const unknown = await chainFor(t, [saying('x')], { modelAlias: ['chat=gone,lost'] });
  assert.deepEqual([(await ask(unknown.gateway)).code], ['model_not_found']);
});

test('x-smg-target-worker holds for the chain: only the model that this worker serves', async (t) => {
  const chain = await chainFor(t, [saying('from a'), saying('from b')]);
  const target = (await ask(chain.gateway, { model: 'b' })).header('x-smg-worker') ?? '';
  const reply = await ask(chain.gateway, {}, { 'x-smg-target-worker': target });
  assert.deepEqual([reply.status, reply.model], [200, 'b']);
});

test('a chain multiplies the load on no worker: what fails it again costs the budget of retries', async (t) => {
  const worker = await scriptedWorkerFor(t, { models: ['a', 'b', 'c'] }, BUSY);
  const gateway = await gatewayFor(t, [worker.url], {
    modelAlias: ['chat=a,b,c'],
    disableCircuitBreaker: true,
    disableHealthCheck: true,
    retryInitialBackoffMs: 1,
    retryBudgetMin: 0,
  });
  await allReady(gateway, 1);
  for (let call = 0; call < 100; call += 1) assert.equal((await ask(gateway)).status, 503);
  assert.ok(worker.calls.length <= 121, `${worker.calls.length} attempts for 100 calls`);
});

test('a chain goes on where the budget of retries is spent: another worker is not asked twice', async (t) => {
  const chain = await chainFor(t, [BUSY, saying('from b')], { retryBudgetMin: 0, disableCircuitBreaker: true });
  for (let call = 0; call < 30; call += 1) assert.equal((await ask(chain.gateway)).model, 'b');
  assert.deepEqual(callsOf(chain), [30, 30]);
});

/** A model whose worker has failed once and whose breaker lets one call find out whether it is well: that one hangs. */
async function triedAgain(t: TestContext, others: readonly Script[], alias: string) {
  let probed: (() => void) | undefined;
  let answer: (() => void) | undefined;
  const isProbed = new Promise<void>((resolve) => {
    probed = resolve;
  });
  let calls = 0;
  const script: Script = (response, call) => {
    calls += 1;
    if (calls === 1) return BUSY(response, call);
    if (calls > 2) return saying('from a')(response, call);
    answer = () => saying('from a')(response, call);
    return probed?.();
  };
  const flags = { cbFailureThreshold: 1, cbSuccessThreshold: 1, cbTimeoutDurationSecs: 0.1, disableRetries: true };
  const chain = await chainFor(t, [script, ...others], { ...flags, modelAlias: [alias] });
  await ask(chain.gateway, { model: 'a' });
  const probes: Promise<unknown>[] = [];
  // The breaker opens for a tenth of a second; whoever asks after that is the probe.
  for (let isOver = false; !isOver; ) {
    const reply = ask(chain.gateway, { model: 'a' });
    probes.push(reply);
    isOver = await Promise.race([isProbed.then(() => true), reply.then(() => false)]);
  }
  return { chain, release: () => answer?.(), ended: () => Promise.all(probes) };
}

/** Calls that have come and have not been answered. */
async function inFlight({ metricsUrl = '' }: Gateway): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const counts = [...text.matchAll(/^smg_http_inflight_request_age_count\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

test('a call does not wait for a model that is being tried while another one can answer', async (t) => {
  const { chain, release, ended } = await triedAgain(t, [saying('from b')], 'chat=a,b');
  assert.equal((await ask(chain.gateway)).model, 'b');
  release();
  await ended();
  assert.equal((await ask(chain.gateway)).model, 'a');
});

test('where nobody else can answer the call is held for the model that is being tried, wherever it stands', async (t) => {
  const { chain, release, ended } = await triedAgain(t, [], 'chat=a,gone');
  const held = ask(chain.gateway);
  const early = held.then(() => Number.POSITIVE_INFINITY);
  while ((await Promise.race([early, inFlight(chain.gateway)])) < 2) continue;
  release();
  const { status, model, header } = await held;
  assert.deepEqual([status, model], [200, 'a']);
  assert.match(header('server-timing') ?? '', /queue;dur=(?!0$)/, 'it was held');
  await ended();
});

test('log line, metric and decision say which model answered and why the others did not', async (t) => {
  const logDir = folderFor(t);
  const chain = await chainFor(t, [NO_QUOTA, TOO_LONG, saying('from c')], { logLevel: 'info', logJson: true, logDir });
  const { header, model } = await ask(chain.gateway, {}, { 'x-smg-explain': 'true' });
  assert.equal(model, 'c');
  assert.match(header('x-smg-decision') ?? '', / chain=a:quota,b:context$/);
  const metrics = await (await fetch(chain.gateway.metricsUrl ?? '')).text();
  assert.match(metrics, /smg_router_fallbacks_total\{model="a",reason="quota"\} 1/);
  assert.match(metrics, /smg_router_fallbacks_total\{model="b",reason="context"\} 1/);
  await chain.gateway.stop({ settle: false });
  const lines = readLog(logDir).trim().split('\n');
  const line = lines.map((each) => JSON.parse(each) as Record<string, unknown>).find(({ model: of }) => of === 'chat');
  assert.deepEqual([line?.['model'], line?.['answer_model'], line?.['chain']], ['chat', 'c', 'a:quota,b:context']);
});
