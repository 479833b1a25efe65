/**
 * Tells engines to drop requests that nobody waits for any more: each id once, with a limit of its own, and never in the
 * way of anybody. A dropped connection alone does not stop every engine.
 */
import type { Clock } from '../../base/clock.ts';
import type { TokenEngineName } from '../../domain/worker.ts';
import type { AbortCall, TokenEngine } from './engines/token-engine.ts';
import type { Channel, Metadata } from './rpc.ts';
import { wasRefused } from './status.ts';

const ABORT_TIMEOUT_MS = 5_000;
/** Between the tries of one Abort, doubled each time. */
const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 200;

/** Requests, not calls, since the start. */
export interface AbortCounts {
  sent: number;
  /** The part of them that the engine did not take in time; it stops by itself when it can. */
  failed: number;
}

export interface AbortOrder {
  readonly engine: TokenEngine;
  readonly channel: Channel;
  readonly requestIds: readonly string[];
  readonly reason: string;
  readonly metadata: Metadata;
}

type Addressee = Pick<AbortOrder, 'engine' | 'channel' | 'metadata'>;

export class Aborts {
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<unknown>>();
  readonly counts = new Map<TokenEngineName, AbortCounts>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  send({ engine, channel, requestIds, reason, metadata }: AbortOrder): void {
    if (requestIds.length === 0) return;
    const counts = this.#countsOf(engine.name);
    counts.sent += requestIds.length;
    const calls = engine.abortTakesMany ? [requestIds] : requestIds.map((id) => [id]);
    for (const ids of calls) {
      const call = { requestIds: ids, reason };
      const answered = this.#tell({ engine, channel, metadata }, call).catch(() => {
        // No call waits for it: that it went wrong is for the metrics.
        counts.failed += ids.length;
      });
      this.#pending.add(answered);
      void answered.then(() => this.#pending.delete(answered));
    }
  }

  /** A full peer refuses new streams for a moment, which is when many are dropped; what it refused it has not seen. */
  async #tell({ engine, channel, metadata }: Addressee, call: AbortCall): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        await channel.unary(engine.abort, call, { timeoutMs: ABORT_TIMEOUT_MS, metadata });
        return;
      } catch (thrown) {
        if (pauseMs > LAST_PAUSE_MS || !wasRefused(thrown)) throw thrown;
      }
      await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, pauseMs));
    }
  }

  /** Resolves when every engine has answered, or its time is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #countsOf(name: TokenEngineName): AbortCounts {
    let counts = this.counts.get(name);
    if (!counts) {
      counts = { sent: 0, failed: 0 };
      this.counts.set(name, counts);
    }
    return counts;
  }
}
