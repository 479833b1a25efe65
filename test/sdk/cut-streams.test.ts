/** An engine killed after k events, many times: no cut answer may look complete to the official client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { startEngine } from '../../sim/engine.ts';
import { allReady, engineFor, gatewayFor } from '../support/rig.ts';

const RUNS = 100;
const TOKENS = 24;

async function eventsOfAWholeStream(): Promise<number> {
  const engine = await startEngine({ speed: Number.POSITIVE_INFINITY, models: ['sim-model'], outputTokens: TOKENS });
  const body = JSON.stringify({ model: 'sim-model', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const reply = await fetch(`${engine.url}/v1/chat/completions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  const text = await reply.text();
  await engine.close();
  return text.match(/^data: /gm)?.length ?? 0;
}

for (const where of ['1', '10', 'last - 1'] as const) {
  test(`an engine killed after ${where} events: the client raises in ${RUNS} of ${RUNS} runs`, async (t) => {
    const events = await eventsOfAWholeStream();
    const k = where === 'last - 1' ? events - 1 : Number(where);
    let engine = await engineFor(t, { outputTokens: TOKENS });
    const { port } = engine;
    const gateway = await gatewayFor(t, [engine.url], {
      disableHealthCheck: true,
      disableCircuitBreaker: true,
      retryInitialBackoffMs: 1,
    });
    await allReady(gateway, 1);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    for (let run = 0; run < RUNS; run += 1) {
      engine.setFaults([{ kind: 'kill_after', events: k, rate: 1 }]);
      let seen = 0;
      await assert.rejects(async () => {
        const stream = await client.chat.completions.create({
          model: 'sim-model',
          stream: true,
          messages: [{ role: 'user', content: `run ${run}` }],
        });
        for await (const chunk of stream) seen += chunk.choices.length;
      }, `run ${run} looked complete`);
      // The first event only names a role: an answer without content is not begun, and the call fails as a whole.
      assert.equal(seen, k === 1 ? 0 : k, `run ${run} got the events before the cut`);
      assert.equal(engine.stats().faultsFired['kill_after'], 1);
      await engine.close();
      engine = await engineFor(t, { port, outputTokens: TOKENS });
    }
  });
}
