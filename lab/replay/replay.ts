/**
 * Replays a trace in virtual time: a policy of src/ in front of simulated engines.
 *
 * The policy learns what a gateway learns, when a gateway learns it: its own decisions, first contents, answers with
 * their usage, and the engines' load reports. Never an output length in advance, never what a cache holds.
 * The same trace, setting and policy give the same outcomes, always; only `decisionMs` is real time.
 */
import type { Sequence, SequenceListener } from '../../sim/core/sequence.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { CallWatch } from '../../src/domain/ports.ts';
import type { Policy } from '../../src/routing/policy.ts';
import type { Trace, TraceCall } from '../trace/call.ts';
import { numbersOf } from '../trace/words.ts';
import { LabHints } from './hints.ts';
import { Outcomes } from './outcome.ts';
import { costOf, type Setting } from './setting.ts';
import type { Subject } from './subject.ts';
import { LabWorker } from './worker.ts';

export interface Replayed {
  readonly outcomes: Outcomes;
  /** Busy with computing or decoding, by worker. */
  readonly busyMs: readonly number[];
  /** Real time spent in `select` and `begin`. */
  readonly decisionMs: number;
  /** At the end of the run. */
  readonly bytesHeld: number;
}

/** What is replayed against. */
export interface ReplayOptions {
  readonly subject: Subject;
  /** Real time in ms; only the time of decisions is taken from it. */
  readonly stopwatch: () => number;
}

export function replay(trace: Trace, setting: Setting, given: ReplayOptions): Replayed {
  return new Replay(trace, setting, given).run();
}

class Replay {
  readonly #trace: Trace;
  readonly #setting: Setting;
  readonly #stopwatch: () => number;
  readonly #workers: readonly LabWorker[];
  readonly #candidates: readonly LabWorker['candidate'][];
  readonly #policy: Policy;
  readonly #outcomes: Outcomes;
  #nowMs = 0;
  #nextPollMs: number;
  #decisionMs = 0;

  constructor(trace: Trace, setting: Setting, { subject, stopwatch }: ReplayOptions) {
    const cost = costOf(setting, trace);
    this.#trace = trace;
    this.#setting = setting;
    this.#stopwatch = stopwatch;
    this.#workers = Array.from({ length: setting.workers }, (_, slot) => new LabWorker(slot, cost));
    this.#candidates = this.#workers.map(({ candidate }) => candidate);
    this.#policy = subject.create({ random: seededRandom(setting.seed), now: () => this.#nowMs });
    this.#outcomes = new Outcomes(trace);
    this.#nextPollMs = setting.reportEveryMs > 0 ? setting.reportEveryMs : Number.POSITIVE_INFINITY;
  }

  run(): Replayed {
    this.#trace.calls.forEach((call, index) => {
      this.#playUntil(call.arrivedMs);
      this.#place(call, index);
    });
    this.#playUntil(Number.POSITIVE_INFINITY);
    return {
      outcomes: this.#outcomes,
      busyMs: this.#workers.map(({ scheduler }) => scheduler.totals.busyMs),
      decisionMs: this.#decisionMs,
      bytesHeld: this.#policy.bytesHeld ?? 0,
    };
  }

  /** Everything that happens by `untilMs`, in the order of time: steps of engines, polls of the gateway. */
  #playUntil(untilMs: number): void {
    for (;;) {
      const worker = this.#firstDue();
      const stepMs = worker?.nextEventMs ?? Number.POSITIVE_INFINITY;
      // Nobody looks at the reports once the last call has ended.
      if (this.#nextPollMs <= untilMs && this.#nextPollMs < stepMs && Number.isFinite(Math.min(untilMs, stepMs))) {
        this.#poll();
      } else if (worker !== undefined && stepMs <= untilMs) {
        this.#nowMs = stepMs;
        worker.advance(stepMs);
      } else break;
    }
    if (Number.isFinite(untilMs)) this.#nowMs = untilMs;
  }

  #firstDue(): LabWorker | undefined {
    let first: LabWorker | undefined;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const worker of this.#workers) {
      if (worker.nextEventMs >= firstMs) continue;
      first = worker;
      firstMs = worker.nextEventMs;
    }
    return first;
  }

  #poll(): void {
    this.#nowMs = this.#nextPollMs;
    for (const worker of this.#workers) worker.poll(this.#nowMs);
    this.#nextPollMs += this.#setting.reportEveryMs;
  }

  #place(call: TraceCall, index: number): void {
    const hints = new LabHints(call, this.#trace, this.#setting);
    const startedAt = this.#stopwatch();
    const chosen = this.#policy.select(this.#candidates, hints);
    const watch = chosen && this.#policy.begin?.(chosen, hints);
    this.#decisionMs += this.#stopwatch() - startedAt;
    const worker = chosen && this.#workers[chosen.slot];
    if (worker?.candidate !== chosen || worker === undefined)
      throw new Error('the policy chose no worker of the fleet');
    this.#send(worker, { call, index, watch });
  }

  #send(worker: LabWorker, sent: { call: TraceCall; index: number; watch: CallWatch | undefined }): void {
    const { call, index, watch } = sent;
    const { inputTokens: promptTokens, outputTokens, words, promptBlocks } = call;
    if (!worker.scheduler.fits(promptTokens, outputTokens)) {
      // The engine answers 400: nothing was computed.
      watch?.ended({ kind: 'neutral' }, undefined);
      return;
    }
    this.#outcomes.worker[index] = worker.candidate.slot;
    worker.candidate.inFlight += 1;
    const blocks = numbersOf(words, words.length / 2);
    const listener = this.#listen(worker, index, watch);
    worker.scheduler.submit({ promptTokens, outputTokens, blocks, promptBlocks, listener }, this.#nowMs);
    worker.settle();
  }

  #listen(worker: LabWorker, index: number, watch: CallWatch | undefined): SequenceListener {
    const outcomes = this.#outcomes;
    return {
      onToken: (sequence, atMs) => {
        if (sequence.generated > 1) return;
        outcomes.firstTokenMs[index] = atMs;
        watch?.firstContent();
      },
      onFinish: (sequence, atMs) => {
        // Work that only reads has its whole answer at the end.
        if (sequence.generated === 0) outcomes.firstTokenMs[index] = atMs;
        outcomes.finishedMs[index] = atMs;
        outcomes.cachedTokens[index] = sequence.cachedTokens;
        outcomes.generatedTokens[index] = sequence.generated;
        worker.candidate.inFlight -= 1;
        watch?.ended({ kind: 'success' }, this.#usageOf(sequence));
      },
    };
  }

  #usageOf({ request, generated, cachedTokens }: Sequence) {
    const { usage } = this.#setting;
    if (usage === 'none') return undefined;
    const cachedInputTokens = usage === 'cached' ? cachedTokens : 0;
    return { inputTokens: request.promptTokens, outputTokens: generated, cachedInputTokens };
  }
}
