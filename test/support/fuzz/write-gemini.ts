/** A planned conversation as a `generateContent` body. */
import { writeSignature, writeThoughtMarks } from '../../../src/protocols/gemini/thought-signature.ts';
import type { Json } from './marks.ts';
import { inputOf, Marks, schemaOf, strictSchema, toolName } from './marks.ts';
import type { ConversationPlan, Piece, PlannedCall, PlannedThought, Round, TextShape } from './plan.ts';
import { schemeOf } from './write-chat.ts';

export function writeGemini(plan: ConversationPlan): Json {
  const marks = new Marks();
  const writer = new ContentWriter(marks, plan.isOldSpelling);
  return {
    systemInstruction:
      plan.opening.length === 0 ? undefined : { parts: plan.opening.map((shape) => ({ text: marks.text(shape) })) },
    contents: plan.rounds.flatMap((round, index) =>
      writer.round(round, index === plan.rounds.length - 1 ? plan.end : undefined),
    ),
    ...options(plan, marks),
  };
}

class ContentWriter {
  readonly #marks: Marks;
  /** Calls of older models have no ids. */
  readonly #isUnnamed: boolean;

  constructor(marks: Marks, isUnnamed: boolean) {
    this.#marks = marks;
    this.#isUnnamed = isUnnamed;
  }

