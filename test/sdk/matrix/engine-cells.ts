/** What official clients can be shown with simulated engines, which say what they like; and what cannot be, and why. */
import assert from 'node:assert/strict';
import type { EngineKind } from '../../../sim/options.ts';
import type { Client, Question } from './client.ts';
import type { Feature } from './cells.ts';
import { PNG, RESULTS } from './cells.ts';

export const ENGINES: readonly EngineKind[] = ['sglang', 'vllm', 'mlx'];
export const ENGINE_MODEL = 'sim-model';

/** What a cell needs of its engine. */
export interface EngineSubject {
  readonly client: Client;
  /** The same client with a key that the engine does not know. */
  readonly stranger: Client;
  /** The last body that the engine got. */
  readonly lastBody: () => string;
  /** The next stream is cut after so many events. */
  readonly cutStream: (events: number) => void;
}

type Show = (subject: EngineSubject) => Promise<void>;

const question = (prompt: string, rest: Partial<Question> = {}): Question => ({
  model: ENGINE_MODEL,
  prompt,
  isStream: false,
  // An engine says exactly as much as it may.
  maxTokens: 64,
  ...rest,
});

/** Features without a line here cannot be shown. */
export const ENGINE_SHOWS: Readonly<Partial<Record<Feature, Show>>> = {
  plain: async ({ client, lastBody }) => {
    const said = await client.ask(question('Hello, 世界.'));
    assert.ok(said.text.length > 20, said.text);
    assert.ok(said.inputTokens > 0 && said.outputTokens > 0, 'counts');
    assert.ok(lastBody().includes('Hello, 世界.'));
  },
  stream: async ({ client }) => {
    const whole = await client.ask(question('Hello, 世界.'));
    const said = await client.ask(question('Hello, 世界.', { isStream: true }));
    assert.equal(said.text, whole.text);
    assert.ok(said.pieces > 1, 'in pieces');
    assert.deepEqual([said.inputTokens, said.outputTokens], [whole.inputTokens, whole.outputTokens], 'counts');
  },
  tools: async ({ client, lastBody }) => {
    for (const isStream of [false, true]) {
      const asked = question('Weather?', { isStream, hasTools: true, mustCall: true });
      const { first, second } = await client.round(asked, RESULTS);
      assert.deepEqual(first.calls, [{ name: 'get_weather', args: { city: 'Zürich' } }]);
      assert.ok(second.text.length > 20, second.text);
      assert.match(lastBody(), /rain, 18 degrees/);
    }
  },
  image: async ({ client, lastBody }) => {
    const said = await client.ask(question('What is this?', { image: PNG }));
    assert.ok(said.text.length > 20, said.text);
    assert.ok(lastBody().includes(PNG), 'the engine gets its bytes');
  },
  structured: async ({ client }) => {
    for (const isStream of [false, true]) {
      const said = await client.ask(question('As JSON.', { isStream, isStructured: true }));
      assert.deepEqual(JSON.parse(said.text), { city: 'Zürich', degrees: 1.5 });
    }
  },
  error: async ({ stranger }) => {
    for (const isStream of [false, true]) {
      await assert.rejects(stranger.ask(question('Hello.', { isStream })), (error: unknown) => {
        assert.equal(stranger.statusOf(error), 401, String(error));
        return true;
      });
    }
  },
  cut: async ({ client, cutStream }) => {
    cutStream(6);
    await assert.rejects(client.ask(question('Go on.', { isStream: true })));
  },
};

/** Where each client’s calls have to arrive. An engine of MLX has chat alone, and none has Gemini’s API. */
export function enginePathOf(client: string, kind: EngineKind): string {
  const chat = '/v1/chat/completions';
  if (kind === 'mlx' || client.includes('google')) return chat;
  if (client.includes('responses')) return '/v1/responses';
  return client.includes('anthropic') ? '/v1/messages' : chat;
}

/** Cells that cannot be, and why. */
export function engineNotApplicable(feature: Feature): string | undefined {
  if (feature === 'parallel') return 'the simulated engine makes one call; the engine with chat alone shows several';
  if (feature === 'thinking') return 'the simulated engine shows no thoughts; the engine with chat alone does';
  return undefined;
}
