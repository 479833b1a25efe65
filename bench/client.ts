/**
 * The load client as a process: runs one job at a time, asked and answered over IPC (load/job.ts).
 * Shapes  IPC Job → IPC JobResult; closed loop: each connection sends its next request when its answer is complete
 * Units   latencies of answers that arrive inside the window; CPU of the watched processes at its two ends
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { LoadConnection, type Plan } from './load/connection.ts';
import type { Job, JobResult } from './load/job.ts';
import { measure, resultOf, Tally, type Window } from './load/window.ts';
import { chatRequest, streamAnswer, unaryAnswer } from './load/wire.ts';

const CONNECT_BATCH = 64;

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
  return resultOf(job, tally, window);
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

process.on('disconnect', () => process.exit(0));
process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.({ isReady: true });
