/** Leases: one in-flight slot and one breaker permit, taken together and given back together, exactly once. */
import type { Clock } from '../base/clock.ts';
import type { AttemptVerdict, Lease, WorkerLeases } from '../domain/ports.ts';
import type { ConditionBook } from './condition.ts';
import type { LoadBook } from './load.ts';

export class Leases implements WorkerLeases {
  readonly #loads: LoadBook;
  readonly #conditions: ConditionBook;
  readonly #clock: Clock;

  constructor(loads: LoadBook, conditions: ConditionBook, clock: Clock) {
    this.#loads = loads;
    this.#conditions = conditions;
    this.#clock = clock;
  }

  acquire(workerId: string, keyDigest: number): Lease {
    const leave = this.#loads.enter(workerId);
    const condition = this.#conditions.of(workerId);
    // A closed breaker, the usual case, does not need to know the time.
    const wasProbe =
      condition !== undefined && condition.breaker.state !== 'closed' && condition.breaker.started(this.#clock.now());
    let isOpen = true;
    return {
      settle: (verdict: AttemptVerdict) => {
        if (!isOpen) return;
        isOpen = false;
        leave();
        condition?.settle(verdict, wasProbe, keyDigest, this.#clock);
      },
    };
  }

  coolDownEndsAt(workerIds: readonly string[], keyDigest: number): number {
    return this.#conditions.firstCoolDownEnd(workerIds, keyDigest);
  }

  isOutOfQuota(workerId: string, keyDigest: number): boolean {
    return this.#conditions.of(workerId)?.isOutOfQuota(this.#clock.now(), keyDigest) ?? false;
  }

  isBeingTried(workerId: string): boolean {
    return this.#conditions.of(workerId)?.breaker.isBeingTried ?? false;
  }
}
