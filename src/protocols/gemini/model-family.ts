/**
 * What Gemini's models take, by their names: ids of calls, how thinking is asked for, what they fetch by themselves.
 * A name that says no version (`gemini-flash-latest`) is taken for one of the newest.
 * Source: Gemini API documentation, pages on thinking, thought signatures, function calling and file input methods; the
 * smallest levels also from reports of what newer Flash models refuse.
 */
import type { Effort } from '../../domain/generation.ts';

/** Tokens that a budget may have; `least` is what it may be when thinking is not switched off. */
export interface BudgetRange {
  readonly least: number;
  readonly most: number;
  readonly mayBeOff: boolean;
}

/** How a model is told to think: in tokens (2.5), in levels (3 and later), or not at all. */
export type Thinking =
  | { readonly by: 'budget'; readonly range: BudgetRange }
  | { readonly by: 'level'; readonly levels: readonly Effort[] }
  | { readonly by: 'none' };

/** What models of one name and version have in common. */
export interface ModelFamily {
  readonly thinking: Thinking;
  /** Takes `id` in `functionCall` and `functionResponse`, and wants them signed. */
  readonly isSigned: boolean;
  /** Takes media within `functionResponse`. */
  readonly takesMediaInResults: boolean;
  /** Fetches public files by their URL. */
  readonly fetchesUrls: boolean;
  /** Takes a response format and functions in one request. */
  readonly formatsBesideTools: boolean;
  /** Takes presence and frequency penalties. */
  readonly takesPenalties: boolean;
}

const NEWEST = 99;

/** The family of a model named with or without `models/` before it. */
export function familyOf(model: string): ModelFamily {
  const { version, kind } = readName(model);
  return {
    thinking: thinkingOf(version, kind),
    isSigned: version >= 3,
    takesMediaInResults: version >= 3,
    fetchesUrls: version >= 2.5,
    formatsBesideTools: version >= 3,
    takesPenalties: version < 3.5,
  };
}

type Kind = 'pro' | 'flash' | 'lite';

function readName(model: string): { readonly version: number; readonly kind: Kind } {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  const kind = name.includes('lite') ? 'lite' : name.includes('flash') ? 'flash' : 'pro';
  const [, number] = /^gemini-(\d+(?:\.\d+)?)(?:-|$)/.exec(name) ?? [];
  if (number !== undefined) return { version: Number(number), kind };
  return { version: name.startsWith('gemini-') ? NEWEST : 2, kind };
}

function thinkingOf(version: number, kind: Kind): Thinking {
  if (version < 2.5) return { by: 'none' };
  if (version < 3) return { by: 'budget', range: BUDGETS[kind] };
  return { by: 'level', levels: levelsOf(version, kind) };
}

const BUDGETS: Readonly<Record<Kind, BudgetRange>> = {
  pro: { least: 128, most: 32_768, mayBeOff: false },
  flash: { least: 1, most: 24_576, mayBeOff: true },
  lite: { least: 512, most: 24_576, mayBeOff: true },
};

function levelsOf(version: number, kind: Kind): readonly Effort[] {
  if (kind === 'pro') return version > 3 ? ['low', 'medium', 'high'] : ['low', 'high'];
  if (kind === 'flash' && version >= 3.7) return ['low', 'medium', 'high'];
  return ['minimal', 'low', 'medium', 'high'];
}
