/** Whoever leaves, for whatever reason, an engine behind gRPC is told so once, and nobody holds anything afterwards. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import {
  abortedOnce,
  allQuiet,
  clientOf,
  generatesOf,
  GRPC_KINDS,
  grpcEngineFor,
  grpcRigFor,
  metricOf,
  paced,
} from '../support/grpc-rig.ts';
import type { Client, GrpcRig, Seen } from '../support/grpc-rig.ts';
import { chatBody, gatewayFor, payloads } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';

const CHAT = '/v1/chat/completions';

const lost: unknown[] = [];
const note = (reason: unknown) => void lost.push(reason);
before(() => void process.on('unhandledRejection', note));
after(() => {
  process.off('unhandledRejection', note);
  assert.deepEqual(lost, [], 'nothing was rejected that nobody waited for');
});

interface Leaver {
  readonly id: string;
  readonly client: Client;
  readonly stays: boolean;
}

/** So many turns of the loop: enough of them to be anywhere between the arrival and the end of a call. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const MAX_TOKENS = 16;

/** One client in ten stays; the others leave in some turn, or at some event of their stream, its last ones included. */
function leaver({ gateway }: GrpcRig, id: string, random: Random): Leaver {
  const stream = random.next() < 0.7;
  const body = chatBody({ stream, max_tokens: MAX_TOKENS, ignore_eos: true });
  const client = clientOf(gateway, CHAT, body, { 'x-request-id': id });
  const chance = random.next();
  if (chance < 0.1) return { id, client, stays: true };
  const isMidStream = stream && chance < 0.6;
  const moment = isMidStream
    ? client.hasEvents(1 + randomInteger(random, MAX_TOKENS + 2))
    : turns(Math.floor(300 * random.next() ** 3));
  void moment.then(() => client.leave());
  return { id, client, stays: false };
}

function wave(rig: GrpcRig, name: string, count: number): Leaver[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) => leaver(rig, `${name}-${i}`, random));
}

const isGood = ({ status, isWhole, text }: Seen) =>
  status === 200 && isWhole && (text.trimEnd().endsWith('data: [DONE]') || text.includes('"finish_reason"'));

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use when everything that nobody holds is gone. */
async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    collect();
    await turns(2);
  }
  return process.memoryUsage().heapUsed;
}

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

async function endsOf(rig: GrpcRig, leavers: readonly Leaver[]): Promise<Seen[]> {
  const ends = await Promise.all(leavers.map(({ client }) => client.over));
  await allQuiet(rig);
  return ends;
}

/** Who stayed has a whole answer, and no engine was told of it. Holds nothing of the wave afterwards. */
async function leaving(rig: GrpcRig, name: string, count: number): Promise<void> {
  const leavers = wave(rig, name, count);
  const ends = await endsOf(rig, leavers);
  const told = abortedOnce(rig.engines);
  for (const [at, { id, stays }] of leavers.entries()) {
    if (!stays) continue;
    assert.ok(isGood(ends[at] as Seen), JSON.stringify(ends[at]));
    assert.ok(!told.has(id), `${id} was complete`);
  }
}

test('1,000 clients leave at random moments: each request that had begun gets its Abort, and nothing is left', async (t) => {
  const flags = { maxConcurrentRequests: 300, queueSize: 2_000, policy: 'round_robin' };
  const rig = await grpcRigFor(t, GRPC_KINDS, flags, { ...paced(2), maxRunning: 24 });
  const { engines, gateway } = rig;
  await leaving(rig, 'warm', 500);
  const heapBefore = await heapUsed();
  const socketsBefore = sockets();
  await leaving(rig, 'leave', 1_000);
  const heapAfter = await heapUsed();

  const told = abortedOnce(engines);
  const dropped = engines.flatMap((engine) => engine.left());
  const asked = engines.reduce((sum, engine) => sum + generatesOf(engine), 0);
  t.diagnostic(`${asked} of 1,500 reached engines, ${dropped.length} were dropped there, ${told.size} Aborts`);
  assert.ok(asked < 1_450, 'some left before an engine was asked');
  assert.ok(dropped.length > 300, 'many left while an engine worked');
  assert.deepEqual(
    dropped.filter((id) => !told.has(id)),
    [],
    'every dropped request was told',
  );
  // An Abort may cross the end of its request, but it does not come for requests that never were.
  const crossed = [...told].filter((id) => !dropped.includes(id)).length;
  assert.ok(crossed <= told.size / 4, `${crossed} Aborts for requests that were not dropped`);
  assert.equal(await metricOf(gateway, 'smg_engine_aborts_total', { result: 'sent' }), told.size);
  assert.equal(await metricOf(gateway, 'smg_engine_aborts_total', { result: 'failed' }), 0);
  assert.equal(await metricOf(gateway, 'smg_scheduler_running'), 0);
  assert.equal(await metricOf(gateway, 'smg_scheduler_queue_length'), 0);
  t.diagnostic(`heap ${(heapBefore / 1e6).toFixed(1)} MB before, ${(heapAfter / 1e6).toFixed(1)} MB after`);
  assert.ok(heapAfter < heapBefore * 1.15, `heap grew from ${heapBefore} to ${heapAfter}`);
  assert.ok(sockets() <= socketsBefore + 2, `${socketsBefore} sockets before, ${sockets()} after`);
});

