import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { startEngine } from '../engine.ts';
import { chatBody, getJson, pick, post, RawConnection } from '../test-client.ts';

const engine = await startEngine({ speed: Infinity, controlPort: 0 });
after(() => engine.close());
beforeEach(async () => {
  await engine.clearFaults();
  engine.resetStats();
});

test('refuse in a request resets it and stops listening until the control listener undoes it', async () => {
  const body = { ...chatBody('x'), sim_fault: { kind: 'refuse' } };
  const refused = new RawConnection(engine.port, '/v1/chat/completions', body);
  assert.deepEqual(await refused.ended, { text: '', ending: 'reset' });
  await assert.rejects(fetch(`${engine.url}/health`));
  assert.equal(pick(await getJson({ url: engine.controlUrl ?? '' }, '/_sim/stats'), 'faultsFired.refuse'), 1);
  assert.equal((await fetch(`${engine.controlUrl}/_sim/faults`, { method: 'DELETE' })).status, 200);
  assert.equal((await fetch(`${engine.url}/health`)).status, 200);
});

test('rules set over HTTP strike at their rate and are cleared again', async () => {
  const rules = [{ kind: 'status', status: 503, times: 2 }];
  assert.equal((await post(engine, '/_sim/faults', rules)).status, 200);
  const statuses: number[] = [];
  for (let index = 0; index < 3; index++) {
    const response = await post(engine, '/v1/chat/completions', chatBody('x'));
    await response.text();
    statuses.push(response.status);
  }
  assert.deepEqual(statuses, [503, 503, 200]);
  await post(engine, '/_sim/faults', [{ kind: 'status', status: 503, path: '/health' }]);
  assert.equal((await fetch(`${engine.url}/health`)).status, 503);
  assert.equal(pick(await getJson(engine, '/_sim/faults'), '0.path'), '/health');
  await fetch(`${engine.url}/_sim/faults`, { method: 'DELETE' });
  assert.equal((await fetch(`${engine.url}/health`)).status, 200);
});

test('a refuse rule takes effect at once', async () => {
  engine.setFaults([{ kind: 'refuse' }]);
  await assert.rejects(fetch(`${engine.url}/health`));
  await engine.clearFaults();
  assert.equal((await fetch(`${engine.url}/health`)).status, 200);
  assert.deepEqual(engine.stats().faultsFired, { refuse: 1 });
});

test('a fault that cannot be read is an error, not a silent pass', async () => {
  assert.equal((await post(engine, '/_sim/faults', [{ kind: 'explode' }])).status, 400);
  const response = await post(engine, '/v1/chat/completions', { ...chatBody('x'), sim_fault: { kind: 'explode' } });
  assert.equal(response.status, 400);
  assert.match(String(pick(await response.json(), 'message')), /unknown fault kind "explode"/);
  assert.throws(() => engine.setFaults([{ kind: 'slow', firstByteMs: 'soon' }]));
});
