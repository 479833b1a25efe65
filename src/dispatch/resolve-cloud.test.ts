/** Models of clouds: listed, by name, and where local engines stand beside them (behaviour §4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf, snapshotOf } from '../../test/support/fleet.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { resolveModel } from './resolve-model.ts';

const local = (id: string, ...models: string[]): PoolMember => memberOf(id, { facts: { models } });
const cloud = (id: string, provider: string, ...models: string[]): PoolMember =>
  memberOf(id, { spec: { provider, runtime: 'external' }, facts: { models, engine: 'external' } });

function pool(model: string, ...members: readonly PoolMember[]): string {
  const { members: found } = resolveModel(model, false, snapshotOf(members), new Map());
  return found.map(({ id }) => id).join(' ');
}

test('who lists the model serves it, local and cloud in one pool', () => {
  assert.equal(pool('m', local('own', 'm'), cloud('far', 'openai', 'm'), cloud('other', 'groq', 'n')), 'own far');
});

test('else clouds whose provider owns the name, before local workers that take anything', () => {
  const fleet = [
    local('any'),
    cloud('keyless', 'openai'),
    cloud('listed', 'openai', 'gpt-4o'),
    cloud('a', 'anthropic'),
  ];
  assert.equal(pool('gpt-4o', ...fleet), 'listed');
  assert.equal(pool('gpt-new', ...fleet), 'keyless listed');
  assert.equal(pool('openai/gpt-4o', ...fleet), 'keyless listed');
  assert.equal(pool('claude-x', ...fleet), 'a');
  assert.equal(pool('vendor/claude-x', ...fleet), 'a');
  assert.equal(pool('llama', ...fleet), 'any');
});

test('a cloud without a list takes no names of others', () => {
  assert.throws(() => pool('llama', cloud('keyless', 'openai')), /does not exist here/);
  assert.throws(() => pool('gpt-4o', cloud('keyless', 'groq')), /does not exist here/);
});

test('the pool of a provider is the same array at each call, and none where an operator named the models', () => {
  const named = memberOf('named', {
    spec: { provider: 'openai', models: [{ id: 'x', displayName: undefined, aliases: [], contextLength: undefined }] },
    facts: { models: ['x'] },
  });
  const fleet = snapshotOf([cloud('a', 'openai'), named, cloud('z', 'azure')]);
  assert.equal(fleet.cloudMembersFor('gpt-1'), fleet.cloudMembersFor('gpt-2'));
  assert.deepEqual(
    fleet.cloudMembersFor('gpt-1').map(({ id }) => id),
    ['a', 'z'],
  );
});
