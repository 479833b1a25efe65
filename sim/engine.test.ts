import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type EngineOptions, type SimEngine, startEngine } from './engine.ts';
import { chatBody, getJson, pick, post, postEvents, postJson, RawConnection } from './test-client.ts';

async function withEngine(options: Partial<EngineOptions>, use: (engine: SimEngine) => Promise<void>): Promise<void> {
  const engine = await startEngine({ speed: Infinity, ...options });
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}

test('refuses bad options and names every one of them', async () => {
  const bad = startEngine({ maxRunning: 0, speed: -1, models: [] });
  await assert.rejects(bad, /speed must be between[^]*maxRunning must be between[^]*models must be names/);
});

test('wants its key everywhere but on health, metrics and control paths', async () => {
  await withEngine({ apiKey: 'secret' }, async (engine) => {
    const headers = { authorization: 'Bearer secret' };
    for (const path of ['/v1/models', '/server_info', '/v1/loads']) {
      const refused = await fetch(engine.url + path);
      assert.equal(refused.status, 401, path);
      assert.deepEqual(await refused.json(), { error: 'Unauthorized' });
      assert.equal((await fetch(engine.url + path, { headers })).status, 200, path);
    }
    assert.equal((await post(engine, '/generate', { text: 'x' }, { authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await post(engine, '/generate', { text: 'x' }, headers)).status, 200);
    for (const path of ['/health', '/metrics', '/_sim/stats']) {
      assert.equal((await fetch(engine.url + path)).status, 200, path);
    }
    assert.equal(engine.stats().unauthorized, 4);
  });
  await withEngine({ apiKey: 'secret', healthNeedsKey: true }, async (engine) => {
    assert.equal((await fetch(`${engine.url}/health`)).status, 401);
  });
});

test('counts POST requests that do not carry exactly one Authorization header', async () => {
  await withEngine({}, async (engine) => {
    const twice = ['authorization: Bearer a', 'Authorization: Bearer b', 'connection: close'];
    await new RawConnection(engine.port, '/generate', { text: 'x' }, twice).ended;
    await post(engine, '/generate', { text: 'x' });
    await post(engine, '/generate', { text: 'x' }, { authorization: 'Bearer a' });
    const stats = engine.stats();
    assert.equal(stats.authorizationNotOne, 2);
    assert.equal(stats.authorizationRepeated, 1);
  });
});

test('remembers the exact bytes and headers of the last 32 requests', async () => {
  await withEngine({}, async (engine) => {
    const bytes = Buffer.from('{ "text":"é",\t"text":"twice", "big":9007199254740993 }');
    const headers = { 'content-type': 'application/json', 'X-Odd-Case': 'Yes' };
    await fetch(`${engine.url}/generate?q=1`, { method: 'POST', headers, body: bytes });
    const last = await getJson(engine, '/_sim/last_request');
    assert.equal(pick(last, 'method'), 'POST');
    assert.equal(pick(last, 'path'), '/generate?q=1');
    assert.deepEqual(Buffer.from(String(pick(last, 'bodyBase64')), 'base64'), bytes);
    assert.equal(pick(last, 'sha256'), createHash('sha256').update(bytes).digest('hex'));
    assert.deepEqual(engine.lastRequest(), last);
    for (let index = 0; index < 32; index++) await post(engine, '/generate', { text: `t${index}` });
    assert.equal(engine.lastRequest(31)?.bodyBase64, Buffer.from('{"text":"t0"}').toString('base64'));
    assert.equal(engine.lastRequest(32), undefined);
    assert.equal((await fetch(`${engine.url}/_sim/last_request?back=32`)).status, 404);
  });
});

test('answers exactly the bytes, status and headers a body asks for', async () => {
  await withEngine({}, async (engine) => {
    const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x0a, 0x7d]);
    const body = {
      sim_answer_base64: bytes.toString('base64'),
      sim_answer_status: 418,
      sim_answer_content_type: 'application/x-odd',
      sim_answer_headers: { 'x-extra': 'yes' },
    };
    const whole = await post(engine, '/v1/chat/completions', body);
    assert.equal(whole.status, 418);
    assert.equal(whole.headers.get('content-type'), 'application/x-odd');
    assert.equal(whole.headers.get('x-extra'), 'yes');
    assert.equal(whole.headers.get('content-length'), '5');
    assert.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);
    const pieces = await post(engine, '/v1/chat/completions', { ...body, sim_answer_piece_bytes: 1 });
    assert.equal(pieces.headers.get('content-length'), null);
    assert.deepEqual(Buffer.from(await pieces.arrayBuffer()), bytes);
  });
});

test('notices a client that leaves, frees its slot and counts it', async () => {
  await withEngine({ speed: 1, maxRunning: 1 }, async (engine) => {
    const body = { ...chatBody('x', { stream: true }), max_tokens: 100_000 };
    const leaving = new RawConnection(engine.port, '/v1/chat/completions', body);
    await leaving.received((text) => text.includes('data: '));
    const next = postJson(engine, '/v1/chat/completions', chatBody('y', { max_tokens: 1 }));
    await engine.waitFor((stats) => stats.running === 1 && stats.waiting === 1 && stats.openStreams === 1);
    leaving.socket.destroy();
    await engine.waitFor((stats) => stats.aborted === 1 && stats.openStreams === 0);
    assert.equal(pick(await next, 'usage.completion_tokens'), 1, 'the waiting request got the slot');
    assert.equal(engine.stats().sequencesAborted, 1);
    assert.equal(engine.stats().sequencesFinished, 1);
  });
});

