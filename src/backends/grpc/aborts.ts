/**
 * Tells engines to drop requests that nobody waits for any more: each id once, with a limit of its own, and never in the
 * way of anybody. A dropped connection alone does not stop every engine.
 */
import type { TokenEngine } from './engines/token-engine.ts';
import type { Channel, Metadata } from './rpc.ts';

const ABORT_TIMEOUT_MS = 5_000;

/** Requests, not calls. `failed`: the engine did not take it in time; it stops by itself when it can. */
export interface AbortCounts {
  sent: number;
  failed: number;
}

export interface AbortOrder {
  readonly engine: TokenEngine;
  readonly channel: Channel;
  readonly requestIds: readonly string[];
  readonly reason: string;
  readonly metadata: Metadata;
}

export class Aborts {
  readonly counts: AbortCounts = { sent: 0, failed: 0 };
  readonly #pending = new Set<Promise<void>>();

  /** No engine is being told anything any more. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  send({ engine, channel, requestIds, reason, metadata }: AbortOrder): void {
    if (requestIds.length === 0) return;
    this.counts.sent += requestIds.length;
    const calls = engine.abortTakesMany ? [requestIds] : requestIds.map((id) => [id]);
    for (const ids of calls) {
      const options = { timeoutMs: ABORT_TIMEOUT_MS, metadata };
      const told = channel.unary(engine.abort, { requestIds: ids, reason }, options).then(
        () => undefined,
        () => {
          // Nobody waits for it: that it went wrong is for the metrics.
          this.counts.failed += ids.length;
        },
      );
      this.#pending.add(told);
      void told.then(() => this.#pending.delete(told));
    }
  }
}
