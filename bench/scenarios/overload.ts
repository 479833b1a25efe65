/**
 * More calls than the fleet can serve: what gets through, what the rest is told, and how soon it is over afterwards.
 * Shapes  runOverload(options, bench) → Outcome; one row per phase: closed loop (the maximum), 50 % (the baseline),
 *         150 % for --seconds, 50 % again
 * Units   calls per second, ms from the moment at which a call was due
 * Errors  a call without an answer is a failure, and so is a refusal other than 429 or 503 with Retry-After
 */
import type { Bench, Outcome } from '../bench.ts';
import { Histogram } from '../load/histogram.ts';
import type { Options } from '../options.ts';
import type { Goal } from '../report/section.ts';
import { number, percent } from '../report/table.ts';
import { isMissing, startTarget } from '../rig/targets.ts';
import type { CallSample, OverloadJob } from './overload-client.ts';
import { BATCH, ENGINES } from './overload-engines.ts';

const CAP = ENGINES * BATCH;
const QUEUE = 32;
/** Engines, gateway and client meet code that is not compiled yet. */
const WARM_UP_SECONDS = 5;
const CALM_SECONDS = 20;
const AFTER_SECONDS = 30;
const ANSWER_LIMIT_MS = 90_000;
const FLAGS = ['--max-concurrent-requests', String(CAP), '--queue-size', String(QUEUE), '--log-level', 'warn'];

/** What counts as back to the baseline: p99 of so few calls moves by a few percent between two calm phases. */
const SAME = 1.1;
/** A tail shorter than this says nothing. */
const LEAST_TAIL_SECONDS = 5;

interface Phase {
  readonly name: string;
  /** Calls per second; 0 = closed loop. */
  readonly rate: number;
  readonly seconds: number;
  /** `atMs` from the start of the phase. */
  readonly calls: readonly CallSample[];
}

export async function runOverload(options: Options, bench: Bench): Promise<Outcome> {
  const engines = await bench.startEngine([], 'bench/scenarios/overload-engines.ts');
  const client = await bench.startClient('bench/scenarios/overload-client.ts');
  const place = bench.placeFor(engines.ports);
  const target = await startTarget('gateway', { ...place, gatewayArgs: [...FLAGS, ...place.gatewayArgs] });
  if (isMissing(target)) throw new Error(target.reason);
  const run = async (load: OverloadJob['load'], limitSeconds: number) => {
    const job: OverloadJob = { port: target.ports[0] ?? 0, load };
    const { calls } = await client.ask<{ calls: CallSample[] }>(job, limitSeconds * 1_000 + ANSWER_LIMIT_MS);
    return calls;
  };
  await run({ width: CAP, seconds: WARM_UP_SECONDS }, WARM_UP_SECONDS);
  const closed = await run({ width: CAP, seconds: CALM_SECONDS }, CALM_SECONDS);
  const most = goodput(closed, CALM_SECONDS);
  bench.progress(`closed loop: ${number(most)} answers/s`);
  const steps = [
    { name: '50 %', rate: most / 2, seconds: CALM_SECONDS },
    { name: '150 %', rate: most * 1.5, seconds: options.seconds },
    { name: '50 % after it', rate: most / 2, seconds: AFTER_SECONDS },
  ];
  const all = await run({ steps }, CALM_SECONDS + options.seconds + AFTER_SECONDS);
  for (const started of [target.process, client, engines.process]) await started?.stop();
  const first = { name: 'closed loop', rate: 0, seconds: CALM_SECONDS, calls: closed };
  return outcome([first, ...split(all, steps)], bench);
}

/** The calls of each step, by the moment at which they were due. */
function split(calls: readonly CallSample[], steps: readonly Omit<Phase, 'calls'>[]): Phase[] {
  let from = 0;
  return steps.map((step) => {
    const start = from;
    from += step.seconds * 1_000;
    const own = calls.filter(({ atMs }) => atMs >= start && atMs < start + step.seconds * 1_000);
    return { ...step, calls: own.map((call) => ({ ...call, atMs: call.atMs - start })) };
  });
}

