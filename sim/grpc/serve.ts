/**
 * Serves the RPCs of one engine: key, fault, then the method. What is refused ends with a status; what goes wrong here
 * is told on standard error and ends with INTERNAL, and no other call suffers.
 */

import { type Fault, FaultError, faultOn, parseFault } from '../faults/fault.ts';
import type { FaultPlan } from '../faults/plan.ts';
import { createRandom, hashText } from '../random.ts';
import { readTokens, textOfTokenIds } from '../core/tokens.ts';
import { type Answer, type Model } from './answer.ts';
import { type Ask, Fields } from './ask.ts';
import { bundleChunks } from './bundle.ts';
import type { CallOutcome, MessageSink, RpcCall } from './call.ts';
import type { Identity } from './dialect.ts';
import { type FaultHost, spoil, strikeBefore } from './faults.ts';
import { Generation, type GenerationParts } from './generation.ts';
import type { GrpcEngineOptions } from './options.ts';
import { lastUserText } from './prompt.ts';
import { invalid, RpcRefusal, STATUS } from './status.ts';

/** The engine as its methods see it. */
export interface RpcHost extends GenerationParts, FaultHost {
  readonly options: GrpcEngineOptions;
  readonly mind: Model;
  readonly faults: FaultPlan;
  /** Generates under way, by request id. */
  readonly generations: Map<string, Pending>;
  /** Adapters loaded, by name. */
  readonly adapters: Set<string>;
  identity(): Identity;
  aborted(requestId: string, reason: string): boolean;
  /** A Generate is over. */
  ended(requestId: string, outcome: CallOutcome): void;
  /** Counts a request on a rank; what it gives back ends it. */
  enterRank(rank: number | undefined): () => void;
  profile(on: boolean): boolean;
  refusedUnauthorized(): void;
}

/** A Generate from its arrival to its end; `generation` is there when it is planned. */
export interface Pending {
  generation: Generation | undefined;
  isAborted: boolean;
}

type Method = (host: RpcHost, call: RpcCall, sink: MessageSink) => void | Promise<void>;

/** Methods that fault rules strike when they name no path. */
const INFERENCE = new Set(['Generate', 'Embed']);
const OPEN_METHODS = new Set(['HealthCheck', 'Check']);

/** Serves one call. */
export function serveRpc(host: RpcHost, call: RpcCall): void {
  const name = call.path.slice(call.path.lastIndexOf('/') + 1);
  const { apiKey, healthNeedsKey } = host.options;
  const isOpen = OPEN_METHODS.has(name) && !healthNeedsKey;
  if (apiKey !== undefined && !isOpen && call.header('authorization') !== `Bearer ${apiKey}`) {
    host.refusedUnauthorized();
    call.fail(new RpcRefusal(STATUS.unauthenticated, 'Invalid or missing API key'));
    return;
  }
  const fault = host.faults.pick(INFERENCE.has(name) ? 'POST' : 'GET', call.path);
  if (fault !== undefined && strikeBefore(call, fault, host)) return;
  const sink = fault === undefined ? call : spoil(call, fault, host);
  run(call, sink, () => METHODS[name]?.(host, call, sink) ?? unimplemented(call, METHODS[name] === undefined));
}

function unimplemented(call: RpcCall, isMissing: boolean): void {
  if (isMissing) call.fail(new RpcRefusal(STATUS.unimplemented, 'Method not implemented!'));
}

function run(call: RpcCall, sink: MessageSink, act: () => void | Promise<void>): void {
  const failed = (error: unknown) => {
    if (error instanceof RpcRefusal) {
      sink.fail(error);
      return;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`sim: ${text}\n`);
    call.fail(new RpcRefusal(STATUS.internal, text.split('\n', 1)[0] ?? 'failed'));
  };
  try {
    const promise = act();
    if (promise !== undefined) promise.catch(failed);
  } catch (error) {
    failed(error);
  }
}

function answer(sink: MessageSink, message: object): void {
  sink.message(message);
  sink.end();
}

function needs(isThere: boolean | undefined): void {
  if (isThere !== true) throw new RpcRefusal(STATUS.unimplemented, 'Method not implemented!');
}

const METHODS: Readonly<Record<string, Method>> = {
  Generate: generate,
  Embed: embed,
  HealthCheck: (host, _call, sink) => answer(sink, host.dialect.health(host.identity())),
  GetModelInfo: (host, _call, sink) => answer(sink, host.dialect.modelInfo(host.identity())),
  GetServerInfo: (host, _call, sink) => answer(sink, host.dialect.serverInfo(host.identity())),
  GetLoads: (host, call, sink) => {
    const { loads } = host.dialect;
    if (loads === undefined) throw new RpcRefusal(STATUS.unimplemented, 'Method not implemented!');
    answer(sink, loads(host.identity(), new Fields(call.request)));
  },
  Abort: (host, call, sink) => {
    const request = new Fields(call.request);
    const found = host.dialect.abortedIds(request).map((id) => host.aborted(id, request.text('reason')));
    answer(sink, host.dialect.abortAnswer(found.includes(true)));
  },
  FlushCache: (host, _call, sink) => {
    needs(host.dialect.hasAdministration);
    const isIdle = host.scheduler.running + host.scheduler.waiting === 0;
    if (isIdle) host.scheduler.flushCache();
    answer(sink, {
      success: isIdle,
      message: isIdle ? 'Cache flushed' : 'Cannot flush the cache: requests are running',
    });
  },
  StartProfile: (host, _call, sink) => profile(host, sink, true),
  StopProfile: (host, _call, sink) => profile(host, sink, false),
  GetTokenizer: async (host, _call, sink) => {
    const { bundle, kind } = host.options;
    for (const chunk of await bundleChunks(host.mind.tokenizer.path, bundle, kind === 'mlx')) sink.message(chunk);
    sink.end();
  },
  LoadLoRAAdapter: (host, call, sink) => {
    needs(host.dialect.hasAdapters);
    host.adapters.add(new Fields(call.request).text('lora_name'));
    answer(sink, { success: true, loaded_lora_ids: [...host.adapters] });
  },
  UnloadLoRAAdapter: (host, call, sink) => {
    needs(host.dialect.hasAdapters);
    const isKnown = host.adapters.delete(new Fields(call.request).text('lora_name'));
    answer(sink, { success: isKnown, message: isKnown ? '' : 'not loaded', loaded_lora_ids: [...host.adapters] });
  },
  ListLoadedLoRAAdapters: (host, _call, sink) => {
    needs(host.dialect.hasAdapters);
    const adapters = [...host.adapters].map((name) => ({ lora_id: name, lora_name: name }));
    answer(sink, { loaded_adapters: adapters });
  },
};

