/** The figures of one replay. Pure: the same outcomes give the same figures. */
import type { Outcomes } from '../replay/outcome.ts';
import type { Replayed } from '../replay/replay.ts';
import type { Trace } from '../trace/call.ts';

/** Times in ms, shares from 0 to 1. */
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
  /** The same by calls. */
  readonly busiestByCalls: number;
  /** The same by the time in which the engine was not idle. */
  readonly busiestByTime: number;
  /** Turns after the first of a conversation that went where the turn before went; NaN without conversations. */
  readonly sessionsKept: number;
  /** Real time; the only figure that differs between runs. */
  readonly decisionsPerSecond: number;
  readonly bytesHeld: number;
}

export function measure(trace: Trace, { outcomes, busyMs, decisionMs, bytesHeld }: Replayed): Measures {
  const { calls } = trace;
  const served = calls.flatMap((_, index) => (outcomes.worker[index] === -1 ? [] : [index]));
  const arrived = (index: number) => calls[index]?.arrivedMs ?? 0;
  const ttft = sorted(served.map((index) => (outcomes.firstTokenMs[index] as number) - arrived(index)));
  const endToEnd = sorted(served.map((index) => (outcomes.finishedMs[index] as number) - arrived(index)));
  const perWorker = perWorkerOf(trace, outcomes);
  const cached = sum(outcomes.cachedTokens);
  return {
    calls: calls.length,
    refused: calls.length - served.length,
    hitRate: cached / Math.max(1, sum(served.map((index) => calls[index]?.inputTokens ?? 0))),
    ttftMean: sum(ttft) / Math.max(1, ttft.length),
    ttftP50: quantile(ttft, 0.5),
    ttftP99: quantile(ttft, 0.99),
    endToEndP99: quantile(endToEnd, 0.99),
    busiestByWork: busiest(perWorker.work),
    busiestByCalls: busiest(perWorker.calls),
    busiestByTime: busiest(busyMs),
    sessionsKept: sessionsKept(trace, outcomes),
    decisionsPerSecond: decisionMs > 0 ? (calls.length * 1000) / decisionMs : Number.NaN,
    bytesHeld,
  };
}

function perWorkerOf({ calls }: Trace, outcomes: Outcomes): { work: Float64Array; calls: Float64Array } {
  const perWorker = {
    work: new Float64Array(outcomes.inFlight.length),
    calls: new Float64Array(outcomes.inFlight.length),
  };
  calls.forEach(({ inputTokens }, index) => {
    const worker = outcomes.worker[index] as number;
    if (worker === -1) return;
    perWorker.work[worker] = (perWorker.work[worker] ?? 0) + inputTokens - (outcomes.cachedTokens[index] as number);
    perWorker.calls[worker] = (perWorker.calls[worker] ?? 0) + 1;
  });
  return perWorker;
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

function busiest(amounts: ArrayLike<number>): number {
  const list = Array.from(amounts);
  const mean = sum(list) / list.length;
  return mean === 0 ? 1 : Math.max(...list) / mean;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/** The smallest value that at least this share of all values do not exceed. */
export function quantile(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? Number.NaN;
}
