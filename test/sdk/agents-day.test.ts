/**
 * An agent's day: one conversation of twelve turns with tools and thinking that moves from model to model, Anthropic,
 * OpenAI, Gemini, an own engine and Anthropic again, through one client API. Nothing fails and no result is lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProviderKind } from '../../sim/providers/options.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import { parseConfigFile } from '../../src/config/file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { startGateway } from '../../src/app/build.ts';
import { engineFor } from '../support/rig.ts';
import { anthropicConversation } from './conversation/anthropic.ts';
import { chatConversation } from './conversation/chat.ts';
import type { Conversation, Place } from './conversation/conversation.ts';
import { googleConversation } from './conversation/google.ts';
import { responsesConversation } from './conversation/responses.ts';

const DAY = [
  ...['claude-sonnet-4-5', 'claude-sonnet-4-5', 'claude-sonnet-4-5'],
  ...['gpt-5-mini', 'gpt-5-mini', 'gpt-5-mini'],
  ...['gemini-2.5-flash', 'gemini-3-flash-preview'],
  ...['sim-model', 'sim-model'],
  ...['claude-sonnet-4-5', 'claude-sonnet-4-5'],
];

const KEYS = { openai: 'sk-proj-day', anthropic: 'sk-ant-day', gemini: 'AIza-day' } as const;

const conversations: readonly ((place: Place) => Conversation)[] = [
  anthropicConversation,
  chatConversation,
  responsesConversation,
  googleConversation,
];

for (const make of conversations) {
  const { api } = make({ url: 'http://127.0.0.1', key: 'none', run: () => '' });
  test(`twelve turns over five models through ${api}`, async (t) => {
    const kinds = ['openai', 'anthropic', 'gemini'] as const satisfies readonly ProviderKind[];
    const clouds = await Promise.all(kinds.map((kind) => startProvider({ kind, keys: [KEYS[kind]] })));
    t.after(() => Promise.all(clouds.map((cloud) => cloud.close())));
    const engine = await engineFor(t);
    const workers = [
      ...clouds.map(({ url, kind, models }) => ({
        url,
        provider: kind,
        models,
        api_key: KEYS[kind as keyof typeof KEYS],
      })),
      { url: engine.url },
    ];
    const flags = { host: '127.0.0.1', port: 0, disableMetrics: true, logLevel: 'error', apiKey: 'of-the-gateway' };
    const loaded = loadConfig({ flags, file: parseConfigFile('day.json', JSON.stringify({ workers })) });
    assert.ok(loaded.ok);
    const gateway = await startGateway(loaded.config);
    t.after(() => gateway.stop({ force: true }));
    await gateway.whenReady(4);

    const found: string[] = [];
    const run = (_name: string, args: unknown) => {
      const { word } = args as { readonly word: string };
      found.push(word);
      return `meaning of ${word}: #${found.length} 意味`;
    };
    const conversation = make({ url: gateway.url, key: 'of-the-gateway', run });
    for (const [turn, model] of DAY.entries()) {
      const prompt = `#think Thought ${turn}. #tool:look_up {"word":"w${turn}a"} #tool:look_up {"word":"w${turn}b"}`;
      const said = await conversation.say(model, prompt);
      if (model === 'sim-model') continue;
      for (const word of [`w${turn}a`, `w${turn}b`])
        assert.match(said, new RegExp(`meaning of ${word}`), `turn ${turn}`);
    }
    for (const model of ['claude-sonnet-4-5', 'gpt-5-mini', 'gemini-2.5-flash']) {
      const recalled = await conversation.say(model, '#recall');
      for (const [index, word] of found.entries())
        assert.ok(
          recalled.includes(`meaning of ${word}: #${index + 1} 意味`),
          `${model} has lost the result for ${word}`,
        );
    }
    for (const cloud of clouds) assert.deepEqual(cloud.violations(), [], cloud.kind);
  });
}
