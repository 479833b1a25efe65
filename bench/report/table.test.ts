import assert from 'node:assert/strict';
import { test } from 'node:test';
import { number, percent, renderTable } from './table.ts';

test('columns are aligned, numbers to the right, and a bar in a cell is escaped', () => {
  const text = renderTable({
    columns: ['case', 'who', 'req/s'],
    rows: [
      ['unary', 'a|b', '12,345'],
      ['stream', 'c', '–'],
    ],
  });
  assert.equal(
    text,
    [
      '| case   | who  |  req/s |',
      '| ------ | ---- | -----: |',
      '| unary  | a\\|b | 12,345 |',
      '| stream | c    |      – |',
    ].join('\n'),
  );
});

test('a row with a missing cell is refused', () => {
  assert.throws(() => renderTable({ columns: ['a', 'b'], rows: [['1']] }), /1 cells for 2 columns/);
});

test('numbers keep about three significant digits', () => {
  assert.deepEqual([123456.7, 99.94, 9.996, 0.1234, -1.5, Number.NaN].map(number), [
    '123,457',
    '99.9',
    '10.00',
    '0.12',
    '-1.50',
    '–',
  ]);
  assert.equal(percent(0.987), '99%');
});
