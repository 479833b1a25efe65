/** The figures of one replay. Pure: the same outcomes give the same figures. */
import type { Outcomes } from '../replay/outcome.ts';
import type { Replayed } from '../replay/replay.ts';
import type { Trace } from '../trace/call.ts';

/** What one worker did. */
export interface WorkerFigures {
  readonly calls: number;
  /** Prompt tokens that it computed: those that it did not find in its cache. */
  readonly computedTokens: number;
  /** Time in which it was not idle. */
  readonly busyMs: number;
}

/** Times in ms, shares from 0 to 1; NaN where there is nothing to tell. */
export interface Measures {
  readonly calls: number;
  /** Calls that no engine's memory could ever hold. */
  readonly refused: number;
  /** Prompt tokens found in the engines' caches / all prompt tokens. */
  readonly hitRate: number;
  readonly ttftMean: number;
  readonly ttftP50: number;
  readonly ttftP99: number;
  readonly endToEndP99: number;
  /** Busiest worker / mean of all, by the prompt tokens that it had to compute: what calls wait for. */
  readonly busiestByWork: number;
  readonly busiestByCalls: number;
  readonly busiestByTime: number;
  /** Turns after the first of a conversation that went where the turn before went; NaN without conversations. */
  readonly sessionsKept: number;
  /** Real time; the only figure that differs between runs. */
  readonly decisionsPerSecond: number;
  readonly bytesHeld: number;
  readonly workers: readonly WorkerFigures[];
}

export function measure(trace: Trace, replayed: Replayed): Measures {
  const { outcomes, decisionMs, bytesHeld } = replayed;
  const { calls } = trace;
  const served = calls.flatMap((_, index) => (outcomes.worker[index] === -1 ? [] : [index]));
  const arrived = (index: number) => calls[index]?.arrivedMs ?? 0;
  const ttft = ascending(served.map((index) => (outcomes.firstTokenMs[index] as number) - arrived(index)));
  const endToEnd = ascending(served.map((index) => (outcomes.finishedMs[index] as number) - arrived(index)));
  const workers = workersOf(trace, replayed);
  const promptTokens = sum(served.map((index) => calls[index]?.inputTokens ?? 0));
  return {
    calls: calls.length,
    refused: calls.length - served.length,
    hitRate: sum(outcomes.cachedTokens) / Math.max(1, promptTokens),
    ttftMean: sum(ttft) / ttft.length,
    ttftP50: quantile(ttft, 0.5),
    ttftP99: quantile(ttft, 0.99),
    endToEndP99: quantile(endToEnd, 0.99),
    busiestByWork: busiest(workers.map(({ computedTokens }) => computedTokens)),
    busiestByCalls: busiest(workers.map((worker) => worker.calls)),
    busiestByTime: busiest(workers.map(({ busyMs }) => busyMs)),
    sessionsKept: sessionsKept(trace, outcomes),
    decisionsPerSecond: decisionMs > 0 ? (calls.length * 1000) / decisionMs : Number.NaN,
    bytesHeld,
    workers,
  };
}

function workersOf({ calls }: Trace, { outcomes, busyMs }: Replayed): WorkerFigures[] {
  const workers = busyMs.map((time) => ({ calls: 0, computedTokens: 0, busyMs: time }));
  calls.forEach(({ inputTokens }, index) => {
    const worker = workers[outcomes.worker[index] as number];
    if (worker === undefined) return;
    worker.calls += 1;
    worker.computedTokens += inputTokens - (outcomes.cachedTokens[index] as number);
  });
  return workers;
}

function sessionsKept({ calls }: Trace, outcomes: Outcomes): number {
  const last = new Map<number, number>();
  let turns = 0;
  let kept = 0;
  calls.forEach(({ session }, index) => {
    if (session === undefined) return;
    const worker = outcomes.worker[index] as number;
    const before = last.get(session);
    last.set(session, worker);
    if (before === undefined) return;
    turns += 1;
    if (before === worker) kept += 1;
  });
  return kept / turns;
}

function busiest(amounts: readonly number[]): number {
  const mean = sum(amounts) / amounts.length;
  return mean === 0 ? 1 : Math.max(...amounts) / mean;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/** The smallest value that at least this share of all values do not exceed; NaN for no values. */
function quantile(values: Float64Array, share: number): number {
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
}
