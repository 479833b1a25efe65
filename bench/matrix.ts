/**
 * The matrix: every chosen case against every chosen target, round by round, targets interleaved.
 * Shapes  runMatrix(options, bench) → Outcome
 * Why     interleaved: a slow minute of a shared machine then hits all targets alike
 */
import { availableParallelism } from 'node:os';
import { CASES, type Case, chooseCases } from './cases.ts';
import type { Bench, Outcome } from './bench.ts';
import type { Job, JobResult } from './load/job.ts';
import { TOKENS } from './load/wire.ts';
import type { Options } from './options.ts';
import {
  type Figures,
  MAX_OTHERS,
  matrixGoals,
  matrixNotes,
  matrixTable,
  type Round,
  summarise,
} from './report/summary.ts';
import { memory, resetPeak } from './rig/proc.ts';
import type { Started } from './rig/processes.ts';
import { isMissing, type Missing, startTarget, type Target, type TargetName } from './rig/targets.ts';

const MIN_SAMPLES_AT_ONE = 2_000;
const WARM_UP = 0;
const WARM_ANSWERS = 40_000;
const WARM_STREAMS = 3_000;
const SETTLE_MS = 1_000;

/** A started target and what it weighed before its first request. */
interface Ready {
  readonly target: Target;
  readonly idleBytes: number;
}

/** Everything one matrix measures with. */
interface Stage {
  readonly options: Options;
  readonly bench: Bench;
  readonly client: Started;
  readonly enginePid: number;
  readonly ready: readonly Ready[];
}

export async function runMatrix(options: Options, bench: Bench): Promise<Outcome> {
  const choice = chooseCases(options.only);
  const engine = await bench.startEngine([]);
  const client = await bench.startClient('bench/client.ts');
  const { targets, missing } = await startAll(choice.targets, bench, engine.ports);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const ready = targets.map((target) => ({ target, idleBytes: memory(target.pids).rssBytes }));
  const stage: Stage = { options, bench, client, enginePid: engine.process.pid, ready };
  await warmUp(stage, choice.cases);
  const rounds = await measureAll(stage, choice.cases);
  const rows = summarise(rounds, options.pick);
  const reasons = (isFailure: boolean) => missing.filter((one) => one.isFailure === isFailure).map((one) => one.reason);
  return {
    section: {
      title: 'Throughput, latency, CPU',
      provenance: bench.provenance,
      table: matrixTable(rows),
      goals: matrixGoals(rows),
      notes: [...reasons(false), ...matrixNotes(rows)],
      failures: [...reasons(true), ...rounds.flatMap(failureLines)],
    },
    raw: rounds,
  };
}

async function startAll(names: readonly TargetName[], bench: Bench, enginePorts: readonly number[]) {
  const targets: Target[] = [];
  const missing: Missing[] = [];
  for (const name of names) {
    const started = await startTarget(name, bench.placeFor(enginePorts));
    if (isMissing(started)) missing.push(started);
    else targets.push(started);
  }
  return { targets, missing };
}

/** Unmeasured, so that no target meets its first case with code that is not compiled yet. V8 needs that many. */
async function warmUp(stage: Stage, cases: readonly Case[]): Promise<void> {
  const kinds = CASES.filter((one) => one.bodyKb === 1 && one.connections === 32);
  for (const one of kinds.filter((kind) => cases.some((chosen) => chosen.stream === kind.stream))) {
    for (const each of stage.ready) await measure(stage, { one, each, round: WARM_UP });
  }
}

async function measureAll(stage: Stage, cases: readonly Case[]): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 1; round <= stage.options.rounds; round++) {
    for (const one of cases) {
      for (const each of stage.ready) {
        rounds.push(await measureQuietly(stage, { one, each, round }));
      }
    }
  }
  return rounds;
}

