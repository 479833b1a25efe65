import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import { readBody, Warnings } from './object-reader.ts';

const reading = (value: unknown) => {
  const warnings = new Warnings();
  return {
    warnings,
    reader: readBody(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), warnings),
  };
};

test('what nobody has read is reported with its path, and null is absent', () => {
  const { reader, warnings } = reading({ a: 1, b: null, c: { d: 1, e: 2 }, f: [{ g: 1 }], skipped: 1 });
  assert.equal(reader.number('a'), 1);
  assert.equal(reader.text('b'), undefined);
  reader.object('c')?.finish();
  for (const item of reader.objects('f')) item.finish();
  reader.ignore('skipped');
  reader.finish();
  assert.deepEqual(
    warnings.list.map(({ kind, field }) => `${kind} ${field}`),
    ['lost c.d', 'lost c.e', 'lost f[0].g'],
  );
});

const wrong: readonly [
  name: string,
  value: unknown,
  path: string,
  read: (r: ReturnType<typeof reading>['reader']) => unknown,
][] = [
  ['text', { a: 1 }, 'a', (r) => r.text('a')],
  ['a number', { a: '1' }, 'a', (r) => r.number('a')],
  ['a whole number', { a: 1.5 }, 'a', (r) => r.whole('a')],
  ['a whole number that a double holds', '{"a":9007199254740993}', 'a', (r) => r.whole('a')],
  ['a number that is none', '{"a":1e999}', 'a', (r) => r.number('a')],
  ['a flag', { a: 0 }, 'a', (r) => r.flag('a')],
  ['a list', { a: {} }, 'a', (r) => r.list('a')],
  ['an object', { a: [] }, 'a', (r) => r.object('a')],
  ['an object in a list', { a: [{}, 1] }, 'a[1]', (r) => r.objects('a')],
  ['text in a list', { a: ['x', null] }, 'a[1]', (r) => r.texts('a')],
  ['text within', { a: { b: true } }, 'a.b', (r) => r.object('a')?.text('b')],
  ['text that must be there', { a: null }, 'a', (r) => r.textOf('a')],
];

for (const [name, value, path, read] of wrong) {
  test(`a member that should be ${name} and is not is the client's error, with its path`, () => {
    assert.throws(
      () => read(reading(value).reader),
      (error: unknown) => error instanceof GatewayError && error.code === 'invalid_request' && error.param === path,
    );
  });
}

test('a body that is no JSON object is invalid_json and its text is not quoted', () => {
  for (const body of ['', '[]', '{"secret-word"', 'null'])
    assert.throws(
      () => reading(body),
      (error: unknown) =>
        error instanceof GatewayError && error.code === 'invalid_json' && !error.message.includes('secret'),
    );
});

test('refuses lists and objects that are longer than anybody needs', () => {
  const many = (count: number, item: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => item(i)).join(',');
  const body = `{"list":[${many(20_000, () => '{}')}],"object":{${many(70_000, (i) => `"k${i}":0`)}}}`;
  const { reader } = reading(body);
  assert.throws(() => reader.objects('list'), /`list` must have at most 16384 entries/);
  assert.throws(() => reader.object('object')?.value('k1'), /more than 65536 members/);
});
