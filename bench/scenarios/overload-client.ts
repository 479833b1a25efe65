/**
 * The client of the overload scenario, a process of its own. Open loop: calls leave when they are due, whatever the
 * answers do, and latency counts from that moment. Closed loop: so many at once, each followed by the next.
 * Shapes  IPC OverloadJob → IPC { calls: CallSample[] }, when every call has its answer
 * Units   ms; `atMs` from the start of the job to the moment at which the call was due
 */
import { Agent, request } from 'node:http';
import { chatRequest } from '../load/wire.ts';

/** An open loop of one rate after another, or a closed one. */
export interface OverloadJob {
  readonly port: number;
  readonly load: { readonly steps: readonly Step[] } | { readonly width: number; readonly seconds: number };
}

export interface Step {
  /** Calls per second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface CallSample {
  readonly atMs: number;
  readonly latencyMs: number;
  /** 0: no answer. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
}

const BODY_BYTES = 1024;
const TICK_MS = 4;

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const body = bodyOf(chatRequest({ port: 1, bodyBytes: BODY_BYTES, stream: false }));

function bodyOf(message: Buffer): Buffer {
  return message.subarray(message.indexOf('\r\n\r\n') + 4);
}

function send(port: number, startedAt: number, dueAt: number): Promise<CallSample> {
  return new Promise((resolve) => {
    const settle = (status: number, hasRetryAfter: boolean) =>
      resolve({ atMs: dueAt - startedAt, latencyMs: performance.now() - dueAt, status, hasRetryAfter });
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request({ port, method: 'POST', path: '/v1/chat/completions', agent, headers }, (reply) => {
      reply.resume();
      reply.on('end', () => settle(reply.statusCode ?? 0, Number(reply.headers['retry-after']) >= 1));
      reply.on('error', () => settle(0, false));
    });
    sent.on('error', () => settle(0, false));
    sent.end(body);
  });
}

/** When each call is due, in ms from the start. */
function plan(steps: readonly Step[]): number[] {
  let from = 0;
  return steps.flatMap(({ rate, seconds }) => {
    const start = from;
    from += seconds * 1_000;
    return Array.from({ length: Math.round(rate * seconds) }, (_, index) => start + (index / rate) * 1_000);
  });
}

async function openLoop(port: number, steps: readonly Step[]): Promise<CallSample[]> {
  const startedAt = performance.now();
  const due = plan(steps);
  const calls: Promise<CallSample>[] = [];
  while (calls.length < due.length) {
    const passed = performance.now() - startedAt;
    while ((due[calls.length] ?? Infinity) <= passed)
      calls.push(send(port, startedAt, startedAt + (due[calls.length] ?? 0)));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return Promise.all(calls);
}

async function closedLoop(port: number, width: number, seconds: number): Promise<CallSample[]> {
  const startedAt = performance.now();
  const samples: CallSample[] = [];
  const lane = async () => {
    while (performance.now() - startedAt < seconds * 1_000)
      samples.push(await send(port, startedAt, performance.now()));
  };
  await Promise.all(Array.from({ length: width }, lane));
  return samples;
}

process.on('disconnect', () => process.exit(0));
process.on('message', ({ port, load }: OverloadJob) => {
  const calls = 'steps' in load ? openLoop(port, load.steps) : closedLoop(port, load.width, load.seconds);
  void calls.then((samples) => process.send?.({ calls: samples }));
});
process.send?.({ isReady: true });
