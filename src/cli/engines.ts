/**
 * Runs engine processes: starts them, waits until they answer, tells when one is lost, ends them all. Owns the
 * processes from start to end, each in a process group of its own so that an engine's children end with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { EnginePlan } from './engine-plan.ts';
import { answersGrpcHealth } from './grpc-health.ts';

/** Lines of an engine's output that are shown again when it fails. */
const TAIL_LINES = 15;
/** Longest pause between two looks at a starting engine, and the longest look. */
const LONGEST_PAUSE_MS = 1000;
const LOOK_TIMEOUT_MS = 5000;
/** How long the last output of an ended process is waited for: a stray child may keep its pipe open. */
const LAST_OUTPUT_MS = 500;

/** An engine that cannot be used; the message is for the user. */
export class EngineFailure extends Error {}

interface Engine {
  readonly plan: EnginePlan;
  readonly child: ChildProcess;
  /** The last lines of its stderr. */
  readonly tail: string[];
  /** Resolves, with the reason in words, when the process has ended or could not be started. */
  readonly ended: Promise<string>;
  isAlive: boolean;
}

export interface EngineGroup {
  /** The engines whose process could be started. */
  readonly started: readonly { readonly plan: EnginePlan; readonly pid: number }[];
  /** Resolves when every engine answers; throws EngineFailure when one ends, or none may be waited for any longer. */
  untilReady(timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Resolves when the last engine has ended without being asked to. */
  readonly lost: Promise<void>;
  /** Ends every engine: politely, then after a limit, or as soon as `hurry` resolves, by force. */
  stop(hurry?: Promise<unknown>): Promise<void>;
}

export interface EngineGroupOptions {
  /** Receives every line of output, and the news. */
  readonly log: (line: string) => void;
  /** How long an engine may take to end by itself. */
  readonly stopTimeoutMs: number;
}

function killGroup({ child }: Engine, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // A negative id is a process group; Windows has none.
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the group is empty already, which is what was asked for.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine);
}

function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve('code' in error && error.code === 'ENOENT' ? 'was not found' : error.message));
  const closed = new Promise<void>((done) => child.once('close', () => done()));
  child.once('exit', (code, signal) => {
    const reason = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    void Promise.race([closed, delay(LAST_OUTPUT_MS, undefined, { ref: false })]).then(() => resolve(reason));
  });
  return promise;
}

function startEngine(plan: EnginePlan, log: (line: string) => void): Engine {
  const child = spawn(plan.command, plan.args, {
    env: { ...process.env, ...plan.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const engine: Engine = { plan, child, tail: [], ended: endOf(child), isAlive: child.pid !== undefined };
  child.once('exit', () => {
    engine.isAlive = false;
    // Whatever it leaves behind in its group would keep a GPU.
    killGroup(engine, 'SIGKILL');
  });
  const show = (line: string) => log(`[${plan.label}] ${line}`);
  readLines(child.stdout, show);
  readLines(child.stderr, (line) => {
    engine.tail.push(line);
    if (engine.tail.length > TAIL_LINES) engine.tail.shift();
    show(line);
  });
  return engine;
}

/** Why an engine is gone, with its last words and, where that is the cause, what to install. */
export function describeFailure(plan: EnginePlan, reason: string, tail: readonly string[]): string {
  const isMissing =
    reason === 'was not found' || tail.some((line) => /No module named '?(sglang|vllm|smg_grpc_servicer)\b/.test(line));
  if (isMissing) {
    const program = plan.args[0] === '-m' ? `${plan.command} ${plan.args.slice(0, 2).join(' ')}` : plan.command;
    return `engine ${plan.label} cannot be started, ${program} is not there; ${plan.install}`;
  }
  const last = tail.length === 0 ? '' : `; its last lines:\n${tail.map((line) => `  ${line}`).join('\n')}`;
  return `engine ${plan.label} ${reason} before it was ready${last}`;
}

/** Not by fetch(), which refuses some ports that an engine may well have. */
function answersHttpHealth(url: string, stop: AbortSignal): Promise<boolean> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
  return new Promise((resolve) => {
    const request = get(`${url}/health`, { signal, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    // Not listening yet, or not answering in time: the next look, or the caller's limit, decides.
    request.on('error', () => resolve(false));
  });
}

async function untilHealthy({ plan }: Engine, signal: AbortSignal): Promise<void> {
  const isGrpc = plan.url.startsWith('grpc:');
  const look = (stop: AbortSignal) =>
    isGrpc ? answersGrpcHealth(plan.url, stop, LOOK_TIMEOUT_MS) : answersHttpHealth(plan.url, stop);
  for (let pauseMs = 50; !(await look(signal)); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await delay(pauseMs, undefined, { signal });
  }
}

async function untilAllReady(engines: readonly Engine[], timeoutMs: number, stop: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  const done = new AbortController();
  const signal = AbortSignal.any([stop, limit, done.signal]);
  const waits = engines.map(async (engine) => {
    const failed = engine.ended.then((reason) => {
      throw new EngineFailure(describeFailure(engine.plan, reason, engine.tail));
    });
    const ready = untilHealthy(engine, signal).catch((error: unknown) => {
      if (!limit.aborted) throw error;
      const seconds = timeoutMs / 1000;
      const question = engine.plan.url.startsWith('grpc:') ? 'its gRPC health check' : 'GET /health';
      throw new EngineFailure(`engine ${engine.plan.label} did not answer ${question} within ${seconds} seconds`);
    });
    await Promise.race([ready, failed]);
  });
  try {
    await Promise.all(waits);
  } finally {
    done.abort();
  }
}

/** Starts one process for each plan. They are ended, at the latest, when this process ends. */
export function startEngines(plans: readonly EnginePlan[], { log, stopTimeoutMs }: EngineGroupOptions): EngineGroup {
  let isStopping = false;
  const engines = plans.map((plan) => startEngine(plan, log));
  const alive = () => engines.filter((engine) => engine.isAlive);
  const killAll = (signal: NodeJS.Signals) => alive().forEach((engine) => killGroup(engine, signal));
  const endAtExit = () => killAll('SIGKILL');
  // The last resort, for a process that dies of an exception: nothing can be waited for any more.
  process.once('exit', endAtExit);

  const allEnded = Promise.all(engines.map((engine) => engine.ended)).then(() => undefined);
  const lost = new Promise<void>((resolve) => void allEnded.then(() => (isStopping ? undefined : resolve())));
  for (const { plan, ended } of engines) {
    void ended.then((reason) => isStopping || log(`[${plan.label}] ${reason}`));
  }
  return {
    started: engines.flatMap(({ plan, child }) => (child.pid === undefined ? [] : [{ plan, pid: child.pid }])),
    lost,
    untilReady: (timeoutMs, signal) => untilAllReady(engines, timeoutMs, signal),
    async stop(hurry = new Promise<never>(() => undefined)) {
      isStopping = true;
      killAll('SIGTERM');
      const limit = new AbortController();
      const patience = delay(stopTimeoutMs, undefined, { signal: limit.signal }).catch(() => undefined);
      await Promise.race([allEnded, hurry, patience]);
      limit.abort();
      killAll('SIGKILL');
      await allEnded;
      process.off('exit', endAtExit);
    },
  };
}
