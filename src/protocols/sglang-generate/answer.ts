/**
 * Answers of `/generate` as SGLang's own HTTP server gives them: one object for one prompt, a list for a batch or for
 * several answers; in a stream each frame has the whole text, all ids and all log probabilities so far.
 * Source: SGLang documentation, "SGLang Native APIs", and the frames of its HTTP server (`meta_info`).
 * Cost    a frame is as long as the answer so far, as the engine's is; what was written once is kept as text
 */
import { GatewayError } from '../../domain/errors.ts';
import { encodeDataError } from '../choices-tap.ts';
import type { EncodedAnswer } from '../hub/codec.ts';
import type { JsonOut, RawJson } from '../hub/json-text.ts';
import { jsonBytes, jsonText, raw } from '../hub/json-text.ts';
import type { ShownToken, TextAnswerFacts, TextEvent, TextEventEncoder, TextRequest } from '../hub/text-codec.ts';

type EmitBytes = (out: Buffer) => void;
type PromptEvent = Extract<TextEvent, { type: 'prompt' }>;
type TextPiece = Extract<TextEvent, { type: 'text' }>;
type Finish = Extract<TextEvent, { type: 'finish' }>;

const DONE = Buffer.from('data: [DONE]\n\n');
/** What JSON cannot say. */
const LEAST_LOGPROB = -9999;

export function createEncoder(facts: TextAnswerFacts): TextEventEncoder {
  return new FrameWriter(facts);
}

/** A JSON array whose items stay as they were written. */
class GrowingList {
  #text = '';

  add(item: string): void {
    this.#text += this.#text === '' ? item : `,${item}`;
  }

  write(): RawJson {
    return raw(`[${this.#text}]`);
  }
}

/** `[logprob, id, text]` for each token, and the likeliest at each place. */
class TokenLists {
  readonly #tokens = new GrowingList();
  readonly #top = new GrowingList();
  readonly #hasText: boolean;

  constructor(hasText: boolean) {
    this.#hasText = hasText;
  }

  add(tokens: readonly ShownToken[]): void {
    for (const token of tokens) {
      this.#tokens.add(JSON.stringify(this.#entry(token)));
      const top = token.top.map((each) => this.#entry(each));
      this.#top.add(JSON.stringify(top.length > 0 ? top : null));
    }
  }

  write(): { readonly tokens: RawJson; readonly top: RawJson } {
    return { tokens: this.#tokens.write(), top: this.#top.write() };
  }

  #entry({ id, text, logprob }: Pick<ShownToken, 'id' | 'text' | 'logprob'>): JsonOut {
    const value = logprob === undefined ? null : Number.isFinite(logprob) ? logprob : LEAST_LOGPROB;
    return [value, id, this.#hasText ? text : null];
  }
}

/** Of one prompt, for all answers to it. */
interface KnownPrompt {
  readonly tokens: TokenLists;
  readonly count: number | undefined;
}

/** One answer so far. */
class Answer {
  readonly #facts: TextAnswerFacts;
  readonly #index: number;
  readonly #ids = new GrowingList();
  readonly #tokens: TokenLists;
  #idCount = 0;
  #text = '';
  #prompt: KnownPrompt | undefined;
  #finish: Finish | undefined = undefined;
  #seconds: number | undefined = undefined;

  constructor(facts: TextAnswerFacts, index: number, prompt: KnownPrompt | undefined) {
    this.#facts = facts;
    this.#index = index;
    this.#prompt = prompt;
    this.#tokens = new TokenLists(facts.request.shownLogprobs?.hasText ?? false);
  }

  get isFinished(): boolean {
    return this.#finish !== undefined;
  }

  add({ text, ids, tokens }: TextPiece): void {
    this.#text += text;
    for (const id of ids) this.#ids.add(String(id));
    this.#idCount += ids.length;
    if (tokens) this.#tokens.add(tokens);
  }

  finish(finish: Finish): void {
    this.#finish = finish;
    this.#seconds = this.#facts.elapsedSeconds();
  }

  write(): { readonly [name: string]: JsonOut | undefined } {
    return { text: this.#text, output_ids: this.#ids.write(), meta_info: this.#meta() };
  }

  #meta(): JsonOut {
    const { requestId, weightVersion, request } = this.#facts;
    const finish = this.#finish;
    return {
      id: isList(request) ? `${requestId}_${this.#index}` : requestId,
      finish_reason: finish ? reasonOf(finish) : null,
      prompt_tokens: finish?.promptTokens ?? this.#prompt?.count,
      weight_version: weightVersion ?? 'default',
      ...this.#logprobs(),
      completion_tokens: finish?.completionTokens ?? this.#idCount,
      cached_tokens: finish?.cachedTokens,
      reasoning_tokens: finish?.reasoningTokens,
      e2e_latency: this.#seconds,
    };
  }

  #logprobs(): { readonly [name: string]: JsonOut | undefined } {
    const { logprobs } = this.#facts.request.sampling;
    if (logprobs === undefined) return {};
    const input = this.#prompt?.tokens.write();
    const output = this.#tokens.write();
    return {
      input_token_logprobs: input?.tokens ?? [],
      output_token_logprobs: output.tokens,
      input_top_logprobs: logprobs > 0 ? (input?.top ?? []) : undefined,
      output_top_logprobs: logprobs > 0 ? output.top : undefined,
    };
  }
}

function reasonOf({ reason, matchedStop, completionTokens }: Finish): JsonOut {
  if (reason === 'stop') return { type: 'stop', matched: matchedStop };
  if (reason === 'length') return { type: 'length', length: completionTokens };
  return { type: 'abort', message: 'Aborted', status_code: null, err_type: null };
}

/** SGLang takes several answers for a batch too. */
function isList({ isBatch, sampling }: TextRequest): boolean {
  return isBatch || sampling.choices > 1;
}

/** All answers of a call, filled from its events. */
class Answers {
  readonly #facts: TextAnswerFacts;
  readonly #prompts = new Map<number, KnownPrompt>();
  readonly #answers = new Map<number, Answer>();

