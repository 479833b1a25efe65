import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { type FaultKind, type FaultSpec, startEngine } from '../engine.ts';
import { chatBody, parseEvents, pick, post, postEvents, postJson, RawConnection } from '../test-client.ts';

const engine = await startEngine({ speed: Infinity });
after(() => engine.close());
beforeEach(() => engine.resetStats());

const CLOSE = ['connection: close'];

function streaming(fault: FaultSpec | undefined, path = '/v1/chat/completions') {
  const body = { ...chatBody('faulty', { stream: true, max_tokens: 5 }), sim_fault: fault };
  return new RawConnection(engine.port, path, body, CLOSE);
}

function unary(fault: FaultSpec) {
  return new RawConnection(engine.port, '/v1/chat/completions', { ...chatBody('faulty'), sim_fault: fault }, CLOSE);
}

function assertFired(kind: FaultKind, times = 1): void {
  assert.deepEqual(engine.stats().faultsFired, { [kind]: times });
}

const eventCount = (text: string) => parseEvents(text).length;
const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n'));
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);
const WHOLE_EVENTS = 8;

test('without a fault a stream has its role, tokens, reason and end marker', async () => {
  const { text, ending } = await streaming(undefined).ended;
  assert.equal(eventCount(text), WHOLE_EVENTS);
  assert.ok(text.endsWith('0\r\n\r\n'));
  assert.equal(ending, 'fin');
  assert.deepEqual(engine.stats().faultsFired, {});
});

test('reset_before_headers resets the connection without a byte', async () => {
  for (const connection of [streaming({ kind: 'reset_before_headers' }), unary({ kind: 'reset_before_headers' })]) {
    assert.deepEqual(await connection.ended, { text: '', ending: 'reset' });
  }
  assertFired('reset_before_headers', 2);
  assert.equal(engine.stats().aborted, 0, 'the engine, not the client, ended it');
});

test('reset_before_first_byte sends headers and then resets', async () => {
  for (const connection of [
    streaming({ kind: 'reset_before_first_byte' }),
    unary({ kind: 'reset_before_first_byte' }),
  ]) {
    const { text, ending } = await connection.ended;
    assert.match(text, /^HTTP\/1.1 200 OK/);
    assert.equal(bodyOf(text), '');
    assert.equal(ending, 'reset');
  }
  assertFired('reset_before_first_byte', 2);
});

test('reset_after resets behind exactly so many events', async () => {
  for (const events of [1, 4, WHOLE_EVENTS - 1]) {
    const { text, ending } = await streaming({ kind: 'reset_after', events }).ended;
    assert.equal(eventCount(text), events);
    assert.equal(ending, 'reset');
  }
  assertFired('reset_after', 3);
  await engine.waitFor((stats) => stats.running === 0 && stats.openStreams === 0);
});

test('reset_after does not fire on a stream that is shorter', async () => {
  const { text } = await streaming({ kind: 'reset_after', events: 100 }).ended;
  assert.equal(eventCount(text), WHOLE_EVENTS);
  assert.deepEqual(engine.stats().faultsFired, {});
});

test('reset_after clean ends the message properly but without its last events', async () => {
  const { text, ending } = await streaming({ kind: 'reset_after', events: 3, clean: true }).ended;
  assert.equal(eventCount(text), 3);
  assert.ok(text.endsWith('\r\n0\r\n\r\n'));
  assert.ok(!text.includes('[DONE]'));
  assert.equal(ending, 'fin');
  assertFired('reset_after');
});

test('reset_after fin closes in the middle of a chunk', async () => {
  const { text, ending } = await streaming({ kind: 'reset_after', events: 2, fin: true }).ended;
  const whole = text.split('\n\n').slice(0, -1);
  assert.equal(whole.length, 2);
  assert.ok((text.split('\n\n').at(-1) ?? '').length > 20, 'a part of the third event');
  assert.equal(ending, 'fin');
  assertFired('reset_after');
});

test('reset_after on a whole answer resets in the middle of the body', async () => {
  const { text, ending } = await unary({ kind: 'reset_after' }).ended;
  const promised = Number(/content-length: (\d+)/.exec(text)?.[1]);
  assert.ok(bodyOf(text).length > 0 && Buffer.byteLength(bodyOf(text)) < promised);
  assert.equal(ending, 'reset');
  assertFired('reset_after');
});

