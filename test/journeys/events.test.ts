/** `GET /events`: the changes of the fleet as they happen. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { engineFor, gatewayFor } from '../support/rig.ts';
import { readEvents } from '../support/event-reader.ts';
import { addReady, api } from '../support/workers-api.ts';

test('a client sees the fleet as it is and then every change, in order', async (t) => {
  const [first, second] = [await engineFor(t), await engineFor(t, { apiKey: 'KEY-CANARY' })];
  const gateway = await gatewayFor(t, [], { enableIgw: true });
  const one = await addReady(gateway, { url: first.url });
  const events = await readEvents(t, `${gateway.url}/events`);
  const snapshot = await events.next();
  assert.deepEqual([snapshot.id, snapshot.event], ['1', 'snapshot']);
  assert.deepEqual(snapshot.data, (await api(gateway, 'GET', '/workers')).body);

  const two = await addReady(gateway, { url: second.url, api_key: 'KEY-CANARY' });
  await api(gateway, 'PATCH', `/workers/${one}`, { priority: 90 });
  await api(gateway, 'DELETE', `/workers/${two}`);
  const seen: string[] = [];
  let lastId = 1;
  await events.until(({ id, event, data }) => {
    lastId += 1;
    assert.equal(id, String(lastId));
    assert.ok(!JSON.stringify(data).includes('KEY-CANARY'));
    const { worker, from = '', to = '' } = data;
    seen.push(`${event} ${worker?.['id'] === one ? 'one' : 'two'} ${String(from)}>${String(to)}`);
    return event === 'worker_removed';
  });
  assert.deepEqual(seen, [
    'worker_added two >',
    'worker_changed two pending>probing',
    'worker_changed two probing>ready',
    'worker_changed one ready>ready',
    'worker_changed two ready>draining',
    'worker_removed two >',
  ]);
});

test('the stream ends when the gateway does, and a client that left is forgotten', async (t) => {
  const gateway = await gatewayFor(t, [], { enableIgw: true });
  const [stays, leaves] = [await readEvents(t, `${gateway.url}/events`), await readEvents(t, `${gateway.url}/events`)];
  await leaves.next();
  leaves.close();
  await stays.next();
  await api(gateway, 'POST', '/workers', { url: 'http://127.0.0.1:1' });
  await stays.next();
  void gateway.stop({ settle: false });
  for (const { event } of await stays.rest()) assert.equal(event, 'worker_changed');
});

test('a client that does not read is cut off, and holds nobody else up', { timeout: 60_000 }, async (t) => {
  const gateway = await gatewayFor(t, [], { enableIgw: true });
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`label-${i}`, 'x'.repeat(1_024)]));
  const { body } = await api(gateway, 'POST', '/workers', { url: 'http://127.0.0.1:1', labels });
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /events HTTP/1.1\r\nhost: gateway\r\n\r\n');
  await new Promise((resolve) => socket.once('readable', resolve));
  const reader = await readEvents(t, `${gateway.url}/events`);
  await reader.next();
  const cut = once(socket, 'close');
  for (let i = 0; i < 400; i += 1) {
    const { status } = await api(gateway, 'PATCH', `/workers/${String(body['worker_id'])}`, { priority: i % 100 });
    assert.equal(status, 202);
    await reader.until(({ data }) => data.worker?.['priority'] === i % 100);
  }
  // Read now: what the kernel held comes out, and then the end, although the stream never ended for the others.
  socket.resume();
  await cut;
});