test('notices a client that leaves before its answer begins', async () => {
  await withEngine({ speed: 1 }, async (engine) => {
    const body = { model: 'sim-model', prompt: 'x', max_tokens: 100_000 };
    const leaving = new RawConnection(engine.port, '/v1/completions', body);
    await engine.waitFor((stats) => stats.running === 1);
    leaving.socket.resetAndDestroy();
    await engine.waitFor((stats) => stats.aborted === 1 && stats.running === 0 && stats.inFlight === 0);
  });
});

test('batches requests and reports the peak', async () => {
  await withEngine({ maxRunning: 3 }, async (engine) => {
    const bodies = Array.from({ length: 8 }, (_unused, index) => chatBody(`question ${index}`, { max_tokens: 20 }));
    await Promise.all(bodies.map((body) => postJson(engine, '/v1/chat/completions', body)));
    const stats = engine.stats();
    assert.equal(stats.peakRunning, 3);
    assert.equal(stats.completed, 8);
    assert.equal(stats.tokensGenerated, 160);
    assert.deepEqual(stats.requestsByPath, { '/v1/chat/completions': 8 });
  });
});

test('gives the same answers at any speed', async () => {
  const answers: unknown[] = [];
  for (const speed of [1, 50, 1000, Infinity]) {
    await withEngine({ speed, decodeBaseMs: 1, decodePerSequenceMs: 0 }, async (engine) => {
      const answer = await postJson(engine, '/v1/completions', { prompt: 'same', max_tokens: 12 });
      answers.push(pick(answer, 'choices.0.text'));
    });
  }
  assert.equal(new Set(answers).size, 1);
});

test('resets its sums and keeps its gauges', async () => {
  await withEngine({}, async (engine) => {
    await postEvents(engine, '/generate', { text: 'x', stream: true });
    assert.equal((await fetch(`${engine.url}/_sim/stats/reset`, { method: 'POST' })).status, 200);
    const stats = await getJson(engine, '/_sim/stats');
    assert.equal(pick(stats, 'requestsTotal'), 0);
    assert.equal(pick(stats, 'tokensGenerated'), 0);
    assert.ok(Number(pick(stats, 'connectionsOpen')) > 0);
    assert.equal(pick(stats, 'startedAtMs'), engine.stats().startedAtMs);
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    assert.match(metrics, /^sglang:generation_tokens_total\{.*\} 16$/m, 'the engine’s own counters go on');
  });
});

test('refuses connections and comes back on the same port', async () => {
  await withEngine({}, async (engine) => {
    const { url, port } = engine;
    await getJson(engine, '/v1/models');
    await engine.refuse(true);
    await assert.rejects(fetch(`${url}/health`), (error: Error) => String(error.cause).includes('ECONNREFUSED'));
    await engine.refuse(false);
    assert.equal(engine.port, port);
    assert.equal((await fetch(`${url}/health`)).status, 200);
  });
});

test('a refusing engine finishes the answers it had begun and then closes their connections', async () => {
  await withEngine({ speed: 1, decodeBaseMs: 1 }, async (engine) => {
    const body = { prompt: 'x', max_tokens: 50, stream: true };
    const begun = new RawConnection(engine.port, '/v1/completions', body);
    await begun.received((text) => text.includes('data: '));
    await engine.refuse(true);
    const { text, ending } = await begun.ended;
    assert.ok(text.includes('[DONE]'));
    assert.equal(ending, 'fin');
    assert.equal(engine.stats().completed, 1);
  });
});

test('a killed engine cuts everything; another one started on its port has a later start time', async () => {
  const first = await startEngine({ speed: 1 });
  const body = { prompt: 'x', max_tokens: 100_000, stream: true };
  const stream = new RawConnection(first.port, '/v1/completions', body);
  await stream.received((text) => text.includes('data: '));
  first.kill();
  const { text } = await stream.ended;
  assert.ok(!text.includes('[DONE]'));
  await assert.rejects(fetch(`${first.url}/health`));
  await first.close();
  await withEngine({ port: first.port }, async (second) => {
    assert.equal(second.url, first.url);
    assert.ok(second.stats().startedAtMs >= first.stats().startedAtMs);
    assert.equal(pick(await getJson(second, '/server_info'), 'sim_started_at_ms'), second.stats().startedAtMs);
  });
});

test('waiting for counters ends when the engine is closed', async () => {
  const engine = await startEngine();
  const waiting = assert.rejects(
    engine.waitFor((stats) => stats.completed === 1),
    /was closed/,
  );
  await engine.close();
  await waiting;
});

test('says that the port is taken', async () => {
  await withEngine({}, async (engine) => {
    await assert.rejects(startEngine({ port: engine.port }), /EADDRINUSE/);
  });
});
