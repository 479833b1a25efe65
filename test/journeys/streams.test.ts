/** Streams: slow clients, clients that leave, workers that die. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { FaultSpec, SimEngine } from '../../sim/engine.ts';
import { allReady, chatBody, engineFor, gatewayFor, payloads, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

function open(rig: Rig, path: string, body: unknown): ClientRequest {
  const request = httpRequest(rig.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  // The tests leave on purpose; what the client's own socket says about that is of no interest.
  request.on('error', () => undefined);
  request.end(JSON.stringify(body));
  return request;
}

function headOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve) => {
    request.on('response', resolve);
  });
}

const chat = (engine: SimEngine | undefined) => engine?.stats().requestsByPath['/v1/chat/completions'] ?? 0;

const phases: readonly (readonly [name: string, fault: FaultSpec, stream: boolean])[] = [
  ['before the head of a whole answer', { kind: 'hang_before_headers' }, false],
  ['before the head of a stream', { kind: 'hang_before_headers' }, true],
  ['before the first token', { kind: 'hang_before_first_byte' }, true],
  ['in the middle of a stream', { kind: 'hang_after', events: 3 }, true],
];

for (const [name, fault, stream] of phases) {
  test(`a client that leaves ${name} takes its engine request with it, at no cost to the breaker`, async (t) => {
    const rig = await rigFor(t, 1);
    const [engine] = rig.engines;
    const request = open(rig, '/v1/chat/completions', chatBody({ stream, sim_fault: fault }));
    await engine?.waitFor((stats) => (stats.faultsFired[fault.kind] ?? 0) === 1);
    if (fault.kind === 'hang_after') await headOf(request);
    request.destroy();
    await engine?.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0);
    const { workers } = (await (await fetch(`${rig.gateway.url}/workers`)).json()) as {
      workers: { load: number; circuit_breaker: string }[];
    };
    assert.deepEqual(
      workers.map(({ load, circuit_breaker: breaker }) => [load, breaker]),
      [[0, 'closed']],
    );
  });
}

test('a client that leaves during a back-off is not served any more', async (t) => {
  const rig = await rigFor(t, 1, { retryInitialBackoffMs: 60_000, retryMaxBackoffMs: 60_000 });
  const [engine] = rig.engines;
  const request = open(rig, '/v1/chat/completions', chatBody({ sim_fault: { kind: 'status', status: 503 } }));
  await engine?.waitFor((stats) => stats.completed >= 1 && (stats.faultsFired['status'] ?? 0) === 1);
  request.destroy();
  const metrics = await until(async () => {
    const text = await (await fetch(rig.gateway.metricsUrl ?? '')).text();
    return text.includes('error_code="client_closed_request"') ? text : undefined;
  });
  assert.match(metrics, /smg_http_responses_total\{path="\/v1\/chat\/completions",status_code="499"/);
  assert.equal(chat(engine), 1);
});

/** Asks again until there is an answer; each question is a round trip, and there is an end. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error('it never happened');
}

test('a worker that dies before its first byte is replaced without the client noticing', async (t) => {
  for (const kind of ['reset_before_headers', 'reset_before_first_byte', 'kill_after'] as const) {
    const rig = await rigFor(t, 2, { policy: 'round_robin' });
    rig.engines[0]?.setFaults([{ kind, events: 0, rate: 1 }]);
    for (const stream of [true, false, true, false]) {
      const reply = await post(rig.gateway, '/v1/chat/completions', chatBody({ stream }));
      const text = await reply.text();
      assert.equal(reply.status, 200, text);
      if (stream) assert.equal(payloads(text).at(-1), '[DONE]');
    }
    assert.ok((rig.engines[0]?.stats().faultsFired[kind] ?? 0) >= 1, `${kind} fired`);
    assert.equal(chat(rig.engines[1]), 4);
  }
});

test('nothing of a failed first attempt leaks into the answer of the second', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'passthrough' });
  rig.engines[0]?.setFaults([{ kind: 'error_event', events: 0, message: 'overloaded', code: 503, rate: 1 }]);
  const reply = await post(rig.gateway, '/v1/messages', chatBody({ max_tokens: 4, stream: true }));
  const text = await reply.text();
  assert.equal(text.match(/event: message_start/g)?.length, 1);
  assert.equal(text.match(/event: message_stop/g)?.length, 1);
  assert.doesNotMatch(text, /overloaded/);
  assert.equal(rig.engines[0]?.stats().faultsFired['error_event'], 1);
});

const cuts: readonly FaultSpec[] = [
  { kind: 'reset_after', events: 4 },
  { kind: 'reset_after', events: 4, fin: true },
  { kind: 'reset_after', events: 4, clean: true },
];

for (const fault of cuts) {
  const how = JSON.stringify(fault);
  test(`a chat stream that is cut (${how}) ends with an error event and no [DONE]`, async (t) => {
    const rig = await rigFor(t, 2);
    const text = await (
      await post(rig.gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }))
    ).text();
    const events = payloads(text);
    const last = JSON.parse(events.at(-1) ?? '') as { error: { code: string; type: string } };
    assert.equal(last.error.code, 'upstream_broken');
    assert.equal(events.length, 5);
    assert.doesNotMatch(text, /\[DONE\]/);
  });

  test(`a messages stream that is cut (${how}) ends with Anthropic's error event and no message_stop`, async (t) => {
    const rig = await rigFor(t, 2);
    const body = chatBody({ stream: true, max_tokens: 64, sim_fault: fault });
    const text = await (await post(rig.gateway, '/v1/messages', body)).text();
    assert.match(text, /event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]+"\}\}\n\n$/);
    assert.doesNotMatch(text, /message_stop/);
  });

  test(`a responses stream that is cut (${how}) ends as failed`, async (t) => {
    const rig = await rigFor(t, 2);
    const body = { model: 'sim-model', input: 'Hello', stream: true, sim_fault: { ...fault, events: 6 } };
    const text = await (await post(rig.gateway, '/v1/responses', body)).text();
    assert.match(text, /event: error\n/);
    assert.match(text, /event: response\.failed\ndata: .*"status":"failed".*\n\n$/);
    assert.doesNotMatch(text, /response\.completed/);
  });
}

test('a whole answer that breaks after it began breaks the connection too', async (t) => {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url]);
  await allReady(gateway, 1);
  const body = {
    model: 'sim-model',
    input: Array.from({ length: 400 }, (_, i) => `text ${i}`),
    sim_fault: { kind: 'short_body' },
  };
  await assert.rejects(async () => (await post(gateway, '/v1/embeddings', body)).text());
});

test('an event stream under a wrong content type is still watched for cuts', async (t) => {
  const rig = await rigFor(t, 1);
  rig.engines[0]?.setFaults([{ kind: 'wrong_content_type', contentType: 'application/json', rate: 1 }]);
  const reply = await post(rig.gateway, '/v1/chat/completions', chatBody({ stream: true }));
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(payloads(await reply.text()).at(-1), '[DONE]');
});

test('heartbeats during a long think keep a stream alive past the silence limit', async (t) => {
  const rig = await rigFor(t, 1, { streamIdleTimeoutSecs: 0.4, firstContentTimeoutSecs: 20 });
  const fault = { kind: 'heartbeats', everyMs: 100, count: 12 } as const;
  const reply = await post(rig.gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }));
  const text = await reply.text();
  assert.equal(reply.status, 200);
  assert.equal(payloads(text).at(-1), '[DONE]');
  assert.ok((text.match(/^:/gm)?.length ?? 0) >= 12);
});

test('a client that stops reading stops its engine, and nothing is lost when it reads on', async (t) => {
  const rig = await rigFor(t, 1);
  const [engine] = rig.engines;
  const tokens = 60_000;
  const response = await headOf(
    open(rig, '/v1/chat/completions', chatBody({ stream: true, max_tokens: tokens, ignore_eos: true })),
  );
  // Nobody reads: buffers of the kernel and of both ends fill, then everything stands still with most of it unsent.
  await settled(() => callsInFlight(rig));
  assert.equal(engine?.stats().openStreams, 1);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  assert.equal(payloads(text).at(-1), '[DONE]');
  assert.ok(payloads(text).length > tokens);
});

async function callsInFlight(rig: Rig): Promise<number> {
  const text = await (await fetch(rig.gateway.metricsUrl ?? '')).text();
  return Number(/smg_worker_requests_active\{[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
}

/** The value that a reading settles on: the same ten times in a row. */
async function settled(read: () => Promise<number>): Promise<number> {
  let last = await read();
  for (let same = 0; same < 10; ) {
    const next = await read();
    same = next === last ? same + 1 : 0;
    last = next;
  }
  return last;
}
