/** Which workers may serve a model (behaviour §4), and what is said when none may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf, snapshotOf } from '../../test/support/fleet.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ModelAliases } from './resolve-model.ts';
import { chainOf, resolveModel } from './resolve-model.ts';

const NO_ALIASES: ModelAliases = new Map();

function serving(id: string, ...models: string[]): PoolMember {
  return memberOf(id, { facts: { models } });
}

/** The first of the chain. */
const firstOf = (asked: string | undefined, aliases: ModelAliases) => chainOf(asked, aliases)[0] ?? '';

function resolved(asked: string | undefined, members: readonly PoolMember[], aliases = NO_ALIASES, isOptional = false) {
  const first = firstOf(asked, aliases);
  const { model, members: pool, isListed } = resolveModel(first, isOptional, snapshotOf(members), aliases);
  return { model, ids: pool.map(({ worker }) => worker.id), isListed };
}

function refusal(
  asked: string | undefined,
  members: readonly PoolMember[],
  isOptional = false,
  aliases: ModelAliases = NO_ALIASES,
): GatewayError {
  try {
    resolveModel(firstOf(asked, aliases), isOptional, snapshotOf(members), aliases);
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError);
    return thrown;
  }
  return assert.fail('it was resolved');
}

test('workers that list the model serve it', () => {
  const fleet = [serving('a', 'm'), serving('b', 'n'), serving('c', 'n', 'm')];
  assert.deepEqual(resolved('m', fleet), { model: 'm', ids: ['a', 'c'], isListed: true });
});

test('named workers win over those that take any model, also while none of them can serve', () => {
  const fleet = [serving('any'), memberOf('named', { state: 'unhealthy', facts: { models: ['m'] } })];
  assert.deepEqual(resolved('m', fleet), { model: 'm', ids: ['named'], isListed: true });
});

test('a model that nobody lists goes to workers that take any; its name is then not one the fleet knows', () => {
  assert.deepEqual(resolved('x', [serving('a', 'm'), serving('any')]), { model: 'x', ids: ['any'], isListed: false });
});

test('an alias stands for its model, wherever that is served', () => {
  const aliases = new Map([['fast', ['m']]]);
  assert.deepEqual(resolved('fast', [serving('a', 'm')], aliases), { model: 'm', ids: ['a'], isListed: true });
  assert.deepEqual(resolved('fast', [serving('any')], aliases), { model: 'm', ids: ['any'], isListed: false });
  assert.deepEqual(resolved('m', [serving('a', 'm')], aliases).ids, ['a']);
});

test('an alias is followed once: what it names is a model', () => {
  const aliases = new Map([
    ['a', ['b']],
    ['b', ['c']],
  ]);
  assert.equal(resolved('a', [serving('w', 'b'), serving('v', 'c')], aliases).model, 'b');
});

test('an alias may stand for several models, its own name among them; any other name stands for itself', () => {
  const aliases = new Map([['m', ['m', 'n']]]);
  assert.deepEqual(chainOf('m', aliases), ['m', 'n']);
  for (const name of ['n', '__proto__', 'constructor']) assert.deepEqual(chainOf(name, aliases), [name]);
  for (const none of [undefined, '']) assert.deepEqual(chainOf(none, aliases), ['']);
});

test('a model that does not exist is 404 and names those that do', () => {
  const error = refusal('x', [
    serving('a', 'n', 'm'),
    memberOf('away', { state: 'unhealthy', facts: { models: ['z'] } }),
  ]);
  assert.deepEqual([error.code, error.param], ['model_not_found', 'model']);
  assert.equal(error.message, 'The model `x` does not exist here. Models: m, n.');
});

test('aliases of what is served are named too, those of anything else are not', () => {
  const aliases = new Map([
    ['fast', ['nothing', 'm']],
    ['gone', ['nothing']],
  ]);
  assert.equal(
    refusal('x', [serving('a', 'm')], false, aliases).message,
    'The model `x` does not exist here. Models: m, fast.',
  );
});

test('of many models twenty are named, and how many more there are', () => {
  const models = Array.from({ length: 23 }, (_, i) => `m${String(i).padStart(2, '0')}`);
  const { message } = refusal('x', [serving('a', ...models)]);
  assert.ok(message.endsWith('m18, m19 and 3 more.'), message);
});

test('names that no client should expect to exist do not', () => {
  for (const name of ['__proto__', 'constructor', 'toString'])
    assert.equal(refusal(name, [serving('a', 'm')]).code, 'model_not_found');
});

test('the name that a client made up is given back cut short', () => {
  const { message } = refusal('x'.repeat(100_000), [serving('a', 'm')]);
  assert.ok(message.length < 300, `${message.length} characters`);
});

test('while a worker has not said what it serves, a model may exist yet: 503, not 404', () => {
  const error = refusal('x', [serving('a', 'm'), memberOf('new', { state: 'probing', facts: null })]);
  assert.deepEqual([error.code, error.retryAfterSeconds], ['no_available_workers', 1]);
});

test('a gateway without workers has none available, whatever is asked', () => {
  for (const asked of ['m', undefined]) assert.equal(refusal(asked, [], true).code, 'no_available_workers');
  assert.equal(refusal('m', []).message, 'No worker is registered.');
});

test('a call that must name its model is refused without one', () => {
  for (const asked of [undefined, '']) {
    const error = refusal(asked, [serving('a', 'm')]);
    assert.deepEqual(
      [error.code, error.param, error.message],
      ['missing_model', 'model', 'The body must name a `model`. Models: m.'],
    );
  }
});

test('where the model may be left out, it is clear which is meant while there is but one', () => {
  const fleet = [serving('a', 'm'), serving('b', 'm')];
  for (const asked of [undefined, ''])
    assert.deepEqual(resolved(asked, fleet, NO_ALIASES, true), { model: '', ids: ['a', 'b'], isListed: false });
  assert.deepEqual(resolved(undefined, [serving('any1'), serving('any2')], NO_ALIASES, true).ids, ['any1', 'any2']);
  assert.equal(refusal(undefined, [serving('a', 'm'), serving('b', 'n')], true).code, 'missing_model');
});
