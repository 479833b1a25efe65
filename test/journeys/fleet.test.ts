/** A fleet that changes under load: 200 streams at a time, and no call notices. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import { readEvents } from '../support/event-reader.ts';
import { addReady, api } from '../support/workers-api.ts';

const STREAMS = 200;
/** Tokens of a stream: long enough that streams overlap every change. */
const TOKENS = 16;

interface Served {
  /** Number of the stream, in the order of their starts. */
  readonly order: number;
  readonly worker: string | null;
  /** What was wrong with it; undefined for nothing. */
  readonly fault: string | undefined;
}

/** Keeps so many streams running until it is stopped; every one of them is read to its end and looked at. */
class Load {
  readonly served: Served[] = [];
  readonly #gateway: Gateway;
  readonly #loops: Promise<void>[];
  #started = 0;
  #isOver = false;
  #look: () => void = () => undefined;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#loops = Array.from({ length: STREAMS }, () => this.#loop());
  }

  get started(): number {
    return this.#started;
  }

  /** Resolves when a stream that fits has ended. */
  async until(fits: (served: Served) => boolean): Promise<void> {
    while (!this.served.some(fits)) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** No stream is started any more. */
  end(): void {
    this.#isOver = true;
  }

  async stop(): Promise<void> {
    this.end();
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    while (!this.#isOver) {
      this.#started += 1;
      const order = this.#started;
      const failed = (thrown: unknown) => ({ order, worker: null, fault: String(thrown) });
      this.served.push(await this.#stream(order).catch(failed));
      this.#look();
    }
  }

  async #stream(order: number): Promise<Served> {
    const body = chatBody({ stream: true, max_tokens: TOKENS, messages: [{ role: 'user', content: `Say ${order}.` }] });
    const reply = await post(this.#gateway, '/v1/chat/completions', body);
    const text = await reply.text();
    const pieces = text.split('\n\n').filter((frame) => frame.includes('"content":')).length;
    const isWhole = reply.status === 200 && text.includes('[DONE]') && !text.includes('"error"') && pieces >= TOKENS;
    const worker = reply.headers.get('x-smg-worker');
    return { order, worker, fault: isWhole ? undefined : `${reply.status}, ${pieces} pieces: ${text.slice(-300)}` };
  }
}

async function startLoad(t: TestContext) {
  const engines = [await engineFor(t, { speed: 1 }), await engineFor(t, { speed: 1 })] as const;
  const gateway = await gatewayFor(t, [], { enableIgw: true, policy: 'round_robin' });
  const ids = [
    await addReady(gateway, { url: engines[0].url }),
    await addReady(gateway, { url: engines[1].url }),
  ] as const;
  const load = new Load(gateway);
  t.after(() => load.end());
  return { engines, gateway, ids, load };
}

test('workers are changed, drained and taken back under 200 streams, and no call fails', async (t) => {
  const { engines, gateway, ids, load } = await startLoad(t);
  const [stays, leaves] = ids;
  await Promise.all(engines.map((engine) => engine.waitFor((stats) => stats.openStreams >= STREAMS / 4)));

  assert.equal((await api(gateway, 'PATCH', `/workers/${stays}`, { priority: 90 })).status, 202);
  const afterPatch = load.started;
  await load.until(({ order }) => order > afterPatch + STREAMS / 2);
  const later = load.served.filter(({ order }) => order > afterPatch);
  assert.deepEqual([...new Set(later.map(({ worker }) => worker))], [stays], 'the higher tier serves all of them');
  await api(gateway, 'PATCH', `/workers/${stays}`, { priority: 50 });
  await engines[1].waitFor((stats) => stats.openStreams >= 0.4 * STREAMS);

  const events = await readEvents(t, `${gateway.url}/events`);
  const { status, body } = await api(gateway, 'DELETE', `/workers/${leaves}`);
  const running = Number(/its (\d+) running/.exec(String(body['message']))?.[1]);
  const afterDelete = load.started;
  assert.equal(status, 202);
  assert.ok(running >= STREAMS / 8, `${running} streams ran on the worker that was removed`);
  await events.until(({ event }) => event === 'worker_removed');
  assert.equal(engines[1].stats().aborted, 0, 'every stream that ran there ended by itself');
  await load.until(({ order }) => order > afterDelete + STREAMS / 2);
  const since = load.served.filter(({ order }) => order > afterDelete);
  assert.deepEqual([...new Set(since.map(({ worker }) => worker))], [stays], 'the removed worker had no new call');

  assert.equal(await addReady(gateway, { url: engines[1].url }), leaves, 'it is the same one when it comes again');
  const afterReturn = load.started;
  await load.until(({ order, worker }) => order > afterReturn && worker === leaves);
  await load.stop();
  assert.deepEqual(
    load.served.filter(({ fault }) => fault !== undefined),
    [],
  );
  t.diagnostic(`${load.served.length} streams, none failed; ${running} ran on the worker when it was removed`);
});