test('kill_after takes the whole engine down behind so many events', async () => {
  let killed = 0;
  const victim = await startEngine({
    speed: Infinity,
    onKill: () => {
      killed++;
    },
  });
  const hanging = new RawConnection(victim.port, '/generate', {
    text: 'x',
    sim_fault: { kind: 'hang_before_headers' },
  });
  await victim.waitFor((stats) => stats.faultsFired.hang_before_headers === 1);
  const body = { ...chatBody('x', { stream: true }), sim_fault: { kind: 'kill_after', events: 3 } };
  const { text } = await new RawConnection(victim.port, '/v1/chat/completions', body).ended;
  assert.equal(eventCount(text), 3);
  assert.equal((await hanging.ended).text, '', 'the other connection died too');
  await assert.rejects(fetch(`${victim.url}/health`));
  assert.equal(victim.stats().faultsFired.kill_after, 1);
  assert.equal(killed, 1);
  assert.equal(victim.stats().aborted, 0, 'no client left of its own will');
  await victim.close();
});

test('hang_before_headers says nothing until the client gives up', async () => {
  const connection = unary({ kind: 'hang_before_headers' });
  await engine.waitFor((stats) => stats.faultsFired.hang_before_headers === 1);
  connection.socket.destroy();
  assert.equal((await connection.ended).text, '');
  await engine.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0);
});

test('hang_before_first_byte sends headers and then nothing', async () => {
  for (const connection of [streaming({ kind: 'hang_before_first_byte' }), unary({ kind: 'hang_before_first_byte' })]) {
    const head = await connection.received((text) => text.includes('\r\n\r\n'));
    assert.equal(bodyOf(head), '');
    connection.socket.destroy();
  }
  await engine.waitFor((stats) => stats.aborted === 2);
  assertFired('hang_before_first_byte', 2);
});

test('hang_after falls silent behind so many events and keeps the stream open', async () => {
  const connection = streaming({ kind: 'hang_after', events: 2 });
  await connection.received((text) => eventCount(text) === 2);
  await engine.waitFor((stats) => stats.sequencesFinished === 1);
  assert.equal(engine.stats().openStreams, 1);
  connection.socket.destroy();
  assert.equal(eventCount((await connection.ended).text), 2);
  await engine.waitFor((stats) => stats.openStreams === 0 && stats.aborted === 1);
  assertFired('hang_after');
});

test('status answers the status, Retry-After and an error in the engine’s words', async () => {
  for (const status of [429, 500, 503, 529]) {
    const body = { ...chatBody('x'), sim_fault: { kind: 'status', status, retryAfter: 30 } };
    const response = await post(engine, '/v1/chat/completions', body);
    assert.equal(response.status, status);
    assert.equal(response.headers.get('retry-after'), '30');
    assert.equal(pick(await response.json(), 'code'), status);
  }
  const overloaded = { messages: [], sim_fault: { kind: 'status', status: 529 } };
  assert.equal(pick(await postJson(engine, '/v1/messages', overloaded), 'error.type'), 'overloaded_error');
  const own = { sim_fault: { kind: 'status', status: 503, body: { my: 'body' } } };
  assert.deepEqual(await postJson(engine, '/v1/completions', own), { my: 'body' });
  assertFired('status', 6);
});

test('error_event fails in band, before or after content, in each API’s words', async () => {
  const none = parseEvents((await streaming({ kind: 'error_event', message: 'no' }).ended).text);
  assert.equal(none.length, 2);
  assert.equal(pick(JSON.parse(none[0]?.data ?? ''), 'error.message'), 'no');
  assert.equal(none[1]?.data, '[DONE]');
  const some = parseEvents((await streaming({ kind: 'error_event', events: 3 }).ended).text);
  assert.equal(some.length, 5);
  const message = { max_tokens: 5, messages: [{ role: 'user', content: 'x' }], stream: true };
  const fault = { kind: 'error_event', events: 4, code: 529 };
  const anthropic = await postEvents(engine, '/v1/messages', { ...message, sim_fault: fault });
  assert.equal(anthropic.at(-1)?.event, 'error');
  assert.equal(pick(JSON.parse(anthropic.at(-1)?.data ?? ''), 'error.type'), 'overloaded_error');
  const responses = await postEvents(engine, '/v1/responses', { input: 'x', stream: true, sim_fault: fault });
  assert.equal(responses.at(-1)?.event, 'response.failed');
  assert.equal((await unary({ kind: 'error_event' }).ended).text.slice(9, 12), '500');
  assertFired('error_event', 5);
});

test('malformed_sse writes garbage between events and goes on', async () => {
  const { text } = await streaming({ kind: 'malformed_sse', events: 2 }).ended;
  assert.ok(text.includes('data {"id": "broken\n'));
  assert.ok(text.includes('data: [DONE]'));
  const own = await streaming({ kind: 'malformed_sse', events: 1, text: 'retry: never\n\n' }).ended;
  assert.ok(own.text.includes('retry: never\n\n'));
  assert.throws(() => JSON.parse('{"id": broken'));
  assert.ok((await unary({ kind: 'malformed_sse' }).ended).text.endsWith('{"id": broken'));
  assertFired('malformed_sse', 3);
});

