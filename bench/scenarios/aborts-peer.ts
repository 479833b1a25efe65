/**
 * Both ends of the aborts scenario in one process, so that one clock times them: clients that leave, and the worker
 * that they leave.
 * Shapes  IPC { ports } once the worker listens; IPC LeaveJob → IPC { result: LeaveResult } or { error }
 * Units   ms from the client's close to the `close` event of the worker's socket, this process's own turn included
 * Errors  one sample that does not come as far as it should (no answer, a wrong status) ends the job with its reason
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Histogram } from '../load/histogram.ts';
import { chatRequest, ENGINE_GETS, streamAnswer } from '../load/wire.ts';

/** How far the worker goes before it hangs, and how many clients leave at the same moment. */
export interface Phase {
  readonly stream: boolean;
  readonly sendsHead: boolean;
  readonly events: number;
  readonly atOnce: number;
}

export interface LeaveJob {
  /** Where the clients connect: the proxy. */
  readonly port: number;
  readonly phase: Phase;
  readonly samples: number;
}

export interface LeaveResult {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Clients take turns between the two ways to leave. */
  readonly maxByFin: number;
  readonly maxByReset: number;
  readonly stillOpen: number;
}

const READY_LIMIT_MS = 10_000;
const OPEN_LIMIT_MS = 2_000;
/** Let what the worker sent arrive; a pause of changing length meets timers of the proxy at every point. */
const PAUSES_MS = [2, 3, 5, 7, 11, 13];
const FRAMES = streamAnswer(64);

/** One request, seen from both sides. */
class Visit {
  readonly #user: string;
  readonly #job: LeaveJob;
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<number>();
  #socket: Socket | undefined;
  #text = '';

  constructor(user: string, job: LeaveJob) {
    this.#user = user;
    this.#job = job;
  }

  /** Resolves when both sides stand where the phase wants them. */
  open(): Promise<void> {
    const { port, phase } = this.#job;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.write(chatRequest({ port, bodyBytes: 1024, stream: phase.stream, user: this.#user }));
    socket.on('data', (bytes) => this.#onText(bytes.toString('latin1')));
    socket.on('error', (error) => this.#ready.reject(error));
    socket.on('close', () => this.#ready.reject(new Error('the proxy closed the connection')));
    setTimeout(() => this.#ready.reject(new Error(`not ready after ${READY_LIMIT_MS} ms`)), READY_LIMIT_MS).unref();
    return this.#ready.promise;
  }

  /** The worker's side: goes as far as the phase says, and no further. */
  arrive(request: IncomingMessage, response: ServerResponse): void {
    const { phase } = this.#job;
    request.socket.once('close', () => this.#closed.resolve(performance.now()));
    if (phase.sendsHead) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    for (const frame of FRAMES.slice(0, phase.events)) response.write(frame);
    if (phase.events === 0) this.#ready.resolve();
  }

  #onText(text: string): void {
    this.#text += text;
    if (!this.#text.startsWith('HTTP/1.1 200')) this.#ready.reject(new Error(this.#text.slice(0, 200)));
    const { events } = this.#job.phase;
    if (events > 0 && this.#text.includes(` t${String(events).padStart(6, '0')}`)) this.#ready.resolve();
  }

  /** Resolves with the ms until the worker saw it, or with undefined when that took too long. */
  leave(byReset: boolean): Promise<number | undefined> {
    const leftAt = performance.now();
    if (byReset) this.#socket?.resetAndDestroy();
    else this.#socket?.destroy();
    const timeout = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => timeout.resolve(undefined), OPEN_LIMIT_MS);
    const seen = this.#closed.promise.then((at) => at - leftAt);
    return Promise.race([seen, timeout.promise]).finally(() => clearTimeout(timer));
  }
}

const visits = new Map<string, Visit>();
let count = 0;

async function run(job: LeaveJob): Promise<LeaveResult> {
  const all = new Histogram();
  const byWay = { fin: new Histogram(), reset: new Histogram() };
  let stillOpen = 0;
  for (let done = 0; done < job.samples; done += job.phase.atOnce) {
    const times = await leaveTogether(job, Math.min(job.phase.atOnce, job.samples - done), done);
    for (const { ms, byReset } of times) {
      if (ms === undefined) stillOpen++;
      all.record(ms ?? OPEN_LIMIT_MS);
      byWay[byReset ? 'reset' : 'fin'].record(ms ?? OPEN_LIMIT_MS);
    }
  }
  return {
    samples: all.count,
    p50: all.percentile(50),
    p99: all.percentile(99),
    max: all.percentile(100),
    maxByFin: byWay.fin.percentile(100),
    maxByReset: byWay.reset.percentile(100),
    stillOpen,
  };
}

async function leaveTogether(job: LeaveJob, clients: number, turn: number) {
  const group = Array.from({ length: clients }, () => {
    const user = `leaver-${++count}`;
    const visit = new Visit(user, job);
    visits.set(user, visit);
    return visit;
  });
  await Promise.all(group.map((visit) => visit.open()));
  await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[turn % PAUSES_MS.length]));
  const times = await Promise.all(
    group.map(async (visit, index) => {
      const byReset = (turn + index) % 2 === 1;
      return { byReset, ms: await visit.leave(byReset) };
    }),
  );
  visits.clear();
  return times;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    const answer = ENGINE_GETS[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { detail: 'Not Found' }));
    return;
  }
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const { user } = JSON.parse(Buffer.concat(pieces).toString()) as { user: string };
  visits.get(user)?.arrive(request, response);
}

// A proxy that leaves in the middle of a request body says so by itself, as a sample that never becomes ready.
const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  process.send?.({ ports: [typeof address === 'object' && address !== null ? address.port : 0] });
});
process.on('disconnect', () => process.exit(0));
process.on('message', (job: LeaveJob) => {
  void run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
