/**
 * The upstream of the gRPC benchmarks: a process that answers as an SGLang scheduler would, as cheaply as Node allows.
 * Shapes  argv: --tokens 64 → IPC { ports: [a, b] } once it listens; IPC 'report' → { requests, aborts }
 * Units   one token = one message = one DATA frame, in an event loop turn of its own
 * Cost    node:http2 with messages made once; of a request its path and one field are read
 * Owner   bench/rig; ends with its parent (IPC disconnect). Two ports of one process look like two workers.
 * Why a gap after the first token: see bench/engine.ts.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AbortResponseSchema,
  GenerateResponseSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  HealthCheckResponseSchema,
} from '../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import { MODEL, TOKENS } from './load/wire.ts';

const { values } = parseArgs({
  options: { tokens: { type: 'string', default: String(TOKENS) }, 'first-gap-ms': { type: 'string', default: '1' } },
});
const tokens = Number(values.tokens);
const firstGapMs = Number(values['first-gap-ms']);

const SERVICE = '/sglang.grpc.scheduler.SglangScheduler/';
const PROMPT_TOKENS = 212;
/** Ids of whole words in every vocabulary that is used here. */
const FIRST_ID = 1_000;

function framed(bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + bytes.length);
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}

const counts = { promptTokens: PROMPT_TOKENS, cachedTokens: 0, index: 0 };

const CHUNKS = Array.from({ length: tokens }, (_, at) =>
  framed(
    toBinary(
      GenerateResponseSchema,
      create(GenerateResponseSchema, {
        requestId: 'bench',
        response: {
          case: 'chunk',
          value: { tokenIds: [FIRST_ID + at], completionTokens: at + 1, ...counts },
        },
      }),
    ),
  ),
);

const COMPLETE = framed(
  toBinary(
    GenerateResponseSchema,
    create(GenerateResponseSchema, {
      requestId: 'bench',
      response: {
        case: 'complete',
        value: { outputIds: [FIRST_ID + tokens - 1], finishReason: 'stop', completionTokens: tokens, ...counts },
      },
    }),
  ),
);

const WHOLE = framed(
  toBinary(
    GenerateResponseSchema,
    create(GenerateResponseSchema, {
      requestId: 'bench',
      response: {
        case: 'complete',
        value: {
          outputIds: Array.from({ length: tokens }, (_, at) => FIRST_ID + at),
          finishReason: 'stop',
          completionTokens: tokens,
          ...counts,
        },
      },
    }),
  ),
);

const UNARY = new Map<string, Buffer>([
  ['HealthCheck', framed(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { healthy: true })))],
  [
    'GetModelInfo',
    framed(
      toBinary(
        GetModelInfoResponseSchema,
        create(GetModelInfoResponseSchema, {
          servedModelName: MODEL,
          modelPath: MODEL,
          isGeneration: true,
          maxContextLength: 131_072,
        }),
      ),
    ),
  ],
  ['GetServerInfo', framed(toBinary(GetServerInfoResponseSchema, create(GetServerInfoResponseSchema, {})))],
  ['Abort', framed(toBinary(AbortResponseSchema, create(AbortResponseSchema, { success: true })))],
]);

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };
const count = { requests: 0, aborts: 0 };

function answer(stream: ServerHttp2Stream, method: string, isStream: boolean): void {
  if (stream.destroyed) return;
  const whole = method === 'Generate' ? WHOLE : UNARY.get(method);
  const status = whole === undefined ? '12' : '0';
  if (whole === undefined) {
    stream.respond({ ...HEAD, 'grpc-status': status }, { endStream: true });
    return;
  }
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  if (method !== 'Generate' || !isStream) {
    stream.end(whole);
    return;
  }
  write({ stream, at: 0 });
}

interface Streaming {
  readonly stream: ServerHttp2Stream;
  at: number;
}

/** Streams with a message to write in the next event loop turn. */
let ready: Streaming[] = [];

function write(streaming: Streaming): void {
  const { stream } = streaming;
  if (stream.destroyed) return;
  const chunk = CHUNKS[streaming.at++];
  if (chunk === undefined) {
    stream.end(COMPLETE);
    return;
  }
  stream.write(chunk);
  if (streaming.at === 1 && firstGapMs > 0) setTimeout(() => later(streaming), firstGapMs);
  else later(streaming);
}

function later(streaming: Streaming): void {
  ready.push(streaming);
  if (ready.length > 1) return;
  setImmediate(() => {
    const turn = ready;
    ready = [];
    for (const each of turn) write(each);
  });
}

const STREAM_FIELD = 17;

/** Whether the field `stream` of the request is set; the other fields are stepped over, whatever their order. */
function wantsStream(request: Buffer): boolean {
  let at = 5;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = request[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < request.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        if (varint() === 1 && field === STREAM_FIELD) return true;
        break;
      case 1:
        at += 8;
        break;
      case 2:
        {
          const length = varint();
          at += length;
        }
        break;
      default:
        at += 4;
    }
  }
  return false;
}

async function listen(): Promise<number> {
  const server = createServer({ settings: { maxConcurrentStreams: 4_096, initialWindowSize: 1_048_576 } });
  server.on('stream', (stream, headers) => {
    const method = String(headers[':path']).replace(SERVICE, '');
    if (method === 'Generate') count.requests += 1;
    if (method === 'Abort') count.aborts += 1;
    const pieces: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => pieces.push(bytes));
    stream.on('error', () => stream.destroy());
    stream.on('end', () => answer(stream, method, wantsStream(Buffer.concat(pieces))));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return (server.address() as AddressInfo).port;
}

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send?.({ ...count }));
const ports = [await listen(), await listen()];
// Started by hand, without a harness, it says on stdout where it listens.
if (process.send === undefined) console.log(JSON.stringify({ ports }));
else process.send({ ports });
