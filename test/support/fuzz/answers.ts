/** Answers made up at random, in every provider's form: its double plays what the words of a prompt tell it to. */
import fc from 'fast-check';
import type { Codec } from '../../../src/protocols/hub/codec.ts';
import { ProviderWithin } from './provider-within.ts';
import { codecOf } from './targets.ts';

const said = fc.string({
  unit: fc.constantFrom('a', ' ', 'é', '日', '🙂', '"', '\\', '{', '}', '<', '\u2028'),
  maxLength: 40,
});
const argumentsText = fc
  .dictionary(fc.stringMatching(/^[a-z"]{1,4}$/), fc.oneof(said, fc.integer(), fc.boolean(), fc.constant(null)), {
    maxKeys: 3,
  })
  .map((value) => JSON.stringify(value));
const call = fc
  .tuple(fc.constantFrom('look', 'get_weather'), fc.option(argumentsText, { nil: '' }))
  .map(([name, text]) => `#tool:${name} ${text}`);
const word = fc.oneof(
  { weight: 4, arbitrary: call },
  { weight: 2, arbitrary: said.map((text) => `#say x${text}`) },
  { weight: 2, arbitrary: said.map((text) => `#think x${text}`) },
  { weight: 1, arbitrary: fc.constantFrom('#ping', '#unknown', '#cached 7', '#redacted', '#long 30', '#refuse No.') },
);

/** The prompt. */
export const script: fc.Arbitrary<string> = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((words) => words.join('\n'));

export interface AnswerSource {
  readonly name: string;
  readonly codec: Codec;
  readonly path: string;
  readonly provider: ProviderWithin;
  body(prompt: string): Buffer;
}

const NAMES = ['look', 'get_weather'];
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } };
const CHAT_TOOLS = NAMES.map((name) => ({ type: 'function', function: { name, parameters: SCHEMA } }));

function chatSource(name: string, provider: ProviderWithin, model: string): AnswerSource {
  return {
    name,
    codec: codecOf('openai-chat'),
    path: '/v1/chat/completions',
    provider,
    body: (content) =>
      Buffer.from(
        JSON.stringify({
          model,
          messages: [{ role: 'user', content }],
          tools: CHAT_TOOLS,
          stream_options: { include_usage: true },
        }),
      ),
  };
}

function responsesSource(name: string, provider: ProviderWithin, model: string): AnswerSource {
  const tools = NAMES.map((tool) => ({ type: 'function', name: tool, parameters: SCHEMA }));
  return {
    name,
    codec: codecOf('openai-responses'),
    path: '/v1/responses',
    provider,
    body: (input) => Buffer.from(JSON.stringify({ model, input, tools, reasoning: { summary: 'auto' } })),
  };
}

const OPENAI = new ProviderWithin({ kind: 'openai' });
const XAI = new ProviderWithin({ kind: 'xai' });

export const ANSWER_SOURCES: readonly AnswerSource[] = [
  chatSource('openai chat', OPENAI, 'gpt-4.1'),
  chatSource('xai chat', XAI, 'grok-3-mini'),
  chatSource('together', new ProviderWithin({ kind: 'compatible', preset: 'together' }), 'deepseek-r1'),
  responsesSource('openai responses', OPENAI, 'gpt-5-mini'),
  responsesSource('xai responses', XAI, 'grok-4'),
  {
    name: 'anthropic',
    codec: codecOf('anthropic-messages'),
    path: '/v1/messages',
    provider: new ProviderWithin({ kind: 'anthropic' }),
    body: (content) =>
      Buffer.from(
        JSON.stringify({
          model: 'claude-sonnet-4-5',
          max_tokens: 4_096,
          messages: [{ role: 'user', content }],
          tools: NAMES.map((name) => ({ name, input_schema: SCHEMA })),
          thinking: { type: 'enabled', budget_tokens: 2_048 },
        }),
      ),
  },
  {
    name: 'gemini',
    codec: codecOf('gemini'),
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    provider: new ProviderWithin({ kind: 'gemini' }),
    body: (text) =>
      Buffer.from(
        JSON.stringify({
          contents: [{ role: 'user', parts: [{ text }] }],
          tools: [{ functionDeclarations: NAMES.map((name) => ({ name, parametersJsonSchema: SCHEMA })) }],
          generationConfig: { thinkingConfig: { includeThoughts: true } },
        }),
      ),
  },
];
