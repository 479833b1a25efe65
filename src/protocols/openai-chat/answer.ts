/** Whole answers of chat completions, both ways. Source: OpenAI API reference, "The chat completion object". */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent, GenerationUsage, TokenLogprob } from '../../domain/generation-event.ts';
import { NO_USAGE } from '../../domain/generation-event.ts';
import type { ReasoningPart, Signature } from '../../domain/generation.ts';
import type { AnswerFacts, DecodeFacts, EncodedAnswer } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, raw } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import type { EventOf } from './answer-parts.ts';
import { placeOf, writeAnnotation, writeExtraContent } from './answer-parts.ts';
import { ChoiceReader } from './choice-reader.ts';
import type { ChoiceEvent } from './choice-writer.ts';
import type { FinishMembers } from './finish-reasons.ts';
import { writeFinish } from './finish-reasons.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeCallSignature, writeThought } from './reasoning-details.ts';
import { brokenOff, failureIn, startOf, usageIn } from './stream-decoder.ts';
import { writeUsage } from './usage-block.ts';
import type { Members } from './wire-values.ts';
import { listOf, membersOf } from './wire-values.ts';

/** Throws `upstream_invalid_answer` for what is no answer, and the error of an answer that is one in disguise. */
export function decodeAnswer(body: Buffer, facts: DecodeFacts): GenerationEvent[] {
  const json = parseAnswer(body);
  const failure = failureIn(json, '');
  if (failure) throw failure;
  const choices = listOf(json['choices']).map((choice) => membersOf(choice) ?? {});
  if (choices.length === 0) throw new GatewayError('upstream_invalid_answer', 'The answer has no choices.');
  const events: GenerationEvent[] = [startOf(json)];
  const emit = (event: GenerationEvent) => {
    if (event.type === 'error') throw event.error;
    events.push(event);
  };
  choices.forEach((choice, at) => {
    const index = choice['index'];
    const reader = new ChoiceReader(typeof index === 'number' ? index : at, (prefix) => facts.newId(prefix));
    if (reader.readWhole(choice, emit)) throw brokenOff();
    reader.end(emit);
  });
  const usage = usageIn(json);
  if (usage) events.push({ type: 'usage', usage });
  events.push({ type: 'end' });
  return events;
}

