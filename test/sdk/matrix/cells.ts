/** The cells of the matrix: clients, providers, features, what a feature has to show, and what is not applicable and why. */
import assert from 'node:assert/strict';
import type { CompatibleOptions, PresetName, ProviderKind } from '../../../sim/providers/options.ts';
import { anthropicMessages } from './anthropic.ts';
import type { Client, ClientOptions, Question } from './client.ts';
import { googleGenerate } from './google.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { vercelAnthropic, vercelChat, vercelGoogle, vercelResponses } from './vercel.ts';

export const CLIENTS: readonly ((options: ClientOptions) => Client)[] = [
  openaiChat,
  openaiResponses,
  anthropicMessages,
  googleGenerate,
  vercelChat,
  vercelResponses,
  vercelAnthropic,
  vercelGoogle,
];

export interface MatrixProvider {
  readonly name: string;
  readonly kind: ProviderKind;
  readonly preset?: PresetName;
  readonly compatible?: Partial<CompatibleOptions>;
  /** It is an engine of one's own, with chat completions alone. */
  readonly isEngine?: boolean;
  readonly key: string;
  readonly model: string;
  /** One that thinks. */
  readonly thinker: string;
}

export const PROVIDERS: readonly MatrixProvider[] = [
  { name: 'openai', kind: 'openai', key: 'sk-proj-matrix', model: 'gpt-4o-mini', thinker: 'gpt-5-mini' },
  {
    name: 'anthropic',
    kind: 'anthropic',
    key: 'sk-ant-matrix',
    model: 'claude-haiku-4-5',
    thinker: 'claude-sonnet-4-5',
  },
  { name: 'gemini', kind: 'gemini', key: 'AIza-matrix', model: 'gemini-2.5-flash', thinker: 'gemini-2.5-flash' },
  { name: 'xai', kind: 'xai', key: 'xai-matrix', model: 'grok-3', thinker: 'grok-3-mini' },
  {
    name: 'together',
    kind: 'compatible',
    preset: 'together',
    key: 'tgp_v1_matrix',
    model: 'llama-3.3-70b',
    thinker: 'deepseek-r1',
  },
  {
    name: 'an engine with chat alone',
    kind: 'compatible',
    isEngine: true,
    // What engines take to be asked for thoughts.
    compatible: { extraFields: ['chat_template_kwargs', 'separate_reasoning', 'stream_reasoning'] },
    key: 'key-of-the-engine',
    model: 'llama-3.3-70b',
    thinker: 'deepseek-r1',
  },
];

export const FEATURES = [
  'plain',
  'stream',
  'tools',
  'parallel',
  'thinking',
  'image',
  'structured',
  'error',
  'cut',
] as const;
export type Feature = (typeof FEATURES)[number];

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What a cell needs of its provider. */
export interface Subject {
  readonly client: Client;
  readonly provider: MatrixProvider;
  /** The next stream is cut after so many events. */
  cutStream(events: number): void;
  /** The same client with a key that the provider does not know. */
  readonly stranger: Client;
}

type Show = (subject: Subject) => Promise<void>;

const question = ({ provider }: Subject, prompt: string, rest: Partial<Question> = {}): Question => ({
  model: rest.thinks ? provider.thinker : provider.model,
  prompt,
  isStream: false,
  ...rest,
});

export const RESULTS = { get_weather: 'rain, 18 degrees', get_time: 'half past nine' };

export const SHOWS: Readonly<Record<Feature, Show>> = {
  plain: async (subject) => {
    const said = await subject.client.ask(question(subject, 'Hello, 世界.'));
    assert.match(said.text, /^Echo: Hello, 世界\. .*🙂$/);
    assert.ok(said.inputTokens > 0 && said.outputTokens > 0, 'counts');
  },
  stream: async (subject) => {
    const whole = await subject.client.ask(question(subject, 'Hello, 世界.'));
    const said = await subject.client.ask(question(subject, 'Hello, 世界.', { isStream: true }));
    assert.equal(said.text, whole.text);
    assert.ok(said.pieces > 1, 'in pieces');
    assert.deepEqual([said.inputTokens, said.outputTokens], [whole.inputTokens, whole.outputTokens], 'counts');
  },
  tools: async (subject) => {
    const prompt = 'Weather? #tool:get_weather {"city":"Zürich 🏔"}';
    for (const isStream of [false, true]) {
      const { first, second } = await subject.client.round(
        question(subject, prompt, { isStream, hasTools: true }),
        RESULTS,
      );
      assert.deepEqual(first.calls, [{ name: 'get_weather', args: { city: 'Zürich 🏔' } }]);
      assert.match(second.text, /get_weather = .*rain, 18 degrees/);
    }
  },
  parallel: async (subject) => {
    const prompt = '#tool:get_weather {"city":"Paris"} #tool:get_time {} #tool:get_weather {"city":"Oslo"}';
    for (const isStream of [false, true]) {
      const { first, second } = await subject.client.round(
        question(subject, prompt, { isStream, hasTools: true }),
        RESULTS,
      );
      const expected = [
        { name: 'get_weather', args: { city: 'Paris' } },
        { name: 'get_time', args: {} },
        { name: 'get_weather', args: { city: 'Oslo' } },
      ];
      assert.deepEqual(first.calls, expected);
      assert.match(second.text, /get_time = .*half past nine/);
      assert.equal(second.text.match(/rain, 18 degrees/g)?.length, 2, 'both results of one tool');
    }
  },
  thinking: async (subject) => {
    const prompt = '#think Deep and 🤔 thought. #tool:get_weather {"city":"Paris"}';
    for (const isStream of [false, true]) {
      const asked = question(subject, prompt, { isStream, hasTools: true, thinks: true });
      const { first, second } = await subject.client.round(asked, RESULTS);
      assert.equal(first.thoughts, 'Deep and 🤔 thought.');
      assert.equal(first.calls.length, 1);
      assert.match(second.text, /get_weather = .*rain/);
    }
  },
  image: async (subject) => {
    const said = await subject.client.ask(question(subject, 'What is this?', { image: PNG }));
    assert.match(said.text, /\[image\/png 70 bytes [0-9a-f]{8}\]/);
  },
  structured: async (subject) => {
    for (const isStream of [false, true]) {
      const said = await subject.client.ask(question(subject, 'As JSON.', { isStream, isStructured: true }));
      const value = JSON.parse(said.text) as Record<string, unknown>;
      assert.deepEqual([typeof value['city'], typeof value['degrees']], ['string', 'number']);
    }
  },
  error: async (subject) => {
    for (const isStream of [false, true]) {
      const asked = subject.stranger.ask(question(subject, 'Hello.', { isStream }));
      await assert.rejects(asked, (error: unknown) => {
        const status = subject.stranger.statusOf(error);
        assert.ok(status === 401 || status === 400, `status ${status}: ${String(error)}`);
        return true;
      });
    }
  },
  cut: async (subject) => {
    subject.cutStream(6);
    await assert.rejects(subject.client.ask(question(subject, '#long 200', { isStream: true })));
  },
};

/** Cells that cannot be, and why. */
export function notApplicable(client: string, provider: string, feature: Feature): string | undefined {
  const speaksChat = client === 'openai chat' || client === 'ai, compatible';
  if (provider === 'openai' && feature === 'thinking' && speaksChat)
    return 'chat completions of OpenAI show no thoughts, and the same API on both sides is passed through';
  return undefined;
}
