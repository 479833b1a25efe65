/**
 * Reads one choice of an answer into events: the deltas of a stream, or a whole message as one delta. Blocks are
 * closed when another kind begins. The finish waits for the end of the answer, since some servers go on behind it.
 */
import type { GenerationEvent, TokenLogprob } from '../../domain/generation-event.ts';
import type { Signature } from '../../domain/generation.ts';
import type { Emit } from './call-reader.ts';
import { CallReader } from './call-reader.ts';
import { ORIGIN } from './field-names.ts';
import { isFailure, readFinish } from './finish-reasons.ts';
import { readLogprobs } from './logprobs.ts';
import { detailOf, proofOf } from './reasoning-details.ts';
import type { ReasoningDetail } from './reasoning-details.ts';
import type { Members } from './wire-values.ts';
import { listOf, membersOf, textOf } from './wire-values.ts';

interface Thought {
  readonly id: string | undefined;
  readonly index: number | undefined;
}

const NO_THOUGHT: Thought = { id: undefined, index: undefined };
/** A longer thought is not compared with what the details say of it. */
const MAX_HELD_CHARACTERS = 8 * 1024 * 1024;

export class ChoiceReader {
  readonly #choice: number;
  readonly #calls: CallReader;
  #open: 'text' | 'reasoning' | undefined;
  #thought = NO_THOUGHT;
  /** Text of the open thought. */
  #thoughtText = '';
  #hasText = false;
  #hasRefusal = false;
  #audio: Record<string, unknown> | undefined;
  /** The choice as it was when it gave its reason. */
  #finish: Members | undefined;

  constructor(choice: number, newId: (prefix: string) => string) {
    this.#choice = choice;
    this.#calls = new CallReader(choice, newId);
  }

  /** It has said why it ended. */
  get isFinished(): boolean {
    return this.#finish !== undefined;
  }

  /** A piece of the stream; true when it says that the worker failed. */
  readChunk(choice: Members, emit: Emit): boolean {
    const delta = membersOf(choice['delta']) ?? membersOf(choice['message']) ?? {};
    this.#readDelta(delta, { logprobs: readLogprobs(choice['logprobs']), isWhole: false }, emit);
    return this.#noteFinish(choice);
  }

  /** A choice of a whole answer; true when it says that the worker failed. */
  readWhole(choice: Members, emit: Emit): boolean {
    const message = membersOf(choice['message']) ?? {};
    this.#readDelta(message, { logprobs: readLogprobs(choice['logprobs']), isWhole: true }, emit);
    return this.#noteFinish(choice);
  }

