/** What a client sees when something is wrong: typed, in its dialect, with nothing that should stay inside. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { FaultSpec } from '../../sim/engine.ts';
import { chatBody, gatewayFor, payloads, post, rigFor } from '../support/rig.ts';

interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

async function openAiError(reply: Response): Promise<OpenAiError['error']> {
  const body = (await reply.json()) as OpenAiError;
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message', 'param', 'type']);
  assert.equal(reply.headers.get('x-smg-error-code'), body.error.code);
  assert.ok(reply.headers.get('x-request-id'));
  return body.error;
}

test('an unknown model is 404 with the models that exist', async (t) => {
  const { gateway } = await rigFor(t, 1, {}, { models: ['base', 'adapter-1'] });
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ model: 'nope' }));
  assert.equal(reply.status, 404);
  const error = await openAiError(reply);
  assert.deepEqual([error.type, error.code, error.param], ['not_found_error', 'model_not_found', 'model']);
  assert.match(error.message, /adapter-1, base/);
});

test('the same error speaks Anthropic on /v1/messages', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const reply = await post(gateway, '/v1/messages', chatBody({ model: 'nope' }));
  const body = (await reply.json()) as { type: string; error: { type: string }; request_id: string };
  assert.deepEqual([reply.status, body.type, body.error.type], [404, 'error', 'not_found_error']);
  assert.equal(body.request_id, reply.headers.get('x-request-id'));
  assert.equal(reply.headers.get('x-smg-error-code'), 'model_not_found');
});

test('a model may be left out only where that is usual and no doubt remains', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const generate = await post(gateway, '/generate', { text: 'Once' });
  assert.equal(generate.status, 200);
  const chat = await post(gateway, '/v1/chat/completions', { messages: [] });
  assert.equal((await openAiError(chat)).code, 'missing_model');
  const two = await rigFor(t, 1, {}, { models: ['a', 'b'] });
  const doubtful = await post(two.gateway, '/generate', { text: 'Once' });
  assert.equal((await openAiError(doubtful)).code, 'missing_model');
});

const badBodies: readonly (readonly [name: string, body: string, code: string])[] = [
  ['no JSON', 'hello', 'invalid_json'],
  ['an array', '[1]', 'invalid_json'],
  ['cut JSON', '{"model":"sim-model","messages":[', 'invalid_json'],
  ['text after the object', '{"model":"sim-model"} x', 'invalid_json'],
  ['an empty body', '', 'invalid_json'],
  ['a model that is no string', '{"model":7}', 'invalid_request'],
  ['a stream flag that is no boolean', '{"model":"sim-model","stream":"yes"}', 'invalid_request'],
];

for (const [name, body, code] of badBodies) {
  test(`a body with ${name} is 400 ${code} and reaches no worker`, async (t) => {
    const { gateway, engines } = await rigFor(t, 1);
    engines[0]?.resetStats();
    const reply = await post(gateway, '/v1/chat/completions', body);
    assert.equal(reply.status, 400);
    assert.equal((await openAiError(reply)).code, code);
    assert.equal(engines[0]?.stats().requestsByPath['/v1/chat/completions'], undefined);
  });
}

test('a body over the limit is 413 whether its length is announced or not; one at the limit passes', async (t) => {
  const limit = 2_000;
  const { gateway } = await rigFor(t, 1, { maxPayloadSize: limit });
  const sized = (size: number) => {
    const text = JSON.stringify(chatBody({ pad: '' }));
    return text.replace('"pad":""', `"pad":"${'x'.repeat(size - text.length)}"`);
  };
  assert.equal((await post(gateway, '/v1/chat/completions', sized(limit))).status, 200);
  const over = await post(gateway, '/v1/chat/completions', sized(limit + 1));
  assert.equal(over.status, 413);
  assert.equal((await openAiError(over)).code, 'payload_too_large');
  const chunked = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from(sized(limit + 1)));
      controller.close();
    },
  });
  const unannounced = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: chunked,
    duplex: 'half',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(unannounced.status, 413);
});

test('what is no JSON by its own words is 415', async (t) => {
  const { gateway } = await rigFor(t, 1);
  for (const headers of [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-encoding': 'gzip' },
  ]) {
    const reply = await post(gateway, '/v1/chat/completions', chatBody(), {
      headers: headers as Record<string, string>,
    });
    assert.equal(reply.status, 415, JSON.stringify(headers));
    assert.equal((await openAiError(reply)).code, 'unsupported_media_type');
  }
});

test('an unknown path below those of an API is refused in its words', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const ask = async (path: string): Promise<unknown> => {
    const reply = await fetch(gateway.url + path, { method: 'POST', body: '{}' });
    assert.equal(reply.status, 404, path);
    const { error, type } = (await reply.json()) as { error: Record<string, unknown>; type?: string };
    return [type, error['type'], error['code'], error['status'], error['message']];
  };
  const said = (path: string) => `There is no POST ${path}.`;
  const [batches, embed, tuned] = ['/v1/messages/batches', '/v1beta/models/m:embedContent', '/v1beta/tunedModels'];
  assert.deepEqual(await ask(batches), ['error', 'not_found_error', undefined, undefined, said(batches)]);
  assert.deepEqual(await ask(embed), [undefined, undefined, 404, 'NOT_FOUND', said(embed)]);
  assert.deepEqual(await ask(tuned), [undefined, undefined, 404, 'NOT_FOUND', said(tuned)]);
});

test('an unknown path is 404 and a wrong method 405 that says which works', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const missing = await fetch(`${gateway.url}/v1/nothing`);
  assert.deepEqual([missing.status, (await openAiError(missing)).code], [404, 'route_not_found']);
  for (const path of [
    '/v1/%2e%2e/workers',
    '/v1/../workers',
    '//workers',
    '/workers;a',
    '/Workers',
    '/workers/%00',
    'http://x/workers',
    '*',
  ]) {
    const answer = await raw(
      Number(new URL(gateway.url).port),
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 (404|400) /, path);
  }
  const wrong = await fetch(`${gateway.url}/v1/chat/completions`);
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  assert.equal((await openAiError(wrong)).code, 'method_not_allowed');
});

test('a gateway without workers answers 503 at once', async (t) => {
  const gateway = await gatewayFor(t, []);
  const reply = await post(gateway, '/v1/chat/completions', chatBody());
  assert.deepEqual([reply.status, reply.headers.get('retry-after')], [503, '1']);
  const error = await openAiError(reply);
  assert.deepEqual([error.code, error.type], ['no_available_workers', 'service_unavailable_error']);
});

const upstreamFaults: readonly (readonly [name: string, fault: FaultSpec, status: number, code: string])[] = [
  ['resets before its head', { kind: 'reset_before_headers' }, 502, 'upstream_broken'],
  ['sends a head and resets', { kind: 'reset_before_first_byte' }, 502, 'upstream_broken'],
  ['cuts its body short', { kind: 'short_body' }, 502, 'upstream_broken'],
  ['sends JSON that is cut', { kind: 'truncated_json' }, 502, 'upstream_invalid_answer'],
  ['sends an HTML page', { kind: 'html' }, 502, 'upstream_invalid_answer'],
  ['sends nothing with a 200', { kind: 'empty' }, 502, 'upstream_invalid_answer'],
  ['hangs before its head', { kind: 'hang_before_headers' }, 504, 'upstream_timeout'],
  ['hangs after its head', { kind: 'hang_before_first_byte' }, 504, 'upstream_timeout'],
];

const quick = {
  responseHeadersTimeoutSecs: 0.3,
  streamIdleTimeoutSecs: 0.3,
  firstContentTimeoutSecs: 0.3,
  retryInitialBackoffMs: 1,
};

for (const [name, fault, status, code] of upstreamFaults) {
  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    test(`the only worker ${name}: ${status} ${code} on ${path}, naming the worker's id and no address`, async (t) => {
      const { gateway, engines } = await rigFor(t, 1, quick);
      const reply = await post(gateway, path, chatBody({ max_tokens: 4, sim_fault: fault }));
      const text = await reply.text();
      assert.equal(reply.status, status, text);
      assert.equal(reply.headers.get('x-smg-error-code'), code);
      assert.match(reply.headers.get('x-smg-worker') ?? '', /^[0-9a-f]{8}$/);
      assert.match(reply.headers.get('server-timing') ?? '', /^gateway;dur=/);
      const body = JSON.parse(text) as Record<string, unknown>;
      assert.equal(body['type'], path === '/v1/messages' ? 'error' : undefined);
      assert.ok(!text.includes('127.0.0.1') && !text.includes(String(engines[0]?.port)), text);
      assert.ok((engines[0]?.stats().faultsFired[fault.kind] ?? 0) >= 1);
    });
  }
}

test('a redirect of a worker is never followed', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, quick);
  const body = chatBody({
    sim_answer_base64: '',
    sim_answer_status: 307,
    sim_answer_headers: { location: `${engines[0]?.url}/health` },
  });
  const reply = await post(gateway, '/v1/chat/completions', body);
  assert.deepEqual([reply.status, (await openAiError(reply)).code], [502, 'upstream_invalid_answer']);
});

test('an in-band error before any content becomes a real error status', async (t) => {
  const { gateway } = await rigFor(t, 1, quick);
  const fault = { kind: 'error_event', events: 0, message: 'CUDA out of memory', code: 500 } as const;
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }));
  assert.equal(reply.status, 502);
  assert.match((await openAiError(reply)).message, /CUDA out of memory/);
});

test('an in-band error about the request itself passes as it stands', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, quick);
  engines[0]?.resetStats();
  const fault = { kind: 'error_event', events: 0, message: 'context too long', code: 400 } as const;
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ stream: true, sim_fault: fault }));
  assert.equal(reply.status, 200);
  assert.match(payloads(await reply.text())[0] ?? '', /context too long/);
  assert.equal(engines[0]?.stats().requestsByPath['/v1/chat/completions'], 1);
});

test('broken HTTP and smuggling attempts are refused and reach no worker', async (t) => {
  const { gateway, engines } = await rigFor(t, 1);
  engines[0]?.resetStats();
  const port = Number(new URL(gateway.url).port);
  const body = JSON.stringify(chatBody());
  const heads = [
    `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked`,
    `Content-Length: ${body.length}\r\nContent-Length: ${body.length + 1}`,
    `Content-Length: +${body.length}`,
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: ,chunked',
    `Content-Length : ${body.length}`,
  ];
  for (const head of heads) {
    const answer = await raw(
      port,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${head}\r\n\r\n${body}`,
    );
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*"code":"invalid_http"/, head);
  }
  assert.equal(engines[0]?.stats().requestsByPath['/v1/chat/completions'], undefined);
});

test('headers without measure are 431', async (t) => {
  const gateway = await gatewayFor(t, []);
  const answer = await raw(
    Number(new URL(gateway.url).port),
    `GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/);
});

/** Sends bytes and collects the answer until the gateway closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