test('truncated_json cuts the body and promises no more than it sends', async () => {
  const response = await post(engine, '/v1/chat/completions', {
    ...chatBody('x'),
    sim_fault: { kind: 'truncated_json' },
  });
  const text = await response.text();
  assert.equal(Number(response.headers.get('content-length')), Buffer.byteLength(text));
  assert.throws(() => JSON.parse(text), SyntaxError);
  const stream = await streaming({ kind: 'truncated_json' }).ended;
  assert.ok(stream.text.endsWith('0\r\n\r\n') && !stream.text.includes('[DONE]'));
  assertFired('truncated_json', 2);
});

test('short_body promises more than it sends and closes', async () => {
  const { text, ending } = await unary({ kind: 'short_body' }).ended;
  assert.ok(Buffer.byteLength(bodyOf(text)) < Number(/content-length: (\d+)/.exec(text)?.[1]));
  assert.equal(ending, 'fin');
  const stream = await streaming({ kind: 'short_body' }).ended;
  assert.ok(stream.text.includes('[DONE]') && !stream.text.endsWith('0\r\n\r\n'));
  assertFired('short_body', 2);
});

test('wrong_content_type mislabels a right answer', async () => {
  const fault = { kind: 'wrong_content_type', contentType: 'text/csv' };
  const whole = await post(engine, '/v1/chat/completions', { ...chatBody('x'), sim_fault: fault });
  assert.equal(whole.headers.get('content-type'), 'text/csv');
  assert.equal(pick(await whole.json(), 'object'), 'chat.completion');
  const stream = await streaming({ kind: 'wrong_content_type', contentType: 'text/csv' }).ended;
  assert.match(headOf(stream.text), /content-type: text\/csv/);
  assert.equal(eventCount(stream.text), WHOLE_EVENTS);
  assertFired('wrong_content_type', 2);
});

test('html answers 200 with a page, empty answers 200 with nothing', async () => {
  const page = await post(engine, '/v1/chat/completions', { sim_fault: { kind: 'html' } });
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /text\/html/);
  assert.match(await page.text(), /<html>/);
  const empty = await post(engine, '/v1/chat/completions', { sim_fault: { kind: 'empty' } });
  assert.equal(empty.status, 200);
  assert.equal(await empty.text(), '');
  assert.deepEqual(engine.stats().faultsFired, { html: 1, empty: 1 });
});

test('slow sends everything, in order, late', async () => {
  const reference = parseEvents((await streaming(undefined).ended).text).length;
  for (const fault of [{ firstByteMs: 5 }, { interEventMs: 1 }, { firstByteMs: 1, interEventMs: 1 }]) {
    const { text } = await streaming({ kind: 'slow', ...fault }).ended;
    assert.equal(eventCount(text), reference);
    assert.ok(text.endsWith('data: [DONE]\n\n\r\n0\r\n\r\n'));
  }
  assert.match((await unary({ kind: 'slow', firstByteMs: 1 }).ended).text, /chat\.completion/);
  assertFired('slow', 4);
});

test('a client may leave a slow answer', async () => {
  const connection = streaming({ kind: 'slow', firstByteMs: 60_000 });
  await engine.waitFor((stats) => stats.faultsFired.slow === 1);
  connection.socket.destroy();
  await engine.waitFor((stats) => stats.aborted === 1);
});

test('heartbeats come as comments before any content', async () => {
  const { text } = await streaming({ kind: 'heartbeats', everyMs: 1, count: 3 }).ended;
  const lines = bodyOf(text).split('\n\n');
  assert.equal(lines.filter((line) => line.includes(': heartbeat')).length, 3);
  assert.ok(text.lastIndexOf(': heartbeat') < text.indexOf('data: '));
  assert.equal(eventCount(text), WHOLE_EVENTS);
  assertFired('heartbeats');
});

test('close_idle closes the connection behind a whole answer that did not say so', async () => {
  for (const stream of [true, false]) {
    const body = { ...chatBody('x', { stream }), sim_fault: { kind: 'close_idle' } };
    const { text, ending } = await new RawConnection(engine.port, '/v1/chat/completions', body).ended;
    assert.doesNotMatch(headOf(text), /connection: close/i);
    assert.ok(stream ? text.endsWith('0\r\n\r\n') : text.endsWith('}'));
    assert.equal(ending, 'fin');
  }
  assertFired('close_idle', 2);
  await engine.waitFor((stats) => stats.completed === 2);
});
