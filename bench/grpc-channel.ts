/**
 * node bench/grpc-channel.ts [rounds]: our gRPC channel beside a bare loop of the gRPC library, against one server of that
 * library in a process of its own. Both send the same ready-made bytes (a request of 1,024 token ids) and take the bytes
 * as they come, so that no codec is in the figures.
 * Units   µs of this process's CPU (user and system) for one call, and for one message of a stream; IN_FLIGHT calls run at
 *         the same time; in turns, the best and the median of the rounds
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Client, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { GrpcChannels } from '../src/backends/grpc/channels.ts';
import type { Channel, RpcMethod } from '../src/backends/grpc/rpc.ts';
import { systemClock } from '../src/base/clock.ts';

const IN_FLIGHT = 32;
const MESSAGES = 64;
const TIMEOUT_MS = 60_000;
const PATHS = { unary: '/bench.Engine/Ask', burst: '/bench.Engine/Burst', spaced: '/bench.Engine/Spaced' } as const;

type CaseName = keyof typeof PATHS;

interface Contender {
  readonly name: string;
  /** One call to its end. */
  run(which: CaseName): Promise<void>;
}

/** Field 1, packed: 1,024 ids of a vocabulary of 128,000, as an engine's request has them. */
function requestBytes(): Buffer {
  const ids: number[] = [];
  for (let i = 0, id = 12_345; i < 1_024; i += 1) {
    id = (id * 48_271 + 11) % 128_000;
    ids.push((id & 127) | 128, ((id >> 7) & 127) | 128, id >> 14);
  }
  return Buffer.concat([Buffer.of(10, (ids.length & 127) | 128, ids.length >> 7), Buffer.from(ids)]);
}

const identity = (bytes: Buffer) => bytes;

async function serve(): Promise<void> {
  const server = new Server();
  const chunk = Buffer.alloc(41, 7);
  const both = {
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
    requestStream: false,
  };
  const definition = {
    unary: { ...both, path: PATHS.unary, responseStream: false },
    burst: { ...both, path: PATHS.burst, responseStream: true },
    spaced: { ...both, path: PATHS.spaced, responseStream: true },
  };
  server.addService(definition, {
    unary: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, chunk),
    burst(call: ServerWritableStream<Buffer, Buffer>) {
      for (let i = 0; i < MESSAGES; i += 1) call.write(chunk);
      call.end();
    },
    spaced(call: ServerWritableStream<Buffer, Buffer>) {
      let left = MESSAGES;
      const step = () => {
        left -= 1;
        call.write(chunk);
        if (left > 0) setImmediate(step);
        else call.end();
      };
      step();
    },
  });
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.send?.(port);
  });
  process.once('disconnect', () => process.exit(0));
}

function ours(channel: Channel, request: Buffer): Contender {
  const methodAt = (path: string): RpcMethod<Buffer, number> => ({ path, encode: identity, decode: (b) => b.length });
  const methods = { unary: methodAt(PATHS.unary), burst: methodAt(PATHS.burst), spaced: methodAt(PATHS.spaced) };
  const options = { timeoutMs: TIMEOUT_MS, metadata: [] };
  return {
    name: 'our channel',
    async run(which) {
      if (which === 'unary') {
        await channel.unary(methods.unary, request, options);
        return;
      }
      await new Promise<void>((resolve, reject) => {
        let count = 0;
        channel.stream(methods[which], request, options, {
          begun() {},
          message() {
            count += 1;
          },
          end: () => (count === MESSAGES ? resolve() : reject(new Error(`${count} messages`))),
          failed: (failure) => reject(new Error(failure.message)),
        });
      });
    },
  };
}

function library(client: Client, request: Buffer): Contender {
  return {
    name: '@grpc/grpc-js',
    run: (which) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        const deadline = { deadline: Date.now() + TIMEOUT_MS };
        if (which === 'unary') {
          client.makeUnaryRequest(PATHS.unary, identity, identity, request, metadata, deadline, (error) =>
            error ? reject(error) : resolve(),
          );
          return;
        }
        let count = 0;
        client
          .makeServerStreamRequest(PATHS[which], identity, identity, request, metadata, deadline)
          .on('data', () => {
            count += 1;
          })
          .on('error', reject)
          .on('end', () => (count === MESSAGES ? resolve() : reject(new Error(`${count} messages`))));
      }),
  };
}

/** CPU µs of one call. */
async function measure(contender: Contender, which: CaseName, calls: number): Promise<number> {
  let left = calls;
  const lane = async () => {
    while (left-- > 0) await contender.run(which);
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

async function main(rounds: number): Promise<void> {
  const child = fork(import.meta.filename, ['serve']);
  const [port] = (await once(child, 'message')) as [number];
  const pool = new GrpcChannels(systemClock);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const request = requestBytes();
  const contenders = [library(client, request), ours(pool.channelTo(`grpc://127.0.0.1:${port}`), request)];
  console.log(row(['case', 'client', 'best', 'median', 'µs a message']));
  console.log(row(['---', '---', '---:', '---:', '---:']));
  for (const which of ['unary', 'burst', 'spaced'] as const) {
    const calls = which === 'unary' ? 4_000 : 600;
    const results = contenders.map(() => [] as number[]);
    for (let round = -1; round < rounds; round += 1) {
      for (const [i, contender] of contenders.entries()) {
        const us = await measure(contender, which, calls);
        // The first round only warms up.
        if (round >= 0) results[i]?.push(us);
      }
    }
    for (const [i, contender] of contenders.entries()) {
      const sorted = (results[i] ?? []).sort((a, b) => a - b);
      const best = sorted[0] ?? Number.NaN;
      const median = sorted[sorted.length >> 1] ?? Number.NaN;
      const each = which === 'unary' ? '' : (best / MESSAGES).toFixed(2);
      console.log(row([which, contender.name, best.toFixed(1), median.toFixed(1), each]));
    }
  }
  client.close();
  pool.close();
  child.disconnect();
}

if (process.argv[2] === 'serve') await serve();
else await main(Number(process.argv[2] ?? 9));
