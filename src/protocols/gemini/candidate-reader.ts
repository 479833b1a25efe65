/** One candidate of an answer: its parts as blocks of the hub, in their order. */

import type { Signature } from '../../domain/generation.ts';
import type { GenerationEvent, TokenLogprob } from '../../domain/generation-event.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { readCitations } from './citations.ts';
import type { Finish } from './finish-reasons.ts';
import { readFinish } from './finish-reasons.ts';
import { readLogprobs } from './logprobs.ts';
import { readPartSignature, readThoughtMarks } from './thought-signature.ts';

type Emit = (event: GenerationEvent) => void;

const CONTENT_NAMES = [
  ...['inlineData', 'fileData', 'executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'],
  'audioTranscription',
];

/** Lives as long as the answer; `finish` is called once, last. */
export class CandidateReader {
  readonly #choice: number;
  readonly #facts: DecodeFacts;
  #open: 'text' | 'reasoning' | undefined;
  #hasCalls = false;
  #finishWord: string | undefined;
  /** Sources that were told, by their text. */
  readonly #cited = new Set<string>();

  constructor(choice: number, facts: DecodeFacts) {
    this.#choice = choice;
    this.#facts = facts;
  }

  get isFinished(): boolean {
    return this.#finishWord !== undefined;
  }

  /** The candidate as it stands in one chunk. */
  read(candidate: JsonNode, emit: Emit): void {
    let logprobs = readLogprobs(candidate.get('logprobsResult'));
    for (const part of candidate.get('content')?.get('parts')?.items ?? []) {
      const isText = part.get('text') !== undefined && part.get('thought')?.text !== 'true';
      this.#part(part, isText ? logprobs : undefined, emit);
      if (isText) logprobs = undefined;
    }
    if (logprobs) this.#text('', logprobs, emit);
    this.#cite(candidate, emit);
    this.#finishWord = candidate.get('finishReason')?.string ?? this.#finishWord;
  }

  /** The prompt was refused. */
  block(reason: string, message: string | undefined, emit: Emit): void {
    if (message !== undefined && message !== '') emit({ type: 'refusal-delta', choice: this.#choice, text: message });
    this.#finishWord = reason;
    this.#isBlocked = true;
  }

  finish(emit: Emit): void {
    this.#close(emit);
    const word = this.#finishWord ?? 'STOP';
    // Whatever the word, a prompt that was refused is no end by itself.
    const finish: Finish = this.#isBlocked
      ? { reason: 'content_filter', detail: word }
      : readFinish(word, this.#hasCalls);
    emit({ type: 'finish', choice: this.#choice, ...finish, stopSequence: undefined });
  }

  #isBlocked = false;

  #part(part: JsonNode, logprobs: readonly TokenLogprob[] | undefined, emit: Emit): void {
    const call = part.get('functionCall');
    const signature = part.get('thoughtSignature')?.string;
    if (call?.kind === 'object') return this.#call(call, signature, emit);
    const native = CONTENT_NAMES.find((name) => part.get(name) !== undefined);
    if (native !== undefined) return this.#native(part, native, emit);
    const text = part.get('text')?.string ?? '';
    if (part.get('thought')?.text === 'true') this.#thought(text, signature, emit);
    else {
      if (text !== '' || logprobs) this.#text(text, logprobs, emit);
      if (signature !== undefined) this.#endText(readPartSignature(signature), emit);
    }
  }

  #text(text: string, logprobs: readonly TokenLogprob[] | undefined, emit: Emit): void {
    if (this.#open !== 'text') this.#close(emit);
    this.#open = 'text';
    emit({ type: 'text-delta', choice: this.#choice, text, logprobs });
  }

  #endText(signature: Signature | undefined, emit: Emit): void {
    if (this.#open === 'reasoning') this.#close(emit);
    this.#open = undefined;
    emit({ type: 'text-end', choice: this.#choice, signature });
  }

  #thought(text: string, signature: string | undefined, emit: Emit): void {
    if (this.#open === 'text') this.#close(emit);
    if (text !== '') {
      this.#open = 'reasoning';
      emit({ type: 'reasoning-delta', choice: this.#choice, text });
    }
    if (signature === undefined) return;
    this.#open = undefined;
    emit({ type: 'reasoning-end', choice: this.#choice, ...readThoughtMarks(signature) });
  }

  #call(call: JsonNode, signature: string | undefined, emit: Emit): void {
    this.#close(emit);
    this.#hasCalls = true;
    const choice = this.#choice;
    const callId = call.get('id')?.string || this.#facts.newId('call_');
    const name = call.get('name')?.string ?? '';
    const args = call.get('args');
    emit({ type: 'tool-call-start', choice, callId, name, signature: readPartSignature(signature) });
    const argumentsDelta = args === undefined || args.isNull ? '{}' : args.text;
    emit({ type: 'tool-call-delta', choice, callId, argumentsDelta });
    emit({ type: 'tool-call-end', choice, callId });
  }

  #native(part: JsonNode, name: string, emit: Emit): void {
    this.#close(emit);
    emit({ type: 'native', choice: this.#choice, origin: 'gemini', name, json: part.text });
  }

  #cite(candidate: JsonNode, emit: Emit): void {
    for (const citation of readCitations(candidate, this.#choice)) {
      if (this.#cited.has(citation.json)) continue;
      this.#cited.add(citation.json);
      emit(citation);
    }
  }

  #close(emit: Emit): void {
    const choice = this.#choice;
    if (this.#open === 'text') emit({ type: 'text-end', choice, signature: undefined });
    if (this.#open === 'reasoning')
      emit({ type: 'reasoning-end', choice, signature: undefined, isRedacted: false, itemId: undefined });
    this.#open = undefined;
  }
}
