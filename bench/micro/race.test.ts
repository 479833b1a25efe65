import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Contender, race } from './race.ts';

function spinner(name: string, ms: number): Contender {
  return {
    name,
    run(times) {
      const end = performance.now() + ms * times;
      while (performance.now() < end);
      return times;
    },
  };
}

test('times each contender in its order, by unit, and closes the contest', async () => {
  let closed = 0;
  const close = async () => {
    closed++;
  };
  const timed = await race({ name: 'spin', contenders: [spinner('a', 1), spinner('b', 4)], units: 2, close }, 1);
  assert.deepEqual(
    timed.map(({ name }) => name),
    ['a', 'b'],
  );
  for (const [index, least] of [500_000, 2_000_000].entries()) assert.ok((timed[index]?.ns ?? 0) >= least * 0.99);
  assert.equal(closed, 1);
});
