/** A planned conversation as a body of the Responses API. */
import { carryThought, splitThought } from '../../../src/protocols/openai-responses/carried-thought.ts';
import type { Json } from './marks.ts';
import { inputOf, Marks, schemaOf, strictSchema, toolName } from './marks.ts';
import type { ConversationPlan, Piece, PlannedCall, Round } from './plan.ts';
import { schemeOf } from './write-chat.ts';

export function writeResponses(plan: ConversationPlan): Json {
  const marks = new Marks();
  const writer = new ItemWriter(marks);
  const [opening] = plan.opening;
  return {
    model: 'gpt-5-mini',
    instructions: opening === undefined ? undefined : marks.text(opening),
    input: plan.rounds.flatMap((round, index) =>
      writer.round(round, index === plan.rounds.length - 1 ? plan.end : undefined),
    ),
    ...options(plan, marks),
  };
}

class ItemWriter {
  readonly #marks: Marks;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  round(round: Round, end: ConversationPlan['end'] | undefined): Json[] {
    const marks = this.#marks;
    const items: Json[] = round.system.map((shape) => ({
      type: 'message',
      role: 'developer',
      content: marks.text(shape),
    }));
    items.push(this.#user(round));
    if (round.again) items.push({ role: 'user', content: marks.word() });
    if (end === 'user') return items;
    if (end === 'prefill') return [...items, { role: 'assistant', content: marks.text('trailing') }];
    items.push(...this.#thought(round), ...this.#message(round));
    const calls = round.calls.map((call) => ({ ...this.#call(call), plan: call }));
    items.push(...calls.map(({ wire }) => wire));
    const results = calls.flatMap(({ id, plan }) => this.#result(id, plan));
    items.push(...(round.isReversed ? results.reverse() : results));
    if (round.adds.length > 0)
      items.push({ type: 'message', role: 'user', content: round.adds.map((piece) => this.#piece(piece)) });
    if (end === undefined && round.concludes !== undefined && round.calls.length > 0)
      items.push({
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: marks.text(round.concludes) }],
      });
    return items;
  }

  #user({ isPlain, user }: Round): Json {
    const [first] = user;
    if (isPlain && first?.type === 'text') return { role: 'user', content: this.#marks.text(first.shape) };
    return { type: 'message', role: 'user', content: user.map((piece) => this.#piece(piece)) };
  }

  #piece(piece: Piece): Json {
    const marks = this.#marks;
    if (piece.type === 'text') return { type: 'input_text', text: marks.text(piece.shape) };
    if (piece.type === 'image') {
      const url =
        piece.by === 'bytes' ? `data:image/png;base64,${marks.image()}` : marks.url(schemeOf(piece.by), 'png');
      return { type: 'input_image', image_url: url, detail: piece.detail ?? 'auto' };
    }
    if (piece.by === 'url') return { type: 'input_file', file_url: marks.url('https', 'pdf') };
    const data = `data:application/pdf;base64,${marks.pdf()}`;
    return { type: 'input_file', filename: `${marks.word()}.pdf`, file_data: data };
  }

  #message(round: Round): Json[] {
    const marks = this.#marks;
    const text = round.says === undefined ? [] : [{ type: 'output_text', text: marks.text(round.says) }];
    const refusal = round.refuses ? [{ type: 'refusal', refusal: marks.word() }] : [];
    const content = [...text, ...refusal];
    if (content.length > 0) return [{ type: 'message', role: 'assistant', content }];
    return round.calls.length > 0 ? [] : [{ type: 'message', role: 'assistant', content: marks.word() }];
  }

  #thought({ thought, calls }: Round): Json[] {
    if (!thought) return [];
    const { text, proof, itemId } = this.#marks.thought(thought.origin, calls[0] && toolName(calls[0].tool));
    const summary = thought.kind === 'redacted' ? [] : [{ type: 'summary_text', text }];
    if (thought.kind === 'open') return [{ type: 'reasoning', id: `rs_${this.#marks.word()}`, summary }];
    if (thought.origin === 'openai')
      return [{ type: 'reasoning', id: itemId, summary, encrypted_content: splitThought(proof).encrypted }];
    const thing = thought.kind === 'redacted' ? 'redacted' : 'thought';
    const carried = carryThought(thing, { origin: thought.origin, value: proof });
    return [{ type: 'reasoning', id: itemId ?? `rs_smg-${this.#marks.word()}`, summary, encrypted_content: carried }];
  }

  #call(call: PlannedCall): { readonly id: string; readonly wire: Json } {
    const id = this.#marks.callId(call.id).slice(0, 64);
    const input = inputOf(call.input, this.#marks);
    const text = input === undefined ? '' : JSON.stringify(input);
    return { id, wire: { type: 'function_call', call_id: id, name: toolName(call.tool), arguments: text } };
  }

  #result(id: string, { result }: PlannedCall): Json[] {
    if (result === 'missing') return [];
    return [{ type: 'function_call_output', call_id: id, output: this.#output(result) }];
  }

  #output(result: PlannedCall['result']): unknown {
    const marks = this.#marks;
    if (result === 'empty') return '';
    if (result === 'blank') return ' ';
    const text = { type: 'input_text', text: marks.text('lines') };
    if (result === 'list') return [text, { type: 'input_text', text: marks.word() }];
    if (result === 'image') return [text, this.#piece({ type: 'image', by: 'bytes', detail: 'low' })];
    return marks.text(result === 'json' ? 'json' : 'unicode');
  }
}

function options({ tools, wishes, isOldSpelling }: ConversationPlan, marks: Marks): Json {
  return {
    tools: tools.map(({ schema, isStrict }, index) => ({
      type: 'function',
      name: toolName(index),
      description: marks.word(),
      parameters: (isStrict === true ? strictSchema(marks) : schemaOf(schema, marks)) ?? null,
      strict: isStrict ?? false,
    })),
    tool_choice: wishes.choice === 'named' ? { type: 'function', name: toolName(1) } : wishes.choice,
    parallel_tool_calls: wishes.isSerial === undefined ? undefined : !wishes.isSerial,
    text: textOf(wishes, marks),
    reasoning: reasoningOf(wishes.thinking),
    max_output_tokens: wishes.limit ? marks.whole(9_000) : undefined,
    temperature: wishes.temperature ? marks.fraction() : undefined,
    top_p: wishes.topP ? marks.fraction() : undefined,
    top_logprobs: wishes.logprobs ? 7 : undefined,
    [isOldSpelling ? 'user' : 'safety_identifier']: wishes.user ? marks.word() : undefined,
    metadata: wishes.metadata ? { note: marks.word() } : undefined,
    service_tier: wishes.tier,
    prompt_cache_key: wishes.cacheKey ? marks.word() : undefined,
    store: wishes.store,
    stream: wishes.isStream || undefined,
    ...(wishes.future ? { a_field_of_tomorrow: { deep: [marks.word()] }, max_tool_calls: marks.whole(50) } : {}),
  };
}

function textOf({ format, verbosity }: ConversationPlan['wishes'], marks: Marks): Json | undefined {
  if (format === undefined && !verbosity) return undefined;
  return { format: formatOf(format, marks), verbosity: verbosity ? 'low' : undefined };
}

function formatOf(format: ConversationPlan['wishes']['format'], marks: Marks): Json | undefined {
  if (format === undefined) return undefined;
  if (format === 'object') return { type: 'json_object' };
  const isStrict = format === 'strict';
  const schema = isStrict ? strictSchema(marks) : schemaOf('limits', marks);
  return { type: 'json_schema', name: `format_${marks.word()}`, description: marks.word(), schema, strict: isStrict };
}

function reasoningOf(thinking: ConversationPlan['wishes']['thinking']): Json | undefined {
  if (thinking === undefined) return undefined;
  if (thinking === 'low' || thinking === 'high') return { effort: thinking, summary: 'auto' };
  return thinking === 'off' ? { effort: 'minimal' } : { summary: 'detailed' };
}
