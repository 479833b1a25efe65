/**
 * Answers of text completions, as chunks of a stream and whole. Choice `i` of prompt `p` has the index `p × n + i`.
 * Source: OpenAI API reference, "The completion object"; `matched_stop` is SGLang's.
 */
import { GatewayError } from '../../domain/errors.ts';
import { encodeDataError } from '../choices-tap.ts';
import type { EncodedAnswer } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, jsonText } from '../hub/json-text.ts';
import type { ShownToken, TextAnswerFacts, TextEvent, TextEventEncoder } from '../hub/text-codec.ts';
import { TextUsage } from '../hub/text-usage.ts';
import { charactersIn, LogprobsBlock, TextOffset } from './logprobs-block.ts';

type EmitBytes = (out: Buffer) => void;
type PromptEvent = Extract<TextEvent, { type: 'prompt' }>;
type Finish = Extract<TextEvent, { type: 'finish' }>;

const DONE = Buffer.from('data: [DONE]\n\n');

export function createEncoder(facts: TextAnswerFacts): TextEventEncoder {
  return new ChunkWriter(facts);
}

/** A piece of one choice. */
interface Piece {
  readonly index: number;
  readonly text: string;
  readonly tokens: readonly ShownToken[] | undefined;
  readonly finish: Finish | undefined;
}

/** What of the events belongs to which choice, for both forms of the answer. */
class Choices {
  readonly #facts: TextAnswerFacts;
  readonly #offsets = new Map<number, TextOffset>();
  readonly #finished = new Set<number>();
  readonly usage = new TextUsage();

  constructor(facts: TextAnswerFacts) {
    this.#facts = facts;
  }

  /** The prompt before each of its answers, where it is to be echoed. */
  begin({ prompt, text, tokens }: PromptEvent): Piece[] {
    const { echo, sampling } = this.#facts.request;
    const start = echo ? 0 : charactersIn(text);
    const indexes = Array.from({ length: sampling.choices }, (_, choice) => this.indexOf(prompt, choice));
    for (const index of indexes) this.#offsets.set(index, new TextOffset(start));
    return echo ? indexes.map((index) => ({ index, text, tokens, finish: undefined })) : [];
  }

