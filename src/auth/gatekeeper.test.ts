/** How keys are read from headers, and how a refusal reads. Which caller may do what is roles.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientHeaders } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { RouteAccess } from '../domain/ports.ts';
import { KeyRing } from './api-keys.ts';
import type { OwnedKey } from './api-keys.ts';
import { KeyGatekeeper } from './gatekeeper.ts';

const api: OwnedKey = { key: 'api-1', owner: { kind: 'api' } };
const tenant: OwnedKey = { key: 'ten:ant', owner: { kind: 'tenant', tenant: 'acme' } };
const admin: OwnedKey = { key: 'adm-1', owner: { kind: 'control', id: 'ci', name: 'CI deploys', role: 'admin' } };
const all = new KeyGatekeeper(new KeyRing([api, tenant, admin]));

function refusalOf(headers: ClientHeaders, access: RouteAccess = 'data', gatekeeper = all): GatewayError {
  try {
    gatekeeper.check(headers, access);
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError);
    return thrown;
  }
  throw new Error('it was let in');
}

const goodForms: readonly ClientHeaders[] = [
  { authorization: 'Bearer ten:ant' },
  { authorization: 'bearer ten:ant' },
  { authorization: 'BEARER   ten:ant' },
  { 'x-api-key': 'ten:ant' },
  { 'x-goog-api-key': 'ten:ant' },
  { authorization: 'Bearer wrong', 'x-api-key': 'ten:ant' },
  { authorization: 'Bearer ten:ant', 'x-api-key': 'wrong', 'x-goog-api-key': 'wrong' },
  { authorization: 'Basic dTpw', 'x-goog-api-key': 'ten:ant' },
];

for (const headers of goodForms) {
  test(`${JSON.stringify(headers)} is the tenant`, () => {
    const expected = { kind: 'key', tenant: 'acme', name: 'tenant acme', usedGatewayKey: true };
    assert.deepEqual(all.check(headers, 'data'), expected);
  });
}

const badForms: readonly (readonly [ClientHeaders, string])[] = [
  [{}, 'authentication_required'],
  [{ authorization: '' }, 'authentication_required'],
  [{ authorization: 'api-1' }, 'authentication_required'],
  [{ authorization: 'Bearer' }, 'authentication_required'],
  [{ authorization: 'Basic api-1' }, 'authentication_required'],
  [{ authorization: 'Bearer api-1, Bearer api-1' }, 'authentication_required'],
  [{ 'x-api-key': 'api-1, api-1' }, 'authentication_required'],
  [{ 'x-api-key': ['api-1', 'api-1'] }, 'authentication_required'],
  [{ 'api-key': 'api-1' }, 'authentication_required'],
  [{ cookie: 'api-1' }, 'authentication_required'],
  [{ authorization: 'Bearer api-2' }, 'invalid_key'],
  [{ 'x-api-key': 'Bearerapi-1' }, 'invalid_key'],
  [{ 'x-goog-api-key': 'acme:ten:ant' }, 'invalid_key'],
];

for (const [headers, code] of badForms) {
  test(`${JSON.stringify(headers)} is ${code}`, () => {
    const error = refusalOf(headers);
    assert.deepEqual([error.status, error.code], [401, code]);
  });
}

test('every key that is not ours reads the same, and no refusal quotes what was sent', () => {
  const texts = ['wrong', 'api-', 'api-12', 'acme:x', 'other:ten:ant'].map((key) => refusalOf({ 'x-api-key': key }));
  assert.equal(new Set(texts.map(({ message }) => message)).size, 1);
  assert.ok(!refusalOf({ 'x-api-key': 'CANARY' }).message.includes('CANARY'));
  assert.ok(!refusalOf({ 'x-api-key': 'ten:ant' }, 'control').message.includes('ten'));
});

test('of two good keys the one that suffices counts', () => {
  const both = { authorization: 'Bearer ten:ant', 'x-api-key': 'adm-1' };
  assert.equal(all.check(both, 'control').name, 'CI deploys (ci)');
  assert.equal(all.check(both, 'data').tenant, 'acme');
});

test('a good key for something else is 403, and the audit still learns whose it was', () => {
  const headers = { authorization: 'Bearer ten:ant' };
  const error = refusalOf(headers, 'control');
  assert.deepEqual([error.status, error.code], [403, 'admin_required']);
  assert.equal(all.identify(headers).name, 'tenant acme');
  assert.equal(all.identify({ authorization: 'Bearer wrong' }).kind, 'anonymous');
});

test('without any keys everybody may do everything, and what he sends is taken for a provider’s key', () => {
  const open = new KeyGatekeeper(new KeyRing([]));
  for (const access of ['public', 'data', 'control'] as const) {
    const principal = open.check({ authorization: 'Bearer sk-mine' }, access);
    assert.deepEqual([principal.kind, principal.usedGatewayKey], ['anonymous', false]);
  }
});

test('a control key on open calls is known as ours, so that it is not passed on as a provider’s', () => {
  const gatekeeper = new KeyGatekeeper(new KeyRing([admin]));
  assert.equal(gatekeeper.check({ 'x-api-key': 'adm-1' }, 'data').usedGatewayKey, true);
  assert.equal(gatekeeper.check({ 'x-api-key': 'sk-mine' }, 'data').usedGatewayKey, false);
});

test('a key of ours in the provider’s header is refused: it would be sent to a worker', () => {
  const headers = { authorization: 'Bearer api-1' };
  for (const key of ['api-1', ' adm-1', 'ten:ant']) {
    const error = refusalOf({ ...headers, 'x-smg-provider-key': key });
    assert.deepEqual([error.status, error.code, error.param], [400, 'invalid_request', 'x-smg-provider-key']);
    assert.ok(!error.message.includes(key.trim()));
  }
  all.check({ ...headers, 'x-smg-provider-key': 'sk-mine' }, 'data');
});
