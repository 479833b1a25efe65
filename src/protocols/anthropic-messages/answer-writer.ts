/**
 * What an answer's events mean in the Messages API, for a stream and for a whole message alike: which blocks there
 * are, what the stop reason is, what the client cannot be told.
 */
import type { FinishReason, GenerationEvent } from '../../domain/generation-event.ts';
import type { Signature } from '../../domain/generation.ts';
import { NO_USAGE } from '../../domain/generation-event.ts';
import { parseNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import type { BlockSink, QueuedBlock } from './block-queue.ts';
import { BlockQueue } from './block-queue.ts';
import { FOREIGN_CITATION, isMark, writeProof } from './carried-marks.ts';
import { NATIVE_ORIGIN, NO_ARGUMENTS, stopReasonOf, TOOL_ID_RULE } from './wire.ts';

const TEXT = { type: 'text', text: '' } as const;
const THINKING = { type: 'thinking', thinking: '', signature: '' } as const;

type EventOf<Type extends GenerationEvent['type']> = Extract<GenerationEvent, { type: Type }>;

interface OpenCall {
  readonly block: QueuedBlock;
  hasArguments: boolean;
}

export class AnswerWriter {
  readonly warnings = new Warnings();
  usage = NO_USAGE;
  readonly #queue: BlockQueue;
  readonly #calls = new Map<string, OpenCall>();
  readonly #told = new Set<string>();
  #finish: EventOf<'finish'> | undefined;
  #hasCalls = false;
  #hasRefusal = false;

  constructor(sink: BlockSink) {
    this.#queue = new BlockQueue(sink);
  }

  /** Events that are no content are the caller's; they are ignored here. */
  push(event: GenerationEvent): void {
    if ('choice' in event && event.choice !== 0)
      return this.#tell('choices', 'after the first have no place in a message of this API');
    switch (event.type) {
      case 'text-delta':
        return this.#text(event.text);
      case 'refusal-delta':
        this.#hasRefusal = true;
        return this.#text(event.text);
      case 'text-end':
        return this.#endText(event.signature);
      case 'reasoning-delta':
        return this.#thought(event.text);
      case 'reasoning-end':
        return this.#endThought(event);
      case 'tool-call-start':
        return this.#startCall(event);
      case 'tool-call-delta':
        return this.#callDelta(event);
      case 'tool-call-end':
        return this.#endCall(event.callId);
      case 'citation':
        return this.#citation(event);
      case 'native':
        return this.#native(event);
      case 'finish':
        this.#finish = event;
        return this.closeAll();
      case 'usage':
        this.usage = event.usage;
        return;
      case 'start':
      case 'heartbeat':
      case 'error':
      case 'end':
    }
  }

  closeAll(): void {
    for (const callId of [...this.#calls.keys()]) this.#endCall(callId);
    this.#queue.closeAll();
  }

  /** `stop_reason` and what belongs to it. */
  get stop(): Readonly<Record<string, JsonOut | undefined>> {
    const reason = this.#reason();
    const { stopSequence, detail } = this.#finish ?? {};
    const stopReason = stopReasonOf(reason);
    return {
      stop_reason: stopReason,
      stop_sequence: reason === 'stop_sequence' ? (stopSequence ?? null) : null,
      stop_details:
        stopReason === 'refusal' ? { type: 'refusal', category: detail ?? null, explanation: null } : undefined,
    };
  }

  /** Others end a turn with calls or with a refusal as they end every turn. */
  #reason(): FinishReason {
    const reason = this.#finish?.reason ?? 'stop';
    if (reason !== 'stop') return reason;
    if (this.#hasCalls) return 'tool_calls';
    return this.#hasRefusal ? 'refusal' : 'stop';
  }

  #text(text: string): void {
    if (text === '') return;
    this.#queue.delta(this.#queue.running('text', TEXT), { type: 'text_delta', text }, text.length);
  }

  #endText(signature: Signature | undefined): void {
    if (this.#queue.isRunning('text')) this.#queue.closeRunning();
    if (!signature) return;
    if (!isMark(signature)) return this.#tell('signature', 'of a text has no place in this API');
    this.#endThought({ signature, isRedacted: false });
  }

  #thought(thinking: string): void {
    if (thinking === '') return;
    const delta = { type: 'thinking_delta', thinking };
    this.#queue.delta(this.#queue.running('thinking', THINKING), delta, thinking.length);
  }

  #endThought({ signature, isRedacted }: Pick<EventOf<'reasoning-end'>, 'signature' | 'isRedacted'>): void {
    if (isRedacted) {
      if (signature) this.#queue.close(this.#queue.open({ type: 'redacted_thinking', data: writeProof(signature) }));
      return;
    }
    if (!signature && !this.#queue.isRunning('thinking')) return;
    const block = this.#queue.running('thinking', THINKING);
    const proof = writeProof(signature);
    this.#queue.delta(block, { type: 'signature_delta', signature: proof }, proof.length);
    this.#queue.close(block);
  }

  #startCall({ callId, name, signature }: EventOf<'tool-call-start'>): void {
    this.#endCall(callId);
    this.#hasCalls = true;
    if (signature && isMark(signature)) this.#endThought({ signature, isRedacted: true });
    else if (signature) this.#tell('signature', 'of a call has no place in this API');
    const id = fitToolId(callId, TOOL_ID_RULE);
    const block = this.#queue.open({ type: 'tool_use', id, name, input: {} });
    this.#calls.set(callId, { block, hasArguments: false });
  }

  #callDelta({ callId, argumentsDelta }: EventOf<'tool-call-delta'>): void {
    const call = this.#calls.get(callId);
    if (!call) return this.#tell('tool_calls', 'have arguments without a call that is open');
    if (argumentsDelta === '') return;
    call.hasArguments = true;
    const delta = { type: 'input_json_delta', partial_json: argumentsDelta };
    this.#queue.delta(call.block, delta, argumentsDelta.length);
  }

  #endCall(callId: string): void {
    const call = this.#calls.get(callId);
    if (!call) return;
    if (!call.hasArguments)
      this.#callDelta({ type: 'tool-call-delta', choice: 0, callId, argumentsDelta: NO_ARGUMENTS });
    this.#calls.delete(callId);
    this.#queue.close(call.block);
  }

  /** Stands within the text that it is about. */
  #citation(event: EventOf<'citation'>): void {
    const citation = citationOf(event);
    if (citation === undefined || !this.#queue.isRunning('text'))
      return this.#tell('citations', 'of this kind have no place in this API');
    const length = event.json.length;
    this.#queue.delta(this.#queue.running('text', TEXT), { type: 'citations_delta', citation }, length);
  }

  #native({ origin, name, json }: EventOf<'native'>): void {
    if (origin !== NATIVE_ORIGIN) return this.#tell(name, 'is a block that only its own API has');
    const input = parseNode(json).get('input');
    if (input?.kind !== 'object') return this.#queue.close(this.#queue.open(raw(json)));
    const block = this.#queue.open(withoutInput(json));
    this.#queue.delta(block, { type: 'input_json_delta', partial_json: input.text }, input.text.length);
    this.#queue.close(block);
  }

  #tell(field: string, reason: string): void {
    if (this.#told.has(field) || this.#told.size > 100) return;
    this.#told.add(field);
    this.warnings.lost(field, reason);
  }
}

/** Undefined for one that cannot be said here. */
function citationOf({ origin, json, url, title, quote }: EventOf<'citation'>): JsonOut | undefined {
  if (origin === NATIVE_ORIGIN) return raw(json);
  if (url === undefined) return undefined;
  return {
    type: 'web_search_result_location',
    url,
    title: title ?? null,
    encrypted_index: FOREIGN_CITATION,
    cited_text: quote ?? '',
  };
}

function withoutInput(json: string): Readonly<Record<string, JsonOut>> {
  const members = [...parseNode(json).members].map(([name, value]): [string, JsonOut] => [
    name,
    name === 'input' ? {} : raw(value.text),
  ]);
  return Object.fromEntries(members);
}
