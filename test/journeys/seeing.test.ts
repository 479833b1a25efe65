/** What is told about calls: one log line each, and metrics on every path; never a prompt, an answer or a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody, gatewayFor, allReady, engineFor, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';
import { folderFor, readLog } from '../support/log-folder.ts';

interface CallLine {
  readonly request_id: string;
  readonly status: number;
  readonly outcome: string;
  readonly retries: number;
  readonly stream: boolean;
  readonly worker: string;
  readonly model: string;
  readonly ttft_ms: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
}

test('each call is one line with ids, timings and tokens, and no line has a prompt, an answer or a key', async (t) => {
  const folder = folderFor(t);
  const secrets = ['PROMPT-CANARY', 'KEY-CANARY', 'STORED-CANARY'];
  const rig = await rigFor(t, 2, {
    policy: 'passthrough',
    logJson: true,
    logLevel: 'debug',
    logDir: folder,
    workerApiKey: 'STORED-CANARY',
    retryInitialBackoffMs: 1,
  });
  rig.engines[0]?.setFaults([{ kind: 'status', status: 503, rate: 1, times: 1 }]);
  const body = chatBody({
    messages: [{ role: 'user', content: 'PROMPT-CANARY' }],
    stream_options: { include_usage: true },
  });
  const whole = await post(rig.gateway, '/v1/chat/completions', body, {
    headers: { 'x-request-id': 'first', authorization: 'Bearer KEY-CANARY' },
  });
  const { choices } = (await whole.json()) as { choices: { message: { content: string } }[] };
  await (
    await post(
      rig.gateway,
      '/v1/chat/completions',
      { ...body, stream: true },
      { headers: { 'x-request-id': 'second' } },
    )
  ).text();
  await (
    await post(rig.gateway, '/v1/chat/completions', chatBody({ model: 'none' }), {
      headers: { 'x-request-id': 'third' },
    })
  ).text();
  await rig.gateway.stop({ settle: false });
  const log = readLog(folder);
  for (const secret of [...secrets, choices[0]?.message.content ?? 'missing']) assert.ok(!log.includes(secret), secret);
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CallLine & { msg: string });
  const calls = lines.filter(({ msg }) => msg === 'call');
  assert.deepEqual(
    calls.map(({ request_id: id, status, outcome, retries, stream }) => [id, status, outcome, retries, stream]),
    [
      ['first', 200, 'answered', 1, false],
      ['second', 200, 'answered', 0, true],
      ['third', 404, 'failed', undefined, false],
    ],
  );
  for (const call of calls.slice(0, 2)) {
    assert.match(call.worker, /^[0-9a-f]{8}$/);
    assert.equal(call.model, 'sim-model');
    assert.equal(call.output_tokens, 16);
    assert.ok(call.input_tokens > 0);
  }
  assert.ok((calls[1]?.ttft_ms ?? 0) > 0);
});

test('text lines stay one line whatever a client puts into them', async (t) => {
  const folder = folderFor(t);
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url], { logLevel: 'info', logDir: folder });
  await allReady(gateway, 1);
  await post(gateway, '/v1/chat/completions', chatBody({ model: 'a\nINFO forged status=200 \u2028 x' }));
  await gateway.stop({ settle: false });
  const lines = readLog(folder).trim().split('\n');
  assert.ok(
    lines.every((line) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARN|ERROR)/.test(line)),
    lines.join('|'),
  );
  assert.equal(lines.filter((line) => line.includes('forged')).length, 1);
});

async function scrape(rig: Rig): Promise<Map<string, number>> {
  const reply = await fetch(rig.gateway.metricsUrl ?? '');
  assert.match(reply.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const rows = (await reply.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(rows.map((row) => [row.slice(0, row.lastIndexOf(' ')), Number(row.slice(row.lastIndexOf(' ') + 1))]));
}

const ROUTER =
  'router_type="http",backend_type="regular",connection_mode="http",model="sim-model",endpoint="/v1/chat/completions"';

test('calls, tokens, first content, attempts, retries and workers are counted on every path', async (t) => {
  const rig = await rigFor(t, 2, { policy: 'passthrough', retryInitialBackoffMs: 1 });
  rig.engines[0]?.setFaults([{ kind: 'status', status: 500, rate: 1, times: 1 }]);
  const usage = { stream_options: { include_usage: true } };
  await (await post(rig.gateway, '/v1/chat/completions', chatBody())).text();
  await (await post(rig.gateway, '/v1/chat/completions', chatBody({ stream: true, ...usage }))).text();
  await (await post(rig.gateway, '/v1/chat/completions', chatBody({ model: 'none' }))).text();
  await (
    await post(
      rig.gateway,
      '/v1/chat/completions',
      chatBody({ stream: true, sim_fault: { kind: 'reset_after', events: 4 } }),
    )
  ).text();
  const seen = await scrape(rig);
  const value = (name: string) => seen.get(name) ?? 0;
  assert.equal(value('smg_http_requests_total{method="POST",path="/v1/chat/completions"}'), 4);
  assert.equal(
    value('smg_http_responses_total{path="/v1/chat/completions",status_code="404",error_code="model_not_found"}'),
    1,
  );
  assert.equal(
    value('smg_http_responses_total{path="/v1/chat/completions",status_code="200",error_code="upstream_broken"}'),
    1,
  );
  assert.equal(value(`smg_router_requests_total{${ROUTER},streaming="false"}`), 1);
  assert.equal(value(`smg_router_requests_total{${ROUTER},streaming="true"}`), 2);
  assert.equal(value(`smg_router_request_errors_total{${ROUTER},error_type="upstream_broken"}`), 1);
  assert.equal(value(`smg_router_request_duration_seconds_count{${ROUTER}}`), 2);
  assert.equal(value(`smg_router_ttft_seconds_count{${ROUTER}}`), 1);
  assert.equal(value(`smg_router_tpot_seconds_count{${ROUTER}}`), 1);
  assert.equal(value(`smg_router_generation_duration_seconds_count{${ROUTER}}`), 2);
  assert.equal(value(`smg_router_tokens_total{${ROUTER},token_type="output"}`), 32);
  assert.ok(value(`smg_router_tokens_total{${ROUTER},token_type="input"}`) > 0);
  assert.equal(
    value('smg_router_upstream_responses_total{router_type="http",status_code="500",error_code="upstream_error"}'),
    1,
  );
  assert.equal(value('smg_router_upstream_responses_total{router_type="http",status_code="200",error_code=""}'), 2);
  assert.equal(value('smg_worker_retries_total{worker_type="regular",endpoint="/v1/chat/completions"}'), 1);
  assert.equal(value('smg_worker_pool_size{worker_type="regular",connection_mode="http",model="sim-model"}'), 2);
  const health = [...seen].filter(([name]) => name.startsWith('smg_worker_health{'));
  assert.deepEqual(
    health.map(([, healthy]) => healthy),
    [1, 1],
  );
  assert.equal(
    [...seen].filter(([name]) => name.startsWith('smg_worker_cb_outcomes_total')).reduce((sum, [, n]) => sum + n, 0),
    4,
  );
});

test('a client cannot invent labels: unknown models and paths share one each', async (t) => {
  const rig = await rigFor(t, 1);
  for (let i = 0; i < 50; i += 1) {
    await post(rig.gateway, '/v1/chat/completions', chatBody({ model: `invented-${i}` }));
    await fetch(`${rig.gateway.url}/invented-${i}`, { method: i % 2 ? 'POST' : 'GET' });
  }
  const names = [...(await scrape(rig)).keys()];
  assert.deepEqual(
    names.filter((name) => name.includes('invented')),
    [],
  );
});

test('the metrics port serves metrics only, and can be switched off', async (t) => {
  const { gateway } = await rigFor(t, 1);
  const base = (gateway.metricsUrl ?? '').replace('/metrics', '');
  assert.equal((await fetch(`${base}/workers`)).status, 404);
  assert.equal((await fetch(`${gateway.url}/metrics`)).status, 404);
  const silent = await gatewayFor(t, [], { disableMetrics: true });
  assert.equal(silent.metricsUrl, undefined);
});
