/** What a worker may be told over REST: every field, every refusal by name, and never a key in a message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { problemText } from './fields.ts';
import { workerFields } from './worker-fields.ts';
import { readWorkerPatch, readWorkerSpec } from './worker-spec.ts';
import type { WorkerSpec } from './worker.ts';
import { NO_HEALTH_OVERRIDES, NO_RESILIENCE_OVERRIDES } from './worker.ts';

const DEFAULTS = { apiKey: undefined, maxInFlight: 7, origin: 'api' } as const;
const URL_ONLY = { url: 'http://worker1:8000' };

function specOf(body: unknown): WorkerSpec {
  const reading = readWorkerSpec(body, DEFAULTS);
  assert.ok(reading.ok, reading.ok ? '' : problemText(reading.problems));
  return reading.spec;
}

/** The paths that are complained about, and the whole text. */
function problemsOf(body: unknown): { paths: string[]; text: string } {
  const reading = readWorkerSpec(body, DEFAULTS);
  assert.ok(!reading.ok, `was accepted: ${JSON.stringify(body)}`);
  return { paths: reading.problems.map(({ path }) => path), text: problemText(reading.problems) };
}

function patchOf(body: unknown, change: Partial<WorkerSpec> = {}) {
  const reading = readWorkerPatch(body, { ...specOf(URL_ONLY), ...change });
  assert.ok(reading.ok, reading.ok ? '' : problemText(reading.problems));
  return reading.patch;
}

test('a URL is enough, and everything else has its default', () => {
  assert.deepEqual(specOf(URL_ONLY), {
    url: 'http://worker1:8000',
    apiKey: undefined,
    priority: 50,
    cost: 1,
    maxInFlight: 7,
    labels: {},
    runtime: undefined,
    workerType: 'regular',
    provider: undefined,
    models: [],
    bootstrapPort: undefined,
    health: NO_HEALTH_OVERRIDES,
    resilience: NO_RESILIENCE_OVERRIDES,
    origin: 'api',
  });
});

test('every field of the guides is read', () => {
  const spec = specOf({
    url: 'https://API.example.com/v1/',
    api_key: 'optional-key',
    runtime_type: 'external',
    runtime: 'external',
    worker_type: 'regular',
    connection_mode: 'http',
    provider: 'OpenAI',
    models: ['a', { id: 'b', display_name: 'B', aliases: ['c'], context_length: 4096 }],
    priority: 90,
    cost: 0.5,
    labels: { region: 'us-east' },
    max_in_flight: 3,
    bootstrap_port: 8998,
    health: { timeout_secs: 2, check_interval_secs: 0.5, success_threshold: 1, drain_settle_secs: 0 },
    resilience: { cb_failure_threshold: 2, max_retries: 1, disable_retry: true },
  });
  assert.deepEqual(
    [spec.url, spec.apiKey, spec.runtime, spec.provider, spec.priority, spec.cost, spec.maxInFlight],
    ['https://api.example.com', 'optional-key', 'external', 'openai', 90, 0.5, 3],
  );
  assert.deepEqual(spec.models, [
    { id: 'a', displayName: undefined, aliases: [], contextLength: undefined },
    { id: 'b', displayName: 'B', aliases: ['c'], contextLength: 4096 },
  ]);
  assert.deepEqual(spec.labels, { region: 'us-east' });
  assert.deepEqual([spec.health.timeoutSecs, spec.health.drainSettleSecs], [2, 0]);
  assert.deepEqual([spec.resilience.cbFailureThreshold, spec.resilience.disableRetry], [2, true]);
});

test('null counts as not given, but not for the URL', () => {
  const fields = Object.keys(workerFields).filter((name) => name !== 'url');
  assert.deepEqual(
    specOf({ ...URL_ONLY, ...Object.fromEntries(fields.map((name) => [name, null])) }),
    specOf(URL_ONLY),
  );
  assert.deepEqual(problemsOf({ url: null }).paths, ['url']);
});

