/**
 * Reads the `GenerateContentResponse`s of one answer, one or many, and tells them as events. Chunks hold pieces of the
 * text and whole calls; the finish of a candidate is told at the end of the bytes, because older models repeat theirs
 * in every chunk and Gemini has no other terminator.
 * Source: Gemini API reference, generating content, response body; streaming.
 */
import type { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent, GenerationUsage } from '../../domain/generation-event.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { CandidateReader } from './candidate-reader.ts';
import { inBandError } from './failure.ts';
import { readUsageMetadata } from './usage-metadata.ts';

type Emit = (event: GenerationEvent) => void;

/** Lives as long as the answer. Throws nothing: what goes wrong is an `error` event, and nothing follows it. */
export class ResponseReader {
  readonly #facts: DecodeFacts;
  readonly #candidates = new Map<number, CandidateReader>();
  #usage: GenerationUsage | undefined;
  #usageText = '';
  #hasStarted = false;
  #isBlocked = false;
  #hasFailed = false;

  constructor(facts: DecodeFacts) {
    this.#facts = facts;
  }

  /** Every candidate has said why it ended, or the prompt was refused. */
  get #isComplete(): boolean {
    const candidates = [...this.#candidates.values()];
    return this.#isBlocked || (candidates.length > 0 && candidates.every(({ isFinished }) => isFinished));
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** One response. Nothing is told after a failure. */
  response(node: JsonNode, emit: Emit): void {
    if (this.#hasFailed) return;
    const error = inBandError(node);
    if (error) return this.fail(error, emit);
    this.#start(node, emit);
    this.#readUsage(node.get('usageMetadata'), emit);
    for (const [index, candidate] of (node.get('candidates')?.items ?? []).entries())
      this.#candidate(choiceOf(candidate, index)).read(candidate, emit);
    this.#readFeedback(node.get('promptFeedback'), emit);
  }

  fail(error: GatewayError, emit: Emit): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    emit({ type: 'error', error });
  }

  /** Nobody answered: no candidate, and no word about the prompt. */
  get isEmpty(): boolean {
    return !this.#isBlocked && this.#candidates.size === 0;
  }

  /** The bytes have ended. `isWhole`: they were one whole answer, whose candidates need not say that they ended. */
  end(emit: Emit, isWhole = false): void {
    if (this.#hasFailed || !(isWhole || this.#isComplete)) return;
    for (const candidate of this.#candidates.values()) candidate.finish(emit);
    if (this.#usage) emit({ type: 'usage', usage: this.#usage });
    emit({ type: 'end' });
  }

  #start(node: JsonNode, emit: Emit): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    const id = node.get('responseId')?.string ?? '';
    emit({ type: 'start', id, model: node.get('modelVersion')?.string ?? '', createdSeconds: undefined });
  }

  #candidate(choice: number): CandidateReader {
    const known = this.#candidates.get(choice);
    if (known) return known;
    const made = new CandidateReader(choice, this.#facts);
    this.#candidates.set(choice, made);
    return made;
  }

  /** Each chunk repeats the counts so far. */
  #readUsage(node: JsonNode | undefined, emit: Emit): void {
    if (node?.kind !== 'object' || node.text === this.#usageText) return;
    this.#usageText = node.text;
    this.#usage = readUsageMetadata(node);
    emit({ type: 'usage', usage: this.#usage });
  }

  /** A prompt that was refused has no candidates. */
  #readFeedback(feedback: JsonNode | undefined, emit: Emit): void {
    const reason = feedback?.get('blockReason')?.string;
    if (reason === undefined || this.#isBlocked) return;
    this.#isBlocked = true;
    const candidate = this.#candidate(0);
    candidate.block(reason, feedback?.get('blockReasonMessage')?.string, emit);
  }
}

function choiceOf(candidate: JsonNode, position: number): number {
  const index = candidate.get('index')?.scalar;
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : position;
}