  round(round: Round, end: ConversationPlan['end'] | undefined): Json[] {
    const contents: Json[] = [{ role: 'user', parts: round.user.map((piece) => this.#piece(piece)) }];
    if (round.again) contents.push({ parts: [{ text: this.#marks.word() }] });
    if (end === 'user') return contents;
    if (end === 'prefill') return [...contents, { role: 'model', parts: [{ text: this.#marks.text('trailing') }] }];
    const calls = round.calls.map((call) => ({ ...this.#call(call, round.thought), plan: call }));
    contents.push({
      role: 'model',
      parts: this.#answer(
        round,
        calls.map(({ wire }) => wire),
      ),
    });
    const results = calls.flatMap(({ id, plan }) => this.#result(id, plan));
    const isReversed = round.isReversed && !this.#isUnnamed;
    const parts = [...(isReversed ? results.reverse() : results), ...round.adds.map((piece) => this.#piece(piece))];
    if (parts.length > 0) contents.push({ role: 'user', parts });
    if (end === undefined && round.concludes !== undefined && round.calls.length > 0)
      contents.push({ role: 'model', parts: [{ text: this.#marks.text(round.concludes) }] });
    return contents;
  }

  #piece(piece: Piece): Json {
    const marks = this.#marks;
    if (piece.type === 'text') return { text: this.#said(piece.shape) };
    if (piece.type === 'image') {
      if (piece.by === 'bytes') return { inlineData: { mimeType: 'image/png', data: marks.image() } };
      return { fileData: { mimeType: 'image/png', fileUri: marks.url(schemeOf(piece.by), 'png') } };
    }
    if (piece.by === 'url') return { file_data: { mime_type: 'application/pdf', file_uri: marks.url('https', 'pdf') } };
    if (piece.by === 'bytes') return { inlineData: { mimeType: 'application/pdf', data: marks.pdf() } };
    return { inlineData: { mimeType: 'text/plain', data: Buffer.from(marks.text('lines')).toString('base64') } };
  }

  #said(shape: TextShape): string {
    return this.#marks.text(shape === 'empty' ? 'word' : shape);
  }

  #answer(round: Round, calls: readonly Json[]): Json[] {
    const thoughts = this.#thought(round.thought);
    const texts = round.says === undefined ? [] : [{ text: this.#said(round.says) }];
    const parts = [...thoughts, ...texts, ...calls];
    return texts.length + calls.length > 0 ? parts : [...parts, { text: this.#marks.word() }];
  }

  #thought(thought: PlannedThought | undefined): Json[] {
    if (!thought || thought.origin === 'gemini') return [];
    if (thought.kind === 'open') return [{ text: this.#marks.word(), thought: true }];
    const { text, proof, itemId } = this.#marks.thought(thought.origin);
    const isRedacted = thought.kind === 'redacted' && thought.origin === 'anthropic';
    const thoughtSignature = writeThoughtMarks({
      signature: { origin: thought.origin, value: proof },
      isRedacted,
      itemId,
    });
    return [{ text: isRedacted ? '' : text, thought: true, thoughtSignature }];
  }

  #call(
    call: PlannedCall,
    thought: PlannedThought | undefined,
  ): { readonly id: string | undefined; readonly name: string; readonly wire: Json } {
    const id = this.#isUnnamed ? undefined : this.#marks.callId(call.id);
    const name = toolName(call.tool);
    const isSigned = thought?.origin === 'gemini' && thought.kind !== 'open';
    const thoughtSignature = isSigned
      ? writeSignature({ origin: 'gemini', value: this.#marks.callProof(name) })
      : undefined;
    return { id, name, wire: { functionCall: { id, name, args: inputOf(call.input, this.#marks) }, thoughtSignature } };
  }

  #result(id: string | undefined, { result, tool }: PlannedCall): Json[] {
    // Without ids the results tell by their order whose they are.
    if (result === 'missing' && !this.#isUnnamed) return [];
    const marks = this.#marks;
    const name = toolName(tool);
    if (result === 'empty') return [{ functionResponse: { id, name, response: {} } }];
    if (result === 'error') return [{ functionResponse: { id, name, response: { error: marks.text('lines') } } }];
    if (result === 'list') return [{ functionResponse: { id, name, response: { result: marks.text('unicode') } } }];
    const response = { output: marks.word(), at: [marks.whole(700_000)] };
    if (result !== 'image') return [{ functionResponse: { id, name, response } }];
    const parts = [this.#piece({ type: 'image', by: 'bytes', detail: undefined })];
    return [{ functionResponse: { id, name, response, parts } }];
  }
}

function options({ tools, wishes }: ConversationPlan, marks: Marks): Json {
  const declarations = tools.map(({ schema, isStrict }, index) => ({
    name: toolName(index),
    description: marks.word(),
    ...parametersOf(schema, isStrict, marks),
  }));
  return {
    tools: [{ functionDeclarations: declarations }],
    toolConfig: configOf(wishes.choice),
    generationConfig: {
      maxOutputTokens: wishes.limit ? marks.whole(9_000) : undefined,
      temperature: wishes.temperature ? marks.fraction() : undefined,
      topP: wishes.topP ? marks.fraction() : undefined,
      topK: wishes.topK ? marks.whole(1_000) : undefined,
      candidateCount: wishes.choices ? 3 : undefined,
      stopSequences:
        wishes.stops === 0 ? undefined : Array.from({ length: Math.min(wishes.stops, 5) }, () => marks.word()),
      seed: wishes.seed ? marks.whole(500_000) : undefined,
      presencePenalty: wishes.penalties ? marks.fraction() : undefined,
      frequencyPenalty: wishes.penalties ? -marks.fraction() : undefined,
      responseLogprobs: wishes.logprobs || undefined,
      logprobs: wishes.logprobs ? 7 : undefined,
      responseMimeType: wishes.format === undefined ? undefined : 'application/json',
      responseJsonSchema: wishes.format === 'strict' ? strictSchema(marks) : undefined,
      thinkingConfig: thinkingOf(wishes.thinking, marks),
    },
    safetySettings: wishes.bias ? [{ category: marks.word(), threshold: 'OFF' }] : undefined,
    serviceTier: wishes.tier === 'flex' || wishes.tier === 'priority' ? wishes.tier : undefined,
    ...(wishes.future ? { aFieldOfTomorrow: { deep: [marks.word()] }, cachedContent: marks.word() } : {}),
  };
}

/** In Gemini's own `Schema` where it has no more than that can say. */
function parametersOf(kind: Parameters<typeof schemaOf>[0], isStrict: boolean | undefined, marks: Marks): Json {
  if (isStrict === true) return { parametersJsonSchema: strictSchema(marks) };
  if (kind === 'none' || kind === 'empty') return {};
  if (kind !== 'plain') return { parametersJsonSchema: schemaOf(kind, marks) };
  return { parameters: { type: 'OBJECT', properties: { place: { type: 'STRING', description: marks.word() } } } };
}

function configOf(choice: ConversationPlan['wishes']['choice']): Json | undefined {
  if (choice === undefined) return undefined;
  const mode = { auto: 'AUTO', none: 'NONE', required: 'ANY', named: 'ANY' }[choice];
  return { functionCallingConfig: { mode, allowedFunctionNames: choice === 'named' ? [toolName(1)] : undefined } };
}

function thinkingOf(thinking: ConversationPlan['wishes']['thinking'], marks: Marks): Json | undefined {
  if (thinking === undefined) return undefined;
  if (thinking === 'low' || thinking === 'high') return { thinkingLevel: thinking, includeThoughts: true };
  const budget = thinking === 'off' ? 0 : thinking === 'adaptive' ? -1 : marks.whole(2_000);
  return { thinkingBudget: budget };
}
