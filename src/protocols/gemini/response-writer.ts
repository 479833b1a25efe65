/** The `GenerateContentResponse`s of one answer: the members around the candidates, and the counts. */
import type { GenerationEvent, GenerationUsage } from '../../domain/generation-event.ts';
import { NO_USAGE } from '../../domain/generation-event.ts';
import type { AnswerFacts } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { CandidateWriter } from './candidate-writer.ts';
import { writeUsageMetadata } from './usage-metadata.ts';

/** Lives as long as the answer. */
export class ResponseWriter {
  readonly #facts: AnswerFacts;
  readonly #warnings: Warnings;
  readonly #candidates = new Map<number, CandidateWriter>();
  #usage: GenerationUsage | undefined;
  #responseId = '';

  constructor(facts: AnswerFacts, warnings: Warnings) {
    this.#facts = facts;
    this.#warnings = warnings;
  }

  /** Takes what concerns the whole answer; false for what concerns a candidate. */
  take(event: GenerationEvent): boolean {
    if (event.type === 'start') this.#responseId = event.id;
    else if (event.type === 'usage') this.#usage = event.usage;
    else return event.type === 'end' || event.type === 'heartbeat' || event.type === 'error';
    return true;
  }

  candidate(choice: number): CandidateWriter {
    const known = this.#candidates.get(choice);
    if (known) return known;
    const made = new CandidateWriter(this.#warnings);
    this.#candidates.set(choice, made);
    return made;
  }

  /** In the order of their numbers; an answer without a word still has one. */
  candidates(): (readonly [choice: number, candidate: CandidateWriter])[] {
    if (this.#candidates.size === 0) this.candidate(0);
    return [...this.#candidates].sort(([one], [other]) => one - other);
  }

  /** `isLast`: the counts have to be there, if only as nothing. */
  response(candidates: readonly JsonOut[], isLast: boolean): JsonOut {
    const usage = this.#usage ?? (isLast ? NO_USAGE : undefined);
    if (isLast && usage && usage.cacheWriteTokens + usage.cacheWriteHourTokens > 0)
      this.#warnings.lost('usage.cacheWriteTokens', 'has no place in this API');
    this.#responseId ||= this.#facts.newId('gen-');
    return {
      candidates,
      usageMetadata: usage && writeUsageMetadata(usage),
      modelVersion: this.#facts.model,
      responseId: this.#responseId,
    };
  }
}
