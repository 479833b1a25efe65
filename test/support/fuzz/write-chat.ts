/** A planned conversation as a chat completions body. */
import type { JsonOut } from '../../../src/protocols/hub/json-text.ts';
import { jsonText } from '../../../src/protocols/hub/json-text.ts';
import { writeThought } from '../../../src/protocols/openai-chat/reasoning-details.ts';
import type { Json } from './marks.ts';
import { inputOf, Marks, schemaOf, strictSchema, toolName } from './marks.ts';
import type { ConversationPlan, Piece, PlannedCall, Round } from './plan.ts';

export function writeChat(plan: ConversationPlan): Json {
  const marks = new Marks();
  const writer = new ChatWriter(marks);
  return { model: 'asked-model', messages: writer.messages(plan), ...options(plan, marks) };
}

class ChatWriter {
  readonly #marks: Marks;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  messages({ opening, isOpeningPlain, rounds, end }: ConversationPlan): Json[] {
    const messages: Json[] = [];
    if (opening.length > 0)
      messages.push({
        role: isOpeningPlain ? 'system' : 'developer',
        content: isOpeningPlain
          ? this.#marks.text(opening[0] ?? 'word')
          : opening.map((shape) => ({ type: 'text', text: this.#marks.text(shape) })),
      });
    rounds.forEach((round, index) =>
      messages.push(...this.#round(round, index === rounds.length - 1 ? end : undefined)),
    );
    return messages;
  }

  #round(round: Round, end: ConversationPlan['end'] | undefined): Json[] {
    const messages: Json[] = round.system.map((shape) => ({ role: 'system', content: this.#marks.text(shape) }));
    messages.push({
      role: 'user',
      content: this.#content(round),
      ...(round.again ? { name: this.#marks.word() } : {}),
    });
    if (round.again) messages.push({ role: 'user', content: this.#marks.word() });
    if (end === 'user') return messages;
    if (end === 'prefill') return [...messages, { role: 'assistant', content: this.#marks.text('trailing') }];
    const calls = round.calls.map((call) => ({ ...this.#call(call), plan: call }));
    messages.push(
      this.#assistant(
        round,
        calls.map(({ wire }) => wire),
      ),
    );
    const results = calls.flatMap(({ id, plan }) => this.#result(id, plan));
    messages.push(...(round.isReversed ? results.reverse() : results));
    if (round.adds.length > 0) messages.push({ role: 'user', content: round.adds.map((piece) => this.#piece(piece)) });
    if (end === undefined && round.concludes !== undefined && round.calls.length > 0)
      messages.push({ role: 'assistant', content: this.#marks.text(round.concludes) });
    return messages;
  }

  #content({ isPlain, user }: Round): string | Json[] {
    const [first] = user;
    if (isPlain && first?.type === 'text') return this.#marks.text(first.shape);
    return user.map((piece) => this.#piece(piece));
  }

  #piece(piece: Piece): Json {
    const marks = this.#marks;
    if (piece.type === 'text') {
      const cache = piece.isMarked ? { cache_control: { type: 'ephemeral' } } : {};
      return { type: 'text', text: marks.text(piece.shape), ...cache };
    }
    if (piece.type === 'image') {
      const url =
        piece.by === 'bytes' ? `data:image/png;base64,${marks.image()}` : marks.url(schemeOf(piece.by), 'png');
      return { type: 'image_url', image_url: { url, detail: piece.detail } };
    }
    return {
      type: 'file',
      file: { filename: `${marks.word()}.pdf`, file_data: `data:application/pdf;base64,${marks.pdf()}` },
    };
  }

  #assistant(round: Round, calls: readonly Json[]): Json {
    const marks = this.#marks;
    const text = round.says === undefined ? undefined : marks.text(round.says);
    const refusal = round.refuses ? marks.word() : undefined;
    const isSilent = calls.length === 0 && refusal === undefined;
    return {
      role: 'assistant',
      content: text ?? (isSilent ? marks.word() : null),
      refusal,
      ...this.#thought(round),
      tool_calls: calls.length > 0 ? calls : undefined,
    };
  }

  #thought({ thought, calls }: Round): Json {
    if (!thought) return {};
    if (thought.kind === 'open') return { reasoning_content: this.#marks.word() };
    const { text, proof, itemId } = this.#marks.thought(thought.origin, calls[0] && toolName(calls[0].tool));
    const isRedacted = thought.kind === 'redacted' && thought.origin === 'anthropic';
    const signature = { origin: thought.origin, value: proof };
    const details: JsonOut[] = writeThought({ text: isRedacted ? '' : text, signature, isRedacted, itemId }, 0);
    return { reasoning_details: details.map((detail): unknown => JSON.parse(jsonText(detail))) };
  }

  #call(call: PlannedCall): { readonly id: string; readonly wire: Json } {
    const id = this.#marks.callId(call.id);
    const input = inputOf(call.input, this.#marks);
    const text = input === undefined ? '' : JSON.stringify(input, undefined, call.input === 'flat' ? 1 : 0);
    return { id, wire: { id, type: 'function', function: { name: toolName(call.tool), arguments: text } } };
  }

  #result(id: string, { result }: PlannedCall): Json[] {
    if (result === 'missing') return [];
    const marks = this.#marks;
    const word =
      result === 'empty' ? '' : result === 'blank' ? ' ' : marks.text(result === 'json' ? 'json' : 'unicode');
    const isList = result === 'list' || result === 'image';
    const content = isList
      ? [
          { type: 'text', text: word },
          { type: 'text', text: marks.word() },
        ]
      : word;
    return [{ role: 'tool', tool_call_id: id, content }];
  }
}

export function schemeOf(by: 'url' | 'http'): string {
  return by === 'url' ? 'https' : 'http';
}

function options({ tools, wishes, isOldSpelling }: ConversationPlan, marks: Marks): Json {
  return {
    tools: tools.map(({ schema, isStrict, isMarked }, index) => ({
      type: 'function',
      function: {
        name: toolName(index),
        description: marks.word(),
        parameters: isStrict === true ? strictSchema(marks) : schemaOf(schema, marks),
        strict: isStrict,
      },
      ...(isMarked ? { cache_control: { type: 'ephemeral' } } : {}),
    })),
    tool_choice: wishes.choice === 'named' ? { type: 'function', function: { name: toolName(1) } } : wishes.choice,
    parallel_tool_calls: wishes.isSerial === undefined ? undefined : !wishes.isSerial,
    response_format: formatOf(wishes.format, marks),
    ...thinkingOf(wishes.thinking, marks),
    [isOldSpelling ? 'max_tokens' : 'max_completion_tokens']: wishes.limit ? marks.whole(9_000) : undefined,
    temperature: wishes.temperature ? marks.fraction() : undefined,
    top_p: wishes.topP ? marks.fraction() : undefined,
    top_k: wishes.topK ? marks.whole(1_000) : undefined,
    stop: wishes.stops === 0 ? undefined : Array.from({ length: wishes.stops }, () => marks.word()),
    seed: wishes.seed ? marks.whole(500_000) : undefined,
    frequency_penalty: wishes.penalties ? marks.fraction() : undefined,
    presence_penalty: wishes.penalties ? -marks.fraction() : undefined,
    n: wishes.choices ? 3 : undefined,
    logprobs: wishes.logprobs || undefined,
    top_logprobs: wishes.logprobs ? 7 : undefined,
    logit_bias: wishes.bias ? { '1234': 41 } : undefined,
    [isOldSpelling ? 'user' : 'safety_identifier']: wishes.user ? marks.word() : undefined,
    metadata: wishes.metadata ? { note: marks.word() } : undefined,
    service_tier: wishes.tier,
    verbosity: wishes.verbosity ? 'low' : undefined,
    prompt_cache_key: wishes.cacheKey ? marks.word() : undefined,
    store: wishes.store,
    stream: wishes.isStream || undefined,
    ...(wishes.future
      ? { a_field_of_tomorrow: { deep: [marks.word()] }, prediction: { type: 'content', content: marks.word() } }
      : {}),
  };
}

function formatOf(format: ConversationPlan['wishes']['format'], marks: Marks): Json | undefined {
  if (format === undefined) return undefined;
  if (format === 'object') return { type: 'json_object' };
  const isStrict = format === 'strict';
  const schema = isStrict ? strictSchema(marks) : schemaOf('limits', marks);
  const name = `format_${marks.word()}`;
  return {
    type: 'json_schema',
    json_schema: { name, description: marks.word(), schema, strict: isStrict || undefined },
  };
}

function thinkingOf(thinking: ConversationPlan['wishes']['thinking'], marks: Marks): Json {
  if (thinking === undefined) return {};
  if (thinking === 'off') return { reasoning_effort: 'none' };
  if (thinking === 'budget') return { reasoning: { max_tokens: marks.whole(2_000) } };
  return thinking === 'adaptive' ? { thinking: { type: 'adaptive' } } : { reasoning_effort: thinking };
}
