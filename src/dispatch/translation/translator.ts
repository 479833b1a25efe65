/**
 * From a call and the worker that was chosen for it to what is sent: the client's bytes where they can pass, else the
 * call in an API that the worker speaks. Owns what a call's translation keeps between its attempts; a call whose bytes
 * pass costs no more than a look at its worker.
 */
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Call, ProtocolName } from '../../domain/call.ts';
import type { PoolMember } from '../../domain/candidate.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest, TranslationWarning } from '../../domain/generation.ts';
import type { MediaFetcher } from '../../domain/ports.ts';
import type { SpokenApi } from '../../domain/providers/provider.ts';
import { NO_WARNINGS } from '../../domain/record.ts';
import type { Worker } from '../../domain/worker.ts';
import { limitsOf } from '../../domain/worker.ts';
import type { Codec, EncodeTarget } from '../../protocols/hub/codec.ts';
import { holdsForeignMarks } from '../../protocols/hub/foreign-marks.ts';
import type { ReasoningVault } from '../../protocols/hub/reasoning-vault.ts';
import { restoreThoughts } from '../../protocols/hub/restore-thoughts.ts';
import { ThoughtWatch } from '../../protocols/hub/thought-watch.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { bodyForProvider } from '../../protocols/provider-edit.ts';
import { nameAt, upstreamBody } from '../upstream-body.ts';
import type { TokenOutbounds } from '../tokens/token-outbounds.ts';
import type { DecodedCalls } from './decoded-calls.ts';
import { HubReader } from './hub-reader.ts';
import { mediaKey, namedMedia, withBytes } from './media-parts.ts';
import { MediaWait } from './media-wait.ts';
import { newId } from './new-id.ts';
import type { Outbound } from './outbound.ts';
import type { Estimate } from './token-estimate.ts';
import { CountReader, estimateFor } from './token-estimate.ts';
import type { TranslatedCall } from './translated-call.ts';
import { UnaryReader } from './unary-reader.ts';
import { upstreamPath } from './upstream-address.ts';
import type { Languages, Way } from './way.ts';
import { isTokenCount, wayTo } from './way.ts';

export interface TranslatorDeps extends Languages {
  /** Losses are refused for every call. */
  readonly isStrict: boolean;
  readonly vault: ReasoningVault;
  readonly media: MediaFetcher;
  readonly decodedCalls: DecodedCalls;
  /** For workers that take tokens. */
  readonly tokens: Pick<TokenOutbounds, 'outbound'>;
  /** What stands for the caller in the vault: different for each key and each tenant. */
  scopeOf(call: Call): string;
  readonly clock: Clock;
  readonly random: Random;
}

type HubWay = Extract<Way, { kind: 'hub' }>;
type UnaryWay = Extract<Way, { kind: 'unary' }>;

export class Translator {
  readonly #deps: TranslatorDeps;

  constructor(deps: TranslatorDeps) {
    this.#deps = deps;
  }