  constructor(facts: TextAnswerFacts) {
    this.#facts = facts;
  }

  begin({ prompt, tokens, tokenCount }: PromptEvent): void {
    const { shownLogprobs, prompts } = this.#facts.request;
    const lists = new TokenLists(shownLogprobs?.hasText ?? false);
    if (tokens && shownLogprobs) lists.add(tokens.slice(shownLogprobs.promptFrom));
    const given = prompts[prompt];
    const known = given?.kind === 'ids' ? given.ids.length : undefined;
    this.#prompts.set(prompt, { tokens: lists, count: tokenCount ?? tokens?.length ?? known });
  }

  at(prompt: number, choice: number): { readonly index: number; readonly answer: Answer } {
    const index = prompt * this.#facts.request.sampling.choices + choice;
    let answer = this.#answers.get(index);
    if (!answer) {
      answer = new Answer(this.#facts, index, this.#prompts.get(prompt));
      this.#answers.set(index, answer);
    }
    return { index, answer };
  }

  /** In order; undefined while one of them has no end. */
  complete(): Answer[] | undefined {
    const { prompts, sampling } = this.#facts.request;
    const all = Array.from({ length: prompts.length * sampling.choices }, (_, index) => this.#answers.get(index));
    const finished = all.flatMap((answer) => (answer?.isFinished === true ? [answer] : []));
    return finished.length === all.length ? finished : undefined;
  }
}

class FrameWriter implements TextEventEncoder {
  readonly #answers: Answers;
  #isOver = false;

  constructor(facts: TextAnswerFacts) {
    this.#answers = new Answers(facts);
  }

  push(event: TextEvent, emit: EmitBytes): void {
    if (this.#isOver) return;
    if (event.type === 'prompt') return this.#answers.begin(event);
    if (event.type === 'end') return this.#complete(emit);
    const { index, answer } = this.#answers.at(event.prompt, event.choice);
    if (event.type === 'finish') answer.finish(event);
    else if (event.text === '' && event.ids.length === 0) return;
    else answer.add(event);
    emit(Buffer.from(`data: ${jsonText({ ...answer.write(), index })}\n\n`));
  }

  /** Nothing: only the event `end` says that the answer is complete. */
  end(): void {}

  encodeError(error: GatewayError): Buffer {
    this.#isOver = true;
    return encodeDataError(error);
  }

  #complete(emit: EmitBytes): void {
    if (!this.#answers.complete()) return emit(this.encodeError(incomplete()));
    this.#isOver = true;
    emit(DONE);
  }
}

/** Throws `upstream_broken` when an answer has no end. */
export function encodeAnswer(events: readonly TextEvent[], facts: TextAnswerFacts): EncodedAnswer {
  const answers = new Answers(facts);
  for (const event of events) {
    if (event.type === 'prompt') answers.begin(event);
    else if (event.type === 'text') answers.at(event.prompt, event.choice).answer.add(event);
    else if (event.type === 'finish') answers.at(event.prompt, event.choice).answer.finish(event);
  }
  const written = answers.complete()?.map((answer) => answer.write());
  const [first] = written ?? [];
  if (!written || !first) throw incomplete();
  return { body: jsonBytes(isList(facts.request) ? written : first), warnings: [] };
}

function incomplete(): GatewayError {
  return new GatewayError('upstream_broken', 'The worker ended before all answers were complete.');
}
