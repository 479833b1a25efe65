/** Metrics as a view of records and of the fleet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, memberOf, snapshotOf } from '../../test/support/fleet.ts';
import type { LoadReport } from '../domain/candidate.ts';
import { readMetrics } from '../../test/support/prometheus-text.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { BreakerName, FleetSnapshot } from '../domain/ports.ts';
import { CallRecord } from '../domain/record.ts';
import { metricTable } from './metric-table.ts';
import type { FleetView } from './metrics.ts';
import { Metrics } from './metrics.ts';

function recordOf(change: Partial<CallRecord> = {}): CallRecord {
  const record = new CallRecord('id', 'POST', '/v1/chat/completions', 1_000);
  const whole = {
    isInference: true,
    canonicalModel: 'm',
    policy: 'random',
    workerId: 'w1',
    status: 200,
    headAt: 1_100,
    endedAt: 2_000,
  };
  return Object.assign(record, whole, { upstreamStartedAt: 1_010, firstContentAt: 1_200 }, change);
}

/** The samples of a family as `label=value,… value`, those that are not nought. */
function shown(metrics: Metrics, name: string): string[] {
  const samples = readMetrics(metrics.registry.render()).find((family) => family.name === name)?.samples ?? [];
  return samples
    .filter(({ value }) => value !== 0)
    .map(
      ({ labels, value }) =>
        `${Object.entries(labels)
          .map(([key, text]) => `${key}=${text}`)
          .join(',')} ${value}`,
    );
}

function sumOf(metrics: Metrics, family: string): number | undefined {
  const samples = readMetrics(metrics.registry.render()).find(({ name }) => name === family)?.samples ?? [];
  return samples.find(({ name }) => name === `${family}_sum`)?.value;
}

const ROUTER = 'router_type=http,backend_type=regular,connection_mode=http,model=m,endpoint=/v1/chat/completions';

test('every metric of the table is on the page, with its help', () => {
  const families = readMetrics(new Metrics([1]).registry.render());
  assert.deepEqual(
    families.map(({ name, type, help }) => [name, type, help]),
    Object.entries(metricTable).map(([name, row]) => [name, row.type, row.help]),
  );
});

test('an answered stream is counted with its tokens and timed in seconds', () => {
  const metrics = new Metrics([1]);
  const usage = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4 };
  const record = recordOf({ streaming: true, usage });
  record.attempts.push({ workerId: 'w1', status: 200, error: undefined, verdict: 'success', backoffMs: 0 });
  metrics.callEnded(record);
  assert.deepEqual(shown(metrics, 'smg_http_requests_total'), ['method=POST,path=/v1/chat/completions 1']);
  assert.deepEqual(shown(metrics, 'smg_http_responses_total'), [
    'path=/v1/chat/completions,status_code=200,error_code= 1',
  ]);
  assert.deepEqual(shown(metrics, 'smg_router_requests_total'), [`${ROUTER},streaming=true 1`]);
  assert.deepEqual(shown(metrics, 'smg_router_tokens_total'), [
    `${ROUTER},token_type=input 10`,
    `${ROUTER},token_type=output 5`,
    `${ROUTER},token_type=cached 4`,
  ]);
  assert.equal(sumOf(metrics, 'smg_http_request_duration_seconds'), 0.1);
  assert.equal(sumOf(metrics, 'smg_router_request_duration_seconds'), 1);
  assert.equal(sumOf(metrics, 'smg_router_ttft_seconds'), 0.2);
  assert.equal(sumOf(metrics, 'smg_router_tpot_seconds'), 0.2);
  assert.equal(sumOf(metrics, 'smg_router_generation_duration_seconds'), 0.99);
  assert.deepEqual(shown(metrics, 'smg_router_request_errors_total'), []);
});

test('translations are counted by their two APIs, and what they lost by kind', () => {
  const metrics = new Metrics([1]);
  const record = recordOf({});
  record.translation = 'openai-chat>gemini';
  const lost = { kind: 'lost', field: 'seed', reason: 'is not known there' } as const;
  record.warnings = [lost, lost, { ...lost, kind: 'changed' }];
  metrics.callEnded(record);
  metrics.callEnded(recordOf({}));
  assert.deepEqual(shown(metrics, 'smg_translations_total'), ['from=openai-chat,to=gemini 1']);
  assert.deepEqual(shown(metrics, 'smg_translation_warnings_total'), [
    'from=openai-chat,to=gemini,kind=lost 2',
    'from=openai-chat,to=gemini,kind=changed 1',
  ]);
});