  /** `model` is the canonical id. Never throws for what a client sent. */
  outbound(call: Call, member: PoolMember, model: string): Outbound {
    const { worker } = member;
    if (isPassing(call, worker)) {
      return passing(call.upstreamPath, upstreamBody(call, model, member));
    }
    try {
      return this.#outbound(call, member, model);
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.origin === 'client') return { kind: 'unfit', error: thrown };
      throw thrown;
    }
  }

  #outbound(call: Call, member: PoolMember, model: string): Outbound {
    const { worker } = member;
    const name = nameAt(worker, model);
    const { protocol, body } = call;
    const asked = { protocol, model: name, body, request: () => this.#translated(call).decoded.request };
    const way = wayTo(worker, asked, this.#deps);
    switch (way?.kind) {
      case 'pass':
        return this.#pass(call, member, { model, name, api: way.api });
      case 'hub':
        return this.#throughHub(call, member, { way, name });
      case 'unary':
        return this.#unary(call, member, { way, name });
      case 'estimate':
        return this.#estimate(call, name);
      case 'tokens':
        return this.#tokens(call, member, model);
      case undefined:
        throw notTranslatable(call.protocol, [member]);
    }
  }

  #pass(call: Call, member: PoolMember, { model, name, api }: PassFacts): Outbound {
    const { address } = member.worker;
    const own = upstreamBody(call, model, member);
    if (!api && isTokenCount(call.protocol)) {
      const reader = new CountReader(() => this.#estimate(call, name));
      return { ...passing(call.upstreamPath, own), reader };
    }
    if (!api) return passing(call.upstreamPath, own);
    const { provider } = address;
    const { body, removed, renamed } = bodyForProvider(own, api.protocol, { provider, model: name });
    const path = upstreamPath(call, address, { api, model: name, isSame: true });
    if (removed.length === 0 && renamed.length === 0) return passing(path, body);
    const title = provider?.title ?? 'the worker';
    const warnings = [
      ...removed.map((field) => ({ kind: 'lost', field, reason: `is not taken by ${title}` }) as const),
      ...renamed.map((pair) => renaming(pair, title)),
    ];
    this.#checkStrict(call, warnings);
    return { kind: 'request', path, body, reader: undefined, translation: '', warnings };
  }

  #tokens(call: Call, member: PoolMember, model: string): Outbound {
    const outbound = this.#deps.tokens.outbound(call, member, model);
    if (outbound.kind === 'tokens') this.#checkStrict(call, outbound.warnings);
    return outbound;
  }

  #estimate(call: Call, name: string): Estimate {
    const { protocols } = this.#deps;
    const generation = protocols[call.protocol === 'gemini-count-tokens' ? 'gemini' : 'anthropic-messages'];
    return estimateFor(call, generation, name);
  }

  #throughHub(call: Call, { worker }: PoolMember, { way, name }: { way: HubWay; name: string }): Outbound {
    const { protocols, clock, random } = this.#deps;
    const client = protocols[call.protocol];
    const target = protocols[way.api.protocol];
    const codec = codecOf(target);
    const translated = this.#translated(call);
    const encodeTarget = targetOf(worker, name);
    const missing = this.#missingMedia(translated, codec, encodeTarget);
    if (missing) return { kind: 'pending', wait: missing };
    const { body, warnings } = translated.encodeFor(codec, encodeTarget, (request) =>
      withBytes(this.#withThoughts(call, request, target.name, encodeTarget), translated.media),
    );
    this.#checkStrict(call, warnings);
    const makeId = (prefix: string) => newId(prefix, random);
    const reader = new HubReader({
      worker: target,
      client,
      workerCodec: codec,
      clientCodec: codecOf(client),
      answerFacts: {
        model: call.model ?? name,
        createdSeconds: Math.floor(clock.wallTime() / 1_000),
        newId: makeId,
        request: translated.decoded.request,
        isEventStream: call.protocol !== 'gemini' || /[?&]alt=sse\b/.test(call.upstreamPath),
      },
      decodeFacts: { newId: makeId },
      isStream: call.stream,
      watch: () => this.#watchFor(call),
    });
    const path = upstreamPath(call, worker.address, { api: way.api, model: name, isSame: false });
    return { kind: 'request', path, body, reader, translation: pairOf(call.protocol, way.api), warnings };
  }

  /** What has to be fetched before the request can be written for this target; undefined: nothing more. */
  #missingMedia({ decoded, media }: TranslatedCall, codec: Codec, target: EncodeTarget): MediaWait | undefined {
    const named = namedMedia(decoded.request, (source, kind) => codec.needsBytes(source, kind, target));
    const missing = named.filter((each) => !media.has(mediaKey(each)));
    return missing.length > 0 ? new MediaWait(this.#deps.media, missing, media) : undefined;
  }

  /** Chat completions have no place for signed thoughts. */
  #withThoughts(
    call: Call,
    request: GenerationRequest,
    api: ProtocolName,
    { provider }: EncodeTarget,
  ): GenerationRequest {
    if (api === 'openai-chat') return request;
    const { vault } = this.#deps;
    let scope: string | undefined;
    return restoreThoughts(request, provider?.thoughts, (callId) => {
      scope ??= this.#deps.scopeOf(call);
      return vault.find(scope, callId);
    });
  }

  #watchFor(call: Call): ThoughtWatch {
    const { vault } = this.#deps;
    return new ThoughtWatch((callId, thoughts) => vault.keep(this.#deps.scopeOf(call), callId, thoughts));
  }

  #unary(call: Call, { worker }: PoolMember, { way, name }: { way: UnaryWay; name: string }): Outbound {
    const { protocols } = this.#deps;
    const { api, translation } = way;
    const { body, warnings } = translation.encodeRequest(call.body, targetOf(worker, name));
    this.#checkStrict(call, warnings);
    const reader = new UnaryReader({
      translation,
      worker: protocols[api.protocol],
      client: protocols[call.protocol],
      model: call.model ?? name,
      requestBody: call.body,
    });
    const path = upstreamPath(call, worker.address, { api, model: name, isSame: false });
    return { kind: 'request', path, body, reader, translation: pairOf(call.protocol, api), warnings };
  }

  #translated(call: Call): TranslatedCall {
    return this.#deps.decodedCalls.of(call);
  }

  #checkStrict(call: Call, warnings: readonly TranslationWarning[]): void {
    if (!this.#deps.isStrict && call.headers['x-smg-strict-translation'] !== 'true') return;
    const loss = warnings.find(({ kind }) => kind === 'lost');
    if (!loss) return;
    throw new GatewayError('translation_loss', `\`${loss.field}\` ${loss.reason}.`, { param: loss.field });
  }
}

