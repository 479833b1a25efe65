/** The ring finds the owner of each key and of nothing else, however many keys there are. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { KeyRing } from './api-keys.ts';
import type { OwnedKey } from './api-keys.ts';

function tenants(count: number): OwnedKey[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index}-${randomBytes(12).toString('hex')}`,
    owner: { kind: 'tenant', tenant: `tenant-${index}` },
  }));
}

for (const count of [1, 2, 1_000]) {
  test(`among ${count} each key finds its own owner, the first and the last one too`, () => {
    const keys = tenants(count);
    const ring = new KeyRing(keys);
    for (const { key, owner } of keys) assert.equal(ring.find(key), owner);
  });
}

test('nothing else finds an owner: no part of a key, no longer one, no other case, nothing at all', () => {
  const key = 'Abcdefgh-12345678';
  const ring = new KeyRing([{ key, owner: { kind: 'api' } }, ...tenants(3)]);
  const others = ['', ' ', key.slice(0, -1), key.slice(1), `${key}x`, `${key} `, ` ${key}`, key.toLowerCase(), 'x'];
  for (const other of others) assert.equal(ring.find(other), undefined, JSON.stringify(other));
});

test('an empty ring knows nobody', () => {
  const ring = new KeyRing([]);
  assert.ok(ring.isEmpty);
  assert.equal(ring.find(''), undefined);
  assert.equal(ring.kinds.size, 0);
});
