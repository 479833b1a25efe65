/**
 * The same loads with prompts as the gateway may see them: as bodies in blocks of 128 estimated tokens, or as token ids in
 * blocks of several sizes. The engines share prefixes in pages of 16 tokens all the while.
 */
import type { Comparison } from '../../lab/report/compare.ts';
import type { PromptView } from '../../lab/replay/prompt-view.ts';
import type { Setting } from '../../lab/replay/setting.ts';
import { accelerate, totalsOf, type Trace } from '../../lab/trace/call.ts';
import { type ConversationPlan, generateConversations, MULTI_TURN } from '../../lab/trace/generate.ts';
import { inPages, PAGE_TOKENS } from '../../lab/trace/pages.ts';
import type { Provenance, Section } from '../report/section.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';

/** Policies that look at prompts. */
export const TOKEN_SUBJECTS = ['cache_aware', 'prefix_hash'];

const SIZES = [16, 32, 64, 128];
const VIEWS: readonly PromptView[] = [
  { kind: 'text' },
  ...SIZES.map((tokensPerBlock) => ({ kind: 'tokens' as const, tokensPerBlock })),
];

/** A few hundred tokens a call, where a block of 128 is a good part of the prompt. */
const SHORT_CHATS: ConversationPlan = {
  sessions: 4_000,
  startGapMs: 75,
  turns: [1, 4],
  systemTokens: 200,
  turnTokens: [20, 150],
  answerTokens: [50, 200],
  thinkMs: 10_000,
};

export interface TokenLoad {
  readonly title: string;
  readonly trace: Trace;
  readonly setting: Setting;
}

export interface TokenRun {
  readonly load: TokenLoad;
  readonly view: PromptView;
  readonly comparison: Comparison;
}

/** Loads whose trace is not there are left out. */
export function tokenLoadsOf(file: Trace | undefined, base: Partial<Setting>): readonly TokenLoad[] {
  const pages = file && inPages(file);
  const usual = scenariosOf(pages, base).flatMap(({ title, trace, setting }: Scenario) =>
    trace === undefined ? [] : [{ title, trace, setting }],
  );
  const setting = usual.at(-1)?.setting;
  if (setting === undefined) return [];
  const multi = accelerate(generateConversations('generated, conversations', MULTI_TURN, setting.seed), 0.5);
  const short = generateConversations('generated, short chats', SHORT_CHATS, setting.seed);
  return [
    ...usual,
    { title: 'conversations, caches of 524,288 tokens', trace: multi, setting: { ...setting, kvTokens: 524_288 } },
    { title: 'short chats', trace: short, setting },
  ];
}

/** One run for each load and view. */
export function runTokenLoads(
  loads: readonly TokenLoad[],
  play: (trace: Trace, setting: Setting) => Comparison,
): TokenRun[] {
  return loads.flatMap((load) =>
    VIEWS.map((view) => ({ load, view, comparison: play(load.trace, { ...load.setting, promptView: view }) })),
  );
}

const COLUMNS = [
  'load',
  'policy',
  'prompts as',
  'hit rate',
  'of bound',
  'TTFT mean',
  'p99',
  'tokens/s',
  'busiest/mean',
  'decisions/s',
  'bytes held',
];

export function tokenSectionOf(runs: readonly TokenRun[], from: Provenance): Section {
  const rows = TOKEN_SUBJECTS.flatMap((name) => runs.map((run) => rowOf(run, name)));
  const inOrder = [...new Set(runs.map(({ load }) => load.title))].flatMap((title) =>
    rows.filter(([first]) => first === title),
  );
  return {
    title: 'Routing laboratory over tokens',
    provenance: from,
    table: { columns: COLUMNS, rows: inOrder },
    goals: [],
    notes: NOTES,
    failures: [],
  };
}

const NOTES = [
  `Engines as above, with pages of ${PAGE_TOKENS} tokens; the synthetic trace tells of sharing in 512 tokens only, the generated loads in ${PAGE_TOKENS}.`,
  'text: blocks of 512 bytes, tokens estimated as a fourth of the bytes, where the texts have 3 to 5.4 bytes a token, another number every 512 tokens. tokens/N: blocks of N tokens, counted.',
  'tokens/s: prompt and output tokens of the load / time to its last answer. decisions/s is real time, of choosing and remembering alone; the others are the same in every run.',
];

function rowOf({ load, view, comparison }: TokenRun, name: string): string[] {
  const row = comparison.rows.find((each) => each.name === name);
  if (row === undefined) return [load.title, name, viewName(view)];
  const { measures, shareOfBound, replayed } = row;
  const { inputTokens, outputTokens } = totalsOf(load.trace.calls);
  const endMs = replayed.outcomes.finishedMs.reduce((last, ms) => Math.max(last, Number.isNaN(ms) ? 0 : ms), 0);
  return [
    load.title,
    name,
    viewName(view),
    `${(measures.hitRate * 100).toFixed(1)}%`,
    `${(shareOfBound * 100).toFixed(1)}%`,
    whole(measures.ttftMean),
    whole(measures.ttftP99),
    whole(((inputTokens + outputTokens) * 1000) / endMs),
    measures.busiestByWork.toFixed(3),
    whole(Number(measures.decisionsPerSecond.toPrecision(2))),
    whole(measures.bytesHeld),
  ];
}

function viewName(view: PromptView): string {
  return view.kind === 'tokens' ? `tokens/${view.tokensPerBlock}` : view.kind;
}

function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}
