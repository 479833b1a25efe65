/**
 * gRPC mode on one core: a real tokenizer, 1 KB prompts, 64 tokens an answer; beside the same gateway in HTTP mode and
 * beside clients that do nothing but read the same streams. Ends with where the time of a streamed token goes.
 * Shapes  runGrpc(options, bench) → Outcome; one row per case and target; --only stream unary | 1 32 256 | library
 *         channel http grpc
 * Units   µs of CPU (user and system) of whatever runs on the proxy core
 * Errors  a wrong answer is a failure; so is a gateway that does not start
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import type { Bench, Outcome } from '../bench.ts';
import type { Job, JobResult } from '../load/job.ts';
import { TOKENS } from '../load/wire.ts';
import type { Options } from '../options.ts';
import { type Area, readProfile, timeByArea } from '../profile/areas.ts';
import type { Goal } from '../report/section.ts';
import { megabytes, number, percent, type Table } from '../report/table.ts';
import { memory, resetPeak } from '../rig/proc.ts';
import { GRPC_TARGETS, type GrpcTarget, type GrpcTargetName, type GrpcStage } from './grpc-targets.ts';
import { openStage, startGateway, startGrpcTarget, TARGET_WORDS } from './grpc-targets.ts';

const CONNECTIONS = [1, 32, 256] as const;
const KINDS = ['stream', 'unary'] as const;
const GOAL_TOKENS = 40_000;
const BODY_BYTES = 1_024;
const WARM_SECONDS = 3;
const JOB_LIMIT_MS = 60_000;
/** What is shown of a figure that rises with the load: the case of the goal. */
const GOAL_CASE: Case = { kind: 'stream', connections: 32 };

interface Case {
  readonly kind: (typeof KINDS)[number];
  readonly connections: number;
}

interface Round extends Case {
  readonly target: GrpcTargetName;
  readonly round: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly firstP50: number;
  readonly cpuUs: number;
  readonly coreBusy: number;
  readonly loadBusy: number;
  readonly othersBusy: number;
  readonly peakBytes: number;
  readonly failures: readonly string[];
}

export async function runGrpc(options: Options, bench: Bench): Promise<Outcome> {
  const { cases, names } = chosen(options.only);
  const stage = await openStage(bench, options.tokenizer);
  const targets: GrpcTarget[] = [];
  for (const name of names) targets.push(await startGrpcTarget(name, stage));
  for (const target of targets) {
    for (const kind of KINDS) await ask(target, jobOf(target, { kind, connections: 32 }, options, WARM_SECONDS));
  }
  const rounds: Round[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const one of cases) {
      for (const target of targets) rounds.push(await measureQuietly({ one, target, round }, options, bench));
    }
  }
  for (const target of targets) await target.process.stop();
  const areas = names.includes('grpc') ? await profiled(stage, options) : [];
  const rows = cases.flatMap((one) => names.map((name) => rowOf(one, name, rounds)));
  const goal = rows.find((row) => row.target === 'grpc' && isCase(row, GOAL_CASE));
  return {
    section: {
      title: `gRPC mode: ${options.tokenizer}, ${TOKENS} tokens an answer`,
      provenance: bench.provenance,
      table: tableOf(rows),
      goals: goal ? [goalOf(goal)] : [],
      notes: notesOf(rounds),
      failures: rounds.flatMap(failureLines),
      ...(goal && areas.length > 0 && { more: [areasTable(areas, goal)] }),
    },
    raw: { rounds, areas },
  };
}

function chosen(words: readonly string[]): { cases: readonly Case[]; names: readonly GrpcTargetName[] } {
  const lists: readonly (readonly string[])[] = [KINDS, CONNECTIONS.map(String), GRPC_TARGETS];
  const unknown = words.filter((word) => !lists.flat().includes(word));
  if (unknown.length > 0) throw new Error(`--only knows ${lists.flat().join(', ')} here; not ${unknown.join(', ')}`);
  const has = (list: readonly string[], word: string) =>
    words.includes(word) || !list.some((each) => words.includes(each));
  const cases = KINDS.flatMap((kind) => CONNECTIONS.map((connections) => ({ kind, connections })));
  return {
    cases: cases.filter(({ kind, connections }) => {
      return has(KINDS, kind) && has(CONNECTIONS.map(String), String(connections));
    }),
    names: GRPC_TARGETS.filter((name) => has(GRPC_TARGETS, name)),
  };
}

