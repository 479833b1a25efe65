/** A planned conversation as a body of the Messages API. */
import { carrySignature } from '../../../src/protocols/hub/carried-signature.ts';
import type { Json } from './marks.ts';
import { inputOf, Marks, schemaOf, strictSchema, toolName } from './marks.ts';
import type { ConversationPlan, Piece, PlannedCall, Round, TextShape } from './plan.ts';
import { schemeOf } from './write-chat.ts';

export function writeMessages(plan: ConversationPlan): Json {
  const marks = new Marks();
  const writer = new MessagesWriter(marks);
  const texts = plan.opening.map((shape) => marks.text(shape));
  return {
    model: 'asked-model',
    system:
      texts.length === 0
        ? undefined
        : plan.isOpeningPlain
          ? texts.join('\n')
          : texts.map((text) => ({ type: 'text', text })),
    messages: plan.rounds.flatMap((round, index) =>
      writer.round(round, index === plan.rounds.length - 1 ? plan.end : undefined),
    ),
    ...options(plan, marks),
  };
}

class MessagesWriter {
  readonly #marks: Marks;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  round(round: Round, end: ConversationPlan['end'] | undefined): Json[] {
    const messages: Json[] = [{ role: 'user', content: this.#content(round) }];
    if (round.again) messages.push({ role: 'user', content: this.#marks.word() });
    if (round.system.length > 0)
      messages.push({
        role: 'system',
        content: round.system.map((shape) => ({ type: 'text', text: this.#marks.text(shape) })),
      });
    if (end === 'user') return messages;
    if (end === 'prefill') return [...messages, { role: 'assistant', content: this.#marks.text('trailing') }];
    const calls = round.calls.map((call) => ({ ...this.#call(call), plan: call }));
    messages.push({
      role: 'assistant',
      content: this.#answer(
        round,
        calls.map(({ wire }) => wire),
      ),
    });
    const results = calls.flatMap(({ id, plan }) => this.#result(id, plan));
    const after = round.adds.map((piece) => this.#piece(piece));
    const content = [...(round.isReversed ? results.reverse() : results), ...after];
    if (content.length > 0) messages.push({ role: 'user', content });
    if (end === undefined && round.concludes !== undefined && round.calls.length > 0)
      messages.push({ role: 'assistant', content: this.#marks.text(round.concludes) });
    return messages;
  }

  #content({ isPlain, user }: Round): string | Json[] {
    const [first] = user;
    if (isPlain && first?.type === 'text') return this.#said(first.shape);
    return user.map((piece) => this.#piece(piece));
  }

  /** The API takes no text without a word. */
  #said(shape: TextShape): string {
    return this.#marks.text(shape === 'empty' || shape === 'blank' ? 'word' : shape);
  }

  #piece(piece: Piece): Json {
    const marks = this.#marks;
    if (piece.type === 'text') {
      const cache = piece.isMarked ? { cache_control: { type: 'ephemeral', ttl: '5m' } } : {};
      return { type: 'text', text: this.#said(piece.shape), ...cache };
    }
    if (piece.type === 'image') {
      if (piece.by !== 'bytes')
        return { type: 'image', source: { type: 'url', url: marks.url(schemeOf(piece.by), 'png') } };
      return { type: 'image', source: { type: 'base64', media_type: 'image/png', data: marks.image() } };
    }
    return {
      type: 'document',
      source: this.#source(piece.by),
      title: piece.isNamed ? marks.word() : undefined,
      context: piece.isNamed ? marks.word() : undefined,
      citations: piece.isNamed ? { enabled: true } : undefined,
    };
  }

  #source(by: 'url' | 'bytes' | 'text'): Json {
    const marks = this.#marks;
    if (by === 'url') return { type: 'url', url: marks.url('https', 'pdf') };
    if (by === 'text') return { type: 'text', media_type: 'text/plain', data: marks.text('lines') };
    return { type: 'base64', media_type: 'application/pdf', data: marks.pdf() };
  }

  #answer(round: Round, calls: readonly Json[]): Json[] {
    const thoughts = this.#thought(round);
    const texts = round.says === undefined ? [] : [{ type: 'text', text: this.#said(round.says) }];
    const blocks = [...thoughts, ...texts, ...calls];
    return texts.length + calls.length > 0 ? blocks : [...blocks, { type: 'text', text: this.#marks.word() }];
  }

  #thought({ thought, calls }: Round): Json[] {
    if (!thought || thought.kind === 'open') return [];
    const { text, proof } = this.#marks.thought(thought.origin, calls[0] && toolName(calls[0].tool));
    const carried = carrySignature({ origin: thought.origin, value: proof }, 'anthropic');
    if (thought.kind === 'redacted') return [{ type: 'redacted_thinking', data: carried }];
    return [{ type: 'thinking', thinking: text, signature: carried }];
  }

  #call(call: PlannedCall): { readonly id: string; readonly wire: Json } {
    const id = this.#marks.callId(call.id).replace(/[^a-zA-Z0-9_-]/g, '_');
    return {
      id,
      wire: { type: 'tool_use', id, name: toolName(call.tool), input: inputOf(call.input, this.#marks) ?? {} },
    };
  }

  #result(id: string, { result }: PlannedCall): Json[] {
    if (result === 'missing') return [];
    const block = { type: 'tool_result', tool_use_id: id, is_error: result === 'error' || undefined };
    return [{ ...block, content: this.#resultContent(result) }];
  }

  #resultContent(result: PlannedCall['result']): unknown {
    const marks = this.#marks;
    if (result === 'empty') return undefined;
    if (result === 'list')
      return [
        { type: 'text', text: marks.text('unicode') },
        { type: 'text', text: marks.word() },
      ];
    if (result === 'image') {
      const image = this.#piece({ type: 'image', by: 'bytes', detail: undefined });
      return [
        { type: 'text', text: marks.word() },
        image,
        this.#piece({ type: 'document', by: 'bytes', isNamed: true }),
      ];
    }
    return result === 'blank' ? ' ' : marks.text(result === 'json' ? 'json' : 'lines');
  }
}

function options({ tools, wishes }: ConversationPlan, marks: Marks): Json {
  const isThinking = wishes.thinking !== undefined && wishes.thinking !== 'off';
  return {
    max_tokens: marks.whole(12_000),
    tools: tools.map(({ schema, isStrict, isMarked }, index) => ({
      name: toolName(index),
      description: marks.word(),
      input_schema: (isStrict === true ? strictSchema(marks) : schemaOf(schema, marks)) ?? { type: 'object' },
      strict: isStrict,
      ...(isMarked ? { cache_control: { type: 'ephemeral' } } : {}),
    })),
    tool_choice: isThinking ? undefined : choiceOf(wishes),
    ...thinkingOf(wishes.thinking, marks),
    output_config:
      wishes.format === undefined ? undefined : { format: { type: 'json_schema', schema: strictSchema(marks) } },
    temperature: wishes.temperature && !isThinking ? marks.fraction() : undefined,
    top_p: wishes.topP ? marks.fraction() : undefined,
    top_k: wishes.topK && !isThinking ? marks.whole(1_000) : undefined,
    stop_sequences: wishes.stops === 0 ? undefined : Array.from({ length: wishes.stops }, () => marks.word()),
    metadata: wishes.user ? { user_id: marks.word() } : undefined,
    service_tier: wishes.tier === undefined ? undefined : wishes.tier === 'auto' ? 'auto' : 'standard_only',
    stream: wishes.isStream || undefined,
    ...(wishes.future ? { a_field_of_tomorrow: { deep: [marks.word()] }, container: marks.word() } : {}),
  };
}

function choiceOf({ choice, isSerial }: ConversationPlan['wishes']): Json | undefined {
  if (choice === undefined)
    return isSerial === undefined ? undefined : { type: 'auto', disable_parallel_tool_use: isSerial };
  if (choice === 'none') return { type: 'none' };
  const type = choice === 'required' ? 'any' : choice === 'named' ? 'tool' : 'auto';
  return { type, name: choice === 'named' ? toolName(1) : undefined, disable_parallel_tool_use: isSerial };
}

function thinkingOf(thinking: ConversationPlan['wishes']['thinking'], marks: Marks): Json {
  if (thinking === undefined) return {};
  if (thinking === 'off') return { thinking: { type: 'disabled' } };
  return { thinking: { type: 'enabled', budget_tokens: marks.whole(2_000) } };
}
