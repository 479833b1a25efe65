/**
 * Events of the hub as the event stream of Responses. Items never overlap: while a call is open, what belongs to others
 * waits until it ends.
 *
 *   response.created · response.in_progress · (output_item.added … output_item.done)* · response.completed
 *
 * Source: OpenAI API reference, responses streaming events.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { FinishReason, GenerationEvent, GenerationUsage } from '../../domain/generation-event.ts';
import { NO_USAGE } from '../../domain/generation-event.ts';
import type { JsonText, TranslationWarning } from '../../domain/generation.ts';
import type { AnswerFacts, EventEncoder } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { parseNode } from '../hub/json-node.ts';
import { jsonText, raw } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import { OWN } from './own-forms.ts';
import { OutputWriter } from './output-writer.ts';
import type { TextPlace } from './output-writer.ts';
import { ResponseObject } from './response-object.ts';
import type { ResponseState } from './response-object.ts';

/** The last event repeats the answer, so it is kept; nobody waits for one that is longer. */
const MAX_ANSWER = 64 * 1024 * 1024;

type Emit = (bytes: Buffer) => void;
type Started = Extract<GenerationEvent, { type: 'start' }>;
type Content = Exclude<GenerationEvent, { type: 'start' | 'heartbeat' | 'error' | 'end' | 'usage' | 'finish' }>;

