import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LiveList } from './live-list.ts';
import type { Listed } from './live-list.ts';

const membersOf = (list: LiveList<Listed>) => {
  const seen = new Set<Listed>();
  list.forEach((item) => seen.add(item));
  return seen;
};

test('holds exactly what was added and not deleted, whatever the order', () => {
  const steps = fc.array(fc.record({ item: fc.nat(7), isAdd: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const items: Listed[] = Array.from({ length: 8 }, () => ({ listIndex: -1 }));
      const list = new LiveList<Listed>();
      const model = new Set<Listed>();
      for (const { item, isAdd } of all) {
        const one = items[item] as Listed;
        if (!isAdd) list.delete(one);
        else if (!model.has(one)) list.add(one);
        if (isAdd) model.add(one);
        else model.delete(one);
        assert.equal(list.size, model.size);
        assert.deepEqual(membersOf(list), model);
      }
    }),
  );
});

test('an item may leave, and take others with it, while all are visited', () => {
  const list = new LiveList<Listed>();
  const items = Array.from({ length: 5 }, () => ({ listIndex: -1 }));
  for (const item of items) list.add(item);
  let visits = 0;
  list.forEach(() => {
    visits += 1;
    for (const item of items) list.delete(item);
  });
  assert.deepEqual([visits, list.size], [5, 0]);
});
