import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subjectOf, usualSubjects, YARDSTICK } from './subjects.ts';

test('every policy of the gateway can be named, and the yardstick', () => {
  for (const name of [...usualSubjects, YARDSTICK, 'passthrough']) assert.equal(subjectOf(name).name, name);
});

test('options are given behind the name, as flags or keys write them', () => {
  for (const key of ['cacheThreshold', 'cache-threshold', 'cache_threshold']) {
    const word = `${YARDSTICK}:${key}=0.5,balance-abs-threshold=3`;
    assert.equal(subjectOf(word).name, word);
  }
});

test('says what is wrong with a name or an option', () => {
  const complaint = (word: string) => {
    try {
      subjectOf(word);
    } catch (error) {
      assert.ok(error instanceof RangeError);
      return error.message;
    }
    return assert.fail(`${word} was taken`);
  };
  assert.match(complaint('fastest'), /^no policy is called fastest; there are round_robin, /);
  assert.match(complaint('random:a=1'), /^random has no option a; it has none$/);
  assert.match(complaint(`${YARDSTICK}:nope=1`), /has no option nope; it has cacheThreshold, /);
  for (const value of ['', 'x', '-1', '1.5', 'NaN']) {
    assert.match(complaint(`${YARDSTICK}:balanceAbsThreshold=${value}`), /is no value for balanceAbsThreshold$/);
  }
});
