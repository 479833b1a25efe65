/** The rule of access, over every kind of caller and every mix of keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyOwner, Ruling } from './roles.ts';
import { rule } from './roles.ts';

const callers: Readonly<Record<string, KeyOwner | undefined>> = {
  nobody: undefined,
  api: { kind: 'api' },
  tenant: { kind: 'tenant', tenant: 'acme' },
  user: { kind: 'control', id: 'u', name: 'u', role: 'user' },
  admin: { kind: 'control', id: 'a', name: 'a', role: 'admin' },
};

type Kinds = readonly KeyOwner['kind'][];

/** `+` allowed, `?` it takes a key, `-` the key is not for this; in the order nobody, api, tenant, user, admin. */
const rows: readonly (readonly [kinds: Kinds, data: string, control: string])[] = [
  [[], '+++++', '+++++'],
  [['api'], '?++++', '?+---'],
  [['tenant'], '?++++', '?+---'],
  [['api', 'tenant'], '?++++', '?+---'],
  [['control'], '+++++', '?---+'],
  [['api', 'control'], '?++++', '?---+'],
  [['tenant', 'control'], '?++++', '?---+'],
  [['api', 'tenant', 'control'], '?++++', '?---+'],
];

const WORDS: Readonly<Record<string, Ruling>> = { '+': 'allowed', '?': 'no_key', '-': 'wrong_role' };

for (const [kinds, data, control] of rows) {
  test(`with ${kinds.length === 0 ? 'no keys' : `${kinds.join(', ')} keys`} each caller may do just what its key is for`, () => {
    for (const [access, signs] of [['data', data] as const, ['control', control] as const]) {
      for (const [index, [name, owner]] of Object.entries(callers).entries()) {
        assert.equal(rule(access, owner, new Set(kinds)), WORDS[signs[index] ?? ''], `${name}: ${access}`);
        assert.equal(rule('public', owner, new Set(kinds)), 'allowed');
      }
    }
  });
}
