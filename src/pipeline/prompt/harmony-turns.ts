/**
 * A conversation arranged as templates of Harmony take it: the instructions in one message at the beginning, and one
 * call in a message, whose result comes right behind it, because the template names results after the last call.
 * Source: the chat template of openai/gpt-oss; OpenAI, "Harmony response format".
 */
import type {
  Effort,
  Part,
  ReasoningOptions,
  ToolResultPart,
  TranslationWarning,
  Turn,
} from '../../domain/generation.ts';

export interface Arranged {
  readonly turns: readonly Turn[];
  readonly warnings: readonly TranslationWarning[];
}

export function arrangeForHarmony(turns: readonly Turn[]): Arranged {
  const warnings: TranslationWarning[] = [];
  const instructions = turns.filter(isInstruction);
  const rest = turns.filter((turn) => !isInstruction(turn));
  const firstOther = turns.findIndex((turn) => !isInstruction(turn));
  turns.forEach((turn, index) => {
    if (!isInstruction(turn) || index < firstOther || firstOther < 0) return;
    const reason = 'stands with the first instructions, the only ones that the template reads';
    warnings.push({ kind: 'changed', field: `turns[${index}]`, reason });
  });
  return { turns: [...joined(instructions), ...oneCallEach(rest)], warnings };
}

const isInstruction = ({ role }: Turn): boolean => role === 'system' || role === 'developer';

function joined(instructions: readonly Turn[]): Turn[] {
  const [first, ...others] = instructions;
  if (!first) return [];
  const parts = others.reduce<readonly Part[]>((all, turn) => [...all, BREAK, ...turn.parts], first.parts);
  return [{ role: 'system', parts, isPlain: true, name: undefined }];
}

/** Parts are joined by a line's end: this makes it a paragraph's. */
const BREAK: Part = { type: 'text', text: '', cache: undefined, signature: undefined };

function oneCallEach(turns: readonly Turn[]): Turn[] {
  const moved = new Set<Part>();
  const arranged: Turn[] = [];
  turns.forEach((turn, index) => {
    const calls = turn.role === 'assistant' ? turn.parts.filter(({ type }) => type === 'tool_call') : [];
    if (calls.length > 1) return void arranged.push(...split(turn, resultsAfter(turns, index), moved));
    const parts = turn.parts.filter((part) => !moved.has(part));
    if (parts.length > 0 || turn.parts.length === 0) arranged.push({ ...turn, parts });
  });
  return arranged;
}

/** Ids are only good until the assistant speaks again: some clients use them anew. */
function resultsAfter(turns: readonly Turn[], index: number): ReadonlyMap<string, ToolResultPart> {
  const results = new Map<string, ToolResultPart>();
  for (const { role, parts } of turns.slice(index + 1)) {
    if (role === 'assistant') break;
    for (const part of parts) if (part.type === 'tool_result') results.set(part.callId, part);
  }
  return results;
}

function split(turn: Turn, results: ReadonlyMap<string, ToolResultPart>, moved: Set<Part>): Turn[] {
  const said = turn.parts.filter(({ type }) => type !== 'tool_call');
  const calls = turn.parts.filter((part) => part.type === 'tool_call');
  return calls.flatMap((call, at) => {
    const asked = { ...turn, parts: at === 0 ? [...said, call] : [call] };
    const result = results.get(call.callId);
    if (!result) return [asked];
    moved.add(result);
    return [asked, { role: 'tool' as const, parts: [result], isPlain: result.isPlain, name: undefined }];
  });
}

export interface HarmonyEffort {
  /** Undefined: as the template has it, medium. */
  readonly effort: 'low' | 'medium' | 'high' | undefined;
  readonly warnings: readonly TranslationWarning[];
}

const LEVELS: Readonly<Record<Effort, 'low' | 'medium' | 'high'>> = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

/** The model knows three levels, and always thinks. Budgets: up to this many tokens each level. */
const LOW_TOKENS = 1_024;
const MEDIUM_TOKENS = 8_192;

export function harmonyEffort({ mode, effort, budgetTokens }: ReasoningOptions): HarmonyEffort {
  const asked = mode === 'off' ? 'none' : (effort ?? effortOf(budgetTokens));
  if (asked === undefined) return { effort: undefined, warnings: [] };
  const level = LEVELS[asked];
  if (level === asked && effort !== undefined) return { effort: level, warnings: [] };
  const reason = asked === 'none' ? 'is low, because the model always thinks' : `is asked as the effort ${level}`;
  return { effort: level, warnings: [{ kind: 'changed', field: 'reasoning', reason }] };
}

function effortOf(budgetTokens: number | undefined): Effort | undefined {
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= LOW_TOKENS) return 'low';
  return budgetTokens <= MEDIUM_TOKENS ? 'medium' : 'high';
}
