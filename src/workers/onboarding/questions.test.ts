/** Questions of one round: each asked once, and those without an answer cost one limit together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../../test/support/fleet.ts';
import { settled, TableProber } from '../../../test/support/prober.ts';
import { ManualClock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Prober } from '../../domain/ports.ts';
import { Questions } from './questions.ts';

const { address } = workerOf('w');

test('a path is asked once, whoever wants to know', async () => {
  const prober = new TableProber({ '/a': 'yes' });
  const questions = new Questions(address, { prober, clock: new ManualClock(), timeoutMs: 100 });
  assert.equal((await questions.ask('/a')).text, 'yes');
  assert.equal((await questions.tryAsk('/a'))?.text, 'yes');
  assert.equal((await questions.tryAsk('/b'))?.status, 404);
  assert.deepEqual(prober.asked, ['/a', '/b']);
});

test('what must be known rejects without an answer, what may be known is left open', async () => {
  const questions = new Questions(address, { prober: new TableProber(null), clock: new ManualClock(), timeoutMs: 100 });
  assert.equal(await questions.tryAsk('/a'), undefined);
  await assert.rejects(questions.ask('/a'), GatewayError);
});

test('questions that hang share one limit, however many there are', async () => {
  const clock = new ManualClock();
  const limits: number[] = [];
  const prober: Prober = {
    ask: (_worker, _question, timeoutMs) =>
      new Promise((_resolve, reject) => {
        limits.push(timeoutMs);
        clock.setTimer(() => reject(new GatewayError('upstream_timeout', 'late')), timeoutMs);
      }),
  };
  const questions = new Questions(address, { prober, clock, timeoutMs: 100 });
  const round = (async () => {
    for (const path of ['/a', '/b', '/c']) assert.equal(await questions.tryAsk(path), undefined);
    return clock.now();
  })();
  await settled();
  clock.advance(40);
  const late = questions.tryAsk('/d');
  clock.advance(60);
  assert.equal(await late, undefined);
  assert.equal(await round, 100);
  assert.deepEqual(limits, [100, 60], 'what was left of it, and nothing more was asked');
});