/** Good answers per second that were complete within the phase. */
function goodput(calls: readonly CallSample[], seconds: number): number {
  const good = calls.filter(({ status, atMs, latencyMs }) => status === 200 && atMs + latencyMs <= seconds * 1_000);
  return good.length / seconds;
}

const isGood = ({ status }: CallSample) => status === 200;
const isRefused = ({ status }: CallSample) => status === 429 || status === 503;

function percentile(calls: readonly CallSample[], percent: number): number {
  const histogram = new Histogram();
  for (const { latencyMs } of calls) histogram.record(latencyMs);
  return histogram.percentile(percent);
}

/** Seconds after the overload from which on the p99 of good answers is that of the baseline. */
function recoverySeconds(after: Phase, baseline: number): number | undefined {
  const seconds = Array.from({ length: after.seconds - LEAST_TAIL_SECONDS + 1 }, (_, second) => second);
  return seconds.find((from) => percentile(goodFrom(after, from), 99) <= baseline * SAME);
}

function goodFrom({ calls }: Phase, fromSeconds: number): CallSample[] {
  return calls.filter((call) => isGood(call) && call.atMs >= fromSeconds * 1_000);
}

const COLUMNS = ['phase', 'calls/s', 'answers/s', 'answered', 'refused', 'other', 'p50 ms', 'p99 ms'];
COLUMNS.push('refusal p50 ms', 'refusal p99 ms', 'with Retry-After');

function rowOf({ name, rate, seconds, calls }: Phase): string[] {
  const good = calls.filter(isGood);
  const refused = calls.filter(isRefused);
  const hinted = refused.filter(({ hasRetryAfter }) => hasRetryAfter);
  return [
    name,
    rate === 0 ? `${CAP} at once` : number(rate),
    number(goodput(calls, seconds)),
    String(good.length),
    String(refused.length),
    String(calls.length - good.length - refused.length),
    number(percentile(good, 50)),
    number(percentile(good, 99)),
    refused.length === 0 ? '–' : number(percentile(refused, 50)),
    refused.length === 0 ? '–' : number(percentile(refused, 99)),
    refused.length === 0 ? '–' : percent(hinted.length / refused.length),
  ];
}

function outcome(phases: readonly [Phase, ...Phase[]], bench: Bench): Outcome {
  const [closed, before, over, after] = phases as [Phase, Phase, Phase, Phase];
  const baseline = percentile(before.calls.filter(isGood), 99);
  const most = goodput(closed.calls, closed.seconds);
  const refused = over.calls.filter(isRefused);
  const goals: Goal[] = [
    {
      name: 'answers under overload, of the maximum',
      value: (100 * goodput(over.calls, over.seconds)) / most,
      limit: 80,
      direction: 'at least',
      unit: ' %',
    },
    { name: 'refusals, p99', value: percentile(refused, 99), limit: 100, direction: 'at most', unit: ' ms' },
    {
      name: `p99 back at the baseline (within ${percent(SAME - 1)}) after`,
      value: recoverySeconds(after, baseline),
      limit: 10,
      direction: 'at most',
      unit: ' s',
    },
  ];
  return {
    section: {
      title: `Overload: 150 % for ${over.seconds} s, cap ${CAP}, queue ${QUEUE}`,
      provenance: bench.provenance,
      table: { columns: COLUMNS, rows: phases.map(rowOf) },
      goals,
      notes: [
        `${ENGINES} simulated engines, ${BATCH} calls at once each, 64 tokens an answer; latency from when a call was due`,
        `p99 from 10 s after the overload: ${number(percentile(goodFrom(after, 10), 99))} ms, baseline ${number(baseline)} ms`,
      ],
      failures: phases.flatMap(failuresOf),
    },
    raw: phases.map(({ name, rate, seconds, calls }) => ({ name, rate, seconds, calls: calls.length })),
  };
}

function failuresOf({ name, calls }: Phase): string[] {
  const lost = calls.filter((call) => !isGood(call) && !isRefused(call)).length;
  const silent = calls.filter((call) => isRefused(call) && !call.hasRetryAfter).length;
  const failures = lost === 0 ? [] : [`${lost} calls had no answer or another one than 200, 429 and 503`];
  if (silent > 0) failures.push(`${silent} refusals without Retry-After`);
  return failures.map((failure) => `${name}: ${failure}`);
}
