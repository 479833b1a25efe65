/** Keys in the configuration: how entries are written, what is refused, and that no complaint shows any part of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfigFile } from './file.ts';
import { loadConfig } from './load.ts';
import type { Sources } from './resolve.ts';
import type { Config } from './schema.ts';

function configOf(sources: Sources): Config {
  const loaded = loadConfig(sources);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.join('\n'));
  return loaded.config;
}

function problemsOf(sources: Sources): readonly string[] {
  const loaded = loadConfig(sources);
  assert.ok(!loaded.ok, 'expected problems');
  for (const problem of loaded.problems) assert.doesNotMatch(problem, /CANARY/);
  return loaded.problems;
}

test('a key keeps its colons: only the first ones divide an entry', () => {
  const config = configOf({
    flags: { tenantApiKey: ['acme:a:b:'], controlPlaneApiKeys: ['ci:CI deploys:admin:x:y'] },
  });
  assert.deepEqual(config.tenantApiKey, [{ tenant: 'acme', key: 'a:b:' }]);
  assert.deepEqual(config.controlPlaneApiKeys, [{ id: 'ci', name: 'CI deploys', role: 'admin', key: 'x:y' }]);
});

test('keys come from flags, variables and the file, and the original’s variable is known', () => {
  const env = { SMG_API_KEY: 'one', SMG_TENANT_API_KEY: 'a:1, b:2', CONTROL_PLANE_API_KEYS: 'ci:ci:admin:3' };
  const config = configOf({ env });
  assert.equal(config.apiKey, 'one');
  assert.deepEqual(
    config.tenantApiKey.map(({ tenant }) => tenant),
    ['a', 'b'],
  );
  assert.equal(config.controlPlaneApiKeys[0]?.key, '3');
  const both = configOf({ env: { ...env, SMG_CONTROL_PLANE_API_KEYS: 'mine:mine:user:4' } });
  assert.equal(both.controlPlaneApiKeys[0]?.id, 'mine');
  const file = parseConfigFile('smg.yaml', 'control_plane_api_keys:\n  - "ci:CI deploys:admin:k"');
  assert.equal(configOf({ file }).controlPlaneApiKeys[0]?.name, 'CI deploys');
});

const badEntries: readonly (readonly ['tenantApiKey' | 'controlPlaneApiKeys', string, RegExp])[] = [
  ['tenantApiKey', 'CANARY', /is not tenant:key: it has 0 of 1 colons$/],
  ['tenantApiKey', ':CANARY', /the tenant is empty$/],
  ['tenantApiKey', 'CANARY:', /the key is empty$/],
  ['tenantApiKey', 'CANARY 1:k', /the tenant is not 1 to 64 printable ASCII characters without spaces$/],
  ['tenantApiKey', 'acme:CAN ARY', /the key is not printable ASCII text without spaces$/],
  ['tenantApiKey', 'acme:CANARYé', /the key is not printable ASCII/],
  ['controlPlaneApiKeys', 'CANARY', /is not id:name:role:key: it has 0 of 3 colons$/],
  ['controlPlaneApiKeys', 'name:admin:CANARY', /it has 2 of 3 colons$/],
  ['controlPlaneApiKeys', 'id:name:CANARY:admin', /the role is not admin or user$/],
  ['controlPlaneApiKeys', 'id:name:Admin:CANARY', /the role is not admin or user$/],
  ['controlPlaneApiKeys', 'id:name:admin:', /the key is empty$/],
  [
    'controlPlaneApiKeys',
    ':::',
    /the id is empty, the name is empty, the role is not admin or user, the key is empty$/,
  ],
];

for (const [key, entry, expected] of badEntries) {
  test(`${JSON.stringify(entry)} among --${key === 'tenantApiKey' ? 'tenant-api-key' : 'control-plane-api-keys'} ends the start, unshown`, () => {
    const good = key === 'tenantApiKey' ? 'good:good' : 'good:good:user:good';
    const problems = problemsOf({ flags: { [key]: [good, entry] } });
    assert.equal(problems.length, 1);
    assert.match(
      problems[0] ?? '',
      /^flag --(tenant-api-key|control-plane-api-keys): entry 2: the value \(not shown\)/,
    );
    assert.match(problems[0] ?? '', expected);
  });
}

test('two keys for one tenant, two entries with one id and one key for two callers are refused', () => {
  const flags = {
    apiKey: 'CANARY-1',
    tenantApiKey: ['acme:CANARY-2', 'beta:CANARY-3', 'acme:CANARY-4'],
    controlPlaneApiKeys: ['a:a:admin:CANARY-5', 'a:b:user:CANARY-6'],
  };
  assert.deepEqual(problemsOf({ flags }), [
    'flag --tenant-api-key: entry 3: the tenant is that of entry 1',
    'flag --control-plane-api-keys: entry 2: the id is that of entry 1',
  ]);
  const twice = { apiKey: 'CANARY', tenantApiKey: ['acme:CANARY', 'b:x'], controlPlaneApiKeys: ['a:a:admin:x'] };
  assert.deepEqual(problemsOf({ flags: twice }), [
    'flag --tenant-api-key: entry 1: the key (not shown) is that of flag --api-key',
    'flag --control-plane-api-keys: entry 1: the key (not shown) is that of flag --tenant-api-key: entry 2',
  ]);
});

const lostKeys: readonly Sources[] = [
  { flags: { apiKey: '' } },
  { env: { SMG_API_KEY: '' } },
  { env: { SMG_API_KEY: '  ' } },
  { env: { SMG_TENANT_API_KEY: '' } },
  { env: { SMG_CONTROL_PLANE_API_KEYS: ' , ' } },
  { env: { CONTROL_PLANE_API_KEYS: '' } },
  { file: parseConfigFile('smg.yaml', 'api_key:') },
  { file: parseConfigFile('smg.yaml', 'control_plane_api_keys:\n  -') },
];

for (const sources of lostKeys) {
  test(`a key that got lost does not open the gateway: ${JSON.stringify(sources)}`, () => {
    assert.equal(problemsOf(sources).length, 1);
  });
}
