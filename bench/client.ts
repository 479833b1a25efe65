/**
 * The load client as a process: runs one job at a time, asked and answered over IPC (load/job.ts).
 * Shapes  IPC Job → IPC JobResult; closed loop: each connection sends its next request when its answer is complete
 * Units   latencies of answers that arrive inside the window; CPU of the watched processes at its two ends
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { cpuBetween, type CpuTime, cpuTime, machineCpuMs } from './rig/proc.ts';
import { LoadConnection, type Plan } from './load/connection.ts';
import { Histogram } from './load/histogram.ts';
import type { Job, JobResult, Latency } from './load/job.ts';
import { chatRequest, streamAnswer, unaryAnswer } from './load/wire.ts';

const POLL_MS = 20;
const CONNECT_BATCH = 64;
const FAILURE_SAMPLES = 3;

/** Counts only while the window is open; failures always. */
class Tally {
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
interface Window {
  readonly seconds: number;
  readonly machineMs: number;
  readonly cpu: Readonly<Record<string, CpuTime>>;
}

async function run(job: Job): Promise<JobResult> {
  const tally = new Tally();
  const plans = job.ports.map((port) => planFor(job, port));
  const connections = Array.from({ length: job.connections }, (_, index) => {
    const plan = plans[index % plans.length];
    if (plan === undefined) throw new Error('a job needs a port');
    return new LoadConnection(plan, tally);
  });
  tally.isOpen = job.once;
  for (let from = 0; from < connections.length; from += CONNECT_BATCH) {
    await Promise.all(connections.slice(from, from + CONNECT_BATCH).map((connection) => connection.start()));
  }
  const window: Window = job.once ? { seconds: 0, machineMs: 0, cpu: {} } : await measure(job, tally);
  await drain(connections, job.drainSeconds);
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

async function measure(job: Job, tally: Tally): Promise<Window> {
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

async function drain(connections: readonly LoadConnection[], seconds: number): Promise<void> {
  const stopped = Promise.all(connections.map((connection) => connection.stop()));
  const timer = setTimeout(() => {
    for (const connection of connections) connection.abandon();
  }, seconds * 1000);
  await stopped;
  clearTimeout(timer);
}

/** A role, a reason and [DONE], beside the frames of the tokens. */
const OWN_FRAMES = 3;

function planFor(job: Job, port: number): Plan {
  const isOwn = job.answer === 'tokens';
  const body = job.stream ? Buffer.concat(streamAnswer(job.tokens)) : unaryAnswer();
  return {
    port,
    request: chatRequest({ port, bodyBytes: job.bodyBytes, stream: job.stream }),
    stream: job.stream,
    frames: job.stream ? job.tokens + (isOwn ? OWN_FRAMES : 2) : 0,
    bodyBytes: isOwn ? undefined : body.length,
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

process.on('disconnect', () => process.exit(0));
process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.({ isReady: true });
