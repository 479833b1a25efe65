/** Whole answers: a `GenerateContentResponse` to the events of a stream, and back. */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent, TokenLogprob } from '../../domain/generation-event.ts';
import type { AnswerFacts, DecodeFacts, EncodedAnswer } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import type { CandidateWriter, OutPart, Piece } from './candidate-writer.ts';
import { jsonOfPart } from './candidate-writer.ts';
import { writeLogprobs } from './logprobs.ts';
import { ResponseReader } from './response-reader.ts';
import { ResponseWriter } from './response-writer.ts';

/** One response, or the list of them that a stream without `alt=sse` is. Throws `upstream_invalid_answer`. */
export function decodeAnswer(body: Buffer, facts: DecodeFacts): GenerationEvent[] {
  const node = parseAnswer(body);
  const reader = new ResponseReader(facts);
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => events.push(event);
  for (const response of node.kind === 'array' ? node.items : [node]) reader.response(response, emit);
  if (!reader.hasFailed && reader.isEmpty) throw invalid('has no candidate');
  reader.end(emit, true);
  return events;
}

function parseAnswer(body: Buffer): JsonNode {
  let node: JsonNode;
  try {
    node = parseNode(body.toString('utf8'));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw invalid('is not JSON');
  }
  if (node.kind !== 'object' && node.kind !== 'array') throw invalid('is no JSON object');
  return node;
}

function invalid(what: string): GatewayError {
  return new GatewayError('upstream_invalid_answer', `The answer of the worker ${what}.`);
}

/** One response with every candidate; blocks that came in pieces are one part each. */
export function encodeAnswer(events: readonly GenerationEvent[], facts: AnswerFacts): EncodedAnswer {
  const warnings = new Warnings();
  const writer = new ResponseWriter(facts, warnings);
  const contents = new Map<CandidateWriter, WholeContent>();
  for (const event of events) {
    if (writer.take(event) || !('choice' in event)) continue;
    const candidate = writer.candidate(event.choice);
    const piece = candidate.write(event);
    const content = contents.get(candidate) ?? new WholeContent();
    contents.set(candidate, content);
    if (piece) content.add(piece);
  }
  const candidates = writer.candidates().map(([index, candidate]): JsonOut => {
    const content = contents.get(candidate) ?? new WholeContent();
    content.add({ parts: candidate.rest(), logprobs: undefined, endsBlock: true });
    const { finishReason, groundingMetadata } = candidate.ending();
    const { logprobs } = content;
    const logprobsResult = logprobs.length > 0 ? writeLogprobs(logprobs) : undefined;
    return { content: content.json(), finishReason, index, groundingMetadata, logprobsResult };
  });
  return { body: jsonBytes(writer.response(candidates, true)), warnings: warnings.list };
}

/** The pieces of one candidate, put together: a block is one part. */
class WholeContent {
  readonly logprobs: TokenLogprob[] = [];
  readonly #parts: OutPart[] = [];
  /** Pieces of the text of the last part, while it grows. */
  #pieces: string[] = [];
  #isOpen = false;

  add({ parts, logprobs, endsBlock }: Piece): void {
    for (const part of parts) this.#add(part);
    for (const each of logprobs ?? []) this.logprobs.push(each);
    if (endsBlock) this.#isOpen = false;
  }

  json(): JsonOut {
    this.#settle();
    return { parts: this.#parts.map(jsonOfPart), role: 'model' };
  }

  #add(part: OutPart): void {
    const last = this.#parts.at(-1);
    if (part.kind === 'whole' || !this.#isOpen || last?.kind !== part.kind) {
      this.#settle();
      this.#parts.push(part);
      this.#pieces = part.kind === 'whole' ? [] : [part.text];
      this.#isOpen = part.kind !== 'whole' && part.thoughtSignature === undefined;
      return;
    }
    this.#pieces.push(part.text);
    if (part.thoughtSignature === undefined) return;
    this.#parts[this.#parts.length - 1] = { ...last, thoughtSignature: part.thoughtSignature };
    this.#isOpen = false;
  }

  #settle(): void {
    const last = this.#parts.at(-1);
    if (last && last.kind !== 'whole') this.#parts[this.#parts.length - 1] = { ...last, text: this.#pieces.join('') };
    this.#pieces = [];
  }
}