test('all that is wrong is told at once, by name', () => {
  const { paths, text } = problemsOf({
    uri: 'x',
    priority: '90',
    cost: 0,
    labels: { zone: 1, ok: 'x', on: true },
    health: { timeout: 3, timeout_secs: 'long' },
    models: ['a', 7, { id: 'b', size: 1 }, { aliases: ['x'] }],
    api_key: 'two words',
  });
  assert.deepEqual(paths, [
    'url',
    'uri',
    'priority',
    'cost',
    'labels.zone',
    'labels.on',
    'health.timeout',
    'health.timeout_secs',
    'models[1]',
    'models[2].size',
    'models[3].id',
    'api_key',
  ]);
  assert.match(text, /`url` is missing; `uri` is no known field; `priority` must be a whole number from 0 to 100/);
});

const refusals: readonly (readonly [field: string, value: unknown, why: RegExp])[] = [
  ['url', 'grpc://worker', /names no port/],
  ['url', 'grpc://user:hidden@worker:50051', /^(?!.*hidden).*credentials/],
  ['url', 'ftp://worker', /scheme ftp/],
  ['url', 'http://user:hidden@worker', /^(?!.*hidden).*credentials/],
  ['url', 5, /is not a worker URL/],
  ['url', 'http://worker:0', /port 0/],
  ['url', 'worker:0', /port 0/],
  ['worker_type', 'prefill', /not available yet/],
  ['worker_type', 'decode', /not available yet/],
  ['worker_type', 'other', /must be regular/],
  ['connection_mode', 'grpc', /does not agree with the scheme/],
  ['connection_mode', 'zmq', /one of http, grpc/],
  ['runtime', 'other', /one of sglang, vllm, trtllm, mlx/],
  ['priority', 101, /from 0 to 100/],
  ['priority', 1.5, /whole number/],
  ['cost', Number.POSITIVE_INFINITY, /from 0.000001 to 1000000/],
  ['cost', Number.MIN_VALUE, /from 0.000001 to 1000000/],
  ['cost', Number.MAX_VALUE, /from 0.000001 to 1000000/],
  ['cost', -1, /from 0.000001/],
  ['cost', '1', /a number from 0.000001/],
  ['api_key', '', /printable/],
  ['api_key', 'new\nline', /^(?!.*line).*printable/],
  ['max_in_flight', -1, /at least 0/],
  ['http_pool', {}, /--connect-timeout-secs/],
  ['max_connection_attempts', 3, /asked again/],
  ['load_monitor_interval_secs', 3, /not set for single workers/],
  ['dp_size', 2, /found out/],
  ['kv_role', 'x', /not available yet/],
  ['labels', ['a'], /must be an object/],
  ['health', true, /must be an object/],
  ['resilience', { retryable_status_codes: [500] }, /which answers are retried is fixed/],
  ['models', 'a', /must be a list/],
];

for (const [field, value, why] of refusals) {
  test(`the field ${field} with ${JSON.stringify(value)} is refused with the reason`, () => {
    const { paths, text } = problemsOf({ ...URL_ONLY, [field]: value });
    assert.equal(paths[0]?.split('.')[0], field);
    assert.equal(paths.length, 1);
    assert.match(text, why);
  });
}

test('runtime and runtime_type may not differ', () => {
  assert.equal(specOf({ ...URL_ONLY, runtime_type: 'vllm' }).runtime, 'vllm');
  assert.deepEqual(problemsOf({ ...URL_ONLY, runtime: 'vllm', runtime_type: 'sglang' }).paths, ['runtime_type']);
});

test('fields without effect are accepted and named', () => {
  const body = {
    ...URL_ONLY,
    bootstrap_port: 1,
    models: [
      { id: 'a', chat_template: 'x' },
      { id: 'b', chat_template: 'y' },
    ],
  };
  const reading = readWorkerSpec(body, DEFAULTS);
  assert.ok(reading.ok);
  assert.deepEqual(reading.withoutEffect, ['bootstrap_port', 'models[].chat_template']);
});

test('what is no object is refused', () => {
  for (const body of [undefined, null, 3, 'http://a', [URL_ONLY], true]) assert.deepEqual(problemsOf(body).paths, ['']);
});