function jobOf({ ports, answer, pids, loadPids }: GrpcTarget, one: Case, options: Options, seconds: number): Job {
  return {
    ports,
    connections: one.connections,
    bodyBytes: BODY_BYTES,
    stream: one.kind === 'stream',
    tokens: TOKENS,
    answer,
    warmupSeconds: options.warmupSeconds,
    seconds,
    once: false,
    drainSeconds: 10,
    minSamples: 1,
    watch: { proxy: pids, load: loadPids },
  };
}

async function ask({ runner }: GrpcTarget, job: Job): Promise<JobResult> {
  const limitMs = job.seconds * 10_000 + JOB_LIMIT_MS;
  const { result, error } = await runner.ask<{ result?: JobResult; error?: string }>(job, limitMs);
  if (!result) throw new Error(`client: ${error}`);
  return result;
}

interface Cell {
  readonly one: Case;
  readonly target: GrpcTarget;
  readonly round: number;
}

/** Measures again while other programs used much of the machine; keeps the quietest try. */
async function measureQuietly(cell: Cell, options: Options, bench: Bench): Promise<Round> {
  let quietest: Round | undefined;
  for (let attempt = 0; attempt <= options.retries; attempt += 1) {
    const measured = await measure(cell, options);
    bench.progress(progressLine(measured, options));
    if (!quietest || measured.othersBusy < quietest.othersBusy) quietest = measured;
    if (measured.failures.length > 0 || measured.othersBusy < 0.1) return measured;
  }
  if (!quietest) throw new Error('nothing was measured');
  return quietest;
}

async function measure({ one, target, round }: Cell, options: Options): Promise<Round> {
  resetPeak(target.pids);
  const result = await ask(target, jobOf(target, one, options, options.seconds));
  const { seconds, answers, latency, firstByte, machineMs, failures, failureSamples } = result;
  const ms = result.cpu['proxy']?.totalMs ?? 0;
  const loadMs = result.cpu['load']?.totalMs ?? 0;
  return {
    ...one,
    target: target.name,
    round,
    requestsPerSecond: answers / seconds,
    p50: latency.p50,
    p99: latency.p99,
    firstP50: firstByte.p50,
    cpuUs: (ms * 1_000) / answers,
    coreBusy: ms / 1_000 / seconds,
    loadBusy: loadMs / 1_000 / seconds,
    othersBusy: Math.max(0, machineMs - ms - loadMs) / 1_000 / seconds / availableParallelism(),
    peakBytes: memory(target.pids).peakBytes,
    failures: failures > 0 ? [`${failures} wrong answers, such as: ${[...new Set(failureSamples)].join('; ')}`] : [],
  };
}

/** One gateway more, under V8's profiler: its own figures are not kept, for the profiler costs time too. */
async function profiled(stage: GrpcStage, options: Options): Promise<Area[]> {
  const { temp } = stage.bench.placeFor([]);
  const folder = mkdtempSync(join(temp, 'profile'));
  const target = await startGateway('grpc', stage, folder);
  // The second half of the samples is looked at: the first is start and warm-up.
  await ask(target, jobOf(target, GOAL_CASE, options, options.seconds + WARM_SECONDS));
  await target.process.stop();
  return timeByArea(readProfile(folder));
}

interface Row extends Omit<Round, 'round' | 'failures' | 'othersBusy'> {
  readonly medianCpuUs: number;
}

/** The best of each figure, and the median of CPU time beside it; of memory the worst. */
function rowOf(one: Case, target: GrpcTargetName, rounds: readonly Round[]): Row {
  const mine = rounds.filter((round) => round.target === target && isCase(round, one));
  const least = (figure: (round: Round) => number) => Math.min(...mine.map(figure));
  const most = (figure: (round: Round) => number) => Math.max(...mine.map(figure));
  const cpu = mine.map(({ cpuUs }) => cpuUs).toSorted((a, b) => a - b);
  return {
    ...one,
    target,
    requestsPerSecond: most((round) => round.requestsPerSecond),
    p50: least((round) => round.p50),
    p99: least((round) => round.p99),
    firstP50: least((round) => round.firstP50),
    cpuUs: cpu[0] ?? Number.NaN,
    medianCpuUs: cpu[cpu.length >> 1] ?? Number.NaN,
    coreBusy: most((round) => round.coreBusy),
    loadBusy: most((round) => round.loadBusy),
    peakBytes: most((round) => round.peakBytes),
  };
}

