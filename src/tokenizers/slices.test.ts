/** Long work on the loop: how it is cut, and how several of it get along. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import type { Steps } from '../pipeline/tokenizer/steps.ts';
import { inSlices } from './slices.ts';

/** Steps of one millisecond each; what happens is written down. */
function rig() {
  const clock = new ManualClock();
  const course: string[] = [];
  const run = inSlices({
    clock,
    pause: async () => {
      await Promise.resolve();
      course.push('|');
    },
  });
  const work = function* (name: string, steps: number, end?: Error): Steps<string> {
    for (let i = 0; i < steps; i += 1) {
      course.push(name);
      clock.advance(1);
      yield;
    }
    if (end) throw end;
    return name.toUpperCase();
  };
  return { run, work, course };
}

test('pauses before every five milliseconds of work, and gives its result', async () => {
  const { run, work, course } = rig();
  assert.equal(await run(work('a', 12)), 'A');
  assert.equal(course.join(''), '|aaaaa|aaaaa|aa');
});

test('gives two that work at once a turn of the loop each, so that no turn is longer', async () => {
  const { run, work, course } = rig();
  assert.deepEqual(await Promise.all([run(work('a', 10)), run(work('b', 6))]), ['A', 'B']);
  const slices = course.join('').split('|');
  assert.ok(slices.every((slice) => slice.length <= 5));
  assert.ok(slices.every((slice) => !(slice.includes('a') && slice.includes('b'))));
  assert.equal(course.filter((each) => each === 'b').length, 6);
});

test('work that fails rejects, and stops nobody else', async () => {
  const { run, work } = rig();
  const failing = run(work('a', 3, new Error('broken')));
  const other = run(work('b', 9));
  await assert.rejects(failing, /broken/);
  assert.equal(await other, 'B');
});
