/**
 * The command for engines behind gRPC, with the folder of a model, as the official clients see what it starts: the prompt
 * that the engines get is that of the model's own template, the text is what they have said.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { GrpcEngineKind, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { startSmg } from '../support/guide.ts';
import { LLAMA_FILES } from '../support/hub-cache.ts';
import { promptSent } from '../support/sim-prompt.ts';
import { GRPC_ENGINES } from './matrix/grpc-cells.ts';

const MODEL = 'meta-llama/Llama-3.1-8B-Instruct';
const SAID = 'Grüße, 世界 👩‍👩‍👧!';
const QUESTION = `What do you say? #say ${SAID}`;
const SYSTEM = 'Be brief.';
const turn = (role: string, text: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n${text}<|eot_id|>`;
const PROMPT =
  `<|begin_of_text|>${turn('system', SYSTEM)}${turn('user', QUESTION)}` +
  '<|start_header_id|>assistant<|end_header_id|>\n\n';

interface Said {
  readonly text: string;
  readonly stop: string | null | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

type Ask = (url: string) => Promise<Said>;

const openai = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const anthropic = (url: string) => new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });

const CHAT = {
  model: MODEL,
  messages: [
    { role: 'system' as const, content: SYSTEM },
    { role: 'user' as const, content: QUESTION },
  ],
};
const MESSAGE = {
  model: MODEL,
  max_tokens: 200,
  system: SYSTEM,
  messages: [{ role: 'user' as const, content: QUESTION }],
};

/** Each with the stop reason of a turn that has ended. */
const ASKS: Readonly<Record<string, readonly [Ask, string]>> = {
  'openai, whole': [
    async (url) => {
      const { choices, usage } = await openai(url).chat.completions.create(CHAT);
      const [choice] = choices;
      return {
        text: choice?.message.content ?? '',
        stop: choice?.finish_reason,
        inputTokens: usage?.prompt_tokens,
        outputTokens: usage?.completion_tokens,
      };
    },
    'stop',
  ],
  'openai, streamed': [
    async (url) => {
      const stream = openai(url).chat.completions.stream({ ...CHAT, stream_options: { include_usage: true } });
      const { choices, usage } = await stream.finalChatCompletion();
      const [choice] = choices;
      return {
        text: choice?.message.content ?? '',
        stop: choice?.finish_reason,
        inputTokens: usage?.prompt_tokens,
        outputTokens: usage?.completion_tokens,
      };
    },
    'stop',
  ],
  'anthropic, whole': [async (url) => saidBy(await anthropic(url).messages.create(MESSAGE)), 'end_turn'],
  'anthropic, streamed': [
    async (url) => saidBy(await anthropic(url).messages.stream(MESSAGE).finalMessage()),
    'end_turn',
  ],
};

function saidBy({ content, stop_reason: stop, usage }: Anthropic.Message): Said {
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  // Anthropic counts what came from the cache apart.
  const inputTokens = usage.input_tokens + (usage.cache_read_input_tokens ?? 0);
  return { text, stop, inputTokens, outputTokens: usage.output_tokens };
}

async function enginesFor(t: TestContext, kind: GrpcEngineKind): Promise<SimGrpcEngine[]> {
  const start = () =>
    startGrpcEngine({ kind, models: [MODEL], tokenizerPath: LLAMA_FILES, bundle: 'none', reportsTokenizerPath: false });
  const engines = await Promise.all([start(), start()]);
  t.after(() => Promise.all(engines.map((engine) => engine.close())));
  return engines;
}

async function bothReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/workers?state=ready`);
    const { total } = (await answer.json()) as { total: number };
    if (total === 2) return;
  }
}

for (const kind of GRPC_ENGINES) {
  test(`two engines of ${kind} and the folder of a model serve official clients, whole and streamed`, async (t) => {
    const engines = await enginesFor(t, kind);
    const command = `smg --worker-urls ${engines.map(({ url }) => url).join(' ')} --model-path ${LLAMA_FILES} --policy round_robin`;
    const { url = '' } = await startSmg(t, command, { SMG_PORT: '0', SMG_PROMETHEUS_PORT: '0', HF_HUB_OFFLINE: '1' });
    await bothReady(url);
    const expectedIds = (await engines[0]?.tokenizer.encode(PROMPT)) ?? [];
    const counts = new Set<number | undefined>();
    for (const [name, [ask, stop]] of Object.entries(ASKS)) {
      const said = await ask(url);
      assert.deepEqual([said.text, said.stop, said.inputTokens], [SAID, stop, expectedIds.length], name);
      counts.add(said.outputTokens);
    }
    assert.equal(counts.size, 1, 'the same answer has the same number of tokens in every form');
    for (const engine of engines) {
      for (const back of [0, 1]) assert.deepEqual(promptSent(engine, back), { text: PROMPT, ids: expectedIds });
    }
  });
}
