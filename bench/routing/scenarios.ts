/**
 * The three loads of the routing laboratory and the goals that belong to each: those of the fleet's specification,
 * "To be shown" 6. Pure but for reading the trace.
 */
import type { Compared, Comparison } from '../../lab/report/compare.ts';
import { DEFAULT_SETTING, type Setting } from '../../lab/replay/setting.ts';
import { YARDSTICK } from '../../lab/subjects.ts';
import type { Trace } from '../../lab/trace/call.ts';
import { generateConversations, SHARED_SYSTEM_PROMPT } from '../../lab/trace/generate.ts';

export interface RoutingGoal {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly direction: 'at least' | 'at most';
}

export interface Scenario {
  readonly key: 'unbounded' | 'bounded' | 'shared';
  readonly title: string;
  /** Undefined when its trace is not there. */
  readonly trace: Trace | undefined;
  readonly setting: Setting;
  readonly goals: (row: Compared, yardstick: Compared) => RoutingGoal[];
}

const KV_TOKENS = 524_288;

/** `file` is the synthetic trace, or undefined when the machine does not have it. */
export function scenariosOf(file: Trace | undefined, base: Partial<Setting>): readonly Scenario[] {
  const setting: Setting = { ...DEFAULT_SETTING, ...base };
  const shared = generateConversations('generated, shared system prompt', SHARED_SYSTEM_PROMPT, setting.seed);
  return [
    { key: 'unbounded', title: 'trace, unbounded caches', trace: file, setting, goals: unboundedGoals },
    {
      key: 'bounded',
      title: 'trace, caches of 524,288 tokens',
      trace: file,
      setting: { ...setting, kvTokens: KV_TOKENS },
      goals: boundedGoals,
    },
    { key: 'shared', title: 'shared system prompt', trace: shared, setting, goals: sharedGoals },
  ];
}

export function yardstickOf({ rows }: Comparison): Compared | undefined {
  return rows.find(({ name }) => name === YARDSTICK);
}

function atLeast(name: string, value: number, limit: number): RoutingGoal {
  return { name, value, limit, direction: 'at least' };
}

function atMost(name: string, value: number, limit: number): RoutingGoal {
  return { name, value, limit, direction: 'at most' };
}

function unboundedGoals(row: Compared, yardstick: Compared): RoutingGoal[] {
  return [
    atLeast('hit rate / ideal', row.shareOfBound, 0.97),
    atMost('busiest/mean', row.measures.busiestByWork, 1.1),
    atMost("TTFT mean / the original's", row.measures.ttftMean / yardstick.measures.ttftMean, 0.7),
    atMost("TTFT p99 / the original's", row.measures.ttftP99 / yardstick.measures.ttftP99, 0.8),
  ];
}

function boundedGoals(row: Compared, yardstick: Compared): RoutingGoal[] {
  return [
    atLeast('hit rate / pooled bound', row.shareOfBound, 0.95),
    atMost('busiest/mean', row.measures.busiestByWork, 1.1),
    atMost("TTFT mean / the original's", row.measures.ttftMean / yardstick.measures.ttftMean, 0.55),
    atMost("TTFT p99 / the original's", row.measures.ttftP99 / yardstick.measures.ttftP99, 0.4),
  ];
}

function sharedGoals(row: Compared): RoutingGoal[] {
  return [
    atMost('busiest/mean', row.measures.busiestByWork, 1.15),
    atLeast('session turns kept', row.measures.sessionsKept, 0.95),
  ];
}

export function isReached({ value, limit, direction }: RoutingGoal): boolean {
  return direction === 'at least' ? value >= limit : value <= limit;
}

export function goalText(goal: RoutingGoal): string {
  const sign = goal.direction === 'at least' ? '≥' : '≤';
  return `${goal.name} ${goal.value.toFixed(3)} (goal ${sign} ${goal.limit}): ${isReached(goal) ? 'reached' : 'NOT reached'}`;
}
