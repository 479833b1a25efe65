/**
 * What is known of models behind a Responses API: which think, how hard they can be asked to, and what they refuse.
 * Unknown names are sent what the client said.
 * Source: OpenAI model pages and reasoning guide; xAI reasoning guide; OpenAI prompt caching guide.
 */
import type { Effort } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';

export interface ModelTraits {
  /** Undefined: not known. */
  readonly isReasoning: boolean | undefined;
  /** Undefined: not known, any is sent. */
  readonly efforts: readonly Effort[] | undefined;
  /** Are `temperature`, `top_p` and log probabilities taken? `unreasoned`: only with effort `none`. */
  readonly sampling: 'always' | 'unreasoned' | 'never';
  /** Takes `prompt_cache_breakpoint`. */
  readonly takesCacheMarks: boolean;
}

const UNKNOWN: ModelTraits = { isReasoning: undefined, efforts: undefined, sampling: 'always', takesCacheMarks: false };
const UNREASONING: ModelTraits = { ...UNKNOWN, isReasoning: false, efforts: [] };
const CLASSIC: readonly Effort[] = ['low', 'medium', 'high'];

export function modelTraits({ provider, model }: EncodeTarget): ModelTraits {
  const name = model.slice(model.lastIndexOf('/') + 1);
  if (provider?.thoughts === 'xai') return grokTraits(name);
  return provider?.thoughts === 'openai' ? openaiTraits(name) : UNKNOWN;
}

function openaiTraits(name: string): ModelTraits {
  if (/^(o\d|codex-)/.test(name))
    return { isReasoning: true, efforts: CLASSIC, sampling: 'never', takesCacheMarks: false };
  const [, major, minor = '0', rest = ''] = /^gpt-(\d+)(?:\.(\d+))?(.*)$/.exec(name) ?? [];
  if (/^(gpt-4o|chatgpt-)/.test(name)) return UNREASONING;
  if (major === undefined) return UNKNOWN;
  const version = Number(major) * 100 + Number(minor);
  if (version < 500 || /^-chat\b/.test(rest)) return UNREASONING;
  return {
    isReasoning: true,
    efforts: effortsOfGpt(version, rest),
    sampling: version > 500 && version < 600 ? 'unreasoned' : 'never',
    takesCacheMarks: version >= 506,
  };
}

function effortsOfGpt(version: number, rest: string): readonly Effort[] | undefined {
  if (/pro\b/.test(rest)) return undefined;
  if (version === 500) return /codex/.test(rest) ? CLASSIC : ['minimal', ...CLASSIC];
  if (version === 501) return /codex-max/.test(rest) ? ['none', ...CLASSIC, 'xhigh'] : ['none', ...CLASSIC];
  if (version < 506) return ['none', ...CLASSIC, 'xhigh'];
  return version < 600 ? ['none', ...CLASSIC, 'xhigh', 'max'] : [...CLASSIC, 'xhigh', 'max'];
}

function grokTraits(name: string): ModelTraits {
  if (/non-reasoning|^grok-(1|2|3(?!-mini)|beta)/.test(name)) return UNREASONING;
  const base = { isReasoning: true, sampling: 'always', takesCacheMarks: false } as const;
  if (name.startsWith('grok-3-mini')) return { ...base, efforts: ['low', 'high'] };
  // These think as they find right and refuse to be told how much.
  if (/^grok-(build|composer|code|4-fast|4-1-fast)/.test(name)) return { ...base, efforts: [] };
  return name.startsWith('grok-') ? { ...base, efforts: CLASSIC } : UNKNOWN;
}
