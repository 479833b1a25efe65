/**
 * An SGLang server on the gRPC library that answers as a test says: each answer writes what it likes into its stream,
 * also what no engine would.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Metadata, sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import {
  GenerateRequestSchema,
  GenerateResponseSchema,
  SglangScheduler,
} from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import type { GenerateRequest } from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import { zip } from './zip.ts';

const wire = SglangScheduler.method;
export const SMALL_MODEL = fileURLToPath(new URL('../fixtures/small-model', import.meta.url));

type Told = NonNullable<MessageInitShape<typeof GenerateResponseSchema>['response']>;
type Chunk = Extract<Told, { case: 'chunk' }>['value'];
type Complete = Extract<Told, { case: 'complete' }>['value'];

/** One Generate under way. */
export interface Asked {
  readonly request: GenerateRequest;
  readonly metadata: Metadata;
  chunk(value: Chunk): boolean;
  complete(value?: Complete): boolean;
  /** Bytes as they are, framed by the library. */
  raw(bytes: Buffer): boolean;
  end(): void;
  fail(code: number, details: string): void;
  readonly isOver: boolean;
  drained(): Promise<void>;
}

export interface HostilePlan {
  generate?: (asked: Asked) => void | Promise<void>;
  /** Answers of small questions: a message, or nothing for no answer at all. */
  readonly unary?: Partial<
    Record<'healthCheck' | 'getModelInfo' | 'getServerInfo' | 'getLoads' | 'embed', () => object | undefined>
  >;
  /** Pieces of the bundle; the small model's own if it is not said. */
  bundle?: (
    send: (data: Buffer, sha256?: string) => boolean,
    call: { readonly isOver: boolean },
  ) => void | Promise<void>;
}

export interface HostileEngine {
  readonly url: string;
  readonly plan: HostilePlan;
  aborted: number;
  asked: number;
}

const BYTES = { serialize: (bytes: Buffer) => bytes, deserialize: (bytes: Buffer) => bytes };

function definitionOf(method: DescMethod) {
  return {
    path: `/${SglangScheduler.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: BYTES.serialize,
    requestDeserialize: BYTES.deserialize,
    responseSerialize: BYTES.serialize,
    responseDeserialize: BYTES.deserialize,
  };
}

/** The small model's files as an engine sends them. */
export function smallBundle(): Buffer {
  const names = readdirSync(SMALL_MODEL).filter((name) => name.endsWith('.json'));
  return zip(names.map((name) => ({ name, bytes: readFileSync(`${SMALL_MODEL}/${name}`) })));
}

const UNARY: Readonly<Record<string, () => object>> = {
  healthCheck: () => ({ healthy: true }),
  getModelInfo: () => ({ servedModelName: 'small', isGeneration: true }),
  getServerInfo: () => ({}),
  getLoads: () => ({ loads: [] }),
};

export async function hostileEngine(t: TestContext, plan: HostilePlan = {}): Promise<HostileEngine> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const engine = { url: '', plan, aborted: 0, asked: 0 };
  const generate = (call: ServerWritableStream<Buffer, Buffer>) => {
    engine.asked += 1;
    void Promise.resolve(engine.plan.generate?.(askedOf(call))).catch(() => undefined);
  };
  const abort = (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
    engine.aborted += 1;
    done(null, Buffer.alloc(0));
  };
  const tokenizer = (call: ServerWritableStream<Buffer, Buffer>) =>
    void sendBundle(call, engine.plan).catch(() => undefined);
  const methods = { generate, abort, getTokenizer: tokenizer };
  server.addService(
    Object.fromEntries(
      [...Object.keys(UNARY), 'embed', 'generate', 'abort', 'getTokenizer'].map((name) => [
        name,
        definitionOf(wire[name as keyof typeof wire]),
      ]),
    ),
    {
      ...Object.fromEntries([...Object.keys(UNARY), 'embed'].map((name) => [name, unaryOf(name, engine.plan)])),
      ...methods,
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.after(() => server.forceShutdown());
  engine.url = `grpc://127.0.0.1:${port}`;
  return engine;
}

function unaryOf(name: string, plan: HostilePlan) {
  return (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
    const answer = plan.unary?.[name as 'healthCheck'] ?? UNARY[name];
    const told = answer?.();
    if (Buffer.isBuffer(told)) return done(null, told);
    const { output } = wire[name as 'healthCheck'];
    if (told) done(null, Buffer.from(toBinary(output, create(output, told))));
  };
}

async function sendBundle(call: ServerWritableStream<Buffer, Buffer>, plan: HostilePlan): Promise<void> {
  const { output } = wire.getTokenizer;
  const state = { isOver: false };
  call.on('cancelled', () => {
    state.isOver = true;
  });
  const send = (data: Buffer, sha256 = '') =>
    call.write(Buffer.from(toBinary(output, create(output, { data, sha256 }))));
  if (plan.bundle) await plan.bundle(send, state);
  else {
    const archive = smallBundle();
    send(archive, createHash('sha256').update(archive).digest('hex'));
  }
  call.end();
}

function askedOf(call: ServerWritableStream<Buffer, Buffer>): Asked {
  let isOver = false;
  call.on('cancelled', () => {
    isOver = true;
  });
  const raw = (bytes: Buffer) => isOver || call.write(bytes);
  const tell = (response: Told) =>
    raw(Buffer.from(toBinary(GenerateResponseSchema, create(GenerateResponseSchema, { response }))));
  return {
    request: fromBinary(GenerateRequestSchema, call.request),
    metadata: call.metadata,
    chunk: (value) => tell({ case: 'chunk', value }),
    complete: (value = { finishReason: 'stop' }) => tell({ case: 'complete', value }),
    raw,
    end: () => call.end(),
    fail: (code, details) => void call.emit('error', { code, details }),
    get isOver() {
      return isOver;
    },
    drained: () =>
      new Promise((resolve) =>
        isOver ? resolve() : (call.once('drain', resolve), call.once('cancelled', () => resolve())),
      ),
  };
}
