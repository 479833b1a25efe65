/**
 * One choice of a chat answer: tokens to text, text to thoughts, calls and plain text, all of it as events. The parsers
 * see the text token by token, so that an engine's grouping changes nothing but the number of events.
 */
import type { FinishReason, TokenLogprob } from '../../domain/generation-event.ts';
import type { OutputLogprobs, TokenFinish } from '../../domain/token-generation.ts';
import type {
  AnswerEvent,
  AnswerParser,
  ReasoningFormat,
  ThoughtEvent,
  ThoughtParser,
  ToolEvent,
  ToolParser,
} from '../parsers/parser.ts';
import type { ThoughtStart } from '../parsers/reasoning/thought-parser.ts';
import { createThoughtParser } from '../parsers/reasoning/thought-parser.ts';
import { createListParser, createNamedParser } from '../parsers/tool/forced-calls.ts';
import type { TextAutomaton } from '../text-automaton.ts';
import type { AnswerOptions, EmitEvent } from './answer-options.ts';
import { LogprobLine } from './logprob-line.ts';
import { tokenLogprob } from './output-token.ts';
import type { TextPiece } from './text-output.ts';
import { TextOutput } from './text-output.ts';

/** Of most pieces. */
const NONE: readonly TokenLogprob[] = [];

export interface ChatOutputOptions extends AnswerOptions {
  readonly choice: number;
  readonly stops: TextAutomaton;
}

function reasoningOf({ reasoning, separatesThoughts, whole }: AnswerOptions): ReasoningFormat | undefined {
  return separatesThoughts && !whole ? reasoning : undefined;
}

function startOf({ beginsInThought, sampling: { constraint } }: AnswerOptions): ThoughtStart {
  return { beginsInside: beginsInThought, mayBeJson: constraint?.kind === 'json_schema' };
}

/** Special tokens that say where thoughts and calls begin and end. */
function markersOf(options: AnswerOptions): readonly string[] {
  const { reasoning, toolFormat, tools, forced, whole } = options;
  if (whole) return whole.format.markers;
  return [...(reasoning?.markers ?? []), ...(toolFormat && tools.length > 0 && !forced ? toolFormat.markers : [])];
}

function createToolParser(options: AnswerOptions): ToolParser | undefined {
  const { tools, toolFormat, forced, whole } = options;
  if (tools.length === 0 || whole) return undefined;
  const newCallId = callIdsOf(options);
  if (forced?.kind === 'named') return createNamedParser(forced.name, { tools, newCallId });
  if (forced) return createListParser({ tools, newCallId });
  return toolFormat?.create({ tools, newCallId });
}

function createAnswerParser(options: AnswerOptions): AnswerParser | undefined {
  const { tools, whole } = options;
  return whole?.format.create({ tools, newCallId: callIdsOf(options), beginsInText: whole.beginsInText });
}

function callIdsOf(options: AnswerOptions): (name: string) => string {
  const { toolFormat, priorCalls } = options;
  let count = priorCalls;
  return (name) => {
    const index = count;
    count += 1;
    const newId = (prefix: string) => options.newId(prefix);
    return toolFormat?.callIdOf?.({ name, index, newId }) ?? newId('call_');
  };
}

type DeltaKind = 'text-delta' | 'reasoning-delta' | 'tool-call-delta';

export class ChatOutput {
  readonly #options: ChatOutputOptions;
  readonly #choice: number;
  readonly #output: TextOutput;
  readonly #thoughts: ThoughtParser | undefined;
  readonly #tools: ToolParser | undefined;
  /** In place of both. */
  readonly #whole: AnswerParser | undefined;
  /** Where the logprobs stand in the text that each parser has been given. */
  readonly #ofText = new LogprobLine();
  readonly #ofAnswer = new LogprobLine();
  #textChars = 0;
  #answerChars = 0;
  #thoughtChars = 0;
  /** What goes into the next event. */
  #kind: DeltaKind = 'text-delta';
  #callId = '';
  #isTextOpen = false;
  #text = '';
  #logprobs: TokenLogprob[] = [];
  #emit: EmitEvent = () => undefined;
  #isThinking = false;
  #hasCalls = false;
  #isOver = false;
  #reasoningTokens = 0;
  #finish: TokenFinish | undefined;
  readonly #takePiece = (piece: TextPiece) => this.#piece(piece);
  readonly #takeThought = (event: ThoughtEvent) => this.#thought(event);
  readonly #takeTool = (event: ToolEvent) => this.#tool(event);
  readonly #takeWhole = (event: AnswerEvent) => this.#wholeEvent(event);

