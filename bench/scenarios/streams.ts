/**
 * Many slow streams at once: each gives one event of ~230 bytes a second; none may be dropped, and each has a price.
 * Shapes  runStreams(options, bench) → Outcome; one row per proxy: bare, gateway
 * Units   bytes of resident memory before, every 5 s during, and 10 s after; ms between two events of one stream
 * Errors  any broken stream is a failure; so is a run whose streams were not all open at the same time
 */
import type { Bench, Outcome } from '../bench.ts';
import { chooseWords, PROXIES } from '../cases.ts';
import type { Options } from '../options.ts';
import { megabytes, number, percent } from '../report/table.ts';
import { type CpuTime, cpuBetween, cpuTime, memory } from '../rig/proc.ts';
import { isMissing, startTarget, type Target, type TargetName } from '../rig/targets.ts';
import type { StreamsJob, StreamsResult } from './streams-client.ts';

const PACE_MS = 1_000;
const OPENS_PER_SECOND = 500;
const SAMPLE_MS = 5_000;
const SETTLE_MS = 1_000;
const AFTER_MS = 10_000;
const GOAL_KB = 80;

interface Measured {
  readonly name: TargetName;
  readonly beforeBytes: number;
  readonly duringBytes: readonly number[];
  readonly afterBytes: number;
  readonly cpuShare: number;
  readonly result: StreamsResult;
  readonly failures: readonly string[];
}

const NOTHING: StreamsResult = { complete: 0, broken: 0, reasons: [], events: 0, gapP50: 0, gapP99: 0, gapMax: 0 };

export async function runStreams(options: Options, bench: Bench): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const name of chooseWords(options.only, PROXIES)) measured.push(await measure(name, options, bench));
  const gateway = measured.find((one) => one.name === 'gateway' && one.result.complete > 0);
  return {
    section: {
      title: `Streams: ${options.streams} at once, one event a second, ${options.seconds} s`,
      provenance: bench.provenance,
      table: { columns: COLUMNS, rows: measured.map((one) => rowOf(one, options)) },
      goals: [
        {
          name: 'gateway, resident memory per stream',
          value: gateway && perStreamKb(gateway, options.streams),
          limit: GOAL_KB,
          direction: 'at most',
          unit: ' KB',
        },
      ],
      notes: measured.map((one) => `${one.name}, RSS every 5 s in MB: ${one.duringBytes.map(megabytes).join(' ')}`),
      failures: measured.flatMap((one) => one.failures.map((failure) => `${one.name}: ${failure}`)),
    },
    raw: measured,
  };
}

const COLUMNS = ['target', 'complete', 'broken', 'events', 'RSS before MB', 'RSS peak MB', 'RSS after MB'];
COLUMNS.push('RSS KB/stream', 'CPU of a core', 'gap p50 ms', 'gap p99 ms', 'gap max ms');

function rowOf(one: Measured, options: Options): string[] {
  const { result } = one;
  return [
    one.name,
    String(result.complete),
    String(result.broken),
    String(result.events),
    megabytes(one.beforeBytes),
    megabytes(Math.max(0, ...one.duringBytes)),
    megabytes(one.afterBytes),
    number(perStreamKb(one, options.streams)),
    percent(one.cpuShare),
    number(result.gapP50),
    number(result.gapP99),
    number(result.gapMax),
  ];
}

function perStreamKb(one: Measured, streams: number): number {
  return (Math.max(0, ...one.duringBytes) - one.beforeBytes) / 1024 / streams;
}

async function measure(name: TargetName, options: Options, bench: Bench): Promise<Measured> {
  const events = Math.max(1, Math.round(options.seconds));
  const flags = ['--tokens', String(events), '--pace-ms', String(PACE_MS), '--first-gap-ms', '0'];
  const engine = await bench.startEngine(flags);
  const client = await bench.startClient('bench/scenarios/streams-client.ts');
  const target = await startTarget(name, bench.placeFor(engine.ports));
  if (isMissing(target)) {
    const nothing = { beforeBytes: 0, duringBytes: [], afterBytes: 0, cpuShare: 0, result: NOTHING };
    return { name, ...nothing, failures: [target.reason] };
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const beforeBytes = memory(target.pids).rssBytes;
  const samples = new Samples(target, bench);
  const job: StreamsJob = {
    port: target.ports[0] ?? 0,
    streams: options.streams,
    events,
    opensPerSecond: OPENS_PER_SECOND,
  };
  const rampMs = (options.streams / OPENS_PER_SECOND) * 1000;
  let message = await client.ask<{ opened?: number; result?: StreamsResult }>(
    job,
    rampMs + 30_000 + options.seconds * 1000,
  );
  const opened = message.opened ?? 0;
  if (message.result === undefined) message = await client.ask(undefined, options.seconds * 1000 + 30_000);
  const result = message.result ?? NOTHING;
  const { duringBytes, cpuShare } = samples.stop();
  const { peakInFlight } = await engine.process.ask<{ peakInFlight: number }>({}, 5_000);
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  const afterBytes = memory(target.pids).rssBytes;
  for (const started of [target.process, client, engine.process]) await started?.stop();
  const failures = result.broken === 0 ? [] : [`${result.broken} broken streams: ${result.reasons.join('; ')}`];
  if (opened < options.streams) failures.push('the streams were not all open at the same time');
  if (peakInFlight < options.streams) failures.push(`the engine held ${peakInFlight} of ${options.streams} streams`);
  return { name, beforeBytes, duringBytes, afterBytes, cpuShare, result, failures };
}

/** Watches a proxy's memory every 5 s, and its CPU from the first to the last moment. */
class Samples {
  readonly #target: Target;
  readonly #startedAt = performance.now();
  readonly #cpuBefore: CpuTime;
  readonly #timer: NodeJS.Timeout;
  readonly #bytes: number[] = [];

  constructor(target: Target, bench: Bench) {
    this.#target = target;
    this.#cpuBefore = cpuTime(target.pids);
    this.#timer = setInterval(() => {
      const { rssBytes } = memory(target.pids);
      this.#bytes.push(rssBytes);
      bench.progress(`${target.name}: ${megabytes(rssBytes)} MB`);
    }, SAMPLE_MS);
  }

  stop(): { duringBytes: readonly number[]; cpuShare: number } {
    clearInterval(this.#timer);
    const { totalMs } = cpuBetween(this.#cpuBefore, cpuTime(this.#target.pids));
    const cpuShare = totalMs / (performance.now() - this.#startedAt);
    return { duringBytes: this.#bytes, cpuShare };
  }
}