function isCase(row: Case, { kind, connections }: Case): boolean {
  return row.kind === kind && row.connections === connections;
}

const COLUMNS = ['case', 'target', 'req/s', 'tokens/s', 'p50 ms', 'p99 ms', 'TTFT ms', 'CPU µs/req', 'median'];
COLUMNS.push('CPU µs/token', 'proxy core', 'load core', 'RSS peak MB');

function tableOf(rows: readonly Row[]): Table {
  return {
    columns: COLUMNS,
    rows: rows.map((row) => [
      `${row.kind} × ${row.connections}`,
      TARGET_WORDS[row.target],
      number(row.requestsPerSecond),
      number(row.requestsPerSecond * TOKENS),
      number(row.p50),
      number(row.p99),
      row.kind === 'stream' ? number(row.firstP50) : '–',
      number(row.cpuUs),
      number(row.medianCpuUs),
      number(row.cpuUs / TOKENS),
      percent(row.coreBusy),
      percent(row.loadBusy),
      megabytes(row.peakBytes),
    ]),
  };
}

/** What a full core gives: the rate itself where the core was full, and comparable where it was not. */
function goalOf({ cpuUs }: Row): Goal {
  const value = (TOKENS * 1_000_000) / cpuUs;
  const name = 'gRPC mode, streamed tokens per second of a core, 32 at once';
  return { name, value, limit: GOAL_TOKENS, direction: 'at least', unit: '' };
}

function notesOf(rounds: readonly Round[]): string[] {
  const others = rounds.map(({ othersBusy }) => othersBusy).toSorted((a, b) => a - b);
  const [least = Number.NaN, middle = Number.NaN, most = Number.NaN] = [0, 0.5, 1].map(
    (part) => others[Math.round((others.length - 1) * part)],
  );
  return [
    'best of the rounds, "median": of CPU time; a whole answer of HTTP engines is 300 bytes that pass through, one of gRPC engines 64 tokens that become text here',
    'bare loops take ready-made bytes and give none: no codec, no tokenizer, no client',
    'where the proxy core is not full, CPU time tells more than rates',
    `other programs took ${percent(least)} to ${percent(most)} of the machine, half of the time above ${percent(middle)}`,
  ];
}

function areasTable(areas: readonly Area[], goal: Row): { readonly title: string; readonly table: Table } {
  const total = areas.reduce((sum, { ms }) => sum + ms, 0);
  return {
    title: `Where the CPU time of ${goal.kind} × ${goal.connections} goes`,
    table: {
      columns: ['part', 'share', 'µs/request', 'µs/token'],
      rows: areas.map(({ name, ms }) => {
        const us = (goal.cpuUs * ms) / total;
        return [name, percent(ms / total), number(us), number(us / TOKENS)];
      }),
    },
  };
}

function progressLine(round: Round, options: Options): string {
  const { kind, connections, target, requestsPerSecond, cpuUs, coreBusy, othersBusy, failures } = round;
  return (
    `round ${round.round}/${options.rounds}  ${`${kind} × ${connections}`.padEnd(12)} ${target.padEnd(8)}` +
    `${requestsPerSecond.toFixed(0).padStart(6)} req/s  ${(requestsPerSecond * TOKENS).toFixed(0).padStart(7)} tokens/s  ` +
    `${cpuUs.toFixed(0)} µs/req  proxy ${percent(coreBusy)}  others ${percent(othersBusy)}` +
    (failures.length > 0 ? '  FAILURES' : '')
  );
}

function failureLines({ kind, connections, target, round, failures }: Round): string[] {
  return failures.map((failure) => `${kind} × ${connections}, ${target}, round ${round}: ${failure}`);
}
