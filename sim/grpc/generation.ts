/**
 * The life of one Generate: planned -> one sequence per answer -> chunks and Completes -> end. It can be aborted at any
 * time by its id (it then ends with Completes that say so) or dropped when its caller has left.
 * Owns its sequences until they end.
 */

import type { Scheduler } from '../core/scheduler.ts';
import type { Sequence, SequenceListener } from '../core/sequence.ts';
import { readTokens, textOfTokenIds } from '../core/tokens.ts';
import type { Driver } from '../driver.ts';
import type { Answer, MatchedStop } from './answer.ts';
import type { Ask } from './ask.ts';
import type { MessageSink } from './call.ts';
import type { Finish, GrpcDialect, Step } from './dialect.ts';

/** The parts of an engine that a generation works with. */
export interface GenerationParts {
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  readonly dialect: GrpcDialect;
  readonly tokensPerChunk: number;
  readonly model: string;
}

/** One answer under way. */
interface Track {
  readonly index: number;
  readonly answer: Answer;
  /** What is sent of `answer.ids`: without the token that stopped it, where the engine leaves it out. */
  readonly visible: number;
  sequence: Sequence | undefined;
  sent: number;
  /** Generated when the last message went out. */
  counted: number;
  last: Pick<Step, 'delta' | 'newlyGenerated'>;
  isDone: boolean;
}

/** One Generate. */
export class Generation {
  readonly ask: Ask;
  readonly #parts: GenerationParts;
  readonly #sink: MessageSink;
  readonly #tracks: readonly Track[];
  #isOver = false;
  #onOver: (() => void) | undefined;

  constructor(parts: GenerationParts, ask: Ask, answers: readonly Answer[], sink: MessageSink) {
    this.#parts = parts;
    this.ask = ask;
    this.#sink = sink;
    this.#tracks = answers.map((answer, index) => ({
      index,
      answer,
      visible: answer.ids.length - (ask.dropsStopToken && endsWithToken(answer.matched) ? 1 : 0),
      sequence: undefined,
      sent: 0,
      counted: 0,
      last: { delta: [], newlyGenerated: 0 },
      isDone: false,
    }));
  }

  /** Queues its sequences. Throws RangeError when they can never fit. */
  start(): void {
    for (const track of this.#tracks) track.sequence = this.#submit(track);
  }

  /** Ends every answer that is not done with the reason `abort`, and the call. */
  abort(): void {
    for (const track of this.#tracks) {
      if (track.isDone) continue;
      if (track.sequence !== undefined) this.#parts.driver.abort(track.sequence);
      this.#complete(track, 'abort', undefined);
    }
  }

  /** Goes on although nobody listens; `onOver` is called at the end. False when it is over already. */
  goOn(onOver: () => void): boolean {
    if (this.#isOver) return false;
    this.#onOver = onOver;
    return true;
  }

  /** Nobody listens any more. */
  drop(): void {
    this.#isOver = true;
    for (const { sequence, isDone } of this.#tracks) {
      if (sequence !== undefined && !isDone) this.#parts.driver.abort(sequence);
    }
  }

  #submit(track: Track): Sequence {
    const { driver, scheduler, model } = this.#parts;
    const listener: SequenceListener = {
      onToken: (sequence) => this.#token(track, sequence),
      onFinish: (sequence) => {
        track.sequence = sequence;
        this.#complete(track, track.answer.finish, track.answer.matched);
      },
    };
    const prompt = textOfTokenIds(this.ask.promptIds);
    const answer = textOfTokenIds(track.answer.ids);
    const tokens = readTokens(prompt, answer, scheduler.cost, `${model} ${this.ask.adapter}`);
    return driver.submit({ ...tokens, outputTokens: track.answer.ids.length, listener });
  }

  #token(track: Track, sequence: Sequence): void {
    if (!this.ask.isStream || this.#isOver) return;
    track.sequence = sequence;
    const isLast = sequence.generated >= track.answer.ids.length;
    if (isLast || sequence.generated - track.counted >= this.#parts.tokensPerChunk) this.#chunk(track, sequence);
  }

  #chunk(track: Track, sequence: Sequence): void {
    const end = Math.min(sequence.generated, track.visible);
    const isFirst = track.counted === 0;
    track.last = {
      delta: track.answer.ids.slice(track.sent, end),
      newlyGenerated: sequence.generated - track.counted,
    };
    track.sent = end;
    track.counted = sequence.generated;
    this.#sink.message(this.#parts.dialect.chunk(this.#step(track, isFirst)));
  }

  #complete(track: Track, reason: Finish['reason'], matched: MatchedStop | undefined): void {
    track.isDone = true;
    if (this.#isOver) return;
    const step = this.#step(track, false);
    const end = this.ask.isStream ? track.sent : Math.min(step.generated, track.visible);
    const all = () => track.answer.ids.slice(0, end);
    this.#sink.message(this.#parts.dialect.complete({ ...step, sent: end, all, reason, matched }));
    if (!this.#tracks.every(({ isDone }) => isDone)) return;
    this.#isOver = true;
    this.#sink.end();
    this.#onOver?.();
  }

  #step(track: Track, isFirst: boolean): Step {
    const { ask } = this;
    return {
      ask,
      index: track.index,
      ...track.last,
      sent: track.sent,
      all: () => track.answer.ids.slice(0, track.sent),
      generated: track.sequence?.generated ?? 0,
      cachedTokens: track.sequence?.cachedTokens ?? 0,
      isFirst,
    };
  }
}

function endsWithToken(matched: MatchedStop | undefined): boolean {
  return matched !== undefined && 'id' in matched;
}
