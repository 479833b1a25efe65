/**
 * From the messages of one stream to chunks and finishes: what engines repeat, accumulate or number in their own way is
 * made one here. The ids of all chunks of an answer are all of its ids, each once, whatever its engine's last message
 * holds: nothing (MLX), the last chunk once more (SGLang, vLLM, TokenSpeed), or everything (TensorRT-LLM, and all engines
 * without streaming).
 */
import { GatewayError } from '../../../domain/errors.ts';
import type { OutputLogprobs, TokenChunk, TokenFinish, TokenSink } from '../../../domain/token-generation.ts';
import type { AnswerHabits, ChunkMessage, CompleteMessage, EngineMessage } from './token-engine.ts';

export interface AnswerPlace {
  /** Index of the prompt in its order. */
  readonly prompt: number;
  /** Index of the stream's first answer among those to the prompt. */
  readonly firstChoice: number;
  readonly choices: number;
  readonly isStream: boolean;
  /** What each answer was asked to keep to; undefined: nobody has said. */
  readonly maxTokens: number | undefined;
}

/** Longest answer where nobody has said how long it may be: some times the contexts of the day. */
const MOST_TOKENS = 4_194_304;
/** Engines that guess tokens ahead may give a few more than they were asked for. */
const SPARE_TOKENS = 1_024;

/** What is remembered of one answer. */
interface Answer {
  given: number;
  /** The first ids. */
  readonly head: number[];
  last: ArrayLike<number>;
  promptTokens: number;
  cachedTokens: number;
  reasoningTokens: number | undefined;
  completionTokens: number;
  isFinished: boolean;
}

export class AnswerReader {
  readonly #habits: AnswerHabits;
  readonly #place: AnswerPlace;
  readonly #sink: Pick<TokenSink, 'chunk' | 'finished'>;
  readonly #answers: Answer[];
  readonly #mostTokens: number;
  #finished = 0;
  #hasToldPrompt = false;

  constructor(habits: AnswerHabits, place: AnswerPlace, sink: Pick<TokenSink, 'chunk' | 'finished'>) {
    this.#habits = habits;
    this.#place = place;
    this.#sink = sink;
    this.#answers = Array.from({ length: place.choices }, newAnswer);
    this.#mostTokens = Math.min(place.maxTokens ?? MOST_TOKENS, MOST_TOKENS) + SPARE_TOKENS;
  }

  /** The engine has nothing more to do for this stream. */
  get isComplete(): boolean {
    return this.#finished === this.#place.choices;
  }

  /** Throws `upstream_invalid_answer` for an answer that nobody has asked for, and for one that does not end. */
  push(message: EngineMessage): void {
    if (!message) return;
    const index = this.#indexOf(message);
    const answer = this.#answers[index];
    if (!answer)
      throw new GatewayError(
        'upstream_invalid_answer',
        `The engine numbers an answer ${index} that was not asked for.`,
      );
    if (answer.isFinished) return;
    answer.promptTokens = message.promptTokens || answer.promptTokens;
    answer.cachedTokens = message.cachedTokens || answer.cachedTokens;
    answer.reasoningTokens = message.reasoningTokens ?? answer.reasoningTokens;
    answer.completionTokens = message.completionTokens || answer.completionTokens;
    if (message.kind === 'chunk') this.#tell(index, answer, message, 0);
    else this.#complete(index, answer, message);
  }