  finish(finish: Finish): Piece {
    const index = this.indexOf(finish.prompt, finish.choice);
    this.#finished.add(index);
    this.usage.add(finish);
    return { index, text: this.#facts.request.suffix ?? '', tokens: undefined, finish };
  }

  indexOf(prompt: number, choice: number): number {
    return prompt * this.#facts.request.sampling.choices + choice;
  }

  /** A piece without tokens. */
  pass({ index, text }: Piece): void {
    if (this.#facts.request.sampling.logprobs !== undefined) this.#offsetOf(index).place(text, []);
  }

  /** Adds the tokens of a piece to a block; true when there were any and they are wanted. */
  addLogprobs(block: LogprobsBlock, { index, text, tokens }: Piece): boolean {
    if (this.#facts.request.sampling.logprobs === undefined) return false;
    const places = this.#offsetOf(index).place(text, tokens ?? []);
    if (tokens) block.add(tokens, places);
    return tokens !== undefined;
  }

  #offsetOf(index: number): TextOffset {
    let offset = this.#offsets.get(index);
    if (!offset) {
      offset = new TextOffset(0);
      this.#offsets.set(index, offset);
    }
    return offset;
  }

  get count(): number {
    return this.#facts.request.prompts.length * this.#facts.request.sampling.choices;
  }

  get areAllFinished(): boolean {
    return this.#finished.size === this.count;
  }
}

class ChunkWriter implements TextEventEncoder {
  readonly #facts: TextAnswerFacts;
  readonly #choices: Choices;
  /** What all chunks begin with. */
  readonly #head: string;
  #isOver = false;

  constructor(facts: TextAnswerFacts) {
    this.#facts = facts;
    this.#choices = new Choices(facts);
    const { requestId, createdSeconds, model } = facts;
    const head = { id: requestId, object: 'text_completion', created: createdSeconds, model };
    this.#head = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[`;
  }

  push(event: TextEvent, emit: EmitBytes): void {
    if (this.#isOver) return;
    switch (event.type) {
      case 'prompt':
        for (const piece of this.#choices.begin(event)) emit(this.#piece(piece));
        return;
      case 'text': {
        const { prompt, choice, text, tokens } = event;
        // Half a character, or what may become a stop string: nothing to be told yet.
        if (text === '' && (tokens === undefined || tokens.length === 0)) return;
        return emit(this.#piece({ index: this.#choices.indexOf(prompt, choice), text, tokens, finish: undefined }));
      }
      case 'finish':
        return emit(this.#piece(this.#choices.finish(event)));
      case 'end':
        return this.#complete(emit);
    }
  }

  /** Nothing: only the event `end` says that the answer is complete. */
  end(): void {}

  encodeError(error: GatewayError): Buffer {
    this.#isOver = true;
    return encodeDataError(error);
  }

  #piece(piece: Piece): Buffer {
    // Most chunks are these.
    if (piece.tokens === undefined && piece.finish === undefined) {
      this.#choices.pass(piece);
      const { index, text } = piece;
      return this.#chunk(`{"index":${index},"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":null}`);
    }
    const block = new LogprobsBlock();
    const logprobs = this.#choices.addLogprobs(block, piece) ? block.write() : null;
    return this.#chunk(jsonText(writeChoice(piece, logprobs)));
  }

  #complete(emit: EmitBytes): void {
    if (!this.#choices.areAllFinished) return emit(this.encodeError(incomplete()));
    this.#isOver = true;
    if (this.#facts.request.wantsUsage) emit(this.#chunk('', jsonText(writeUsage(this.#choices.usage))));
    emit(DONE);
  }

  /** Both as they are written; a chunk costs its text, not its names anew. */
  #chunk(choice: string, usage = 'null'): Buffer {
    const tail = this.#facts.request.wantsUsage ? `],"usage":${usage}}\n\n` : ']}\n\n';
    return Buffer.from(this.#head + choice + tail);
  }
}

/** Throws `upstream_broken` when an answer has no end. */
export function encodeAnswer(events: readonly TextEvent[], facts: TextAnswerFacts): EncodedAnswer {
  const choices = new Choices(facts);
  const whole = Array.from({ length: choices.count }, (_, index) => new WholeChoice(index));
  const add = (piece: Piece): void => whole[piece.index]?.add(piece, choices);
  for (const event of events) {
    if (event.type === 'prompt') for (const piece of choices.begin(event)) add(piece);
    else if (event.type === 'text') {
      const { text, tokens } = event;
      add({ index: choices.indexOf(event.prompt, event.choice), text, tokens, finish: undefined });
    } else if (event.type === 'finish') add(choices.finish(event));
  }
  if (!choices.areAllFinished) throw incomplete();
  const body = jsonBytes({
    id: facts.requestId,
    object: 'text_completion',
    created: facts.createdSeconds,
    model: facts.model,
    choices: whole.map((choice) => choice.write()),
    usage: writeUsage(choices.usage),
  });
  return { body, warnings: [] };
}

class WholeChoice {
  readonly #index: number;
  readonly #block = new LogprobsBlock();
  #hasLogprobs = false;
  #text = '';
  #finish: Finish | undefined = undefined;

  constructor(index: number) {
    this.#index = index;
  }

  add(piece: Piece, choices: Choices): void {
    this.#hasLogprobs = choices.addLogprobs(this.#block, piece) || this.#hasLogprobs;
    this.#text += piece.text;
    this.#finish = piece.finish ?? this.#finish;
  }

  write(): JsonOut {
    const piece = { index: this.#index, text: this.#text, tokens: undefined, finish: this.#finish };
    return writeChoice(piece, this.#hasLogprobs ? this.#block.write() : null);
  }
}

function writeChoice({ index, text, finish }: Piece, logprobs: JsonOut): JsonOut {
  return { index, text, logprobs, finish_reason: finish?.reason ?? null, matched_stop: finish?.matchedStop };
}

function writeUsage(usage: TextUsage): JsonOut {
  const { promptTokens, completionTokens, cachedTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: reasoningTokens === undefined ? undefined : { reasoning_tokens: reasoningTokens },
  };
}

function incomplete(): GatewayError {
  return new GatewayError('upstream_broken', 'The worker ended before all answers were complete.');
}
