/** A simulated engine behind gRPC with a gateway in front of it, and the calls that a test makes of them. */
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { GrpcEngineKind, GrpcEngineOptions, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { startGateway } from '../../src/app/build.ts';
import type { Gateway } from '../../src/app/build.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { GatewayFlags } from './rig.ts';
import { payloads } from './rig.ts';

export const GRPC_KINDS: readonly GrpcEngineKind[] = ['sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'];

/** Its name says how it writes its thoughts and its calls. */
export const MODEL = 'Qwen3-Sim';

// What is read of JSON is looked at by assertions.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

export interface Pair {
  readonly engine: SimGrpcEngine;
  readonly gateway: Gateway;
  post(path: string, body: Json, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** The JSON payloads of an event stream. Throws when it is none. */
  stream(path: string, body: Json): Promise<Json[]>;
  /** The last Generate or Embed as the engine decoded it. */
  sent(back?: number): Json;
  close(): Promise<void>;
}

export async function startPair(options: Partial<GrpcEngineOptions>, flags: GatewayFlags = {}): Promise<Pair> {
  process.env['HF_HUB_OFFLINE'] = '1';
  const engine = await startGrpcEngine({ models: [MODEL], speed: Number.POSITIVE_INFINITY, ...options });
  const gateway = await gatewayOver([engine.url], flags);
  const post = async (path: string, body: Json, headers: Readonly<Record<string, string>> = {}): Promise<Reply> => {
    const answer = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
      body: JSON.stringify({ model: MODEL, ...body }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  return {
    engine,
    gateway,
    post,
    stream: async (path, body) => {
      const { status, text } = await post(path, { stream: true, ...body });
      if (status !== 200) throw new Error(`${status} ${text}`);
      return payloads(text)
        .filter((each) => each !== '[DONE]')
        .map((each) => JSON.parse(each));
    },
    sent: (back = 0) => engine.lastRequest(back)?.message,
    close: async () => {
      await gateway.stop({ force: true });
      await engine.close();
    },
  };
}

export async function gatewayOver(workerUrls: readonly string[], flags: GatewayFlags = {}): Promise<Gateway> {
  const loaded = loadConfig({
    flags: {
      host: '127.0.0.1',
      port: 0,
      disableMetrics: true,
      logLevel: 'error',
      disableAuditLogging: true,
      workerUrls,
      ...flags,
    },
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const gateway = await startGateway(loaded.config);
  await gateway.whenReady(workerUrls.length);
  return gateway;
}

export const CHAT = '/v1/chat/completions';

export function user(text: string): Json {
  return { messages: [{ role: 'user', content: text }] };
}

export interface Told {
  role: string | undefined;
  content: string | null;
  reasoning: string;
  calls: { id: string; name: string; arguments: string }[];
  finish: string | null;
  logprobs: Json[];
}

/** The chunks of a chat stream put together, by choice; and its usage. */
export function chatOf(chunks: readonly Json[]): { readonly choices: readonly Told[]; readonly usage: Json } {
  const choices: Told[] = [];
  let usage: Json;
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { index, delta, logprobs, finish_reason: finish } of chunk.choices) {
      const told = (choices[index] ??= {
        role: undefined,
        content: null,
        reasoning: '',
        calls: [],
        finish: null,
        logprobs: [],
      });
      told.role ??= delta.role;
      if (delta.content) told.content = (told.content ?? '') + delta.content;
      told.reasoning += delta.reasoning_content ?? '';
      told.logprobs.push(...(logprobs?.content ?? []));
      told.finish ??= finish;
      for (const call of delta.tool_calls ?? []) {
        const open = (told.calls[call.index] ??= { id: call.id, name: call.function.name, arguments: '' });
        open.arguments += call.function.arguments ?? '';
      }
    }
  }
  return { choices, usage };
}

/** A whole chat answer in the same form. */
export function chatIn({ choices, usage }: Json): { readonly choices: readonly Told[]; readonly usage: Json } {
  return {
    usage,
    choices: choices.map(({ message, logprobs, finish_reason: finish }: Json) => ({
      role: message.role,
      content: message.content,
      reasoning: message.reasoning_content ?? '',
      calls: (message.tool_calls ?? []).map((call: Json) => ({ id: call.id, ...call.function })),
      finish,
      logprobs: logprobs?.content ?? [],
    })),
  };
}

/** Ids of calls differ from answer to answer. */
export function withoutIds({ choices, usage }: { readonly choices: readonly Told[]; readonly usage: Json }): Json {
  return {
    usage,
    choices: choices.map((told) => ({ ...told, calls: told.calls.map((call) => ({ ...call, id: '' })) })),
  };
}