  #indexOf(message: ChunkMessage | CompleteMessage): number {
    const byArrival = this.#habits.numbersByArrival && !this.#place.isStream && message.kind === 'complete';
    return byArrival ? this.#finished : message.index;
  }

  #complete(index: number, answer: Answer, message: CompleteMessage): void {
    // Before anything is told: whoever hears it may end the whole, and then there is nothing left to abort here.
    answer.isFinished = true;
    this.#finished += 1;
    this.#tell(index, answer, message, seenOf(message.ids, answer));
    this.#sink.finished(this.#finishOf(index, answer, message));
  }

  /** Tells the ids of the message from `from` on. */
  #tell(index: number, answer: Answer, message: ChunkMessage | CompleteMessage, from: number): void {
    const count = message.ids.length - from;
    const promptLogprobs = this.#hasToldPrompt ? undefined : message.promptLogprobs;
    if (count <= 0 && !promptLogprobs) return;
    if (promptLogprobs) this.#hasToldPrompt = true;
    if (answer.given + count > this.#mostTokens) throw endless(answer.given + count);
    const ids = from === 0 ? message.ids : Array.prototype.slice.call(message.ids, from);
    const chunk: TokenChunk = {
      prompt: this.#place.prompt,
      choice: this.#place.firstChoice + index,
      ids,
      logprobs: message.logprobs && logprobsOf(message.logprobs, ids.length, answer.given),
      promptLogprobs,
      cachedTokens: answer.cachedTokens,
    };
    for (let i = 0; answer.head.length < HEAD && i < ids.length; i += 1) answer.head.push(ids[i] ?? 0);
    answer.given += ids.length;
    answer.last = ids;
    this.#sink.chunk(chunk);
  }

  #finishOf(index: number, answer: Answer, message: CompleteMessage): TokenFinish {
    const counted = this.#habits.completionTokens === 'delta' && this.#place.isStream;
    return {
      prompt: this.#place.prompt,
      choice: this.#place.firstChoice + index,
      reason: reasonOf(message.reason),
      detail: message.reason.slice(0, MOST_WORDS),
      matchedStop: bounded(message.matchedStop),
      promptTokens: answer.promptTokens,
      completionTokens: counted ? answer.given : answer.completionTokens || answer.given,
      cachedTokens: answer.cachedTokens,
      reasoningTokens: answer.reasoningTokens,
    };
  }
}

/** Of what an engine says stopped it: stop strings of clients are shorter. */
const MOST_WORDS = 4_096;

function bounded(stop: string | number | undefined): string | number | undefined {
  return typeof stop === 'string' ? stop.slice(0, MOST_WORDS) : stop;
}

function endless(tokens: number): GatewayError {
  return new GatewayError('upstream_invalid_answer', `The engine gives ${tokens} tokens, more than it was asked for.`);
}

function newAnswer(): Answer {
  return {
    given: 0,
    head: [],
    last: [],
    promptTokens: 0,
    cachedTokens: 0,
    reasoningTokens: undefined,
    completionTokens: 0,
    isFinished: false,
  };
}

/** So many ids at the start of an answer tell whether a Complete holds all of it. */
const HEAD = 8;

/** How many of a Complete's first ids have been given in chunks. */
function seenOf(ids: ArrayLike<number>, { given, head, last }: Answer): number {
  if (given === 0) return 0;
  // All ids, perhaps with the stop token at the end dropped.
  if (ids.length >= given - 1 && agree(ids, head)) return Math.min(ids.length, given);
  // The last chunk once more, or the beginning of it, or with something behind it.
  return agree(ids, last) ? Math.min(ids.length, last.length) : 0;
}

/** One begins with the other. */
function agree(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  const count = Math.min(one.length, other.length);
  for (let i = 0; i < count; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

/**
 * Those of the message's `count` new ids, of which `given` came before. SGLang's are sometimes of all ids so far, which
 * shows in their number; fewer than the ids belong to nobody knows which of them, and are left out.
 */
function logprobsOf(all: OutputLogprobs, count: number, given: number): OutputLogprobs | undefined {
  const length = all.logprobs.length;
  if (length === count) return all;
  if (length < count) return undefined;
  const from = length >= given + count ? given : length - count;
  const part = <T>(list: ArrayLike<T>) => Array.prototype.slice.call(list, from, from + count) as T[];
  return { logprobs: part(all.logprobs), topIds: part(all.topIds), topLogprobs: part(all.topLogprobs) };
}

const REASONS: Readonly<Record<string, TokenFinish['reason']>> = {
  length: 'length',
  max_tokens: 'length',
  abort: 'abort',
  aborted: 'abort',
  cancelled: 'abort',
  error: 'abort',
  timeout: 'abort',
};

/** Whatever else an engine says is one of the many ways to come to an end. */
function reasonOf(word: string): TokenFinish['reason'] {
  return REASONS[word.toLowerCase()] ?? 'stop';
}
