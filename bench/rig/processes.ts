/**
 * Starts the processes of a benchmark and ends each of them, by its own pid, whatever happens.
 * Shapes  new Rig() · start(spec) → Started · stopAll(); Started.ask(message) → next IPC message
 * Units   ms
 * Errors  `ask` rejects when the process ends or stays silent; a death shows as `hasEnded`
 * Owner   bench/main.ts, through bench/bench.ts, which stops all in a finally and on Ctrl-C and SIGTERM
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { pinned } from './pinning.ts';

export interface StartSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly core: number | undefined;
  /** Node scripts of this folder talk over IPC; foreign programs do not. */
  readonly ipc: boolean;
  /** File descriptor for stdout and stderr; the parent's own by default. */
  readonly output?: number;
}

/** The gateway goes on answering for 5 s after SIGTERM, so that load balancers notice first. */
const GRACE_MS = 15_000;

export class Started {
  readonly name: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;

  constructor(name: string, child: ChildProcess) {
    if (child.pid === undefined) throw new Error(`${name} did not start`);
    this.name = name;
    this.pid = child.pid;
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#hasEnded = true;
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Sends a message, if there is one, and waits for the next that comes back. */
  ask<Answer>(message: object | undefined, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        act();
      };
      const onMessage = (answer: unknown) => settle(() => resolve(answer as Answer));
      const timer = setTimeout(() => settle(() => reject(new Error(`${this.name} is silent`))), timeoutMs);
      this.#child.on('message', onMessage);
      void this.#ended.then(() => settle(() => reject(new Error(`${this.name} has ended`))));
      if (message !== undefined) this.#child.send(message);
    });
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

export class Rig {
  readonly #started: Started[] = [];

  async start(spec: StartSpec): Promise<Started> {
    const [file = '', ...args] = pinned(spec.command, spec.core);
    const output = spec.output ?? 'inherit';
    const child = spawn(file, args, { stdio: ['ignore', output, output, ...(spec.ipc ? (['ipc'] as const) : [])] });
    await new Promise((resolve, reject) => child.once('spawn', () => resolve(undefined)).once('error', reject));
    const started = new Started(spec.name, child);
    this.#started.push(started);
    return started;
  }

  /** Newest first, so that nobody's upstream goes before it does. */
  async stopAll(): Promise<void> {
    for (const started of this.#started.splice(0).reverse()) await started.stop();
  }
}
