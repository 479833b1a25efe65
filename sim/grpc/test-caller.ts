/** A caller for tests: grpc-js as a client, with the schemas that the engines read. */

import * as grpc from '@grpc/grpc-js';
import type { JsonRecord } from '../json.ts';
import { isRecord, listOf, recordOf, stringOf } from '../json.ts';
import type { SimGrpcEngine } from './engine.ts';
import { DIALECTS } from './engines/dialects.ts';
import type { GrpcEngineKind } from './options.ts';
import { serviceDefinition } from './protos.ts';

/** How a call ended. */
export interface CallEnd {
  readonly messages: readonly JsonRecord[];
  /** gRPC status. */
  readonly code: number;
  readonly details: string;
}

/** A call under way. */
export interface OpenCall {
  /** Messages so far. */
  readonly messages: JsonRecord[];
  readonly ended: Promise<CallEnd>;
  /** Resolves when so many messages are there. */
  until(count: number): Promise<void>;
  cancel(): void;
}

/** Calls one engine, as the kind that it is or, wrongly, as another. */
export class TestCaller {
  readonly #client: grpc.Client;
  readonly #kind: GrpcEngineKind;

  constructor(engine: Pick<SimGrpcEngine, 'url' | 'kind'>, kind: GrpcEngineKind = engine.kind) {
    this.#client = new grpc.Client(engine.url.replace('grpc://', ''), grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    });
    this.#kind = kind;
  }

  close(): void {
    this.#client.close();
  }

