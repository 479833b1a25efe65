/**
 * What a load process counts, and the window in which it counts: latencies of answers that arrive inside it, CPU of the
 * watched processes at its two ends.
 * Shapes  new Tally() · measure(job, tally) → Window · summary(histogram) → Latency
 * Owner   the process that runs a job (load/job.ts)
 */
import { cpuBetween, type CpuTime, cpuTime, machineCpuMs } from '../rig/proc.ts';
import { Histogram } from './histogram.ts';
import type { Job, JobResult, Latency } from './job.ts';

const POLL_MS = 20;
const FAILURE_SAMPLES = 3;

/** Counts only while the window is open; failures always. */
export class Tally {
  readonly latency = new Histogram();
  readonly firstByte = new Histogram();
  readonly failureSamples: string[] = [];
  answers = 0;
  failures = 0;
  isOpen = false;

  answered(latencyMs: number, firstByteMs: number): void {
    if (!this.isOpen) return;
    this.answers++;
    this.latency.record(latencyMs);
    this.firstByte.record(firstByteMs);
  }

  failed(reason: string): void {
    this.failures++;
    if (this.failureSamples.length < FAILURE_SAMPLES) this.failureSamples.push(reason);
  }
}

/** The time in which answers count. */
export interface Window {
  readonly seconds: number;
  readonly machineMs: number;
  readonly cpu: Readonly<Record<string, CpuTime>>;
}

export async function measure(job: Job, tally: Tally): Promise<Window> {
  await sleep(job.warmupSeconds * 1000);
  const machineBefore = machineCpuMs();
  const before = readCpu(job);
  const start = performance.now();
  tally.isOpen = true;
  await sleep(job.seconds * 1000);
  while (tally.answers < job.minSamples && tally.failures === 0 && performance.now() - start < job.seconds * 10_000)
    await sleep(POLL_MS);
  tally.isOpen = false;
  const seconds = (performance.now() - start) / 1000;
  const after = readCpu(job);
  const machineMs = machineCpuMs() - machineBefore;
  return {
    seconds,
    machineMs,
    cpu: Object.fromEntries(before.map(([name, from], index) => [name, since(from, after[index])])),
  };
}

export function resultOf(job: Job, tally: Tally, window: Window): JobResult {
  return {
    answers: tally.answers,
    seconds: window.seconds,
    machineMs: window.machineMs,
    latency: summary(tally.latency),
    firstByte: job.stream ? summary(tally.firstByte) : summary(new Histogram()),
    cpu: window.cpu,
    failures: tally.failures,
    failureSamples: tally.failureSamples,
  };
}

function readCpu(job: Job): [string, CpuTime][] {
  return Object.entries(job.watch).map(([name, pids]) => [name, cpuTime(pids)]);
}

function since(before: CpuTime, after: [string, CpuTime] | undefined): CpuTime {
  return cpuBetween(before, after?.[1] ?? before);
}

function summary(histogram: Histogram): Latency {
  return {
    p50: histogram.percentile(50),
    p90: histogram.percentile(90),
    p99: histogram.percentile(99),
    max: histogram.percentile(100),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
