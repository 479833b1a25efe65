/**
 * One simulated engine and what the gateway knows of it: its candidate moves with the gateway's own calls at once, and
 * with the engine's reports when the gateway polls. What the engine's cache holds stays the engine's secret.
 */
import type { CostModel } from '../../sim/core/cost.ts';
import { Scheduler } from '../../sim/core/scheduler.ts';
import type { Candidate, LoadReport } from '../../src/domain/candidate.ts';

class LabCandidate implements Candidate {
  readonly workerId: string;
  readonly slot: number;
  readonly priority = 50;
  readonly cost = 1;
  inFlight = 0;
  report: LoadReport | undefined = undefined;

  constructor(slot: number) {
    this.slot = slot;
    this.workerId = `worker-${slot + 1}`;
  }

  /** All calls come through this one gateway, so no engine reports others. */
  get load(): number {
    return this.inFlight;
  }
}

export class LabWorker {
  readonly candidate: LabCandidate;
  readonly scheduler: Scheduler;
  /** When the engine has something to do; Infinity when idle. Kept by `settle`. */
  nextEventMs = Number.POSITIVE_INFINITY;
  #reportedPrompt = 0;
  #reportedHits = 0;

  constructor(slot: number, cost: CostModel) {
    this.candidate = new LabCandidate(slot);
    this.scheduler = new Scheduler(cost);
  }

  /** Plays the engine up to `nowMs`. */
  advance(nowMs: number): void {
    this.scheduler.advance(nowMs);
    this.settle();
  }

  /** To be called after anything that may have changed when the engine next has something to do. */
  settle(): void {
    this.nextEventMs = this.scheduler.nextEventMs() ?? Number.POSITIVE_INFINITY;
  }

  /** The gateway polls the engine's load endpoint. */
  poll(nowMs: number): void {
    const { running, waiting, waitingUncachedTokens, usedTokens, capacityTokens, throughput } = this.scheduler.load();
    const { promptTokens, prefixHitTokens } = this.scheduler.totals;
    const newPrompt = promptTokens - this.#reportedPrompt;
    this.candidate.report = {
      atMs: nowMs,
      running,
      waiting,
      waitingTokens: waitingUncachedTokens,
      usedTokens,
      capacityTokens,
      throughput,
      cacheHitRate: newPrompt === 0 ? undefined : (prefixHitTokens - this.#reportedHits) / newPrompt,
    };
    this.#reportedPrompt = promptTokens;
    this.#reportedHits = prefixHitTokens;
  }
}
