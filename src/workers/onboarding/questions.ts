/**
 * The questions of one round to one worker: each path is asked once, however many steps want to know.
 * Limits  a question has the probe's timeout; all questions whose answer may be missing share one, so that a worker
 *         with endpoints that hang costs one timeout in a round, not one for each.
 */
import type { Clock } from '../../base/clock.ts';
import type { Prober, ProbeReply } from '../../domain/ports.ts';
import type { WorkerAddress } from '../../domain/worker.ts';

export interface QuestionDeps {
  readonly prober: Prober;
  readonly clock: Pick<Clock, 'now'>;
  readonly timeoutMs: number;
}

export class Questions {
  readonly #deps: QuestionDeps;
  readonly #asked = new Map<string, Promise<ProbeReply>>();
  #address: WorkerAddress;
  #optionalEndsAt: number | undefined;

  constructor(address: WorkerAddress, deps: QuestionDeps) {
    this.#address = address;
    this.#deps = deps;
  }

  get hasKey(): boolean {
    return this.#address.apiKey !== undefined;
  }

  /** The URL that later questions go to, once it is known. */
  settleOn(url: string): void {
    this.#address = { ...this.#address, url };
  }

  /** A question to a URL of which it is not known whether it is the worker's: sent without the key, not remembered. */
  knock(url: string, path: string): Promise<ProbeReply> {
    const stranger = { ...this.#address, url, apiKey: undefined };
    return this.#deps.prober.ask(stranger, { method: 'GET', path }, this.#deps.timeoutMs);
  }

  /** Rejects with a GatewayError when there is no answer in time. */
  ask(path: string): Promise<ProbeReply> {
    return this.#askWithin(path, this.#deps.timeoutMs);
  }

  /** Undefined when there is no answer in time: a worker that is silent about this may serve all the same. */
  async tryAsk(path: string): Promise<ProbeReply | undefined> {
    const now = this.#deps.clock.now();
    this.#optionalEndsAt ??= now + this.#deps.timeoutMs;
    const leftMs = this.#optionalEndsAt - now;
    if (leftMs <= 0 && !this.#asked.has(path)) return undefined;
    return this.#askWithin(path, leftMs).catch(() => undefined);
  }

  #askWithin(path: string, timeoutMs: number): Promise<ProbeReply> {
    const known = this.#asked.get(path);
    if (known) return known;
    const reply = this.#deps.prober.ask(this.#address, { method: 'GET', path }, timeoutMs);
    this.#asked.set(path, reply);
    // Whoever asked hears of a failure; this keeps one that nobody waits for any more from ending the process.
    reply.catch(() => undefined);
    return reply;
  }
}
