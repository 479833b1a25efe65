/** What official clients have to see of engines behind gRPC, where the gateway itself is the server. */
import assert from 'node:assert/strict';
import type { GrpcEngineKind } from '../../../sim/grpc/engine.ts';
import type { Client, Question } from './client.ts';
import type { Feature } from './cells.ts';
import { PNG, RESULTS } from './cells.ts';

export const GRPC_ENGINES: readonly GrpcEngineKind[] = ['sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'];
/** Its name says how it writes its thoughts and its calls. */
export const GRPC_MODEL = 'Qwen3-Sim';

export interface GrpcSubject {
  readonly client: Client;
  /** The next stream is cut after so many tokens. */
  readonly cutStream: (tokens: number) => void;
}

type Show = (subject: GrpcSubject) => Promise<void>;

const question = (prompt: string, rest: Partial<Question> = {}): Question => ({
  model: GRPC_MODEL,
  prompt,
  isStream: false,
  maxTokens: 400,
  ...rest,
});

const SAID = 'Grüße, 世界 👩‍👩‍👧!';

export const GRPC_SHOWS: Readonly<Record<Feature, Show>> = {
  plain: async ({ client }) => {
    const said = await client.ask(question(`Hello #say ${SAID}`));
    assert.equal(said.text, SAID);
    assert.ok(said.inputTokens > 0 && said.outputTokens > 0, 'counts');
  },
  stream: async ({ client }) => {
    const whole = await client.ask(question(`Hello #say ${SAID}`));
    const said = await client.ask(question(`Hello #say ${SAID}`, { isStream: true }));
    assert.equal(said.text, whole.text);
    assert.ok(said.pieces > 1, 'in pieces');
    assert.deepEqual([said.inputTokens, said.outputTokens], [whole.inputTokens, whole.outputTokens], 'counts');
  },
  tools: async ({ client }) => {
    for (const isStream of [false, true]) {
      const prompt = '#tool:get_weather {"city": "Zürich"}';
      const { first, second } = await client.round(question(prompt, { isStream, hasTools: true }), RESULTS);
      assert.deepEqual(first.calls, [{ name: 'get_weather', args: { city: 'Zürich' } }]);
      assert.ok(second.text.length > 5, second.text);
    }
  },
  parallel: async ({ client }) => {
    for (const isStream of [false, true]) {
      const prompt = '#tool:get_weather {"city": "Bern"} #tool:get_time {}';
      const { first } = await client.round(question(prompt, { isStream, hasTools: true }), RESULTS);
      assert.deepEqual(first.calls, [
        { name: 'get_weather', args: { city: 'Bern' } },
        { name: 'get_time', args: {} },
      ]);
    }
  },
  thinking: async ({ client }) => {
    for (const isStream of [false, true]) {
      const said = await client.ask(question('#think Carefully now. #say Done.', { isStream, thinks: true }));
      assert.equal(said.text.trim(), 'Done.');
      assert.match(said.thoughts, /Carefully now\./);
    }
  },
  structured: async ({ client }) => {
    for (const isStream of [false, true]) {
      const said = await client.ask(question('As JSON.', { isStream, isStructured: true }));
      const { city, degrees, ...rest } = JSON.parse(said.text) as Record<string, unknown>;
      assert.deepEqual([typeof city, typeof degrees, rest], ['string', 'number', {}]);
    }
  },
  image: async ({ client }) => {
    await assert.rejects(client.ask(question('What is this?', { image: PNG })), (error: unknown) => {
      assert.equal(client.statusOf(error), 400, String(error));
      return true;
    });
  },
  error: async ({ client }) => {
    for (const isStream of [false, true]) {
      const long = 'word '.repeat(80_000);
      await assert.rejects(client.ask(question(long, { isStream })), (error: unknown) => {
        assert.equal(client.statusOf(error), 400, String(error));
        return true;
      });
    }
  },
  cut: async ({ client, cutStream }) => {
    cutStream(6);
    await assert.rejects(client.ask(question('Go on #long 40', { isStream: true })));
  },
};

/** Cells that cannot be, and why. */
export function grpcNotApplicable(feature: Feature, kind: GrpcEngineKind): string | undefined {
  if (feature === 'structured' && kind === 'mlx') return 'MLX takes no constraint over gRPC';
  return undefined;
}