  async open(
    name: string,
    message: object,
    metadata: Readonly<Record<string, string>> = {},
    options: grpc.CallOptions = {},
  ): Promise<OpenCall> {
    const method = (await serviceDefinition(DIALECTS[this.#kind].service))[name];
    if (method === undefined) throw new Error(`no method ${name}`);
    const head = new grpc.Metadata();
    for (const [key, value] of Object.entries(metadata)) head.set(key, value);
    const call = this.#client.makeServerStreamRequest(
      method.path,
      (value: object) => method.requestSerialize(value),
      (bytes: Buffer) => recordOf(method.responseDeserialize(bytes)),
      message,
      head,
      options,
    );
    return watch(call);
  }

  /** Calls and waits for the end. */
  async call(name: string, message: object = {}, metadata: Readonly<Record<string, string>> = {}): Promise<CallEnd> {
    return (await this.open(name, message, metadata)).ended;
  }

  /** The one answer. Throws when the call failed. */
  async unary(name: string, message: object = {}): Promise<JsonRecord> {
    const { messages, code, details } = await this.call(name, message);
    if (code !== 0) throw new Error(`${name}: status ${code}, ${details}`);
    return messages[0] ?? {};
  }
}

function watch(call: grpc.ClientReadableStream<JsonRecord>): OpenCall {
  const messages: JsonRecord[] = [];
  const waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  const { promise, resolve } = Promise.withResolvers<CallEnd>();
  call.on('data', (message: JsonRecord) => {
    messages.push(message);
    for (const waiter of waiters) if (messages.length >= waiter.count) waiter.resolve();
  });
  // The status says the same and comes in every case.
  call.on('error', () => undefined);
  call.on('status', ({ code, details }) => resolve({ messages, code, details }));
  return {
    messages,
    ended: promise,
    until: (count) =>
      messages.length >= count ? Promise.resolve() : new Promise((done) => waiters.push({ count, resolve: done })),
    cancel: () => call.cancel(),
  };
}

/** What differs between the five request messages, said alike. */
export interface Wish {
  readonly ids: readonly number[];
  readonly stream?: boolean;
  readonly n?: number;
  readonly maxTokens?: number;
  readonly minTokens?: number;
  readonly stop?: readonly string[];
  readonly stopTokenIds?: readonly number[];
  readonly ignoreEos?: boolean;
  readonly seed?: number;
  readonly logprobs?: number;
  readonly promptLogprobs?: number;
  readonly schema?: string;
  readonly regex?: string;
  readonly keepsStop?: boolean;
  readonly id?: string;
  /** Of the call; not part of the message. */
  readonly deadlineMs?: number;
}

let nextId = 0;

/** A Generate request for that engine. */
export function generateRequest(kind: GrpcEngineKind, wish: Wish): object {
  const request_id = wish.id ?? `test-${nextId++}`;
  const tokenized = { input_ids: wish.ids, original_text: '' };
  const common = {
    temperature: 1,
    top_p: 1,
    ...(wish.stop === undefined ? {} : { stop: wish.stop }),
    ...(wish.stopTokenIds === undefined ? {} : { stop_token_ids: wish.stopTokenIds }),
    ignore_eos: wish.ignoreEos ?? false,
    n: wish.n ?? 1,
    repetition_penalty: 1,
    ...(wish.schema === undefined ? {} : { json_schema: wish.schema }),
    ...(wish.regex === undefined ? {} : { regex: wish.regex }),
  };
  const stream = wish.stream ?? false;
  if (kind === 'trtllm') return trtllmRequest(request_id, wish);
  if (kind === 'sglang' || kind === 'tokenspeed') {
    const sampling_params = {
      ...common,
      top_k: -1,
      ...(wish.maxTokens === undefined ? {} : { max_new_tokens: wish.maxTokens }),
      min_new_tokens: wish.minTokens ?? 0,
      no_stop_trim: wish.keepsStop ?? false,
    };
    const logprobs = {
      return_logprob: wish.logprobs !== undefined,
      top_logprobs_num: wish.logprobs ?? 0,
      logprob_start_len: wish.promptLogprobs === undefined ? -1 : 0,
    };
    return { request_id, tokenized, sampling_params, stream, ...logprobs };
  }
  const sampling_params = {
    ...common,
    ...(wish.maxTokens === undefined ? {} : { max_tokens: wish.maxTokens }),
    min_tokens: wish.minTokens ?? 0,
    ...(wish.seed === undefined ? {} : { seed: wish.seed }),
    ...(wish.logprobs === undefined ? {} : { logprobs: wish.logprobs }),
    ...(wish.promptLogprobs === undefined ? {} : { prompt_logprobs: wish.promptLogprobs }),
  };
  return { request_id, tokenized, sampling_params, stream };
}

function trtllmRequest(request_id: string, wish: Wish): object {
  const guide = wish.schema ?? wish.regex;
  return {
    request_id,
    tokenized: { input_token_ids: wish.ids },
    streaming: wish.stream ?? false,
    max_tokens: wish.maxTokens ?? 2048,
    sampling_config: { beam_width: 1, num_return_sequences: wish.n ?? 1, min_tokens: wish.minTokens ?? 0 },
    output_config: { logprobs: wish.logprobs, prompt_logprobs: wish.promptLogprobs },
    stop: wish.stop ?? [],
    stop_token_ids: wish.stopTokenIds ?? [],
    ignore_eos: wish.ignoreEos ?? false,
    include_stop_token_in_output: wish.keepsStop ?? false,
    ...(guide === undefined
      ? {}
      : {
          guided_decoding: {
            guide_type: wish.schema === undefined ? 'GUIDE_TYPE_REGEX' : 'GUIDE_TYPE_JSON_SCHEMA',
            guide,
          },
        }),
  };
}

/** A chunk or a Complete, in words that are the same for all engines. */
export interface Told {
  readonly kind: 'chunk' | 'complete';
  readonly ids: readonly number[];
  readonly index: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reason: string;
  readonly matched: unknown;
  readonly message: JsonRecord;
}

/** Reads one message of a Generate stream. */
export function told(message: JsonRecord): Told {
  const kind = isRecord(message['chunk']) ? 'chunk' : 'complete';
  const body = recordOf(message[kind]);
  const ids = body['token_ids'] ?? body['output_ids'] ?? body['output_token_ids'];
  return {
    kind,
    ids: listOf(ids).map(Number),
    index: Number(body['index'] ?? body['sequence_index']),
    promptTokens: Number(body['prompt_tokens']),
    completionTokens: Number(body['completion_tokens']),
    cachedTokens: Number(body['cached_tokens']),
    reason: stringOf(body['finish_reason']) ?? '',
    matched: body['matched_token_id'] ?? body['matched_stop_str'] ?? body['matched_stop_token_id'],
    message: body,
  };
}
