/** The metrics registry, read back by a parser of the text format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMetrics } from '../../test/support/prometheus-text.ts';
import type { Sample } from '../../test/support/prometheus-text.ts';
import { anyText } from '../../test/support/text.ts';
import { MetricRegistry } from './registry.ts';

function spec(name: string, labels: readonly string[] = []) {
  return { name, help: `What ${name} counts.`, labels };
}

function samplesOf(registry: MetricRegistry, name: string): readonly Sample[] {
  return readMetrics(registry.render()).find((family) => family.name === name)?.samples ?? [];
}

test('an empty registry is an empty page, and a family without children says what it is', () => {
  const registry = new MetricRegistry();
  assert.equal(registry.render(), '');
  registry.counter(spec('calls_total', ['model']));
  assert.equal(registry.render(), '# HELP calls_total What calls_total counts.\n# TYPE calls_total counter\n');
});

test('counters and gauges are read back with their labels and values', () => {
  const registry = new MetricRegistry();
  const calls = registry.counter(spec('calls_total', ['model', 'status']));
  const open = registry.gauge(spec('open'));
  calls.with('m', '200').value += 2;
  calls.with('m', '500').value += 1;
  open.with().value = 0.25;
  assert.deepEqual(readMetrics(registry.render()), [
    {
      name: 'calls_total',
      type: 'counter',
      help: 'What calls_total counts.',
      samples: [
        { name: 'calls_total', labels: { model: 'm', status: '200' }, value: 2 },
        { name: 'calls_total', labels: { model: 'm', status: '500' }, value: 1 },
      ],
    },
    { name: 'open', type: 'gauge', help: 'What open counts.', samples: [{ name: 'open', labels: {}, value: 0.25 }] },
  ]);
});

test('the same label values are the same child', () => {
  const calls = new MetricRegistry().counter(spec('calls_total', ['a', 'b']));
  assert.equal(calls.with('x', 'y'), calls.with('x', 'y'));
  assert.notEqual(calls.with('x', 'y'), calls.with('y', 'x'));
  assert.notEqual(calls.with('xy', ''), calls.with('x', 'y'));
});

test('label values of any text come back as they were, and none of them forges a line', () => {
  const value = fc.oneof(anyText(12), fc.constantFrom('"} 1\nforged_total 9', '\\', '\\"', '\n', 'a",b="c', '\\n'));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(value, value), { maxLength: 6, selector: ([a, b]) => `${a}\u0001${b}` }),
      (pairs) => {
        const registry = new MetricRegistry();
        const calls = registry.counter(spec('calls_total', ['a', 'b']));
        for (const [i, [a, b]] of pairs.entries()) calls.with(a, b).value = i + 1;
        const read = samplesOf(registry, 'calls_total').map(({ labels, value: count }) => [
          labels['a'],
          labels['b'],
          count,
        ]);
        assert.deepEqual(
          read,
          pairs.map(([a, b], i) => [a, b, i + 1]),
        );
      },
    ),
  );
});

test('a histogram counts each value in every bucket that holds it, and all of them in +Inf', () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram(spec('seconds', ['path']), [0.1, 1, 10]);
  const child = seconds.with('/v1');
  for (const value of [0.05, 0.1, 0.100001, 1, 5, 10, 99]) seconds.observe(child, value);
  const bucket = (le: string, value: number) => ({ name: 'seconds_bucket', labels: { path: '/v1', le }, value });
  const [sum, count] = samplesOf(registry, 'seconds').slice(-2);
  assert.deepEqual(samplesOf(registry, 'seconds').slice(0, -2), [
    bucket('0.1', 2),
    bucket('1', 4),
    bucket('10', 6),
    bucket('+Inf', 7),
  ]);
  assert.equal(sum?.name, 'seconds_sum');
  assert.ok(Math.abs((sum?.value ?? 0) - 115.250001) < 1e-9);
  assert.deepEqual(count, { name: 'seconds_count', labels: { path: '/v1' }, value: 7 });
});

test('for any observations the buckets rise, +Inf equals the count, and each bucket holds what is at most its bound', () => {
  const bounds = [0.001, 0.5, 2, 100];
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { maxLength: 60 }), (values) => {
      const registry = new MetricRegistry();
      const seconds = registry.histogram(spec('seconds'), bounds);
      for (const value of values) seconds.observe(seconds.with(), value);
      const samples = samplesOf(registry, 'seconds');
      if (values.length === 0) return assert.deepEqual(samples, []);
      const read = samples
        .filter(({ name }) => name === 'seconds_bucket')
        .map(({ labels, value }) => [labels['le'], value]);
      const expected = bounds.map((bound) => [String(bound), values.filter((value) => value <= bound).length]);
      assert.deepEqual(read, [...expected, ['+Inf', values.length]]);
      assert.equal(samples.at(-1)?.value, values.length);
      const sum = values.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs((samples.at(-2)?.value ?? 0) - sum) < 1e-6);
    }),
  );
});

test('an attack on the number of series ends in one that is named other', () => {
  const registry = new MetricRegistry();
  const calls = registry.counter(spec('calls_total', ['model', 'status']));
  for (let i = 0; i < 20_000; i += 1) calls.with(`model-${i}`, '200').value += 1;
  const samples = samplesOf2(registry);
  assert.equal(samples.length, 5_001);
  const other = samples.find(({ labels }) => labels['model'] === 'other');
  assert.deepEqual(other, { name: 'calls_total', labels: { model: 'other', status: 'other' }, value: 15_000 });
  assert.equal(
    samples.reduce((sum, { value }) => sum + value, 0),
    20_000,
    'no call is lost',
  );
  calls.with('model-7', '200').value += 1;
  assert.equal(samplesOf2(registry).find(({ labels }) => labels['model'] === 'model-7')?.value, 2, 'known ones go on');
});

/** As samplesOf, without its check for series that come twice, which takes long for thousands. */
function samplesOf2(registry: MetricRegistry): Sample[] {
  const lines = registry
    .render()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.flatMap(
    (line) => readMetrics(`# HELP calls_total x\n# TYPE calls_total counter\n${line}\n`)[0]?.samples ?? [],
  );
}

test('a cleared family begins anew', () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge(spec('health', ['worker']));
  gauge.with('a').value = 1;
  gauge.clear();
  assert.deepEqual(samplesOf(registry, 'health'), []);
  gauge.with('b').value = 1;
  assert.deepEqual(samplesOf(registry, 'health'), [{ name: 'health', labels: { worker: 'b' }, value: 1 }]);
});

test('gauges that are read rather than kept are read at each scrape', () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge(spec('age'));
  let age = 0;
  registry.onScrape(() => {
    age += 1;
    gauge.with().value = age;
  });
  assert.equal(samplesOf(registry, 'age')[0]?.value, 1);
  assert.equal(samplesOf(registry, 'age')[0]?.value, 2);
});