const asks = (content: string, extra: Record<string, unknown> = {}) => ({
  model: 'sim-model',
  messages: [{ role: 'user', content }],
  ...extra,
});

/** A stream that would run for a long time. */
const ENDLESS = { max_tokens: 100_000, ignore_eos: true };

test('requests that come to their end are not told to stop, whichever API asks', async (t) => {
  const rig = await grpcRigFor(t, GRPC_KINDS, { policy: 'round_robin' });
  const { gateway, engines } = rig;
  const calls: readonly (readonly [string, Record<string, unknown>])[] = [
    [CHAT, asks('Hello')],
    [CHAT, asks('Hello', { n: 3, max_tokens: 4 })],
    ['/v1/messages', asks('Hello', { max_tokens: 20 })],
    ['/v1/responses', { model: 'sim-model', input: 'Hello' }],
    ['/v1/completions', { model: 'sim-model', prompt: ['one', 'two'], max_tokens: 6 }],
    ['/generate', { text: 'Once upon', sampling_params: { max_new_tokens: 4 } }],
  ];
  for (const [path, body] of calls) {
    for (const stream of [false, true]) {
      // Once for each engine.
      for (const _ of engines) {
        const end = await clientOf(gateway, path, { ...body, stream }).over;
        assert.deepEqual([end.status, end.isWhole], [200, true], end.text);
      }
    }
  }
  await allQuiet(rig);
  for (const engine of engines) {
    const { aborted, completed, requestsTotal } = engine.stats();
    assert.ok(generatesOf(engine) >= calls.length * 2);
    assert.deepEqual([engine.aborts(), engine.left(), aborted, completed], [[], [], 0, requestsTotal], engine.kind);
  }
});

for (const kind of GRPC_KINDS) {
  test(`a stop string found by the gateway ends the work of ${kind} soon after`, async (t) => {
    const rig = await grpcRigFor(t, [kind], {}, paced(2));
    const { gateway, engines } = rig;
    const [engine] = engines;
    const tail = Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ');
    for (const stream of [true, false]) {
      const before = engine?.stats().tokensGenerated ?? 0;
      const { text, status } = await clientOf(
        gateway,
        CHAT,
        asks(`#say one two HALT ${tail}`, { stop: ['HALT'], stream }),
      ).over;
      assert.equal(status, 200, text);
      assert.match(text, /"finish_reason":"stop"/);
      assert.doesNotMatch(text, /\bw0\b/);
      await allQuiet(rig);
      const generated = (engine?.stats().tokensGenerated ?? 0) - before;
      t.diagnostic(`${generated} tokens generated`);
      assert.ok(generated < 60, `${generated} tokens were generated for 5 or so`);
    }
    const knowsStrings = kind !== 'sglang' && kind !== 'mlx';
    assert.equal(abortedOnce(engines).size, knowsStrings ? 0 : 2);
  });

  test(`of three answers of ${kind} one meets a stop string; the others go on to their end`, async (t) => {
    const rig = await grpcRigFor(t, [kind], {}, paced(1));
    const body = asks('Tell me a lot.', { n: 3, max_tokens: 40, seed: 5 });
    const contents = async (extra: Record<string, unknown> = {}) => {
      const { text } = await clientOf(rig.gateway, CHAT, { ...body, ...extra }).over;
      const { choices } = JSON.parse(text) as {
        choices: { message: { content: string }; finish_reason: string }[];
      };
      return choices.map(({ message, finish_reason: reason }) => [message.content, reason] as const);
    };
    const [first, second, third] = await contents();
    const word = second?.[0]
      .split(' ')
      .slice(1)
      .find((each) => each.length > 2 && !`${first?.[0]}${third?.[0]}`.includes(each));
    assert.ok(word, 'the answers differ');
    const stopped = await contents({ stop: [word] });
    assert.deepEqual([stopped[0], stopped[2]], [first, third]);
    assert.deepEqual(stopped[1], [second?.[0].slice(0, second[0].indexOf(word)), 'stop']);
    await allQuiet(rig);
    for (const id of abortedOnce(rig.engines)) assert.match(id, /-n1$/, 'only the stream of the stopped answer');
  });
}

