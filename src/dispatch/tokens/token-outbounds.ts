/** From a prepared call and the worker that was chosen for it to what is sent, and what will read the answer. */
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Call } from '../../domain/call.ts';
import type { PoolMember } from '../../domain/candidate.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import type { EmbedOrder, Sampling, TokenBackend, TokenOrder } from '../../domain/token-generation.ts';
import type { Engine, Worker } from '../../domain/worker.ts';
import { checkContext } from '../../pipeline/prompt/context-length.ts';
import { withDefaults } from '../../pipeline/prompt/sampling.ts';
import { encodeCount } from '../../protocols/count-tokens/count-tokens-between.ts';
import { contextLengthOf } from '../context-fit.ts';
import { newId } from '../translation/new-id.ts';
import type { Outbound, TokenStart } from '../translation/outbound.ts';
import { ChatTokenAnswer, WholeChatAnswer } from './chat-answer.ts';
import { EmbeddedAnswer } from './embed-answer.ts';
import { TextTokenAnswer } from './text-answer.ts';
import type { BeginTokens } from './token-answer.ts';
import type { TokenCalls } from './token-calls.ts';
import type { FormsOf, ModelForms } from './token-forms.ts';
import type { ChatTokens, EmbedTokens, TextTokens, TokenCall } from './token-prompt.ts';

export interface TokenOutboundsDeps {
  readonly calls: TokenCalls;
  readonly tokenBackend: TokenBackend;
  readonly formsOf: FormsOf;
  readonly clock: Clock;
  readonly random: Random;
}

type Sent = Extract<Outbound, { kind: 'tokens' }>;

interface Placed<Tokens extends TokenCall> {
  readonly call: Call;
  readonly member: PoolMember;
  readonly model: string;
  readonly tokens: Tokens;
  readonly engine: Engine;
}

export class TokenOutbounds {
  readonly #deps: TokenOutboundsDeps;

  constructor(deps: TokenOutboundsDeps) {
    this.#deps = deps;
  }

  /** Throws what the call cannot be asked of this worker. */
  outbound(call: Call, member: PoolMember, model: string): Outbound {
    const tokens = this.#deps.calls.find(call, model);
    if (!tokens) throw new Error('A call was placed on a worker that takes tokens before it had any.');
    if (tokens instanceof GatewayError) return { kind: 'unfit', error: tokens };
    const engine = member.worker.facts?.engine ?? 'openai-compatible';
    const placed = { call, member, model, engine };
    switch (tokens.kind) {
      case 'chat':
        return this.#chat({ ...placed, tokens });
      case 'text':
        return this.#text({ ...placed, tokens });
      case 'embed':
        return this.#embed({ ...placed, tokens });
      case 'count':
        return { kind: 'answer', headers: [], body: encodeCount(tokens.form, tokens.prompts[0]?.ids.length ?? 0) };
    }
  }

