/** The default policy from outside: conversations stay, new ones spread, emptied and removed workers are forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody, post, rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

interface Message {
  readonly role: string;
  readonly content: string;
}

const system: Message = { role: 'system', content: 'You are a patient teacher. '.repeat(100) };

function question(of: string): Message {
  return { role: 'user', content: `${of}: ${'why is that so, and what follows from it? '.repeat(40)}` };
}

/** The worker that answered, and what the policy said of it. */
async function ask({ gateway }: Rig, messages: readonly Message[], extra: Record<string, unknown> = {}) {
  const headers = { 'x-smg-explain': 'true' };
  const reply = await post(gateway, '/v1/chat/completions', chatBody({ messages, ...extra }), { headers });
  assert.equal(reply.status, 200, await reply.text());
  const decision = reply.headers.get('x-smg-decision') ?? '';
  const cached = Number(/^cached=(\d+)\//.exec(decision)?.[1]);
  return { worker: reply.headers.get('x-smg-worker') ?? '', cached };
}

test('without any setting a conversation stays with its worker and new ones spread', async (t) => {
  const rig = await rigFor(t, 3);
  const homes = new Set<string>();
  for (let i = 0; i < 12; i += 1) {
    const messages = [question(`conversation ${i}`)];
    const first = await ask(rig, messages, { stream: i % 2 === 0 });
    homes.add(first.worker);
    const answer = { role: 'assistant', content: 'Because.' };
    const second = await ask(rig, [...messages, answer, question('second turn')]);
    assert.equal(second.worker, first.worker);
    assert.ok(second.cached > 300, `${second.cached} tokens`);
  }
  assert.equal(homes.size, 3);
});

test('a system prompt that all share does not draw all calls to one worker', async (t) => {
  const rig = await rigFor(t, 3, {}, { speed: 20 });
  const calls = Array.from({ length: 60 }, (_, i) => ask(rig, [system, question(`user ${i}`)], { max_tokens: 20 }));
  const shares = Map.groupBy(await Promise.all(calls), ({ worker }) => worker);
  assert.equal(shares.size, 3);
  for (const { length } of shares.values()) assert.ok(length < 40, `${length} of 60`);
});

test('a worker whose cache was flushed is not taken for one that has anything', async (t) => {
  const rig = await rigFor(t, 1);
  await ask(rig, [system]);
  assert.ok((await ask(rig, [system])).cached > 0);
  assert.equal((await post(rig.gateway, '/flush_cache', '')).status, 200);
  assert.equal((await ask(rig, [system])).cached, 0);
});

test('the same words for another adapter are another prompt', async (t) => {
  const rig = await rigFor(t, 1, {}, { models: ['sim-model', 'adapter'] });
  await ask(rig, [system]);
  assert.equal((await ask(rig, [system], { model: 'adapter' })).cached, 0);
  assert.ok((await ask(rig, [system])).cached > 0);
});