test('names of objects are fields like any other', () => {
  const body: unknown = JSON.parse('{"url": "http://a", "__proto__": {"priority": 1}, "constructor": 1}');
  assert.deepEqual(problemsOf(body).paths, ['__proto__', 'constructor']);
  const labels: unknown = JSON.parse('{"url": "http://a", "labels": {"__proto__": "x"}}');
  assert.deepEqual(Object.keys(specOf(labels).labels), ['__proto__']);
});

test('no body of whatever shape throws, and no message is endless or shows a value', () => {
  const value = fc.oneof(fc.constant('SECRET-VALUE'), fc.integer(), fc.boolean(), fc.constant(null), fc.constant([]));
  const name = fc.oneof(fc.constantFrom(...Object.keys(workerFields)), fc.string({ maxLength: 200 }));
  const body = fc.dictionary(name, fc.oneof(value, fc.dictionary(name, value), fc.array(value)), { maxKeys: 60 });
  fc.assert(
    fc.property(body, (given) => {
      const reading = readWorkerSpec(given, DEFAULTS);
      if (reading.ok) return;
      const text = problemText(reading.problems);
      assert.ok(text.length < 10_000);
      assert.ok(!text.includes('SECRET-VALUE'));
    }),
  );
});

test('a patch names what it changes and nothing else', () => {
  assert.deepEqual(patchOf({ priority: 1 }), { priority: 1 });
  assert.deepEqual(patchOf({ cost: 2, api_key: 'new' }), { cost: 2, apiKey: 'new' });
  assert.deepEqual(patchOf({ api_key: null }, { apiKey: 'old' }), { apiKey: undefined });
});

test('labels and health settings of a patch are merged, and null takes one back', () => {
  const labels = { zone: 'a', rack: '1' };
  assert.deepEqual(patchOf({ labels: { zone: null, row: '2' } }, { labels }), { labels: { rack: '1', row: '2' } });
  const health = { ...NO_HEALTH_OVERRIDES, timeoutSecs: 3, failureThreshold: 5 };
  assert.deepEqual(patchOf({ health: { timeout_secs: null, success_threshold: 1 } }, { health }), {
    health: { ...NO_HEALTH_OVERRIDES, failureThreshold: 5, successThreshold: 1 },
  });
  assert.deepEqual(patchOf({ health: null }, { health }), { health: NO_HEALTH_OVERRIDES });
});

test('patches do not add labels without an end', () => {
  const named = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, 'x']));
  const current = { ...specOf(URL_ONLY), labels: named('a', 40) };
  const reading = readWorkerPatch({ labels: named('b', 25) }, current);
  assert.equal(reading.ok ? '' : problemText(reading.problems), '`labels` would be 65; at most 64 are kept');
  assert.ok(readWorkerPatch({ labels: { ...named('b', 25), a0: null } }, current).ok);
});

test('a patch of anything else, or of nothing, is refused by name', () => {
  const refusedBy = (body: unknown) => {
    const reading = readWorkerPatch(body, specOf(URL_ONLY));
    return reading.ok ? 'accepted' : problemText(reading.problems);
  };
  assert.equal(
    refusedBy({ url: 'http://b', color: 1, priority: null }),
    '`url` cannot be changed alone; replace the worker with PUT; `color` is no known field; ' +
      '`priority` must be a whole number from 0 to 100',
  );
  assert.equal(refusedBy({}), 'the body names nothing to change');
  assert.equal(refusedBy([]), 'the body must be an object');
  assert.match(refusedBy({ labels: { a: 1 }, health: { x: 1 } }), /`labels.a` must be text.*`health.x` is no known/);
});

test('a provider that is almost a known one is accepted, and told', () => {
  const doubts = (provider: string) => {
    const reading = readWorkerSpec({ url: 'https://a', provider }, DEFAULTS);
    assert.ok(reading.ok);
    return [reading.spec.provider, reading.doubts.join()];
  };
  assert.deepEqual(doubts('Antropic'), [
    'antropic',
    '`provider` antropic is taken for a cloud of that name; did you mean anthropic?',
  ]);
  assert.deepEqual(doubts('anthropic'), ['anthropic', '']);
  assert.deepEqual(doubts('my-cloud'), ['my-cloud', '']);
});