  #chat(placed: Placed<ChatTokens>): Outbound {
    const { call, model, tokens } = placed;
    const { request, chat, codec } = tokens;
    const forms = this.#deps.formsOf(model, tokens.model);
    const ends = endIdsOf(forms, tokens);
    const sampling = withEnds(this.#samplingFor(placed), ends);
    const order = this.#orderFor(placed, sampling, chat.requestId);
    const unfit = this.#deps.tokenBackend.problem(placed.engine, order);
    if (unfit) return { kind: 'unfit', error: unfit };
    const makeId = (prefix: string) => newId(prefix, this.#deps.random);
    const createdSeconds = Math.floor(this.#deps.clock.wallTime() / 1_000);
    const facts = {
      model: call.model ?? model,
      createdSeconds,
      newId: makeId,
      request,
      isEventStream: call.protocol !== 'gemini' || /[?&]alt=sse\b/.test(call.upstreamPath),
    };
    const options = {
      id: '',
      model: facts.model,
      createdSeconds,
      tokenizer: tokens.model.tokenizer,
      endTokenIds: tokens.model.endTokenIds,
      sampling: withEnds(tokens.sampling, ends),
      promptTokens: tokens.prompts[0]?.ids.length ?? 0,
      reasoning: forms.reasoning,
      beginsInThought: chat.beginsInThought,
      separatesThoughts: chat.separatesThoughts,
      toolFormat: forms.tools,
      whole: forms.whole && { format: forms.whole, beginsInText: chat.prefix !== '' },
      tools: chat.tools,
      forced: forcedOf(tokens),
      priorCalls: request.turns.flatMap(({ parts }) => parts).filter(({ type }) => type === 'tool_call').length,
      newId: makeId,
    };
    const Answer = call.stream ? ChatTokenAnswer : WholeChatAnswer;
    return this.#sent(placed, (start) => (parts, host) => {
      const answer = new Answer(parts, { host, codec, facts, options });
      return { answer, exchange: this.#generate(placed.member.worker, { ...order, ...start }, answer) };
    });
  }

  #text(placed: Placed<TextTokens>): Outbound {
    const { call, model, tokens, member } = placed;
    const { request, codec } = tokens;
    const { clock, random } = this.#deps;
    const order = this.#orderFor(placed, this.#samplingFor(placed), request.requestId);
    const unfit = this.#deps.tokenBackend.problem(placed.engine, order);
    if (unfit) return { kind: 'unfit', error: unfit };
    const facts = {
      model: call.model ?? model,
      createdSeconds: Math.floor(clock.wallTime() / 1_000),
      requestId: request.requestId ?? call.requestId,
      newId: (prefix: string) => newId(prefix, random),
      request,
      elapsedSeconds: () => (clock.now() - call.record.startedAt) / 1_000,
      weightVersion: member.worker.facts?.labels['weight_version'],
    };
    const { tokenizer, endTokenIds } = tokens.model;
    const options = { tokenizer, endTokenIds, sampling: tokens.sampling, prompts: tokens.prompts };
    const isPromptOnly = tokens.sampling.maxTokens === 0;
    return this.#sent(placed, (start) => (parts, host) => {
      const answer = new TextTokenAnswer(parts, { host, codec, facts, options, isPromptOnly });
      return { answer, exchange: this.#generate(member.worker, { ...order, ...start }, answer) };
    });
  }

  #embed(placed: Placed<EmbedTokens>): Outbound {
    const { call, model, tokens, member } = placed;
    checkFit(placed, undefined);
    const unfit = this.#deps.tokenBackend.embedProblem(placed.engine);
    if (unfit) return { kind: 'unfit', error: unfit };
    const order: Omit<EmbedOrder, 'key'> = {
      requestId: this.#engineId(call.requestId),
      prompts: tokens.prompts,
      ...traceOf(call),
    };
    const facts = { model: call.model ?? model, tokens };
    return this.#sent(placed, ({ key }) => (parts, host) => {
      const answer = new EmbeddedAnswer(parts, { host, ...facts });
      const { address } = member.worker;
      const exchange = this.#deps.tokenBackend.embed({ address, engine: placed.engine }, { ...order, key }, answer);
      return { answer, exchange };
    });
  }

  #generate(
    { address, facts }: Worker,
    order: TokenOrder,
    answer: ChatTokenAnswer | WholeChatAnswer | TextTokenAnswer,
  ) {
    return this.#deps.tokenBackend.generate({ address, engine: facts?.engine ?? 'openai-compatible' }, order, answer);
  }

  /** What the client left open as the engine does it, then as the model's makers say; what it lacks is not asked of it. */
  #samplingFor(placed: Placed<ChatTokens | TextTokens>): Sampling {
    const { tokens, member, engine } = placed;
    const { worker } = member;
    const filled = withDefaults(tokens.sampling, worker.facts?.samplingDefaults, tokens.model.defaults);
    // No engine answers with nothing.
    const sampling = filled.maxTokens === 0 ? { ...filled, maxTokens: 1 } : filled;
    checkFit(placed, sampling.maxTokens);
    if (engine !== 'trtllm' || sampling.maxTokens !== undefined) return sampling;
    // It has a limit of its own that is far below what fits.
    const contextLength = contextOf(placed);
    const longest = Math.max(...tokens.prompts.map(({ ids }) => ids.length));
    return contextLength === undefined ? sampling : { ...sampling, maxTokens: contextLength - longest };
  }

  #orderFor(
    { call, tokens, engine }: Placed<ChatTokens | TextTokens>,
    sampling: Sampling,
    requestId: string | undefined,
  ): Omit<TokenOrder, 'key' | 'rank'> & { readonly key: undefined; readonly rank: undefined } {
    const attempt = call.record.attempts.length;
    const own = requestId ?? call.requestId;
    // Engines without a tokenizer do not see a stop string: they are watched, so as not to run on beyond it.
    const mustWatch = sampling.stop.length > 0;
    // An echo is told before the answer, and this engine tells the prompt's log probabilities behind it.
    const mustWait = engine === 'trtllm' && sampling.promptLogprobs !== undefined;
    return {
      requestId: this.#engineId(attempt === 0 ? own : `${own}-r${attempt}`),
      prompts: tokens.prompts,
      sampling,
      isStream: (call.stream || mustWatch) && !mustWait,
      ...traceOf(call),
      adapter: tokens.adapter,
      key: undefined,
      rank: undefined,
    };
  }

  /**
   * Clients choose ids. An engine drops by id: of two calls with the same one, the one that ends would take the other
   * with it, whoever's it is.
   */
  #engineId(own: string): string {
    return newId(`${own}-`, this.#deps.random);
  }

  #sent({ call, tokens, engine }: Placed<TokenCall>, begin: (start: TokenStart) => BeginTokens): Sent {
    return {
      kind: 'tokens',
      begin,
      translation: `${call.protocol}>tokens`,
      warnings: [...tokens.warnings, ...this.#lossesOf(tokens, engine)],
    };
  }

  /** What was asked for and this engine does not have. */
  #lossesOf(tokens: TokenCall, engine: Engine): TranslationWarning[] {
    if (tokens.kind !== 'chat' && tokens.kind !== 'text') return [];
    const { sampling } = tokens;
    return this.#deps.tokenBackend
      .lacks(engine)
      .filter((name) => !OURS.has(name) && isAsked(sampling, name))
      .map((name) => ({ kind: 'lost', field: wireName(name), reason: `is not taken by ${engine} over gRPC` }));
  }
}

