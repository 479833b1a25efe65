/**
 * The order of an orderly end: readiness says no (done by the caller) -> a settle time in which new connections are
 * still served -> stop accepting -> running calls finish -> those over the grace get an error -> release everything.
 */
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { OpenConnections } from './open-connections.ts';

export interface StopOptions {
  /** End at once, whatever runs. */
  readonly force?: boolean;
  /** False: nobody routes to us by readiness (a person pressed Ctrl-C), so do not wait for it to be noticed. */
  readonly settle?: boolean;
}

export interface ShutdownSteps {
  readonly clock: Clock;
  readonly listeners: readonly OpenConnections[];
  readonly graceMs: number;
  readonly settleMs: number;
  /** Resolves when the end is forced meanwhile. */
  readonly forced: Promise<void>;
  /** Ends every call that waits or runs with this error. */
  cancelAll(error: GatewayError): void;
  /** Ends what is left: probes, connections to workers, the log. */
  release(): Promise<void>;
}

/** After the last error has been written, clients get this long to read it. */
const LAST_WORDS_MS = 1_000;

export async function shutDown(steps: ShutdownSteps, options: StopOptions): Promise<void> {
  const { clock, listeners } = steps;
  const servers = listeners.map((listener) => listener.server);
  const endsAt = clock.now() + steps.graceMs;
  if (!options.force && options.settle !== false) {
    await Promise.race([wait(clock, Math.min(steps.settleMs, steps.graceMs / 2)), steps.forced]);
  }
  const closed = Promise.all(listeners.map((listener) => close(clock, listener)));
  if (options.force) {
    for (const server of servers) server.closeAllConnections();
  } else if (!(await endsWithin(clock, closed, endsAt - clock.now()))) {
    steps.cancelAll(new GatewayError('shutting_down', 'The gateway is shutting down; this answer is not complete.'));
    await endsWithin(clock, closed, LAST_WORDS_MS);
    for (const server of servers) server.closeAllConnections();
  }
  await closed;
  await steps.release();
}

/** Connections become idle one by one as their last answers end, and an idle one would wait for its keep-alive time. */
const SWEEP_MS = 100;

function close(clock: Clock, listener: OpenConnections): Promise<void> {
  return new Promise((resolve) => {
    let isClosed = false;
    listener.server.close(() => {
      isClosed = true;
      resolve();
    });
    const sweep = () => {
      if (isClosed) return;
      listener.closeIdle();
      clock.setTimer(sweep, SWEEP_MS);
    };
    sweep();
  });
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}

async function endsWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: object | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(() => resolve(false), Math.max(0, ms));
  });
  const isDone = await Promise.race([work.then(() => true), late]);
  if (timer) clock.clearTimer(timer);
  return isDone;
}
