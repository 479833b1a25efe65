/** What is done once in a turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnEnd } from './turn-end.ts';

test('a task that is asked for several times in a turn runs once, and again in the next', () => {
  let end = () => {};
  const turnEnd = new TurnEnd((run) => {
    end = run;
  });
  let runs = 0;
  const task = { isDue: false, run: () => void (runs += 1) };
  turnEnd.add(task);
  turnEnd.add(task);
  assert.equal(runs, 0);
  end();
  assert.equal(runs, 1);
  turnEnd.add(task);
  end();
  assert.equal(runs, 2);
});

test('a task that asks again while it runs is for the next turn', () => {
  const ends: (() => void)[] = [];
  const turnEnd = new TurnEnd((run) => ends.push(run));
  let runs = 0;
  const task = {
    isDue: false,
    run: () => {
      runs += 1;
      if (runs === 1) turnEnd.add(task);
    },
  };
  turnEnd.add(task);
  ends[0]?.();
  assert.equal(runs, 1);
  ends[1]?.();
  assert.equal(runs, 2);
});
