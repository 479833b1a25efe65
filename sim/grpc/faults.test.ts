import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultError } from '../faults/fault.ts';
import type { GrpcEngineOptions } from './options.ts';
import { STATUS } from './status.ts';
import { TestCaller, told } from './test-caller.ts';
import { Rig } from './test-rig.ts';

const start = (options: Partial<GrpcEngineOptions> = {}) => Rig.start({ kind: 'vllm', ...options });

test('answers with the gRPC status that goes with an HTTP status, or with one of its own', async () => {
  await using rig = await start();
  const cases = [
    [{ status: 503 }, STATUS.unavailable],
    [{ status: 429 }, STATUS.resourceExhausted],
    [{ status: 400 }, STATUS.invalidArgument],
    [{ status: 500, grpcStatus: 10 }, 10],
  ] as const;
  for (const [fault, expected] of cases) {
    rig.engine.setFaults([{ kind: 'status', body: 'on purpose', times: 1, ...fault }]);
    const { code, details } = await (await rig.open('hi', { stream: true })).ended;
    assert.deepEqual([code, details], [expected, 'on purpose']);
  }
  assert.equal(rig.engine.stats().faultsFired.status, 4);
  await rig.generate('hi');
});

test('strikes other methods only by name', async () => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'status', status: 503, path: 'HealthCheck' }]);
  assert.equal((await rig.caller.call('HealthCheck')).code, STATUS.unavailable);
  await rig.generate('hi');
  rig.engine.setFaults([{ kind: 'status', status: 503 }]);
  assert.equal((await rig.caller.call('HealthCheck')).code, 0);
});

test('resets the stream before headers, behind them, or behind so many messages', async () => {
  await using rig = await start();
  for (const [kind, seen] of [
    ['reset_before_headers', 0],
    ['reset_before_first_byte', 0],
    ['reset_after', 3],
  ] as const) {
    rig.engine.setFaults([{ kind, events: 3, times: 1 }]);
    const { code, messages } = await (await rig.open('hi', { stream: true })).ended;
    assert.deepEqual([code, messages.length], [STATUS.internal, seen], kind);
  }
  await rig.engine.waitFor((stats) => stats.running === 0);
  assert.equal(rig.engine.stats().connectionsAccepted, 1, 'the connection stays');
  await rig.generate('hi');
});

test('refuses a stream so that it may be tried elsewhere', async () => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'refused_stream', times: 1 }]);
  const { code, messages } = await (await rig.open('hi', { stream: true })).ended;
  assert.ok(code === STATUS.unavailable || (code === 0 && messages.length > 0), 'grpc-js may try again by itself');
  assert.equal(rig.engine.stats().faultsFired.refused_stream, 1);
});

test('ends without Completes, or with a status in the middle', async () => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'reset_after', events: 2, clean: true, times: 1 }]);
  const cut = await (await rig.open('hi', { stream: true })).ended;
  assert.deepEqual([cut.code, cut.messages.map((one) => told(one).kind)], [0, ['chunk', 'chunk']]);
  rig.engine.setFaults([{ kind: 'error_event', events: 2, code: 503, message: 'lost a GPU' }]);
  const failed = await (await rig.open('hi', { stream: true })).ended;
  assert.deepEqual([failed.code, failed.details, failed.messages.length], [STATUS.unavailable, 'lost a GPU', 2]);
  rig.engine.setFaults([{ kind: 'empty' }]);
  const empty = await (await rig.open('hi', { stream: true })).ended;
  assert.deepEqual([empty.code, empty.messages.length], [0, 0]);
});

test('hangs before headers or behind messages until the caller leaves', async () => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'hang_before_headers', times: 1 }]);
  const silent = await rig.open('hi', { stream: true });
  await rig.engine.waitFor((stats) => stats.faultsFired.hang_before_headers === 1);
  silent.cancel();
  assert.equal((await silent.ended).code, STATUS.cancelled);
  rig.engine.setFaults([{ kind: 'hang_after', events: 2 }]);
  const stuck = await rig.open('hi', { stream: true });
  await stuck.until(2);
  stuck.cancel();
  await rig.engine.waitFor((stats) => stats.aborted === 2 && stats.openStreams === 0);
  assert.equal((await stuck.ended).messages.length, 2);
});

test('says GOAWAY in the middle and goes on, or leaves the call out', async () => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'goaway_after', events: 2, times: 1 }]);
  const finished = await (await rig.open('hi', { stream: true })).ended;
  assert.equal(finished.code, 0);
  assert.equal(finished.messages.map(told).at(-1)?.kind, 'complete');
  await rig.generate('hi');
  assert.equal(rig.engine.stats().connectionsAccepted, 2, 'the next call comes on a new connection');
  rig.engine.setFaults([{ kind: 'goaway_after', events: 2, drops: true, times: 1 }]);
  const dropped = await (await rig.open('hi', { stream: true })).ended;
  assert.notEqual(dropped.code, 0);
});

test('a killed engine cuts every connection and tells its owner', async () => {
  let deaths = 0;
  await using rig = await start({ onKill: () => deaths++ });
  rig.engine.setFaults([{ kind: 'kill_after', events: 2 }]);
  const { code, messages } = await (await rig.open('hi', { stream: true })).ended;
  assert.deepEqual([code, messages.length, deaths], [STATUS.unavailable, 2, 1]);
  assert.equal((await rig.caller.call('HealthCheck')).code, STATUS.unavailable);
  await using restarted = await start({ port: rig.engine.port });
  await restarted.generate('hi');
});

test('refuses connections until told otherwise', async () => {
  await using rig = await start();
  await rig.generate('hi');
  rig.engine.setFaults([{ kind: 'refuse' }]);
  await rig.engine.waitFor((stats) => stats.connectionsOpen === 0);
  const stranger = new TestCaller(rig.engine);
  assert.equal((await stranger.call('HealthCheck')).code, STATUS.unavailable);
  stranger.close();
  await rig.engine.clearFaults();
  const again = new TestCaller(rig.engine);
  assert.equal((await again.call('HealthCheck')).code, 0);
  again.close();
});

test('is slow by the clock', async (t) => {
  await using rig = await start();
  rig.engine.setFaults([{ kind: 'slow', firstByteMs: 20, interEventMs: 1 }]);
  const startedMs = performance.now();
  const messages = await rig.generate('#say one two', { stream: true });
  assert.ok(performance.now() - startedMs >= 20);
  t.diagnostic(`${messages.length} messages`);
});

test('a fault may be ordered in the text of the prompt, for callers behind a gateway', async () => {
  await using rig = await start();
  const { code } = await (await rig.open('please #fault {"kind": "status", "status": 503}')).ended;
  assert.equal(code, STATUS.unavailable);
  const bad = await (await rig.open('#fault {"kind": "nonsense"}')).ended;
  assert.equal(bad.code, STATUS.invalidArgument);
});

test('faults that only HTTP knows are refused', async () => {
  await using rig = await start();
  assert.throws(() => rig.engine.setFaults([{ kind: 'malformed_sse' }]), FaultError);
});
