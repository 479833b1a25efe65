/** What runs on each gRPC worker, by its URL: a channel alone does not know whom to tell that its worker was removed. */
import type { Exchange } from '../../domain/ports.ts';

export interface RunningExchange extends Exchange {
  /** Ends it: its engine is told, and then its sink. */
  workerRemoved(): void;
}

export type RunningExchanges = Pick<Set<RunningExchange>, 'add' | 'delete'>;

export class ExchangesByWorker {
  readonly #byUrl = new Map<string, Set<RunningExchange>>();

  of(url: string): RunningExchanges {
    let exchanges = this.#byUrl.get(url);
    if (!exchanges) {
      exchanges = new Set();
      this.#byUrl.set(url, exchanges);
    }
    return exchanges;
  }

  /** Ends all that runs there. */
  cut(url: string): void {
    const exchanges = this.#byUrl.get(url);
    this.#byUrl.delete(url);
    for (const exchange of exchanges ?? []) exchange.workerRemoved();
  }
}
