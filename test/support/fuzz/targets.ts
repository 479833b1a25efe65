/** For whom the made-up conversations are translated, each with the provider that judges what it gets. */
import type { ProtocolName } from '../../../src/domain/call.ts';
import { anthropic } from '../../../src/domain/providers/anthropic.ts';
import { gemini } from '../../../src/domain/providers/gemini.ts';
import { mistral } from '../../../src/domain/providers/mistral.ts';
import { openai } from '../../../src/domain/providers/openai.ts';
import type { Provider } from '../../../src/domain/providers/provider.ts';
import { together } from '../../../src/domain/providers/together.ts';
import { xai } from '../../../src/domain/providers/xai.ts';
import type { Codec } from '../../../src/protocols/hub/codec.ts';
import { protocols } from '../../../src/protocols/index.ts';
import { ProviderWithin } from './provider-within.ts';

export interface FuzzTarget {
  readonly name: string;
  readonly codec: Codec;
  readonly provider: Provider | undefined;
  readonly model: string;
  /** Undefined: an engine, which has no strict double. */
  readonly judge: ProviderWithin | undefined;
  readonly path: string;
}

export function codecOf(name: ProtocolName): Codec {
  const { codec } = protocols[name];
  if (!codec) throw new Error(`${name} has no codec`);
  return codec;
}

const OPENAI = new ProviderWithin({ kind: 'openai' });
const XAI = new ProviderWithin({ kind: 'xai' });
const CHAT = { codec: codecOf('openai-chat'), path: '/v1/chat/completions' };
const RESPONSES = { codec: codecOf('openai-responses'), path: '/v1/responses' };
const MESSAGES = { codec: codecOf('anthropic-messages'), path: '/v1/messages' };
const ANTHROPIC = { ...MESSAGES, provider: anthropic, judge: new ProviderWithin({ kind: 'anthropic' }) };
const GEMINI = { codec: codecOf('gemini'), provider: gemini, judge: new ProviderWithin({ kind: 'gemini' }) };

function geminiPath(model: string): string {
  return `/v1beta/models/${model}:generateContent`;
}

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'openai chat', ...CHAT, provider: openai, model: 'gpt-4.1', judge: OPENAI },
  { name: 'openai chat, thinking', ...CHAT, provider: openai, model: 'gpt-5-mini', judge: OPENAI },
  { name: 'openai responses', ...RESPONSES, provider: openai, model: 'gpt-4.1', judge: OPENAI },
  { name: 'openai responses, thinking', ...RESPONSES, provider: openai, model: 'gpt-5-mini', judge: OPENAI },
  { name: 'anthropic', ...ANTHROPIC, model: 'claude-sonnet-4-5' },
  { name: 'anthropic, adaptive', ...ANTHROPIC, model: 'claude-opus-4-8' },
  { name: 'gemini 2.5', ...GEMINI, model: 'gemini-2.5-flash', path: geminiPath('gemini-2.5-flash') },
  { name: 'gemini 3', ...GEMINI, model: 'gemini-3-flash-preview', path: geminiPath('gemini-3-flash-preview') },
  { name: 'xai chat', ...CHAT, provider: xai, model: 'grok-4', judge: XAI },
  { name: 'xai responses', ...RESPONSES, provider: xai, model: 'grok-4', judge: XAI },
  {
    name: 'mistral',
    ...CHAT,
    provider: mistral,
    model: 'llama-3.3-70b',
    judge: new ProviderWithin({ kind: 'compatible', preset: 'mistral' }),
  },
  {
    name: 'together',
    ...CHAT,
    provider: together,
    model: 'llama-3.3-70b',
    judge: new ProviderWithin({ kind: 'compatible', preset: 'together' }),
  },
  { name: 'an engine', ...CHAT, provider: undefined, model: 'llama-3.3-70b', judge: undefined },
  { name: 'an engine with messages', ...MESSAGES, provider: undefined, model: 'llama-3.3-70b', judge: undefined },
];