export class ResponsesEncoder implements EventEncoder {
  readonly #facts: AnswerFacts;
  readonly #warnings = new Warnings();
  readonly #output: OutputWriter;
  /** What came while a call of another id was open, in its order. */
  #waiting: Content[] = [];
  #response: ResponseObject | undefined;
  #emit: Emit = () => undefined;
  #sequence = 0;
  #size = 0;
  #hasRefusal = false;
  #finish: FinishReason | undefined;
  #usage: GenerationUsage | undefined;
  readonly #knownCalls = new Set<string>();
  readonly #warned = new Set<string>();
  #final: JsonOut | undefined;
  #isOver = false;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
    this.#output = new OutputWriter({
      newId: (prefix) => facts.newId(prefix),
      write: (type, members) => this.#write(`response.${type}`, members),
      writeText: (place, text) => this.#writeText(place, text),
    });
  }

  get warnings(): readonly TranslationWarning[] {
    return this.#warnings.list;
  }

  /** The response object at the end of the answer; undefined before it. */
  get response(): JsonOut | undefined {
    return this.#final;
  }

  push(event: GenerationEvent, emit: Emit): void {
    if (this.#isOver) return;
    this.#emit = emit;
    switch (event.type) {
      case 'heartbeat':
        return emit(Buffer.from(': ping\n\n'));
      case 'start':
        return this.#start(event);
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'finish':
        return this.#finished(event);
      case 'error':
        return emit(this.encodeError(event.error));
      case 'end':
        return this.#end();
      default:
        this.#start(undefined);
        this.#content(event);
    }
  }

  /** Nothing: what did not end is for `encodeError` to end. */
  end(): void {}

  /** As the API itself ends a failed stream: an `error` event, then `response.failed`. */
  encodeError(error: GatewayError): Buffer {
    const chunks: Buffer[] = [];
    if (this.#isOver) return Buffer.alloc(0);
    this.#emit = (bytes) => void chunks.push(bytes);
    const { code, message, param = null } = error;
    const response = this.#responseObject(undefined);
    this.#write('error', { code, message, param });
    this.#write('response.failed', {
      response: response.json({ ...this.#state(), status: 'failed', error: { code, message } }),
    });
    this.#isOver = true;
    return Buffer.concat(chunks);
  }

  #start(event: Started | undefined): void {
    if (this.#response) return;
    const response = this.#responseObject(event);
    for (const type of ['response.created', 'response.in_progress'])
      this.#write(type, { response: response.json({ ...this.#state(), status: 'in_progress', usage: undefined }) });
  }

  #responseObject(event: Started | undefined): ResponseObject {
    if (this.#response) return this.#response;
    const id = event?.id.startsWith('resp_') === true ? event.id : this.#facts.newId('resp_');
    this.#response = new ResponseObject(id, event?.createdSeconds ?? this.#facts.createdSeconds, this.#facts);
    return this.#response;
  }

  #content(event: Content): void {
    if (event.choice > 0) return this.#warnOnce('choices', 'beyond the first have no place in Responses');
    this.#size += sizeOf(event);
    if (this.#size > MAX_ANSWER) {
      const error = new GatewayError('upstream_invalid_answer', 'The answer is longer than 64 Mi characters.');
      return this.#emit(this.encodeError(error));
    }
    const open = this.#output.openCallId;
    if (open !== undefined && (!('callId' in event) || event.callId !== open)) this.#waiting.push(event);
    else this.#now(event);
  }

  #now(event: Content): void {
    const output = this.#output;
    switch (event.type) {
      case 'text-delta':
        if (event.text !== '' || event.logprobs) output.text(event.text, event.logprobs);
        return;
      case 'text-end':
        output.endText();
        if (event.signature) output.sign('text', event.signature);
        return;
      case 'refusal-delta':
        this.#hasRefusal = true;
        if (event.text !== '') output.refusal(event.text);
        return;
      case 'reasoning-delta':
        if (event.text !== '') output.thought(event.text);
        return;
      case 'reasoning-end':
        return output.endThought(event.isRedacted ? 'redacted' : 'thought', event.signature);
      case 'citation':
        return this.#cite(event);
      case 'native':
        return this.#native(event);
      default:
        this.#call(event);
    }
  }

  #call(event: Extract<Content, { callId: string }>): void {
    const output = this.#output;
    const { callId } = event;
    if (event.type === 'tool-call-start') {
      if (this.#knownCalls.has(callId))
        return this.#warnOnce('tool_calls', 'with an id that was used before are left out');
      this.#knownCalls.add(callId);
      if (event.signature) output.sign('call', event.signature);
      return output.call(callId, event.name);
    }
    if (output.openCallId !== callId)
      return this.#warnOnce('tool_calls', 'that never began have no place in Responses');
    if (event.type === 'tool-call-delta') return output.callArguments(event.argumentsDelta);
    output.close('completed');
    this.#goOn();
  }

  /** What waited for the open call, until another one is open. */
  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) {
      const open = this.#output.openCallId;
      if (open !== undefined && (!('callId' in event) || event.callId !== open)) this.#waiting.push(event);
      else this.#now(event);
    }
  }

  #cite(event: Extract<Content, { type: 'citation' }>): void {
    const length = this.#output.textLength;
    if (length === undefined) return this.#warnOnce('citations', 'of no text have no place in Responses');
    if (event.origin === OWN) return this.#output.annotation(raw(event.json));
    const { url, title, quote } = event;
    if (url === undefined) return this.#warnOnce('citations', 'of what is no web page have no place in Responses');
    if (quote !== undefined) this.#warnOnce('citations.quote', 'has no place in Responses');
    this.#output.annotation({ type: 'url_citation', ...placeOf(event.json, length), title: title ?? '', url });
  }

  #native({ origin, name, json }: Extract<Content, { type: 'native' }>): void {
    if (origin === OWN) this.#output.native(json);
    else this.#warnOnce(`output.${name}`, 'is a block of another API');
  }

  #finished(event: Extract<GenerationEvent, { type: 'finish' }>): void {
    if (event.choice > 0) return;
    this.#start(undefined);
    this.#finish ??= event.reason;
    if (event.stopSequence !== undefined) this.#warnOnce('stop_sequence', 'has no place in Responses');
    if (event.reason === 'pause')
      this.#warnOnce('pause_turn', 'has no place in Responses, the answer counts as complete');
  }

  #end(): void {
    this.#start(undefined);
    const isCut = this.#finish === 'length' || this.#finish === 'context_exceeded';
    while (this.#waiting.length > 0) {
      this.#output.close('completed');
      this.#goOn();
    }
    this.#output.close(isCut ? 'incomplete' : 'completed');
    const state = this.#state();
    const usage = this.#usage ?? NO_USAGE;
    this.#final = this.#responseObject(undefined).json({ ...state, usage });
    this.#write(`response.${state.status}`, { response: this.#final });
    this.#isOver = true;
  }

  /** A refusal without words is what OpenAI calls an answer cut by its filter. */
  #state(): ResponseState {
    const isFiltered = this.#finish === 'content_filter' || (this.#finish === 'refusal' && !this.#hasRefusal);
    const isCut = this.#finish === 'length' || this.#finish === 'context_exceeded';
    const reason = isFiltered ? 'content_filter' : isCut ? 'max_output_tokens' : undefined;
    return {
      status: reason === undefined ? 'completed' : 'incomplete',
      error: undefined,
      reason,
      output: this.#output.items,
      usage: this.#usage,
    };
  }

  #warnOnce(field: string, reason: string): void {
    if (this.#warned.has(field)) return;
    this.#warned.add(field);
    this.#warnings.lost(field, reason);
  }

  /** Most events of most answers: written without its object, in 0.6 in place of 1.7 us. */
  #writeText({ item_id, output_index, content_index }: TextPlace, text: string): void {
    const place = `"item_id":${JSON.stringify(item_id)},"output_index":${output_index},"content_index":${content_index}`;
    const head = `{"type":"response.output_text.delta","sequence_number":${this.#sequence},${place}`;
    this.#sequence += 1;
    const json = `${head},"delta":${JSON.stringify(text)},"logprobs":[]}`;
    this.#emit(Buffer.from(`event: response.output_text.delta\ndata: ${json}\n\n`));
  }

  #write(type: string, members: Readonly<Record<string, JsonOut>>): void {
    const json = jsonText({ type, sequence_number: this.#sequence, ...members });
    this.#sequence += 1;
    this.#emit(Buffer.from(`event: ${type}\ndata: ${json}\n\n`));
  }
}

/** Where chat completions says that the citation stands; else all of the part of text that it stands behind. */
function placeOf(json: JsonText, length: number): { start_index: number; end_index: number } {
  const citation = parseNode(json).get('url_citation');
  const [start, end] = ['start_index', 'end_index'].map((name) => citation?.get(name)?.scalar);
  if (typeof start !== 'number' || typeof end !== 'number') return { start_index: 0, end_index: length };
  return { start_index: start, end_index: end };
}

/** Characters that are kept until the end. */
function sizeOf(event: Content): number {
  if ('text' in event) return event.text.length;
  if ('json' in event) return event.json.length;
  return 'argumentsDelta' in event ? event.argumentsDelta.length : 64;
}
