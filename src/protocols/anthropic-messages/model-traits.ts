/**
 * What a model behind the Messages API takes and what it refuses, told by its name. Names of Claude are read as family
 * and version, so that a date or a vendor before it changes nothing; versions yet unknown are taken for the newest.
 * Source: Anthropic, models overview, thinking troubleshooting (table of types per model), effort, migration guides,
 * mid-conversation system messages, Messages reference (temperature, top_p, top_k).
 */
import type { Effort } from '../../domain/generation.ts';

export interface ModelTraits {
  readonly isClaude: boolean;
  /** Longest answer, thoughts included; undefined where the model is none of Anthropic's. */
  readonly maxOutputTokens: number | undefined;
  /** How thinking is asked for: by a budget, or adaptive with an effort, or both ways. */
  readonly thinking: 'none' | 'budget' | 'both' | 'adaptive';
  /** What the model does when nothing is said; `always`: it cannot be switched off. */
  readonly thinksByDefault: 'no' | 'yes' | 'always';
  /** The `type` that switches thinking off, as far as it can be. */
  readonly thinkingOff: 'disabled' | 'between_tools';
  /** Values of `output_config.effort`; empty: it has none. */
  readonly efforts: readonly Effort[];
  /** Takes `temperature`, `top_p` and `top_k` with values other than the default. */
  readonly takesSampling: boolean;
  /** Takes `temperature` and `top_p` in one request. */
  readonly takesBothSamplers: boolean;
  /** Goes on with an assistant's turn that stands last. */
  readonly takesPrefill: boolean;
  /** Takes turns of `system` within the conversation. */
  readonly takesSystemTurns: boolean;
  /** Takes a `tool_choice` of `any` or of one tool: always, never, or only while it does not think. */
  readonly takesForcedTools: 'yes' | 'no' | 'without_thinking';
  /** Has structured outputs: `output_config.format` and `strict` tools. */
  readonly takesSchemas: boolean;
}

type Family = 'opus' | 'sonnet' | 'haiku' | 'fable' | 'mythos';

interface ClaudeName {
  readonly family: Family;
  /** Major times ten plus minor: 4.6 is 46. */
  readonly version: number;
}

const NEWEST = 999;
const FAMILY = /(?:^|[/.:@])claude-(.*)$/i;

/** Traits of the model that a worker knows by this name. */
export function modelTraits(model: string): ModelTraits {
  const name = readName(model);
  return name ? claudeTraits(name) : OTHER;
}

/** A server of another vendor or an engine: what it does not know it says by itself. */
const OTHER: ModelTraits = {
  isClaude: false,
  maxOutputTokens: undefined,
  thinking: 'both',
  thinksByDefault: 'no',
  thinkingOff: 'disabled',
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  takesSampling: true,
  takesBothSamplers: true,
  takesPrefill: true,
  takesSystemTurns: false,
  takesForcedTools: 'yes',
  takesSchemas: true,
};

function readName(model: string): ClaudeName | undefined {
  const rest = FAMILY.exec(model)?.[1]?.toLowerCase();
  const family = rest === undefined ? undefined : /opus|sonnet|haiku|fable|mythos/.exec(rest)?.[0];
  if (rest === undefined || family === undefined) return undefined;
  return { family: family as Family, version: readVersion(rest) };
}

/** Before the family (`3-5-sonnet`) or after it (`opus-4-8`, `opus-4.8`); a date is no version. */
function readVersion(rest: string): number {
  const parts = rest.split(/[-.@:]/).filter((part) => /^\d{1,2}$/.test(part));
  const [major, minor] = parts.map(Number);
  if (major === undefined) return rest.includes('preview') ? 46 : NEWEST;
  return major * 10 + Math.min(minor ?? 0, 9);
}

function claudeTraits({ family, version }: ClaudeName): ModelTraits {
  const isAlwaysThinking = family === 'fable' || family === 'mythos' || (family === 'opus' && version >= 55);
  const isNew = version >= 47 || family === 'fable' || family === 'mythos';
  return {
    isClaude: true,
    maxOutputTokens: maxOutputTokens(family, version),
    thinking: thinkingOf(family, version),
    thinksByDefault: isAlwaysThinking ? 'always' : version >= 50 ? 'yes' : 'no',
    thinkingOff: family === 'sonnet' && version >= 55 ? 'between_tools' : 'disabled',
    efforts: effortsOf(family, version),
    takesSampling: !isNew,
    takesBothSamplers: version < 41,
    takesPrefill: version < 46,
    takesSystemTurns: family === 'sonnet' || family === 'haiku' ? version >= 55 : version >= 48,
    takesForcedTools: forcedTools(family, version),
    takesSchemas: version >= 45 || (family === 'opus' && version === 41),
  };
}

function maxOutputTokens(family: Family, version: number): number {
  if (version >= 50 || (version >= 46 && family !== 'sonnet')) return 128_000;
  if (version < 35) return 4_096;
  if (version < 37) return 8_192;
  return family === 'opus' && version < 45 ? 32_000 : 64_000;
}

function thinkingOf(family: Family, version: number): ModelTraits['thinking'] {
  if (version >= 47) return 'adaptive';
  if (version >= 46) return 'both';
  return family === 'fable' || version >= 37 ? 'budget' : 'none';
}

function effortsOf(family: Family, version: number): readonly Effort[] {
  if (version >= 47) return ['low', 'medium', 'high', 'xhigh', 'max'];
  if (version >= 46) return ['low', 'medium', 'high', 'max'];
  return family === 'opus' && version === 45 ? ['low', 'medium', 'high'] : [];
}

/** Since Fable 5.1 and the 5.5 line forced calls are refused; before 4.8 they are while the model thinks. */
function forcedTools(family: Family, version: number): ModelTraits['takesForcedTools'] {
  if (family === 'haiku') return version >= 50 ? 'yes' : 'without_thinking';
  if ((family === 'fable' || family === 'mythos') && version >= 51) return 'no';
  if (version >= 55) return 'no';
  return version >= 48 ? 'yes' : 'without_thinking';
}