test('retries and their causes are counted by attempt', () => {
  const metrics = new Metrics([1]);
  const record = recordOf({ status: 502, outcome: 'failed', error: 'upstream_broken', retriesExhausted: true });
  record.attempts.push(
    { workerId: 'w1', status: 0, error: 'upstream_unreachable', verdict: 'failure', backoffMs: 0 },
    { workerId: 'w2', status: 429, error: 'upstream_error', verdict: 'rate_limited', backoffMs: 250 },
  );
  metrics.callEnded(record);
  assert.deepEqual(shown(metrics, 'smg_router_request_errors_total'), [`${ROUTER},error_type=upstream_broken 1`]);
  assert.deepEqual(shown(metrics, 'smg_router_upstream_responses_total'), [
    'router_type=http,status_code=0,error_code=upstream_unreachable 1',
    'router_type=http,status_code=429,error_code=upstream_error 1',
  ]);
  assert.deepEqual(shown(metrics, 'smg_worker_cb_outcomes_total'), [
    'worker=w1,outcome=failure 1',
    'worker=w2,outcome=rate_limited 1',
  ]);
  assert.deepEqual(shown(metrics, 'smg_worker_errors_total'), [
    'worker_type=regular,connection_mode=http,error_type=upstream_unreachable 1',
  ]);
  assert.deepEqual(shown(metrics, 'smg_worker_retries_total'), ['worker_type=regular,endpoint=/v1/chat/completions 1']);
  assert.deepEqual(shown(metrics, 'smg_worker_retries_exhausted_total'), [
    'worker_type=regular,endpoint=/v1/chat/completions 1',
  ]);
  assert.equal(sumOf(metrics, 'smg_worker_retry_backoff_seconds'), 0.25);
  assert.equal(
    sumOf(metrics, 'smg_router_request_duration_seconds'),
    0,
    'a failed call does not count as fast or slow',
  );
});

test('a client that invents models, methods and ids adds no series', () => {
  const metrics = new Metrics([1]);
  const before = () => metrics.registry.render().split('\n').length;
  metrics.callEnded(recordOf({ canonicalModel: '', model: 'first' }));
  metrics.callEnded(Object.assign(new CallRecord('x', 'BREW', '/', 0), { endedAt: 1 }));
  const lines = before();
  for (let i = 0; i < 500; i += 1) {
    metrics.callEnded(recordOf({ canonicalModel: '', model: `model-${i}`, requestId: `id-${i}` }));
    metrics.callEnded(Object.assign(new CallRecord(`id-${i}`, `BREW${i}`, '/', 0), { endedAt: 1 }));
  }
  assert.equal(before(), lines);
  assert.ok(shown(metrics, 'smg_http_requests_total').includes('method=other,path=/ 501'));
});

interface Live {
  members: readonly PoolMember[];
  breakers: Record<string, BreakerName>;
}

function viewOf(live: Live): FleetView {
  return {
    snapshot: () => ({ members: live.members }) as FleetSnapshot,
    breaker: (id) => ({ state: live.breakers[id] ?? 'closed', failures: 2, successes: 0 }),
    openConnections: () => 3,
    admission: () => undefined,
  };
}

test('gauges are read from their owners at each scrape, and a worker that left leaves the page', () => {
  const metrics = new Metrics([1]);
  const live: Live = {
    members: [
      memberOf('a', { inFlight: 4, facts: { models: ['m', 'n'] } }),
      memberOf('b', { state: 'unhealthy' }),
      memberOf('c', { facts: { models: [] } }),
    ],
    breakers: { a: 'open', b: 'half_open' },
  };
  metrics.watch(viewOf(live), () => 0);
  assert.deepEqual(shown(metrics, 'smg_worker_requests_active'), ['worker=a 4']);
  assert.deepEqual(shown(metrics, 'smg_worker_health'), ['worker=a 1', 'worker=c 1']);
  assert.deepEqual(shown(metrics, 'smg_worker_cb_state'), ['worker=a 1', 'worker=b 2']);
  assert.deepEqual(shown(metrics, 'smg_worker_pool_size'), [
    'worker_type=regular,connection_mode=http,model=m 1',
    'worker_type=regular,connection_mode=http,model=n 1',
    'worker_type=regular,connection_mode=http,model= 1',
  ]);
  assert.deepEqual(shown(metrics, 'smg_http_connections_active'), [' 3']);
  live.members = live.members.slice(1);
  assert.deepEqual(shown(metrics, 'smg_worker_cb_state'), ['worker=b 2']);
  assert.deepEqual(shown(metrics, 'smg_worker_cb_consecutive_failures'), ['worker=b 2', 'worker=c 2']);
});

