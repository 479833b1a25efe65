/**
 * Many streams at a time over engines of one's own with clouds below them, engines that go and come back, and translated
 * streams whose clients leave whenever they like: nothing is lost, nothing is left behind.
 */
import assert from 'node:assert/strict';
import { setTimeout as pass } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import type { Gateway } from '../../src/app/build.ts';
import type { SimEngine } from '../../sim/engine.ts';
import { startEngine } from '../../sim/engine.ts';
import { pick } from '../support/odd-json.ts';
import { chatBody, engineFor, payloads, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';
import { cloudFields, gatewayWith, simulatedCloudFor } from '../support/simulated-clouds.ts';

const CHAT = '/v1/chat/completions';
const MODEL = 'claude-haiku-4-5';
const FLAGS: GatewayFlags = { retryInitialBackoffMs: 1, cbTimeoutDurationSecs: 0.3, healthCheckIntervalSecs: 600 };

/** Streams take some 100 ms, so that they meet. */
const paced = { speed: 1, decodeBaseMs: 4, decodePerSequenceMs: 0 };
const FULL = 50;

/** How a cloud comes behind engines: with the same model and a lower priority, or as the next model of a chain. */
const BEHIND = {
  tiers: { model: MODEL, own: { models: [MODEL], priority: 100 }, flags: {} },
  chain: { model: 'fast', own: { models: ['llama'] }, flags: { modelAlias: [`fast=llama,${MODEL}`] } },
} as const;

/** Four engines that take 50 calls each, and a cloud of another API behind them. */
async function homeFor(t: TestContext, behind: keyof typeof BEHIND) {
  const { own, flags } = BEHIND[behind];
  const engines = await Promise.all([0, 1, 2, 3].map(() => engineFor(t, { ...paced, models: own.models })));
  const cloud = await simulatedCloudFor(t, { kind: 'anthropic' });
  const ours = engines.map(({ url }) => ({ url, ...own, max_in_flight: FULL }));
  const workers = [...ours, cloudFields(cloud, MODEL, { priority: 50 })];
  const { gateway, ids } = await gatewayWith(t, workers, { ...FLAGS, ...flags });
  return { engines, cloud, gateway, ids, isOwn: (id: string | null) => ids.indexOf(id ?? '') < engines.length };
}

interface Ended {
  readonly status: number;
  readonly worker: string | null;
  readonly last: string;
  readonly text: string;
}

async function stream(gateway: Gateway, model: string, index: number): Promise<Ended> {
  const messages = [{ role: 'user', content: `Call ${index}` }];
  const reply = await post(gateway, CHAT, chatBody({ model, stream: true, max_tokens: 20, messages }));
  const text = await reply.text();
  return { status: reply.status, worker: reply.headers.get('x-smg-worker'), last: payloads(text).at(-1) ?? '', text };
}

interface Storm {
  readonly model: string;
  readonly total: number;
  /** So many at a time. */
  readonly width: number;
  /** Is told how many have begun. */
  readonly at?: (begun: number) => void;
}

async function streams(gateway: Gateway, { model, total, width, at }: Storm): Promise<Ended[]> {
  const ended: Ended[] = [];
  let begun = 0;
  const lane = async () => {
    while (begun < total) {
      begun += 1;
      at?.(begun);
      ended.push(await stream(gateway, model, begun));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return ended;
}

/** What every worker has in flight, as the gateway counts it. */
async function loads(gateway: Gateway): Promise<number[]> {
  const reply = await fetch(`${gateway.url}/workers`);
  const { workers } = (await reply.json()) as { workers: { load: number }[] };
  return workers.map(({ load }) => load);
}

const notWell = (all: readonly Ended[]) =>
  all.filter(({ status, last }) => status !== 200 || last !== '[DONE]').map(({ status, last }) => `${status} ${last}`);

/** Until so many calls in a row were answered by engines of one's own. */
async function backAtHome(gateway: Gateway, model: string, isOwn: (id: string | null) => boolean): Promise<void> {
  for (let tries = 0, inRow = 0; inRow < 20; tries += 1) {
    assert.ok(tries < 500, 'the cloud is left');
    const { status, worker } = await stream(gateway, model, tries);
    assert.equal(status, 200);
    inRow = isOwn(worker) ? inRow + 1 : 0;
  }
}

for (const behind of ['tiers', 'chain'] as const) {
  test(`500 streams at a time over full engines that go and come back, a cloud behind them (${behind}): none is lost`, async (t) => {
    const { engines, cloud, gateway, isOwn } = await homeFor(t, behind);
    const { model } = BEHIND[behind];
    const turns: Record<number, () => unknown> = {
      600: () => Promise.all(engines.slice(0, 2).map((engine) => engine.refuse(true))),
      800: () => Promise.all(engines.map((engine) => engine.refuse(true))),
      1_200: () => Promise.all(engines.map((engine) => engine.refuse(false))),
    };
    const total = 1_700;
    const ended = await streams(gateway, { model, total, width: 500, at: (begun) => void turns[begun]?.() });
    assert.deepEqual([ended.length, notWell(ended)], [total, []]);
    const own = ended.filter(({ worker }) => isOwn(worker)).length;
    t.diagnostic(`${own} by engines of one's own, ${total - own} by the cloud`);
    assert.ok(own > 200 && total - own > 200, `${own}`);
    for (const engine of engines) assert.ok(engine.stats().peakRunning <= FULL, String(engine.stats().peakRunning));
    assert.deepEqual(cloud.violations(), []);
    await backAtHome(gateway, model, isOwn);
    const before = cloud.stats().requestsTotal;
    assert.deepEqual(notWell(await streams(gateway, { model, total: 200, width: 100 })), []);
    assert.equal(cloud.stats().requestsTotal, before, 'the cloud is asked nothing while there is room');
    assert.deepEqual(await loads(gateway), [0, 0, 0, 0, 0]);
  });
}

test('an engine that dies takes its own streams with it, honestly, and no others; another in its place serves', async (t) => {
  const { engines, gateway, ids, isOwn } = await homeFor(t, 'tiers');
  const [dying] = engines as [SimEngine];
  // Its streams stop after their first words, so that many have been shown in part when it is killed.
  dying.setFaults([{ kind: 'hang_after', events: 4, rate: 1 }]);
  let killed: (() => void) | undefined;
  const isDead = new Promise<void>((resolve) => {
    killed = resolve;
  });
  const watch = dying.waitFor(({ faultsFired }) => (faultsFired.hang_after ?? 0) >= 15).then(() => dying.kill());
  void watch.then(killed);
  const ended = await streams(gateway, { model: MODEL, total: 600, width: 300 });
  await isDead;
  const broken = ended.filter(({ last }) => last !== '[DONE]');
  t.diagnostic(`${broken.length} broken`);
  assert.equal(ended.length, 600);
  assert.ok(broken.length > 0 && broken.length <= FULL, `${broken.length} broken`);
  for (const { status, worker, last } of broken) {
    assert.deepEqual([status, worker], [200, ids[0]]);
    assert.match(last, /"code":"upstream_broken"/);
  }
  assert.deepEqual(await loads(gateway), [0, 0, 0, 0, 0]);
  const again = await startEngine({ ...paced, models: [MODEL], port: dying.port });
  t.after(() => again.close());
  for (let tries = 0; (again.stats().requestsByPath[CHAT] ?? 0) === 0; tries += 1) {
    assert.ok(tries < 2_000, 'it serves again');
    assert.equal((await stream(gateway, MODEL, tries)).last, '[DONE]');
  }
  await backAtHome(gateway, MODEL, isOwn);
});

interface Translated {
  readonly path: string;
  readonly body: (words: string) => object;
  readonly terminator: RegExp;
}

const tools = { name: 'look', description: 'Looks.' };
const schema = { type: 'object', properties: { at: { type: 'string' } } };
const chatToAnthropic: Translated = {
  path: CHAT,
  body: (content) => ({
    model: MODEL,
    stream: true,
    reasoning_effort: 'low',
    max_completion_tokens: 8_000,
    tools: [{ type: 'function', function: { ...tools, parameters: schema } }],
    messages: [{ role: 'user', content }],
  }),
  terminator: /\[DONE\]\s*$/,
};
const messagesToGemini: Translated = {
  path: '/v1/messages',
  body: (content) => ({
    model: 'gemini-2.5-flash',
    stream: true,
    max_tokens: 8_000,
    thinking: { type: 'enabled', budget_tokens: 1_024 },
    tools: [{ ...tools, input_schema: schema }],
    messages: [{ role: 'user', content }],
  }),
  terminator: /message_stop"\}\s*$/,
};
const WORDS = ['#long 40', '#think One thought. #long 30', '#think Two. #tool:look {"at":"é"} #tool:look {}', 'Hi'];

/** Reads a stream for so many pieces and leaves, before the head already when they are none. True: it was whole. */
async function readSome(gateway: Gateway, { path, body, terminator }: Translated, random: Random): Promise<boolean> {
  const leaving = new AbortController();
  const pieces = random.next() < 0.4 ? Number.POSITIVE_INFINITY : Math.floor(random.next() * 12);
  const reply = post(gateway, path, body(pick(random, WORDS)), { signal: leaving.signal });
  if (pieces === 0) setImmediate(() => leaving.abort());
  try {
    const { status, body: answer } = await reply;
    assert.equal(status, 200);
    let text = '';
    let seen = 0;
    const decoder = new TextDecoder();
    for await (const piece of answer ?? []) {
      text += decoder.decode(piece, { stream: true });
      seen += 1;
      if (seen >= pieces) leaving.abort();
    }
    assert.match(text, terminator);
    return true;
  } catch (error) {
    // It left by itself; everything else is a fault.
    if (!leaving.signal.aborted) throw error;
    return false;
  }
}

function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
}

test('300 translated streams at a time whose clients leave at random: every call upstream ends, and memory stays', async (t) => {
  const anthropic = await simulatedCloudFor(t, { kind: 'anthropic' });
  const gemini = await simulatedCloudFor(t, { kind: 'gemini' });
  const clouds = [anthropic, gemini];
  const workers = [cloudFields(anthropic, MODEL), cloudFields(gemini, 'gemini-2.5-flash')];
  const { gateway } = await gatewayWith(t, workers, FLAGS);
  for (const cloud of clouds) cloud.setFaults([{ kind: 'slow', firstByteMs: 5, interEventMs: 2, rate: 1 }]);
  const random = seededRandom(4);
  const heapMiB = collector();
  const heaps: number[] = [];
  let whole = 0;
  const ROUNDS = 4;
  for (let round = 0; round < ROUNDS; round += 1) {
    let left = 600;
    const lane = async (_: unknown, at: number) => {
      while (left > 0) {
        left -= 1;
        if (await readSome(gateway, at % 2 === 0 ? chatToAnthropic : messagesToGemini, random)) whole += 1;
      }
    };
    await Promise.all(Array.from({ length: 300 }, lane));
    for (const cloud of clouds) await cloud.waitFor(({ inFlight, openStreams }) => inFlight + openStreams === 0);
    assert.deepEqual(await loads(gateway), [0, 0]);
    for (const cloud of clouds) cloud.forget();
    await pass(0);
    heaps.push(heapMiB());
  }
  t.diagnostic(`${whole} whole, MiB ${heaps.map((mib) => mib.toFixed(1)).join(' ')}`);
  for (const cloud of clouds) assert.deepEqual(cloud.violations(), []);
  assert.ok(whole > 500 && clouds.every((cloud) => cloud.stats().aborted > 100), `${whole} whole`);
  // The first two rounds warm up; the thoughts that are kept for clients of chat are a few hundred bytes each.
  assert.ok((heaps.at(-1) ?? 0) - (heaps[1] ?? 0) < 8, `MiB ${heaps.join(' ')}`);
});
