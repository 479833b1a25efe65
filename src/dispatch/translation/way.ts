/**
 * In which API a worker is asked for a call: its own bytes when the worker speaks what the client spoke, else through
 * the hub, else by a translation of one answer; or not at all. Pure.
 */
import type { ProtocolName } from '../../domain/call.ts';
import type { PoolMember } from '../../domain/candidate.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import { apiOf } from '../../domain/providers/path.ts';
import type { Provider, SpokenApi } from '../../domain/providers/provider.ts';
import type { Worker } from '../../domain/worker.ts';
import { holdsForeignCalls, holdsForeignMarks } from '../../protocols/hub/foreign-marks.ts';
import type { IdRule } from '../../protocols/hub/tool-ids.ts';
import type { UnaryTranslation } from '../../protocols/hub/unary-translation.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { tokenWayOf } from '../tokens/token-way.ts';

/** `api` is undefined for a self-hosted engine that is asked at the client's own path. */
export type Way =
  | { readonly kind: 'pass'; readonly api: SpokenApi | undefined }
  | { readonly kind: 'hub'; readonly api: SpokenApi }
  | { readonly kind: 'unary'; readonly api: SpokenApi; readonly translation: UnaryTranslation }
  /** Tokens are to be counted and the worker cannot: the gateway says about how many they are. */
  | { readonly kind: 'estimate' }
  /** The worker takes tokens, not an API. */
  | { readonly kind: 'tokens' };

/** What is known of the protocols, and of the translations that have no hub. */
export interface Languages {
  readonly protocols: Readonly<Record<ProtocolName, Protocol>>;
  readonly unary: readonly UnaryTranslation[];
}

/** What of a call decides the way. */
export interface Asked {
  readonly protocol: ProtocolName;
  /** What the worker calls the model. */
  readonly model: string;
  readonly body: Buffer;
  /** Read when the choice between two APIs of a provider depends on it. */
  request(): GenerationRequest;
}

const PASS: Way = { kind: 'pass', api: undefined };
const ESTIMATE: Way = { kind: 'estimate' };
const TOKENS: Way = { kind: 'tokens' };
/** What every self-hosted engine speaks. */
const ENGINE_CHAT: SpokenApi = { protocol: 'openai-chat', path: '/v1/chat/completions' };
const CHAT = 'openai-chat';
const RESPONSES = 'openai-responses';

/** Undefined: the worker cannot serve such a call. */
export function wayTo({ address, facts }: Worker, asked: Asked, languages: Languages): Way | undefined {
  const { provider } = address;
  const { protocol } = asked;
  if (facts?.connection === 'grpc') return takesTokensOf(protocol, languages) ? TOKENS : undefined;
  if (!provider) {
    if (!isSpokenByEngine(protocol, facts?.lacks ?? NOTHING)) return translated(asked, [ENGINE_CHAT], languages);
    return ofOneApi(asked, { api: apiOf(undefined, protocol), rule: undefined }, languages) ?? PASS;
  }
  const own = provider.apis.find((api) => api.protocol === protocol);
  if (own && !(protocol === CHAT && isForResponsesOnly(provider, asked.model, languages))) {
    const rule = provider.hosts.length > 0 ? provider.chat.toolIds : undefined;
    return ofOneApi(asked, { api: own, rule }, languages) ?? { kind: 'pass', api: own };
  }
  return translated(asked, inOrder(provider, asked, languages), languages);
}

/** Through the hub and back to the same API, where the bytes hold what the worker would refuse; undefined: they pass. */
function ofOneApi(asked: Asked, { api, rule }: SameApi, languages: Languages): Way | undefined {
  const { protocol, body } = asked;
  if (!api) return undefined;
  const isForeign = holdsForeignMarks(body, protocol) || (protocol === CHAT && rule && holdsForeignCalls(body, rule));
  const way = isForeign ? translated(asked, [api], languages) : undefined;
  return way?.kind === 'hub' || way?.kind === 'unary' ? way : undefined;
}

interface SameApi {
  readonly api: SpokenApi | undefined;
  /** What the worker asks of ids of tool calls; undefined: nothing. */
  readonly rule: IdRule | undefined;
}

const NOTHING: readonly ProtocolName[] = [];

/** Of Gemini's APIs engines have none. Whoever lacks messages does not count their tokens either. */
function isSpokenByEngine(protocol: ProtocolName, lacks: readonly ProtocolName[]): boolean {
  if (protocol.startsWith('gemini')) return false;
  if (lacks.length === 0) return true;
  return !lacks.includes(protocol) && !(protocol === 'anthropic-count-tokens' && lacks.includes('anthropic-messages'));
}