test('what engines report is shown for each member, ranks included, and a pool counts workers', () => {
  const metrics = new Metrics([1]);
  const report: LoadReport = {
    atMs: 0,
    running: 3,
    waiting: 2,
    waitingTokens: undefined,
    usedTokens: 25,
    capacityTokens: 100,
    throughput: undefined,
    cacheHitRate: undefined,
  };
  const rank = (at: number) => {
    const candidate = candidateOf(`w@${at}`, { report: { ...report, running: at } });
    return { ...memberOf('w'), id: `w@${at}`, rank: at, candidate };
  };
  const plain = { ...memberOf('a'), candidate: candidateOf('a', { report: { ...report, capacityTokens: undefined } }) };
  metrics.watch(viewOf({ members: [rank(1), rank(2), plain, memberOf('mute')], breakers: {} }), () => 0);
  assert.deepEqual(shown(metrics, 'smg_worker_engine_running'), ['worker=w@1 1', 'worker=w@2 2', 'worker=a 3']);
  assert.deepEqual(shown(metrics, 'smg_worker_engine_waiting'), ['worker=w@1 2', 'worker=w@2 2', 'worker=a 2']);
  assert.deepEqual(shown(metrics, 'smg_worker_engine_kv_usage'), ['worker=w@1 0.25', 'worker=w@2 0.25']);
  const pool = shown(metrics, 'smg_worker_pool_size').join();
  assert.equal(pool, 'worker_type=regular,connection_mode=http,model=m 2', 'a and mute; of w rank 0 would count');
});

test('requests in flight are counted by their age, until they end', () => {
  const metrics = new Metrics([1]);
  let now = 0;
  metrics.watch(viewOf({ members: [], breakers: {} }), () => now);
  const [old, young] = [new CallRecord('a', 'POST', '/', 0), new CallRecord('b', 'POST', '/', 9_990_000)];
  metrics.callStarted(old);
  metrics.callStarted(young);
  now = 10_000_000;
  assert.deepEqual(shown(metrics, 'smg_http_inflight_request_age_count'), ['gt=0,le=30 1', 'gt=7200,le=+Inf 1']);
  metrics.callEnded(old);
  now += 20_000;
  assert.deepEqual(shown(metrics, 'smg_http_inflight_request_age_count'), ['gt=0,le=30 1']);
});

test('the series of a worker that is gone are gone at the next look, and start anew when it comes back', () => {
  const metrics = new Metrics([1]);
  let members = [memberOf('w1'), memberOf('w2')];
  const view: FleetView = {
    snapshot: () => snapshotOf(members),
    breaker: () => undefined,
    openConnections: () => 0,
    admission: () => undefined,
  };
  metrics.watch(view, () => 0);
  const call = (workerId: string) => {
    const record = recordOf({ workerId });
    record.attempts.push({ workerId, status: 200, error: undefined, verdict: 'success', backoffMs: 0 });
    metrics.callEnded(record);
  };
  call('w1');
  call('w2');
  members = [memberOf('w2')];
  call('w1');
  assert.deepEqual(shown(metrics, 'smg_worker_cb_outcomes_total'), ['worker=w2,outcome=success 1']);
  members = [memberOf('w1'), memberOf('w2')];
  call('w1');
  assert.deepEqual(shown(metrics, 'smg_worker_cb_outcomes_total'), [
    'worker=w2,outcome=success 1',
    'worker=w1,outcome=success 1',
  ]);
});

test('models of a chain that did not answer are counted by why', () => {
  const metrics = new Metrics([1]);
  const record = recordOf({
    chain: [
      { model: 'a', why: 'no_worker' },
      { model: 'b', why: 'quota' },
    ],
  });
  metrics.callEnded(record);
  metrics.callEnded(record);
  assert.deepEqual(shown(metrics, 'smg_router_fallbacks_total'), [
    'model=a,reason=no_worker 2',
    'model=b,reason=quota 2',
  ]);
});