function profile(host: RpcHost, sink: MessageSink, on: boolean): void {
  needs(host.dialect.hasAdministration);
  const success = host.profile(on);
  const state = on ? 'is running already' : 'is not running';
  answer(sink, { success, message: success ? 'Done' : `The profile ${state}` });
}

async function generate(host: RpcHost, call: RpcCall, sink: MessageSink): Promise<void> {
  const ask = host.dialect.readGenerate(new Fields(call.request));
  checkAsk(host, ask);
  if (host.generations.has(ask.requestId)) throw invalid(`Request id ${ask.requestId} is already under way.`);
  const pending: Pending = { generation: undefined, isAborted: false };
  host.generations.set(ask.requestId, pending);
  const leaveRank = host.enterRank(ask.rank);
  const leave = () => {
    host.generations.delete(ask.requestId);
    leaveRank();
  };
  call.onEnd((outcome) => {
    host.ended(ask.requestId, outcome);
    // Such an engine goes on until it is told to abort, or is done.
    if (outcome === 'aborted' && host.options.ignoresCancel && pending.generation?.goOn(leave) === true) return;
    leave();
    pending.generation?.drop();
  });
  const prompt = await host.mind.tokenizer.decode(ask.promptIds);
  const fault = faultInside(prompt);
  if (fault !== undefined && strikeBefore(call, fault, host)) return;
  const answers = await host.mind.answers(ask, prompt, {
    naturalTokens: host.options.outputTokens,
    mostTokens: host.options.maxModelTokens - ask.promptIds.length,
  });
  if (!call.isOpen) return;
  const generation = new Generation(host, ask, answers, fault === undefined ? sink : spoil(call, fault, host));
  pending.generation = generation;
  if (pending.isAborted) generation.abort();
  else begin(host, generation, answers);
}

function begin(host: RpcHost, generation: Generation, answers: readonly Answer[]): void {
  const { promptIds } = generation.ask;
  const longest = Math.max(...answers.map(({ ids }) => ids.length));
  if (!host.scheduler.fits(promptIds.length, longest)) {
    throw invalid(`${promptIds.length + longest} tokens exceed the KV cache.`);
  }
  generation.start();
}

function checkAsk(host: RpcHost, { requestId, promptIds, rank, choices }: Ask): void {
  if (requestId === '') throw invalid('request_id is required.');
  if (choices > 128) throw invalid(`n must be at most 128, got ${choices}.`);
  checkPrompt(host, promptIds);
  if (rank !== undefined && rank >= host.options.dataParallelSize) {
    throw invalid(`data_parallel_rank ${rank} is out of range.`);
  }
}

function checkPrompt({ options, mind }: RpcHost, promptIds: readonly number[]): void {
  if (promptIds.length === 0) throw invalid('Tokenized input is required: input_ids is empty.');
  const { vocabularySize } = mind.tokenizer;
  const stranger = promptIds.find((id) => id >= vocabularySize);
  if (stranger !== undefined) {
    throw invalid(`Token id ${stranger} is out of vocabulary (${vocabularySize} tokens).`);
  }
  if (promptIds.length >= options.maxModelTokens) {
    throw invalid(
      `The prompt of ${promptIds.length} tokens is too long for the model's context of ${options.maxModelTokens}.`,
    );
  }
}

/** `#fault {json}` in the last user text: how a client behind a gateway orders one. Throws RpcRefusal for a bad one. */
function faultInside(prompt: string): Fault | undefined {
  const match = /#fault (\{.*\})/.exec(lastUserText(prompt));
  if (match === null) return undefined;
  try {
    return faultOn('grpc', parseFault(JSON.parse(match[1] ?? '')));
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
    throw invalid(`#fault: ${error.message}`);
  }
}

function embed(host: RpcHost, call: RpcCall, sink: MessageSink): void {
  const { embedding } = host.dialect;
  if (embedding === undefined) throw new RpcRefusal(STATUS.unimplemented, 'Method not implemented!');
  const request = new Fields(call.request);
  const ids = request.inner('tokenized').numbers('input_ids');
  checkPrompt(host, ids);
  const text = textOfTokenIds(ids);
  const listener = {
    onToken: () => undefined,
    onFinish: () => {
      const values = vectorOf(text, host.options.embeddingDimensions);
      answer(sink, embedding(request.text('request_id'), values, ids.length));
    },
  };
  const tokens = readTokens(text, '', host.scheduler.cost, host.model);
  const sequence = host.driver.submit({ ...tokens, outputTokens: 0, listener });
  call.onEnd(() => host.driver.abort(sequence));
}

/** A vector of length 1 that follows from the tokens. */
function vectorOf(text: string, dimensions: number): readonly number[] {
  const random = createRandom(hashText(text));
  const values = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}
