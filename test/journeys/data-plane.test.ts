/** The data plane against two engines: every endpoint, untouched, in both directions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { engineFor, gatewayFor, allReady, chatBody, payloads, post, rigFor } from '../support/rig.ts';

const model = 'sim-model';
const prompt = { model, prompt: 'Once' };

const endpoints: readonly (readonly [path: string, upstream: string, body: Record<string, unknown>])[] = [
  ['/v1/chat/completions', '/v1/chat/completions', chatBody()],
  ['/v1/completions', '/v1/completions', prompt],
  ['/v1/embeddings', '/v1/embeddings', { model, input: ['a', 'b'] }],
  ['/v1/responses', '/v1/responses', { model, input: 'Hello' }],
  ['/v1/messages', '/v1/messages', chatBody({ max_tokens: 8 })],
  ['/v1/messages/count_tokens', '/v1/messages/count_tokens', chatBody()],
  ['/v1/rerank', '/v1/rerank', { model, query: 'q', documents: ['a', 'b'] }],
  ['/rerank', '/v1/rerank', { model, query: 'q', documents: ['a', 'b'] }],
  [
    '/v1/score',
    '/v1/score',
    { model, text_1: 'a', text_2: ['b', 'c'], query: 'a', items: ['b', 'c'], label_token_ids: [1, 2] },
  ],
  ['/v1/classify', '/v1/classify', { model, input: ['a'] }],
  ['/generate', '/generate', { text: 'Once', sampling_params: { max_new_tokens: 4 } }],
];

for (const [path, upstream, body] of endpoints) {
  test(`POST ${path} reaches an engine byte for byte and brings its answer back`, async (t) => {
    const { gateway, engines } = await rigFor(t, 1);
    const [engine] = engines;
    const text = JSON.stringify({ ...body, x_unknown: [1e-7, 'ü'] });
    const direct = await fetch(engine?.url + upstream, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json' },
    });
    const reply = await post(gateway, path, text);
    assert.equal(reply.status, 200, await reply.clone().text());
    assert.equal(reply.headers.get('content-type'), direct.headers.get('content-type'));
    assert.deepEqual(shapeOf(await reply.json()), shapeOf(await direct.json()));
    const seen = engine?.lastRequest();
    assert.equal(seen?.path, upstream);
    assert.equal(seen?.sha256, createHash('sha256').update(text).digest('hex'));
  });
}

test("a body that curl's -d calls a form reaches an engine as the JSON that it is", async (t) => {
  const { gateway } = await rigFor(t, 1);
  for (const type of ['application/x-www-form-urlencoded', 'text/json']) {
    const reply = await post(gateway, '/v1/chat/completions', chatBody(), { headers: { 'content-type': type } });
    assert.equal(reply.status, 200, await reply.text());
  }
});

/** The names and types of an answer, without ids and times. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

test('every answer says which request it was, who served it and how long it took', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const workers = (await (await fetch(`${gateway.url}/workers`)).json()) as { workers: { id: string }[] };
  const reply = await post(gateway, '/v1/chat/completions', chatBody(), { headers: { 'x-request-id': 'mine-42' } });
  assert.equal(reply.headers.get('x-request-id'), 'mine-42');
  assert.equal(reply.headers.get('x-smg-worker'), workers.workers[0]?.id);
  assert.match(reply.headers.get('server-timing') ?? '', /^gateway;dur=[\d.]+, upstream;dur=[\d.]+, queue;dur=0$/);
});

test('a request id is made when there is none fit to use, and travels to the worker', async (t) => {
  const { gateway, engines } = await rigFor(t, 1);
  const reply = await post(gateway, '/v1/chat/completions', chatBody(), { headers: { 'x-request-id': 'has space' } });
  const id = reply.headers.get('x-request-id') ?? '';
  assert.match(id, /^chatcmpl-[A-Za-z0-9]{24}$/);
  assert.equal(headerValues(engines[0]?.lastRequest()?.headers, 'x-request-id')[0], id);
});

function headerValues(headers: unknown, name: string): string[] {
  const flat = (headers as unknown[]).flat() as string[];
  return flat.filter((_, i) => i % 2 === 1 && flat[i - 1]?.toLowerCase() === name);
}

test('only the allowed headers travel, hop-by-hop ones never do', async (t) => {
  const { gateway, engines } = await rigFor(t, 1);
  await post(gateway, '/v1/messages', chatBody({ max_tokens: 4 }), {
    headers: {
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'b1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-smg-routing-key': 'k',
      'x-anything': 'y',
    },
  });
  const seen = engines[0]?.lastRequest()?.headers;
  const sent = (name: string) => headerValues(seen, name)[0];
  assert.deepEqual(['cookie', 'x-forwarded-for', 'x-anything', 'user-agent', 'accept-encoding'].map(sent), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(sent('anthropic-version'), '2023-06-01');
  assert.equal(sent('anthropic-beta'), 'b1');
  assert.match(sent('traceparent') ?? '', /^00-0af7/);
  assert.equal(sent('x-smg-routing-key'), 'k');
});

test('exactly one Authorization goes upstream: the caller key, else the stored key, and no cloud key ever', async (t) => {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url], { workerApiKey: 'stored-key' });
  await allReady(gateway, 1);
  const sentWith = async (headers: Record<string, string>) => {
    await post(gateway, '/v1/chat/completions', chatBody(), { headers });
    return headerValues(engine.lastRequest()?.headers, 'authorization');
  };
  assert.deepEqual(await sentWith({}), ['Bearer stored-key']);
  assert.deepEqual(await sentWith({ authorization: 'Bearer caller-key' }), ['Bearer caller-key']);
  assert.deepEqual(await sentWith({ 'x-api-key': 'caller-key' }), ['Bearer caller-key']);
  assert.deepEqual(await sentWith({ authorization: 'Bearer sk-ant-secret' }), ['Bearer stored-key']);
  assert.deepEqual(await sentWith({ authorization: 'Bearer sk-proj-secret' }), ['Bearer stored-key']);
  assert.equal(engine.stats().authorizationRepeated, 0);
});

test('an alias is served as its model, and only the model value of the body changes', async (t) => {
  const { gateway, engines } = await rigFor(t, 1, { modelAlias: ['fast=sim-model'] });
  const text =
    '{ "n":1.0, "model" : "fast", "messages":[{"role":"user","content":"model \\"fast\\""}], "seed":9007199254740993, "x":1e-7 }';
  const reply = await post(gateway, '/v1/chat/completions', text);
  assert.equal(reply.status, 200, await reply.text());
  const sent = Buffer.from(engines[0]?.lastRequest()?.bodyBase64 ?? '', 'base64').toString();
  assert.equal(sent, text.replace('"model" : "fast"', '"model" : "sim-model"'));
  const models = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['sim-model', 'fast'],
  );
});

test('a stream arrives event by event with the very bytes of the engine', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const answer = Buffer.from(
    ': hello\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\r\n\r\ndata: {"choices":[{"index":0,"delta":{"content":"x\\u00e9","odd":1e-7}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"seed":9007199254740993}\n\ndata: [DONE]\n\n',
  );
  const reply = await post(
    gateway,
    '/v1/chat/completions',
    chatBody({
      stream: true,
      sim_answer_base64: answer.toString('base64'),
      sim_answer_content_type: 'text/event-stream; charset=utf-8',
    }),
  );
  assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.deepEqual(Buffer.from(await reply.arrayBuffer()), answer);
});

test('stream and whole answer of the same request say the same', async (t) => {
  const { gateway } = await rigFor(t, 2);
  const whole = (await (await post(gateway, '/v1/chat/completions', chatBody())).json()) as {
    choices: { message: { content: string } }[];
  };
  const events = payloads(await (await post(gateway, '/v1/chat/completions', chatBody({ stream: true }))).text());
  assert.equal(events.at(-1), '[DONE]');
  const deltas = events.slice(0, -1).map((text) => JSON.parse(text) as { choices: { delta: { content?: string } }[] });
  assert.equal(
    deltas.map((event) => event.choices[0]?.delta.content ?? '').join(''),
    whole.choices[0]?.message.content,
  );
});

test('the engine answers 400 and the client gets that very answer', async (t) => {
  const { gateway, engines } = await rigFor(t, 1);
  const body = { model, nonsense: true };
  const direct = await fetch(`${engines[0]?.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const reply = await post(gateway, '/v1/chat/completions', body);
  assert.equal(reply.status, 400);
  assert.equal(reply.headers.get('x-smg-error-code'), 'upstream_error');
  assert.equal(await reply.text(), await direct.text());
});
