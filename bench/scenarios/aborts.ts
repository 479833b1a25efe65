/**
 * How long after a client has left does its worker hear of it? Until then the worker generates for nobody.
 * Shapes  runAborts(options, bench) → Outcome; one row per phase of the answer and proxy: bare, gateway
 * Units   ms between the client's close and the close of the worker's socket, both read in one process
 * Errors  a worker's socket that is still open after 2 s is a failure; so is a phase that could not be reached
 */
import type { Bench, Outcome } from '../bench.ts';
import { chooseWords, PROXIES } from '../cases.ts';
import type { Options } from '../options.ts';
import type { Goal } from '../report/section.ts';
import { number } from '../report/table.ts';
import type { Started } from '../rig/processes.ts';
import { isMissing, startTarget, type TargetName } from '../rig/targets.ts';
import type { LeaveJob, LeaveResult, Phase } from './aborts-peer.ts';

const GOAL_MS = 100;
const SETTLE_MS = 1_000;
/** Unmeasured visits of each phase: the first ones of a process meet code that is not compiled yet. */
const WARM_UP = 100;
const JOB_LIMIT_MS = 120_000;

const ONE = { stream: true, sendsHead: true, events: 0, atOnce: 1 };
const PHASES: Readonly<Record<string, Phase>> = {
  'before the head, unary': { ...ONE, stream: false, sendsHead: false },
  'before the head, stream': { ...ONE, sendsHead: false },
  'after the head, before an event': ONE,
  'after 3 events': { ...ONE, events: 3 },
  'after 3 events, 100 at once': { ...ONE, events: 3, atOnce: 100 },
};

interface Measured {
  readonly name: TargetName;
  readonly results: Readonly<Record<string, LeaveResult>>;
  readonly failures: readonly string[];
}

export async function runAborts(options: Options, bench: Bench): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const name of chooseWords(options.only, PROXIES)) measured.push(await measure(name, options, bench));
  const gateway = measured.find((one) => one.name === 'gateway');
  return {
    section: {
      title: 'Aborts: from the client leaving to the worker hearing of it',
      provenance: bench.provenance,
      table: {
        columns: ['phase', 'target', 'samples', 'p50 ms', 'p99 ms', 'max ms', 'FIN max', 'RST max', 'open after 2 s'],
        rows: Object.keys(PHASES).flatMap((phase) => measured.flatMap((one) => rowOf(phase, one))),
      },
      goals: gateway === undefined ? [] : goalsOf(gateway),
      notes: ['every second client closes with FIN, every other one with RST'],
      failures: measured.flatMap((one) => one.failures.map((failure) => `${one.name}: ${failure}`)),
    },
    raw: measured,
  };
}

function goalsOf(gateway: Measured): Goal[] {
  return Object.keys(PHASES).map((phase) => ({
    name: `gateway, ${phase}, max`,
    value: gateway.results[phase]?.max,
    limit: GOAL_MS,
    direction: 'at most',
    unit: ' ms',
  }));
}

function rowOf(phase: string, { name, results }: Measured): string[][] {
  const result = results[phase];
  if (result === undefined) return [];
  const times = [result.p50, result.p99, result.max, result.maxByFin, result.maxByReset];
  return [[phase, name, String(result.samples), ...times.map(number), String(result.stillOpen)]];
}

async function measure(name: TargetName, options: Options, bench: Bench): Promise<Measured> {
  const peer = await bench.startEngine([], 'bench/scenarios/aborts-peer.ts');
  const target = await startTarget(name, bench.placeFor(peer.ports));
  if (isMissing(target)) return { name, results: {}, failures: [target.reason] };
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const port = target.ports[0] ?? 0;
  const results: Record<string, LeaveResult> = {};
  const failures: string[] = [];
  for (const [phase, spec] of Object.entries(PHASES)) {
    await ask(peer.process, { port, phase: spec, samples: WARM_UP });
    const { result, error } = await ask(peer.process, { port, phase: spec, samples: options.samples });
    bench.progress(`${name}, ${phase}: ${result === undefined ? error : `max ${number(result.max)} ms`}`);
    if (result !== undefined) results[phase] = result;
    if (error !== undefined) failures.push(`${phase}: ${error}`);
    if (result !== undefined && result.stillOpen > 0) {
      failures.push(`${phase}: ${result.stillOpen} of the worker's sockets were open after 2 s`);
    }
  }
  for (const started of [target.process, peer.process]) await started?.stop();
  return { name, results, failures };
}

function ask(peer: Started, job: LeaveJob): Promise<{ result?: LeaveResult; error?: string }> {
  return peer.ask(job, JOB_LIMIT_MS);
}
