/**
 * Memory under many large bodies: all requests are in flight at once, because the engine answers none of them early.
 * Shapes  runMemory(options, bench) → Outcome; one row per proxy: bare, gateway
 * Units   bytes; RSS is sampled every 100 ms, the peak is the kernel's own (VmHWM)
 * Errors  a run in which the engine did not hold all requests at once is a failure, not a result
 */
import type { Bench, Outcome } from '../bench.ts';
import { chooseWords, PROXIES } from '../cases.ts';
import type { Job, JobResult } from '../load/job.ts';
import { TOKENS } from '../load/wire.ts';
import type { Options } from '../options.ts';
import { megabytes } from '../report/table.ts';
import { memory, resetPeak } from '../rig/proc.ts';
import { isMissing, startTarget, type TargetName } from '../rig/targets.ts';

const BODY_BYTES = 150 * 1024;
const DELAY_MS = 8_000;
const GOAL_MB = 600;
const SETTLE_MS = 1_000;

interface Measured {
  readonly name: TargetName;
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly afterBytes: number;
  readonly inFlight: number;
  readonly answers: number;
  readonly failures: readonly string[];
}

export async function runMemory(options: Options, bench: Bench): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const name of chooseWords(options.only, PROXIES)) measured.push(await measure(name, options.connections, bench));
  const gateway = measured.find((one) => one.name === 'gateway');
  const peakMb = gateway === undefined || gateway.answers === 0 ? undefined : gateway.peakBytes / 2 ** 20;
  return {
    section: {
      title: `Memory: ${options.connections} × 150 KB bodies in flight`,
      provenance: bench.provenance,
      table: {
        columns: ['target', 'RSS idle MB', 'RSS peak MB', 'RSS after MB', 'held at once', 'answers'],
        rows: measured.map((one) => [
          one.name,
          megabytes(one.idleBytes),
          megabytes(one.peakBytes),
          megabytes(one.afterBytes),
          String(one.inFlight),
          String(one.answers),
        ]),
      },
      goals: [{ name: 'gateway, peak RSS', value: peakMb, limit: GOAL_MB, direction: 'at most', unit: ' MB' }],
      notes: [],
      failures: measured.flatMap((one) => one.failures.map((failure) => `${one.name}: ${failure}`)),
    },
    raw: measured,
  };
}

async function measure(name: TargetName, connections: number, bench: Bench): Promise<Measured> {
  const engine = await bench.startEngine(['--delay-ms', String(DELAY_MS)]);
  const client = await bench.startClient('bench/client.ts');
  const target = await startTarget(name, bench.placeFor(engine.ports));
  if (isMissing(target)) {
    return { name, idleBytes: 0, peakBytes: 0, afterBytes: 0, inFlight: 0, answers: 0, failures: [target.reason] };
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idleBytes = memory(target.pids).rssBytes;
  resetPeak(target.pids);
  bench.progress(`${name}: ${connections} bodies of ${BODY_BYTES} bytes, answered after ${DELAY_MS} ms`);
  const { result, error } = await client.ask<{ result?: JobResult; error?: string }>(
    jobFor(connections, target.ports),
    120_000,
  );
  if (result === undefined) throw new Error(`client: ${error}`);
  const { peakInFlight } = await engine.process.ask<{ peakInFlight: number }>({}, SETTLE_MS * 5);
  const { rssBytes, peakBytes } = memory(target.pids);
  for (const started of [target.process, client, engine.process]) await started?.stop();
  const failures =
    result.failures === 0 ? [] : [`${result.failures} × wrong answers: ${result.failureSamples.join('; ')}`];
  if (peakInFlight < connections) failures.push(`only ${peakInFlight} of ${connections} requests were held at once`);
  return {
    name,
    idleBytes,
    peakBytes,
    afterBytes: rssBytes,
    inFlight: peakInFlight,
    answers: result.answers,
    failures,
  };
}

function jobFor(connections: number, ports: readonly number[]): Job {
  return {
    ports,
    connections,
    bodyBytes: BODY_BYTES,
    stream: false,
    tokens: TOKENS,
    warmupSeconds: 0,
    seconds: 0,
    once: true,
    drainSeconds: 60,
    minSamples: 0,
    watch: {},
  };
}