  /** The answer is complete: what is open ends. */
  end(emit: Emit): void {
    this.#switchTo(undefined, emit);
    this.#calls.closeAll(emit);
    for (const [id, signature] of this.#calls.takeUnused()) this.#endThought(signature, { itemId: id }, emit);
    if (this.#audio) this.#native('audio', this.#audio, emit);
    const said = { hasCalls: this.#calls.hasCalls, hasText: this.#hasText, hasRefusal: this.#hasRefusal };
    emit({ type: 'finish', choice: this.#choice, ...readFinish(this.#finish ?? {}, said) });
  }

  #noteFinish(choice: Members): boolean {
    const word = textOf(choice['finish_reason']);
    if (word === '') return false;
    this.#finish ??= choice;
    return isFailure(word);
  }

  #readDelta(
    delta: Members,
    { logprobs, isWhole }: { readonly logprobs: readonly TokenLogprob[] | undefined; readonly isWhole: boolean },
    emit: Emit,
  ): void {
    this.#readThoughts(delta, isWhole, emit);
    this.#readContent(delta['content'], logprobs, emit);
    this.#refuse(textOf(delta['refusal']), emit);
    this.#readMedia(delta, emit);
    listOf(delta['tool_calls']).forEach((call, at) => this.#readCall(call, isWhole ? at : undefined, emit));
    const legacy = membersOf(delta['function_call']);
    if (legacy) this.#readCall({ function: legacy }, 0, emit);
    for (const annotation of listOf(delta['annotations'])) this.#cite(annotation, emit);
  }

  #readCall(call: unknown, position: number | undefined, emit: Emit): void {
    this.#switchTo(undefined, emit);
    this.#calls.read(call, position, emit);
  }

  /** A text, or a list of parts (Mistral), which may hold thoughts. */
  #readContent(content: unknown, logprobs: readonly TokenLogprob[] | undefined, emit: Emit): void {
    if (!Array.isArray(content)) return this.#say(textOf(content), logprobs, emit);
    for (const value of content) {
      const part = membersOf(value) ?? {};
      const thinking = part['thinking'];
      if (thinking === undefined) this.#say(textOf(value) || textOf(part['text']), undefined, emit);
      else
        this.#think(
          textOf(thinking) ||
            listOf(thinking)
              .map((each) => textOf(membersOf(each)?.['text']))
              .join(''),
          emit,
        );
    }
    this.#say('', logprobs, emit);
  }

  #say(text: string, logprobs: readonly TokenLogprob[] | undefined, emit: Emit): void {
    if (text === '' && !logprobs) return;
    this.#switchTo('text', emit);
    this.#hasText ||= text !== '';
    emit({ type: 'text-delta', choice: this.#choice, text, logprobs });
  }

  #refuse(text: string, emit: Emit): void {
    if (text === '') return;
    this.#switchTo(undefined, emit);
    this.#hasRefusal = true;
    emit({ type: 'refusal-delta', choice: this.#choice, text });
  }

  #think(text: string, emit: Emit): void {
    if (text === '') return;
    this.#switchTo('reasoning', emit);
    if (this.#thoughtText.length <= MAX_HELD_CHARACTERS) this.#thoughtText += text;
    emit({ type: 'reasoning-delta', choice: this.#choice, text });
  }

  /** `reasoning_content` (SGLang, DeepSeek) or `reasoning` (vLLM, OpenRouter), unless the details have the text too. */
  #readThoughts(delta: Members, isWhole: boolean, emit: Emit): void {
    const details = listOf(delta['reasoning_details']).map(detailOf);
    const plain = textOf(delta['reasoning_content']) || textOf(delta['reasoning']);
    const hasText = details.some(({ text }) => text !== undefined && text !== '');
    if (!hasText) this.#think(plain, emit);
    for (const detail of details) this.#readDetail(detail, isWhole, emit);
  }

  #readDetail(detail: ReasoningDetail, isWhole: boolean, emit: Emit): void {
    const proof = proofOf(detail);
    if (detail.text !== undefined) {
      const isTold = detail.text !== '' && this.#open === 'reasoning' && detail.text === this.#thoughtText;
      // What came piece by piece as plain text comes once more, whole, with its signature.
      if (isTold) this.#thought = detail;
      else {
        this.#beginThought(detail, isWhole, emit);
        this.#think(detail.text, emit);
      }
      if (proof) this.#endThought(proof, { itemId: detail.id ?? this.#thought.id }, emit);
      return;
    }
    if (!proof) return;
    // OpenRouter gives the signature of a Gemini call under the id of the call, before it.
    if (proof.origin === 'gemini' && detail.id !== undefined) return this.#calls.sign(detail.id, proof);
    // What OpenAI and xAI tell of a thought stands before it under the same id.
    const isRedacted = proof.origin === 'anthropic';
    if (isRedacted || this.#thought.id !== detail.id) this.#switchTo(undefined, emit);
    this.#endThought(proof, { itemId: detail.id, isRedacted }, emit);
  }

  /** Pieces of one thought have one index; in a whole message each entry is one thought. */
  #beginThought({ id, index }: ReasoningDetail, isWhole: boolean, emit: Emit): void {
    const isSame = !isWhole && (index === undefined || index === this.#thought.index);
    if (this.#open === 'reasoning' && !isSame) this.#switchTo(undefined, emit);
    this.#thought = { id: id ?? (isSame ? this.#thought.id : undefined), index };
  }

  /** Ends the open thought, or one that had no text. */
  #endThought(
    signature: Signature,
    { itemId, isRedacted = false }: { readonly itemId: string | undefined; readonly isRedacted?: boolean },
    emit: Emit,
  ): void {
    if (this.#open === 'text') this.#switchTo(undefined, emit);
    this.#open = undefined;
    this.#thought = NO_THOUGHT;
    this.#thoughtText = '';
    emit({ type: 'reasoning-end', choice: this.#choice, signature, isRedacted, itemId });
  }

  #readMedia(delta: Members, emit: Emit): void {
    for (const image of listOf(delta['images'])) this.#native('image', image, emit);
    const audio = membersOf(delta['audio']);
    if (!audio) return;
    this.#audio ??= {};
    for (const [name, value] of Object.entries(audio)) {
      const isPiece = name === 'data' || name === 'transcript';
      this.#audio[name] = isPiece ? textOf(this.#audio[name]) + textOf(value) : value;
    }
  }

  #native(name: string, value: unknown, emit: Emit): void {
    this.#switchTo(undefined, emit);
    emit({ type: 'native', choice: this.#choice, origin: ORIGIN, name, json: JSON.stringify(value) });
  }

  #cite(value: unknown, emit: Emit): void {
    const annotation = membersOf(value) ?? {};
    const cited = membersOf(annotation['url_citation']) ?? {};
    const event: GenerationEvent = {
      type: 'citation',
      choice: this.#choice,
      url: textOf(cited['url']) || undefined,
      title: textOf(cited['title']) || undefined,
      quote: textOf(cited['content']) || undefined,
      json: JSON.stringify(value),
      origin: ORIGIN,
    };
    emit(event);
  }

  #switchTo(kind: 'text' | 'reasoning' | undefined, emit: Emit): void {
    if (kind !== undefined) this.#calls.closeWhole(emit);
    if (this.#open === kind) return;
    const { id } = this.#thought;
    if (this.#open === 'text') emit({ type: 'text-end', choice: this.#choice, signature: undefined });
    if (this.#open === 'reasoning') {
      this.#thought = NO_THOUGHT;
      this.#thoughtText = '';
      emit({ type: 'reasoning-end', choice: this.#choice, signature: undefined, isRedacted: false, itemId: id });
    }
    this.#open = kind;
  }
}