function translated({ protocol }: Asked, apis: readonly SpokenApi[], { protocols, unary }: Languages): Way | undefined {
  if (protocols[protocol].codec) {
    const api = apis.find((each) => protocols[each.protocol].codec);
    if (api) return { kind: 'hub', api };
  }
  for (const api of apis) {
    const translation = unary.find((each) => each.from === protocol && each.to === api.protocol);
    if (translation) return { kind: 'unary', api, translation };
  }
  return isTokenCount(protocol) ? ESTIMATE : undefined;
}

export function isTokenCount(protocol: ProtocolName): boolean {
  return protocol === 'anthropic-count-tokens' || protocol === 'gemini-count-tokens';
}

/** The provider's own order, but that Responses comes before chat where chat would carry less. */
function inOrder(provider: Provider, asked: Asked, languages: Languages): readonly SpokenApi[] {
  const { apis } = provider;
  const { protocols } = languages;
  const responses = apis.find((api) => api.protocol === RESPONSES);
  if (!responses || !protocols[RESPONSES].codec || !protocols[asked.protocol].codec) return apis;
  if (!isForResponsesOnly(provider, asked.model, languages) && !isBetterInResponses(provider, asked)) return apis;
  return [responses, ...apis.filter((api) => api !== responses)];
}

/** A chat call for such a model is worth a translation: as it is it would be refused. */
function isForResponsesOnly({ responses }: Provider, model: string, { protocols }: Languages): boolean {
  if (!responses?.only.test(model)) return false;
  return protocols[CHAT].codec !== undefined && protocols[RESPONSES].codec !== undefined;
}

/**
 * Chat completions of OpenAI and xAI show no thoughts and take none back, and their newest models take no tools there
 * while they think. Responses has no stop sequences, no seed, no penalties and no second choice.
 * Source: OpenAI guides, migrating to Responses, reasoning models.
 */
function isBetterInResponses({ thoughts, responses }: Provider, asked: Asked): boolean {
  if (thoughts !== 'openai' && thoughts !== 'xai') return false;
  if (responses?.never.test(asked.model)) return false;
  const request = asked.request();
  if (!fitsResponses(request)) return false;
  const { mode, effort, budgetTokens, summary } = request.reasoning;
  const isOff = mode === 'off' || effort === 'none';
  if (!isOff && request.tools.length > 0) {
    if (effort !== undefined || budgetTokens !== undefined || responses?.forTools.test(asked.model)) return true;
  }
  if (mode === 'on' || mode === 'adaptive' || (summary !== undefined && summary !== 'none')) return true;
  return request.turns.some(({ parts }) =>
    parts.some((part) => part.type === 'reasoning' && part.signature?.origin === thoughts),
  );
}

function fitsResponses(request: GenerationRequest): boolean {
  const { stop, choices, seed, frequencyPenalty, presencePenalty, logitBiasText } = request;
  return (
    stop.length === 0 &&
    choices === 1 &&
    [seed, frequencyPenalty, presencePenalty, logitBiasText].every((value) => value === undefined)
  );
}

/** Does any way lead to the worker? The same for every body of one protocol. */
function isReachable({ address, facts }: Worker, protocol: ProtocolName, languages: Languages): boolean {
  const { provider } = address;
  if (facts?.connection === 'grpc') return takesTokensOf(protocol, languages);
  if (!provider && isSpokenByEngine(protocol, facts?.lacks ?? NOTHING)) return true;
  const apis = provider?.apis ?? [ENGINE_CHAT];
  if (provider && apis.some((api) => api.protocol === protocol)) return true;
  return translated({ protocol, model: '', body: NO_BODY, request: unread }, apis, languages) !== undefined;
}

function takesTokensOf(protocol: ProtocolName, languages: Languages): boolean {
  return tokenWayOf(languages.protocols[protocol], languages) !== undefined;
}

const NO_BODY: Buffer = Buffer.alloc(0);

function unread(): never {
  throw new Error('Whether there is a way at all does not depend on the body.');
}

/** Which members of a pool can serve calls of a protocol: found out once for each pool of a snapshot. */
export class Reach {
  readonly #languages: Languages;
  readonly #known = new WeakMap<readonly PoolMember[], Map<ProtocolName, readonly PoolMember[]>>();

  constructor(languages: Languages) {
    this.#languages = languages;
  }

  /** The same list when all of them can. */
  within(members: readonly PoolMember[], protocol: ProtocolName): readonly PoolMember[] {
    let byProtocol = this.#known.get(members);
    if (!byProtocol) {
      byProtocol = new Map();
      this.#known.set(members, byProtocol);
    }
    const known = byProtocol.get(protocol);
    if (known) return known;
    const able = members.filter(({ worker }) => isReachable(worker, protocol, this.#languages));
    const found = able.length === members.length ? members : able;
    byProtocol.set(protocol, found);
    return found;
  }
}
