/** The places of a fleet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf, snapshotOf } from '../../test/support/fleet.ts';
import { capacityOf } from './capacity.ts';

test('the places of a fleet are what its ready workers can run, 64 for one that does not say', () => {
  const fleet = snapshotOf([
    memberOf('a', { facts: { maxRunning: 256 } }),
    memberOf('b', {}),
    memberOf('c', { facts: { maxRunning: 256 }, spec: { maxInFlight: 10 } }),
    memberOf('d', { facts: { maxRunning: 256 }, state: 'unhealthy' }),
  ]);
  assert.equal(capacityOf(fleet), 256 + 64 + 10);
});

test('with no worker ready there are 1,024: calls come in and hear at once that nobody can serve them', () => {
  assert.equal(capacityOf(snapshotOf([])), 1_024);
  assert.equal(capacityOf(snapshotOf([memberOf('a', { state: 'failed' })])), 1_024);
});
