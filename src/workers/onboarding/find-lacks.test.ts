/** Which APIs an engine lacks, from what its server answers to a GET. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../../test/support/no-engines.ts';
import { factsOf, workerOf } from '../../../test/support/fleet.ts';
import { TableProber } from '../../../test/support/prober.ts';
import type { Answers } from '../../../test/support/prober.ts';
import { ManualClock } from '../../base/clock.ts';
import type { Worker } from '../../domain/worker.ts';
import { mlx } from './engines/mlx.ts';
import { vllm } from './engines/vllm.ts';
import { findLacks } from './find-lacks.ts';
import { Questions } from './questions.ts';

const COMPLETIONS = '/v1/completions';
const [RESPONSES, MESSAGES, COUNT] = ['/v1/responses', '/v1/messages', '/v1/messages/count_tokens'];

async function lacks(answers: Answers | null, profile = vllm, worker: Worker = workerOf('w', { facts: null })) {
  const prober = new TableProber(answers);
  const questions = new Questions(worker.address, { prober, clock: new ManualClock(), timeoutMs: 100 });
  const round = { worker, questions, healthPath: '/health', engines: noEngines, timeoutMs: 100 };
  return { found: await findLacks(round, profile), asked: prober.asked.length };
}

test('paths that are not there are lacking, where those that are there answer 405', async () => {
  assert.deepEqual((await lacks({ [COMPLETIONS]: 405, [RESPONSES]: 405, [MESSAGES]: 405, [COUNT]: 405 })).found, []);
  assert.deepEqual((await lacks({ [COMPLETIONS]: 405, [RESPONSES]: 405 })).found, [
    'anthropic-messages',
    'anthropic-count-tokens',
  ]);
  assert.deepEqual((await lacks({ [COMPLETIONS]: 405, [RESPONSES]: 401, [MESSAGES]: 500 })).found, [
    'anthropic-count-tokens',
  ]);
});

test('on doubt nothing is lacking, but what the engine is known not to have', async () => {
  for (const answers of [{}, { [COMPLETIONS]: 401 }, { [COMPLETIONS]: undefined }, null] as const) {
    assert.deepEqual((await lacks(answers)).found, []);
    assert.equal((await lacks(answers, mlx)).found.length, 3);
  }
});

test('what was found out is not asked again while the worker is ready', async () => {
  const known = workerOf('w', { facts: { ...factsOf(), engine: 'vllm', lacks: ['openai-responses'] } });
  assert.deepEqual(await lacks({ [COMPLETIONS]: 405 }, vllm, known), { found: ['openai-responses'], asked: 0 });
  const back = { ...known, state: 'unhealthy' as const };
  assert.equal((await lacks({ [COMPLETIONS]: 405 }, vllm, back)).asked, 4);
});