/** All text of one choice of completions, whole or streamed. */
function textOfChoice(answer: string, index: number): string {
  const frames = answer.startsWith('{')
    ? [answer]
    : answer.split('\n').flatMap((line) => line.match(/^data: (\{.*)$/)?.[1] ?? []);
  const choices = frames.flatMap(
    (frame) => (JSON.parse(frame) as { choices: { index: number; text: string }[] }).choices,
  );
  return choices.flatMap((choice) => (choice.index === index ? [choice.text] : [])).join('');
}

test('of two prompts one meets a stop string: its stream is dropped at once, the other goes on', async (t) => {
  for (const kind of ['sglang', 'mlx'] as const) {
    const rig = await grpcRigFor(t, [kind], {}, paced(2));
    const [engine] = rig.engines;
    const tail = (words: number) => Array.from({ length: words }, (_, i) => `w${i}`).join(' ');
    for (const stream of [true, false]) {
      const before = engine?.stats().tokensGenerated ?? 0;
      const prompt = [`#say one HALT ${tail(300)}`, `#say ${tail(60)}`];
      const body = { model: 'sim-model', prompt, max_tokens: 2_000, stop: ['HALT'], stream };
      const { text, status } = await clientOf(rig.gateway, '/v1/completions', body).over;
      assert.equal(status, 200, text);
      assert.deepEqual(
        [textOfChoice(text, 0), textOfChoice(text, 1)],
        ['one ', tail(60)],
        'one is cut, the other is whole',
      );
      await allQuiet(rig);
      const generated = (engine?.stats().tokensGenerated ?? 0) - before;
      t.diagnostic(`${kind}: ${generated} tokens generated`);
      assert.ok(generated < 400, `${generated} tokens were generated, of which 300 words were for nobody`);
    }
    for (const id of abortedOnce(rig.engines)) assert.match(id, /-p0$/, 'only the stream of the stopped answer');
  }
});

test('clients that leave while the tokenizer is loaded reach no engine, and the next one is served', async (t) => {
  const engine = await grpcEngineFor(t, { kind: 'vllm', reportsTokenizerPath: false });
  engine.setFaults([{ kind: 'slow', firstByteMs: 1_500, rate: 1, path: 'GetTokenizer' }]);
  const gateway = await gatewayFor(t, [engine.url]);
  await engine.waitFor(({ faultsFired }) => (faultsFired.slow ?? 0) > 0);
  const clients = Array.from({ length: 50 }, () => clientOf(gateway, CHAT, chatBody({ stream: true })));
  const staying = clientOf(gateway, CHAT, chatBody());
  await turns(50);
  for (const client of clients) client.leave();
  assert.equal((await staying.over).status, 200);
  await allQuiet({ gateway, engines: [engine] });
  assert.deepEqual([generatesOf(engine), engine.aborts()], [1, []]);
});

test('a shutdown ends what runs beyond its grace, and each engine is told', async (t) => {
  const rig = await grpcRigFor(
    t,
    GRPC_KINDS,
    { drainSettleSecs: 0, shutdownGracePeriodSecs: 0.4, policy: 'round_robin' },
    paced(),
  );
  const { gateway, engines } = rig;
  const clients = engines.map(() => clientOf(gateway, CHAT, chatBody({ stream: true, ...ENDLESS })));
  await Promise.all(clients.map((client) => client.hasEvents(3)));
  await gateway.stop();
  for (const client of clients) {
    const { text } = await client.over;
    assert.match(payloads(text).at(-1) ?? '', /"code":"shutting_down"/);
  }
  for (const engine of engines) {
    await engine.waitFor((stats) => stats.inFlight + stats.running + stats.waiting + stats.connectionsOpen === 0);
    assert.deepEqual(engine.aborts().length, 1, engine.kind);
  }
  abortedOnce(engines);
});

test('a forced end tells the engines, too', async (t) => {
  const { gateway, engines } = await grpcRigFor(t, GRPC_KINDS, { policy: 'round_robin' }, paced());
  const clients = engines.map(() => clientOf(gateway, CHAT, chatBody({ stream: true, ...ENDLESS })));
  await Promise.all(clients.map((client) => client.hasEvents(3)));
  await gateway.stop({ force: true });
  for (const engine of engines) {
    await engine.waitFor((stats) => stats.inFlight + stats.running + stats.waiting + stats.connectionsOpen === 0);
    assert.deepEqual(engine.aborts().length, 1, engine.kind);
  }
});

const HANGS = (kind: string, events = 3) => `#fault ${JSON.stringify({ kind, events })}`;

for (const [name, flags, body, ends] of [
  ['the limit of the whole call', { requestTimeoutSecs: 0.3 }, asks('Hello', ENDLESS), 504],
  [
    'the limit of the first content',
    { firstContentTimeoutSecs: 0.3 },
    asks(HANGS('hang_before_first_byte'), { stream: true }),
    504,
  ],
  [
    'the limit of the headers',
    { responseHeadersTimeoutSecs: 0.3 },
    asks(HANGS('hang_before_headers'), { stream: true }),
    504,
  ],
  ['silence inside the answer', { streamIdleTimeoutSecs: 0.3 }, asks(HANGS('hang_after'), { stream: true }), 200],
] as const) {
  test(`${name} ends the call and the work of the engine`, async (t) => {
    const rig = await grpcRigFor(t, ['trtllm'], { disableRetries: true, ...flags }, paced());
    const { status, text, headers } = await clientOf(rig.gateway, CHAT, body).over;
    assert.equal(status, ends, text);
    if (ends === 200) assert.match(payloads(text).at(-1) ?? '', /"code":"upstream_timeout"/);
    else assert.equal(headers['x-smg-error-code'], 'upstream_timeout');
    await allQuiet(rig);
    assert.equal(abortedOnce(rig.engines).size, 1);
  });
}

test('a forced removal of a worker ends its streams and tells its engine', async (t) => {
  const rig = await grpcRigFor(t, ['vllm'], {}, paced());
  const [engine] = rig.engines;
  const clients = Array.from({ length: 5 }, () => clientOf(rig.gateway, CHAT, chatBody({ stream: true, ...ENDLESS })));
  await Promise.all(clients.map((client) => client.hasEvents(2)));
  const { body } = await api(rig.gateway, 'GET', '/workers');
  const [{ id } = { id: '' }] = body['workers'] as { id: string }[];
  assert.equal((await api(rig.gateway, 'DELETE', `/workers/${id}?force=true`)).status, 202);
  for (const client of clients) assert.match((await client.over).text, /was removed before its answer was complete/);
  await engine?.waitFor((stats) => stats.inFlight + stats.running + stats.connectionsOpen === 0);
  assert.equal(abortedOnce(rig.engines).size, 5);
});

test('a preempted call is taken from its engine', async (t) => {
  const flags = {
    prioritySchedulerEnabled: true,
    prioritySchedulerDefaultMaxClass: 'system',
    maxConcurrentRequests: 1,
  };
  const rig = await grpcRigFor(t, ['tokenspeed'], flags);
  const [engine] = rig.engines;
  const body = asks(HANGS('hang_before_first_byte'), { stream: true });
  const victim = clientOf(rig.gateway, CHAT, body, { 'x-smg-priority': 'bulk', 'x-request-id': 'victim' });
  await engine?.waitFor((stats) => (stats.faultsFired.hang_before_first_byte ?? 0) === 1);
  const urgent = await clientOf(rig.gateway, CHAT, asks('Hello'), { 'x-smg-priority': 'interactive' }).over;
  assert.equal(urgent.status, 200);
  assert.equal((await victim.over).headers['x-smg-preempted'], 'true');
  await allQuiet(rig);
  const [id, ...others] = abortedOnce(rig.engines);
  assert.match(id ?? '', /^victim-/);
  assert.deepEqual(others, []);
});

test('a client that leaves while its texts are embedded takes them from the engine', async (t) => {
  const rig = await grpcRigFor(t, ['sglang'], {}, { speed: 1, prefillTokensPerSecond: 1 });
  const [engine] = rig.engines;
  const client = clientOf(rig.gateway, '/v1/embeddings', { model: 'sim-model', input: ['a b c d e f', 'g h i j k l'] });
  await engine?.waitFor((stats) => stats.running + stats.waiting === 2);
  client.leave();
  await allQuiet(rig);
  assert.equal(abortedOnce(rig.engines).size, 2);
});