type OutboundRequest = Extract<Outbound, { kind: 'request' }>;

interface PassFacts {
  readonly model: string;
  readonly name: string;
  readonly api: SpokenApi | undefined;
}

function passing(path: string, body: Buffer): OutboundRequest {
  return { kind: 'request', path, body, reader: undefined, translation: '', warnings: NO_WARNINGS };
}

function isPassing(call: Call, { address, facts }: Worker): boolean {
  return address.provider === undefined && facts?.connection !== 'grpc' && !facts?.lacks.length && isOwn(call);
}

/** An API that self-hosted engines have, a body and an answer that pass as they are. */
function isOwn({ protocol, body }: Call): boolean {
  if (protocol.startsWith('gemini') || protocol === 'anthropic-count-tokens') return false;
  return !holdsForeignMarks(body, protocol);
}

/** `old>new`. */
function renaming(pair: string, title: string): TranslationWarning {
  const [field = '', name = ''] = pair.split('>');
  return { kind: 'changed', field, reason: `is called ${name} by ${title}` };
}

function targetOf(worker: Worker, model: string): EncodeTarget {
  return { provider: worker.address.provider, model, maxOutputTokens: limitsOf(worker, model).maxOutputTokens };
}

function pairOf(protocol: ProtocolName, api: SpokenApi): string {
  return `${protocol}>${api.protocol}`;
}

function codecOf({ codec, name }: Protocol): Codec {
  if (!codec) throw new Error(`${name} has no codec, and a way through the hub was chosen all the same.`);
  return codec;
}

/** Why none of these workers can serve the call: names the client's API and theirs. */
export function notTranslatable(protocol: ProtocolName, members: readonly PoolMember[]): GatewayError {
  const owners = new Set(members.map(({ worker }) => ownerOf(worker)));
  const named = [...owners].slice(0, 4).join(', ');
  const text = `Calls of ${protocol} cannot be served by ${named}, nor be translated for them.`;
  return new GatewayError('not_translatable', text, { param: 'model' });
}

function ownerOf({ address, facts }: Worker): string {
  if (address.provider) return address.provider.title;
  return facts?.connection === 'grpc' ? 'engines behind gRPC' : 'self-hosted engines';
}