function parseAnswer(body: Buffer): Members {
  let json: Members | undefined;
  try {
    json = membersOf(JSON.parse(body.toString('utf8')));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  if (!json) throw new GatewayError('upstream_invalid_answer', 'The answer is not a JSON object.');
  return json;
}

/** Throws the error of events that hold one. */
export function encodeAnswer(events: readonly GenerationEvent[], facts: AnswerFacts): EncodedAnswer {
  const warnings = new Warnings();
  const choices = new Map<number, WholeChoice>();
  let id = '';
  let createdSeconds = facts.createdSeconds;
  let usage: GenerationUsage = NO_USAGE;
  for (const event of events) {
    if (event.type === 'error') throw event.error;
    if (event.type === 'start') {
      id ||= event.id;
      createdSeconds = event.createdSeconds ?? createdSeconds;
    } else if (event.type === 'usage') usage = event.usage;
    else if (event.type !== 'heartbeat' && event.type !== 'end') {
      const choice = choices.get(event.choice) ?? new WholeChoice(event.choice, facts, warnings);
      choices.set(event.choice, choice);
      choice.add(event);
    }
  }
  if (choices.size === 0) choices.set(0, new WholeChoice(0, facts, warnings));
  const body = jsonBytes({
    id: id || facts.newId('chatcmpl-'),
    object: 'chat.completion',
    created: createdSeconds,
    model: facts.model,
    choices: [...choices].toSorted(([a], [b]) => a - b).map(([, choice]) => choice.write()),
    usage: writeUsage(usage),
  });
  return { body, warnings: warnings.list };
}

interface Call {
  readonly callId: string;
  readonly name: string;
  readonly signature: Signature | undefined;
  text: string;
}

/** Gathers what one choice said. */
class WholeChoice {
  readonly #index: number;
  readonly #warnings: Warnings;
  readonly #hidesThoughts: boolean;
  readonly #calls = new Map<string, Call>();
  readonly #ownCalls: JsonOut[] = [];
  readonly #thoughts: Omit<ReasoningPart, 'type'>[] = [];
  readonly #annotations: JsonOut[] = [];
  readonly #images: JsonOut[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  #audio: JsonOut | undefined;
  #text: string | undefined;
  #textStart = 0;
  #refusal: string | undefined;
  #thought = '';
  #finish: EventOf<'finish'> | undefined;

  constructor(index: number, { request }: AnswerFacts, warnings: Warnings) {
    this.#index = index;
    this.#warnings = warnings;
    this.#hidesThoughts = request.reasoning.summary === 'none';
  }

  add(event: ChoiceEvent): void {
    switch (event.type) {
      case 'text-delta':
        this.#text = (this.#text ?? '') + event.text;
        this.#logprobs.push(...(event.logprobs ?? []));
        return;
      case 'text-end':
        this.#textStart = this.#text?.length ?? 0;
        if (event.signature) this.#endThought({ signature: event.signature, isRedacted: false, itemId: undefined });
        return;
      case 'reasoning-delta':
        this.#thought += event.text;
        return;
      case 'reasoning-end':
        return this.#endThought(event);
      case 'refusal-delta':
        this.#refusal = (this.#refusal ?? '') + event.text;
        return;
      case 'tool-call-start':
        this.#calls.set(event.callId, { ...event, text: '' });
        return;
      case 'tool-call-delta':
        return this.#addArguments(event);
      case 'tool-call-end':
        return;
      case 'citation':
        return this.#cite(event);
      case 'native':
        return this.#native(event);
      case 'finish':
        this.#finish ??= event;
    }
  }

  write(): JsonOut {
    if (this.#thought !== '') this.#endThought({ signature: undefined, isRedacted: false, itemId: undefined });
    const calls = [...[...this.#calls.values()].map(writeCall), ...this.#ownCalls];
    const thoughts = this.#hidesThoughts ? [] : this.#thoughts;
    const message = {
      role: 'assistant',
      content: this.#text ?? null,
      refusal: this.#refusal ?? null,
      reasoning_content: thoughts.map(({ text }) => text).join('') || undefined,
      reasoning_details: this.#writeDetails(),
      annotations: listOrNone(this.#annotations),
      images: listOrNone(this.#images),
      audio: this.#audio,
      tool_calls: listOrNone(calls),
    };
    const logprobs = this.#logprobs.length > 0 ? writeLogprobs(this.#logprobs) : null;
    return { index: this.#index, message, logprobs, ...this.#writeFinish(calls.length > 0) };
  }

  #endThought({ signature, isRedacted, itemId }: Omit<ReasoningPart, 'type' | 'text'>): void {
    this.#thoughts.push({ text: this.#thought, signature, isRedacted, itemId });
    this.#thought = '';
  }

  #addArguments({ callId, argumentsDelta }: EventOf<'tool-call-delta'>): void {
    const call = this.#calls.get(callId);
    if (call) call.text += argumentsDelta;
    else this.#warnings.lost('tool-call-delta', 'belongs to no open call');
  }

  #cite(event: EventOf<'citation'>): void {
    const span = { start: this.#textStart, end: this.#text?.length ?? 0 };
    const annotation = writeAnnotation(event, span, this.#warnings);
    if (annotation !== undefined) this.#annotations.push(annotation);
  }

  #native(event: EventOf<'native'>): void {
    const place = placeOf(event, this.#warnings);
    if (place === 'images') this.#images.push(raw(event.json));
    else if (place === 'audio') this.#audio = raw(event.json);
    else if (place === 'tool_calls') this.#ownCalls.push(raw(event.json));
  }

  /** The whole list as soon as one thing in it is signed: its order counts. */
  #writeDetails(): JsonOut | undefined {
    const calls = [...this.#calls.values()];
    const isSigned = [...this.#thoughts, ...calls].some(({ signature }) => signature !== undefined);
    if (!isSigned || this.#hidesThoughts) return undefined;
    const details: JsonOut[] = [];
    for (const thought of this.#thoughts) details.push(...writeThought(thought, details.length));
    for (const { callId, signature } of calls)
      if (signature) details.push(writeCallSignature(callId, signature, details.length));
    return details;
  }

  #writeFinish(hasCalls: boolean): FinishMembers {
    const reason = hasCalls ? 'tool_calls' : 'stop';
    const finish = this.#finish ?? { reason, stopSequence: undefined, detail: undefined };
    return writeFinish(finish, this.#refusal !== undefined);
  }
}

function writeCall({ callId, name, text, signature }: Call): JsonOut {
  return {
    id: callId,
    type: 'function',
    function: { name, arguments: text.trim() === '' ? '{}' : text },
    extra_content: writeExtraContent(signature),
  };
}

function listOrNone(list: readonly JsonOut[]): readonly JsonOut[] | undefined {
  return list.length > 0 ? list : undefined;
}