  constructor(options: ChatOutputOptions) {
    this.#options = options;
    this.#choice = options.choice;
    this.#output = new TextOutput({
      ...options,
      markers: markersOf(options),
      signsMarkers: options.whole !== undefined,
      showsIds: false,
    });
    const reasoning = reasoningOf(options);
    this.#thoughts = reasoning && createThoughtParser(reasoning, startOf(options));
    this.#tools = createToolParser(options);
    this.#whole = createAnswerParser(options);
  }

  /** Its `finish` has been told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the engine says, unless a stop string has ended the text earlier. */
  get completionTokens(): number {
    return this.#finish?.completionTokens || this.#output.tokenCount;
  }

  /** What the engine says; one that was not told to look for thoughts (SGLang without a parser) says 0. */
  get reasoningTokens(): number {
    // Engines count what stands between marks of another kind.
    if (this.#whole) return this.#reasoningTokens;
    return this.#finish?.reasoningTokens || this.#reasoningTokens;
  }

  push(ids: ArrayLike<number>, logprobs: OutputLogprobs | undefined, emit: EmitEvent): void {
    this.#emit = emit;
    this.#output.push(ids, logprobs, this.#takePiece);
    // A stop token is the engine's to tell, with its counts; of a string that was found here it may know nothing.
    if (typeof this.#output.matchedStop === 'string') this.#close('stop_sequence', this.#output.matchedStop);
    else this.#flush();
  }

  finished(finish: TokenFinish, emit: EmitEvent): void {
    if (this.#isOver) return;
    this.#emit = emit;
    this.#finish = finish;
    this.#output.finish(this.#takePiece);
    const stop = this.#output.matchedStop ?? finish.matchedStop;
    if (!this.#output.isStopped && finish.reason === 'length') this.#close('length', undefined);
    else if (typeof stop === 'string') this.#close('stop_sequence', stop);
    else this.#close('stop', undefined);
  }

  /** The engine says nothing more. A choice that a stop token has ended is complete without its word. */
  end(emit: EmitEvent): void {
    if (this.#isOver || !this.#output.isStopped) return;
    this.#emit = emit;
    this.#close('stop', undefined);
  }

  #close(reason: FinishReason, stopSequence: string | undefined): void {
    this.#whole?.end(this.#takeWhole);
    this.#thoughts?.end(this.#takeThought);
    if (this.#isThinking) this.#thought({ type: 'reasoning-end' });
    this.#tools?.end(this.#takeTool);
    this.#flush();
    this.#closeText();
    this.#isOver = true;
    this.#emit({
      type: 'finish',
      choice: this.#choice,
      reason: this.#hasCalls && reason !== 'length' ? 'tool_calls' : reason,
      stopSequence,
      detail: undefined,
    });
  }

  #piece({ text, count, tokens }: TextPiece): void {
    const from = this.#textChars;
    this.#textChars += text.length;
    const { tokenizer } = this.#options;
    const logprobs = tokens?.map((token) => tokenLogprob(tokenizer, token)) ?? NONE;
    if (!this.#thoughts && !this.#whole) return this.#answer(text, logprobs);
    if (logprobs.length > 0) this.#ofText.add(logprobs, from, this.#textChars);
    const thought = this.#thoughtChars;
    this.#thoughts?.push(text, this.#takeThought);
    this.#whole?.push(text, this.#takeWhole);
    if (this.#thoughtChars > thought) this.#reasoningTokens += count;
  }

  #wholeEvent(event: AnswerEvent): void {
    const isApart = this.#options.separatesThoughts;
    switch (event.type) {
      case 'text':
      case 'reasoning':
        return this.#thought(isApart ? event : { ...event, type: 'text' });
      case 'reasoning-end':
        return isApart ? this.#endThought() : this.#endText();
      case 'text-end':
        return this.#endText();
      default:
        this.#tool(event);
    }
  }

  #thought(event: ThoughtEvent): void {
    if (event.type === 'reasoning-end') return this.#endThought();
    const logprobs = this.#ofText.isEmpty ? NONE : this.#ofText.take(event.from, event.from + event.text.length);
    if (event.type === 'text') return this.#answer(event.text, logprobs);
    this.#isThinking = true;
    this.#thoughtChars += event.text.length;
    this.#add('reasoning-delta', event.text, NONE);
  }

  #endThought(): void {
    this.#flush();
    this.#isThinking = false;
    const end = { signature: undefined, isRedacted: false, itemId: undefined };
    this.#emit({ type: 'reasoning-end', choice: this.#choice, ...end });
  }

  #answer(text: string, logprobs: readonly TokenLogprob[]): void {
    if (!this.#tools) return this.#add('text-delta', text, logprobs);
    const from = this.#answerChars;
    this.#answerChars += text.length;
    if (logprobs.length > 0) this.#ofAnswer.add(logprobs, from, this.#answerChars);
    this.#tools.push(text, this.#takeTool);
  }

  #tool(event: ToolEvent): void {
    const choice = this.#choice;
    if (event.type === 'text') {
      const { text, from } = event;
      const logprobs = this.#ofAnswer.isEmpty ? NONE : this.#ofAnswer.take(from, from + text.length);
      return this.#add('text-delta', text, logprobs);
    }
    if (event.type === 'call-delta') return this.#add('tool-call-delta', event.argumentsDelta, []);
    this.#flush();
    this.#closeText();
    const { callId } = event;
    if (event.type === 'call-end') return this.#emit({ type: 'tool-call-end', choice, callId });
    this.#hasCalls = true;
    this.#callId = callId;
    this.#emit({ type: 'tool-call-start', choice, callId, name: event.name, signature: undefined });
  }

  #add(kind: DeltaKind, text: string, logprobs: readonly TokenLogprob[]): void {
    if (kind !== this.#kind) {
      this.#flush();
      this.#closeText();
    }
    this.#kind = kind;
    this.#text += text;
    if (logprobs.length > 0) this.#logprobs.push(...logprobs);
  }

  #endText(): void {
    this.#flush();
    this.#closeText();
  }

  #closeText(): void {
    if (!this.#isTextOpen) return;
    this.#isTextOpen = false;
    this.#emit({ type: 'text-end', choice: this.#choice, signature: undefined });
  }

  #flush(): void {
    const text = this.#text;
    const logprobs = this.#logprobs;
    if (text === '' && logprobs.length === 0) return;
    this.#text = '';
    if (logprobs.length > 0) this.#logprobs = [];
    const choice = this.#choice;
    if (this.#kind === 'reasoning-delta') this.#emit({ type: 'reasoning-delta', choice, text });
    else if (this.#kind === 'tool-call-delta')
      this.#emit({ type: 'tool-call-delta', choice, callId: this.#callId, argumentsDelta: text });
    else {
      this.#isTextOpen = true;
      this.#emit({ type: 'text-delta', choice, text, logprobs: logprobs.length > 0 ? logprobs : undefined });
    }
  }
}
