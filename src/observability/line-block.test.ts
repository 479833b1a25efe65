/** Log lines as bytes: the same text that strings would give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineBlock } from './line-block.ts';

function written(write: (block: LineBlock) => void): string {
  const block = new LineBlock(16);
  write(block);
  return block.take().toString('utf8');
}

test('text of any kind and length is written as UTF-8', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
      const all = written((block) => {
        for (const text of texts) block.text(text);
      });
      assert.equal(all, Buffer.from(texts.join('')).toString('utf8'));
    }),
  );
});

test('plain words stand as they are, all others are quoted and stay within their quotes', () => {
  assert.equal(
    written((block) => block.word('a.b/c:d@e+f,g-1_Z')),
    'a.b/c:d@e+f,g-1_Z',
  );
  assert.equal(
    written((block) => block.word('')),
    '""',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const text = written((block) => block.word(value));
      assert.ok(/^[\w.:/@+,-]+$/.test(text) || /^"([^"\\\n\r]|\\.)*"$/.test(text), text);
      assert.doesNotMatch(text, /[\n\r\u007f-\u009f\u2028\u2029]/);
    }),
  );
});

test('numbers are written as the platform writes them', () => {
  const numbers = [
    0,
    -0,
    7,
    10,
    99,
    100,
    1e9,
    2 ** 53,
    -12,
    0.1,
    102.4,
    -3.5,
    1 / 3,
    1e-7,
    1e21,
    NaN,
    Infinity,
    999_999_999.9,
  ];
  for (const value of numbers)
    assert.equal(
      written((block) => block.number(value)),
      String(value),
      String(value),
    );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer(),
        fc.integer().map((n) => Math.round(n) / 10),
        fc.double(),
      ),
      (value) => {
        const text = written((block) => block.number(value));
        assert.ok(
          Object.is(Number(text), value === 0 ? 0 : value) || Math.abs(Number(text) - value) < 1e-6,
          `${value} as ${text}`,
        );
      },
    ),
  );
});

test('a block that was taken is not written into any more', () => {
  const block = new LineBlock(4);
  block.text('first');
  const first = block.take();
  block.text('second');
  assert.deepEqual([first.toString(), block.take().toString(), block.length], ['first', 'second', 0]);
});

test('milliseconds have three digits', () => {
  for (const [value, text] of [
    [0, '000'],
    [7, '007'],
    [42, '042'],
    [999, '999'],
  ] as const) {
    assert.equal(
      written((block) => block.milliseconds(value)),
      text,
    );
  }
});
