/** Takes the signed thoughts of an answer off its events, as far as they led to tool calls. */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { ReasoningPart } from '../../domain/generation.ts';
import type { KeptThoughts } from './reasoning-vault.ts';

/** Longer thoughts of one answer are not kept. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

type ReasoningEnd = Extract<GenerationEvent, { type: 'reasoning-end' }>;

export class ThoughtWatch {
  readonly #keep: (callId: string, thoughts: KeptThoughts) => void;
  /** By choice; there is nearly always one. */
  readonly #segments = new Map<number, Segment>();
  #characters = 0;

  /** `keep` is told of each tool call with thoughts before it, or with a signature of its own. */
  constructor(keep: (callId: string, thoughts: KeptThoughts) => void) {
    this.#keep = keep;
  }

  event(event: GenerationEvent): void {
    switch (event.type) {
      case 'reasoning-delta':
        this.#characters += event.text.length;
        if (this.#characters <= MAX_CHARACTERS) this.#segment(event.choice).text += event.text;
        return;
      case 'reasoning-end':
        return this.#thought(event);
      case 'text-delta':
        return this.#textBegins(event.choice);
      case 'tool-call-start':
        return this.#called(event);
      default:
    }
  }

  #thought({ choice, signature, isRedacted, itemId }: ReasoningEnd): void {
    const segment = this.#segment(choice);
    const { text } = segment;
    segment.text = '';
    this.#characters += signature?.value.length ?? 0;
    // Without a signature nobody takes it back as a thought; with half of its text it would be refused.
    if (!signature || this.#characters > MAX_CHARACTERS) return;
    segment.trailing.push({ type: 'reasoning', text, signature, isRedacted, itemId });
  }

  /** What came before the text leads it. */
  #textBegins(choice: number): void {
    const segment = this.#segments.get(choice);
    if (!segment || segment.trailing.length === 0) return;
    segment.leading.push(...segment.trailing);
    segment.trailing = [];
  }

  #called({ choice, callId, signature }: Extract<GenerationEvent, { type: 'tool-call-start' }>): void {
    const { leading, trailing } = this.#segments.get(choice) ?? EMPTY;
    this.#segments.delete(choice);
    if (leading.length + trailing.length > 0 || signature) this.#keep(callId, { leading, trailing, signature });
  }

  #segment(choice: number): Segment {
    const known = this.#segments.get(choice);
    if (known) return known;
    const segment = { text: '', leading: [], trailing: [] };
    this.#segments.set(choice, segment);
    return segment;
  }
}

/** What has come since the last tool call of a choice. */
interface Segment {
  /** Of the thought under way. */
  text: string;
  readonly leading: ReasoningPart[];
  trailing: ReasoningPart[];
}

const EMPTY: Segment = { text: '', leading: [], trailing: [] };
