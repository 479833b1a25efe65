/** The answers to plain prompts, from an engine's tokens to events: prompts × choices, each by itself, no parsers. */
import type { TextEvent } from '../../domain/text-event.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { PromptLogprobs, Sampling, TokenChunk, TokenFinish, TokenPrompt } from '../../domain/token-generation.ts';
import type { TokenIds, Tokenizer } from '../../domain/tokenizer.ts';
import { shownPrompt } from './output-token.ts';
import { compileStops } from './stop-matcher.ts';
import type { TextPiece } from './text-output.ts';
import { TextOutput } from './text-output.ts';

export interface PlainOptions {
  readonly tokenizer: Tokenizer;
  readonly endTokenIds: readonly number[];
  readonly sampling: Sampling;
  readonly prompts: readonly TokenPrompt[];
}

type EmitText = (event: TextEvent) => void;

type Finish = Extract<TextEvent, { readonly type: 'finish' }>;

class PlainChoice {
  readonly output: TextOutput;
  isOver = false;
  /** As far as the engine has said. */
  cachedTokens = 0;

  constructor(output: TextOutput) {
    this.output = output;
  }
}

/** The first token has no log probability, and TensorRT-LLM begins with the second. */
function fromTheFirst(logprobs: PromptLogprobs, ids: TokenIds): PromptLogprobs {
  if (logprobs.ids.length !== ids.length - 1) return logprobs;
  return {
    ids,
    logprobs: [undefined, ...logprobs.logprobs],
    topIds: [[], ...logprobs.topIds],
    topLogprobs: [[], ...logprobs.topLogprobs],
  };
}

export class PlainOutput {
  readonly #options: PlainOptions;
  /** By prompt, then by choice. */
  readonly #choices: readonly (readonly PlainChoice[])[];
  readonly #stopped: { readonly prompt: number; readonly choice: number }[] = [];
  readonly #begun: boolean[] = [];

  /** Throws `invalid_request` for stop strings that cannot be looked for. */
  constructor(options: PlainOptions) {
    const { tokenizer, endTokenIds, sampling, prompts } = options;
    this.#options = options;
    const stops = compileStops(sampling.stop);
    const shared = { tokenizer, endTokenIds, sampling, stops, markers: [], showsIds: true };
    const list = () => Array.from({ length: sampling.choices }, () => new PlainChoice(new TextOutput(shared)));
    this.#choices = prompts.map(list);
  }

  /** All answers are over, by a stop string found here or by the engine: it has nothing more to say. */
  get isDone(): boolean {
    return this.#choices.every((choices) => choices.every(({ isOver }) => isOver));
  }

  /** Answers that a stop string found here has ended, and the engine does not know. */
  get stoppedChoices(): readonly { readonly prompt: number; readonly choice: number }[] {
    return this.#stopped;
  }

  chunk({ prompt, choice, ids, logprobs, promptLogprobs, cachedTokens = 0 }: TokenChunk, emit: EmitText): void {
    this.#begin(prompt, promptLogprobs, emit);
    const answer = this.#choices[prompt]?.[choice];
    if (!answer || answer.isOver) return;
    const { output } = answer;
    answer.cachedTokens = cachedTokens;
    this.#tell({ prompt, choice }, (take) => output.push(ids, logprobs, take), emit);
    // A stop token is the engine's to tell, with its counts.
    if (typeof output.matchedStop !== 'string') return;
    answer.isOver = true;
    this.#stopped.push({ prompt, choice });
    emit(this.#ownFinish({ prompt, choice }, answer));
  }

  finished(finish: TokenFinish, emit: EmitText): void {
    const { prompt, choice } = finish;
    this.#begin(prompt, undefined, emit);
    const answer = this.#choices[prompt]?.[choice];
    if (!answer || answer.isOver) return;
    answer.isOver = true;
    const { output } = answer;
    this.#tell({ prompt, choice }, (take) => output.finish(take), emit);
    const { promptTokens, cachedTokens, reasoningTokens } = finish;
    emit({
      type: 'finish',
      prompt,
      choice,
      reason: output.isStopped ? 'stop' : finish.reason,
      matchedStop: output.matchedStop ?? finish.matchedStop,
      promptTokens: promptTokens || this.#promptTokens(prompt),
      completionTokens: finish.completionTokens || output.tokenCount,
      cachedTokens,
      reasoningTokens,
    });
  }

  /**
   * Every stream of the engine has ended, or was dropped because `isDone`. Throws `upstream_broken` when an answer is
   * not complete.
   */
  end(emit: EmitText): void {
    for (const [prompt, choices] of this.#choices.entries()) {
      for (const [choice, answer] of choices.entries()) {
        if (answer.isOver || !answer.output.isStopped) continue;
        answer.isOver = true;
        emit(this.#ownFinish({ prompt, choice }, answer));
      }
    }
    if (!this.isDone) throw new GatewayError('upstream_broken', 'The worker ended its answer before it was complete.');
    emit({ type: 'end' });
  }

  #begin(prompt: number, logprobs: PromptLogprobs | undefined, emit: EmitText): void {
    const asked = this.#options.prompts[prompt];
    if (!asked || this.#begun[prompt]) return;
    this.#begun[prompt] = true;
    const { tokenizer, sampling } = this.#options;
    const tokens = logprobs && shownPrompt(tokenizer, sampling.promptLogprobs ?? 0, fromTheFirst(logprobs, asked.ids));
    const text = asked.text || tokenizer.decode(asked.ids);
    emit({ type: 'prompt', prompt, text, tokens, tokenCount: asked.ids.length });
  }

  /** One event for all that a message brings; with log probabilities one for each piece, so that tokens find their places. */
  #tell(
    of: { readonly prompt: number; readonly choice: number },
    run: (take: (piece: TextPiece) => void) => void,
    emit: EmitText,
  ): void {
    const pieces: TextPiece[] = [];
    run((piece) => pieces.push(piece));
    if (pieces.length === 0) return;
    if (this.#options.sampling.logprobs !== undefined) {
      for (const { text, ids, tokens } of pieces) emit({ type: 'text', ...of, text, ids, tokens: tokens ?? [] });
      return;
    }
    const text = pieces.map((piece) => piece.text).join('');
    emit({ type: 'text', ...of, text, ids: pieces.flatMap(({ ids }) => ids), tokens: undefined });
  }

  #promptTokens(prompt: number): number {
    return this.#options.prompts[prompt]?.ids.length ?? 0;
  }

  #ownFinish(of: { readonly prompt: number; readonly choice: number }, { output, cachedTokens }: PlainChoice): Finish {
    return {
      type: 'finish',
      ...of,
      reason: 'stop',
      matchedStop: output.matchedStop,
      promptTokens: this.#promptTokens(of.prompt),
      completionTokens: output.tokenCount,
      cachedTokens,
      reasoningTokens: undefined,
    };
  }
}
