import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('an empty histogram answers zero', () => {
  assert.equal(new Histogram().percentile(99), 0);
});

test('percentiles of a known ramp are within one percent', () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 100_000; us++) histogram.record(us / 1000);
  assert.equal(histogram.count, 100_000);
  for (const percent of [1, 25, 50, 90, 99, 99.9, 100]) {
    const found = histogram.percentile(percent);
    assert.ok(Math.abs(found / percent - 1) < 0.01, `p${percent} = ${found}`);
  }
});

test('every duration from a tenth of a microsecond to minutes is found again within one percent', () => {
  for (let ms = 0.0001; ms < 200_000; ms *= 1.037) {
    const histogram = new Histogram();
    histogram.record(ms);
    const found = histogram.percentile(50);
    assert.ok(Math.abs(found - ms) <= Math.max(0.00006, ms * 0.01), `${ms} → ${found}`);
  }
});

test('a duration beyond the range counts as the longest one, a negative one as zero', () => {
  const histogram = new Histogram();
  histogram.record(1e12);
  histogram.record(-5);
  assert.equal(histogram.count, 2);
  assert.ok(histogram.percentile(100) > 200_000);
  assert.equal(histogram.percentile(50), 0);
});