/** Measures again while other programs used much of the machine; keeps the quietest try. */
async function measureQuietly(stage: Stage, cell: Cell): Promise<Round> {
  let quietest: Round | undefined;
  for (let attempt = 0; attempt <= stage.options.retries; attempt++) {
    const measured = await measure(stage, cell);
    stage.bench.progress(progressLine(measured, stage.options));
    if (measured.failures > 0) return measured;
    if (quietest === undefined || measured.figures.othersBusy < quietest.figures.othersBusy) quietest = measured;
    if (quietest.figures.othersBusy <= MAX_OTHERS) break;
  }
  if (quietest === undefined) throw new Error('nothing was measured');
  return quietest;
}

interface Cell {
  readonly one: Case;
  readonly each: Ready;
  readonly round: number;
}

async function measure(stage: Stage, cell: Cell): Promise<Round> {
  const { one, each, round } = cell;
  const { target, idleBytes } = each;
  target.output?.trim();
  resetPeak(target.pids);
  const job = jobFor(stage, cell);
  const limitMs = (job.warmupSeconds + job.seconds * 10 + job.drainSeconds + 20) * 1000;
  const { result, error } = await stage.client.ask<{ result?: JobResult; error?: string }>(job, limitMs);
  if (result === undefined) throw new Error(`client: ${error}`);
  const figures = figuresOf(one, result, { idleBytes, peakBytes: memory(target.pids).peakBytes });
  const { failures, failureSamples } = result;
  return { case: one, target: target.name, round, figures, failures, failureSamples };
}

function jobFor(stage: Stage, cell: Cell): Job {
  const { options, client, enginePid } = stage;
  const { one, each } = cell;
  return {
    ports: each.target.ports,
    connections: one.connections,
    bodyBytes: one.bodyKb * 1024,
    stream: one.stream,
    tokens: TOKENS,
    warmupSeconds: options.warmupSeconds,
    seconds: options.seconds,
    once: false,
    drainSeconds: 10,
    minSamples: minSamplesOf(cell),
    watch: { proxy: each.target.pids, load: [client.pid, enginePid] },
  };
}

function minSamplesOf({ one, round }: Cell): number {
  if (round === WARM_UP) return one.stream ? WARM_STREAMS : WARM_ANSWERS;
  return one.connections === 1 ? MIN_SAMPLES_AT_ONE : 1;
}

function figuresOf(one: Case, result: JobResult, weight: { idleBytes: number; peakBytes: number }): Figures {
  const requestsPerSecond = result.answers / result.seconds;
  const { totalMs, userMs } = result.cpu['proxy'] ?? { totalMs: 0, userMs: 0 };
  const loadMs = result.cpu['load']?.totalMs ?? 0;
  return {
    requestsPerSecond,
    eventsPerSecond: one.stream ? requestsPerSecond * TOKENS : 0,
    p50: result.latency.p50,
    p99: result.latency.p99,
    firstByteP50: result.firstByte.p50,
    cpuUsPerRequest: (totalMs * 1000) / result.answers,
    userUsPerRequest: (userMs * 1000) / result.answers,
    proxyBusy: totalMs / 1000 / result.seconds,
    loadBusy: loadMs / 1000 / result.seconds,
    othersBusy: Math.max(0, result.machineMs - totalMs - loadMs) / 1000 / result.seconds / availableParallelism(),
    ...weight,
  };
}

function progressLine(round: Round, options: Options): string {
  const { figures } = round;
  return (
    `round ${round.round}/${options.rounds}  ${round.case.name.padEnd(18)} ${round.target.padEnd(8)}` +
    `${figures.requestsPerSecond.toFixed(0).padStart(7)} req/s  p50 ${figures.p50.toFixed(3)} ms  ` +
    `${figures.cpuUsPerRequest.toFixed(1)} µs/req  proxy ${(figures.proxyBusy * 100).toFixed(0)} %  ` +
    `load ${(figures.loadBusy * 100).toFixed(0)} %  others ${(figures.othersBusy * 100).toFixed(0)} %${round.failures > 0 ? `  ${round.failures} FAILURES` : ''}`
  );
}

function failureLines(round: Round): string[] {
  if (round.failures === 0) return [];
  const samples = [...new Set(round.failureSamples)].join('; ');
  return [
    `${round.case.name}, ${round.target}, round ${round.round}: ${round.failures} × wrong answers, such as: ${samples}`,
  ];
}