/** Not asked for by clients, or done by the gateway itself. */
const OURS: ReadonlySet<keyof Sampling> = new Set([
  'stop',
  'keepsStop',
  'skipSpecialTokens',
  'beginsInThought',
] as const);

function isAsked(sampling: Sampling, name: keyof Sampling): boolean {
  const value = sampling[name];
  if (value === undefined || value === false) return false;
  return !Array.isArray(value) || value.length > 0;
}

/** As requests write it. */
function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What ends an answer by its format: the model's files need not say so. */
function endIdsOf({ whole }: ModelForms, { sampling, model }: ChatTokens): readonly number[] {
  if (!whole || sampling.ignoreEos) return [];
  return whole.ends.flatMap((text) => model.tokenizer.specialTokens.get(text) ?? []);
}

function withEnds(sampling: Sampling, ends: readonly number[]): Sampling {
  if (ends.length === 0) return sampling;
  return { ...sampling, stopTokenIds: [...new Set([...sampling.stopTokenIds, ...ends])] };
}

function forcedOf({ chat, request }: ChatTokens) {
  if (!chat.isForcedCall) return undefined;
  const { toolChoice } = request;
  const name = toolChoice?.names[0];
  return toolChoice?.mode === 'named' && name !== undefined
    ? ({ kind: 'named', name } as const)
    : ({ kind: 'required' } as const);
}

function contextOf({ member, model, tokens }: Placed<TokenCall>): number | undefined {
  return contextLengthOf(member.worker, model) ?? tokens.model.contextLength;
}

function checkFit(placed: Placed<TokenCall>, maxTokens: number | undefined): void {
  const contextLength = contextOf(placed);
  for (const { ids } of placed.tokens.prompts) checkContext({ promptTokens: ids.length, maxTokens, contextLength });
}

/** Passed on as it came; who made it up is for whoever reads it. */
function traceOf({ headers }: Call): {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
} {
  const { traceparent, tracestate } = headers;
  return { traceparent: single(traceparent), tracestate: single(tracestate) };
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
