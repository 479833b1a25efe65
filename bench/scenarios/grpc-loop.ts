/**
 * The bare loop beside the gateway's gRPC mode, as a process: so many calls at once to the engine of bench/grpc-engine.ts,
 * each followed by the next, and nothing done with what comes but counting its messages. What it costs is the least that
 * any gateway on this client would.
 * Shapes  argv: --client library | channel → IPC { isReady }; IPC Job → IPC { result: JobResult } | { error }
 * Why without a codec: requests are ready-made bytes and answers stay bytes, so that only the client is in the figures
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { parseArgs } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { GrpcChannels } from '../../src/backends/grpc/channels.ts';
import { GenerateRequestSchema } from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import type { RpcMethod } from '../../src/backends/grpc/rpc.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Job, JobResult } from '../load/job.ts';
import { measure, resultOf, Tally } from '../load/window.ts';

const PATH = '/sglang.grpc.scheduler.SglangScheduler/Generate';
const PROMPT_TOKENS = 212;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(20);

/** One call to its end: how many messages came, and when the first did. */
type Ask = () => Promise<{ readonly messages: number; readonly firstAt: number }>;

interface Asked {
  readonly ask: Ask;
  close(): void;
}

/** About what the gateway sends for a body of 1 KB. */
function requestBytes(stream: boolean, tokens: number): Buffer {
  const request = create(GenerateRequestSchema, {
    requestId: 'bench-0123456789abcdef',
    tokenized: { originalText: TEXT, inputIds: Array.from({ length: PROMPT_TOKENS }, (_, at) => 1_000 + at) },
    samplingParams: { temperature: 0.7, maxNewTokens: tokens },
    stream,
  });
  return Buffer.from(toBinary(GenerateRequestSchema, request));
}

const identity = (bytes: Buffer) => bytes;

function askLibrary(port: number, request: Buffer): Asked {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      let messages = 0;
      let firstAt = 0;
      client
        .makeServerStreamRequest(PATH, identity, identity, request)
        .on('data', () => {
          if (messages++ === 0) firstAt = performance.now();
        })
        .on('error', reject)
        .on('end', () => resolve({ messages, firstAt }));
    });
  return { ask, close: () => client.close() };
}

function askChannel(port: number, request: Buffer): Asked {
  const pool = new GrpcChannels(systemClock);
  const channel = pool.channelTo(`grpc://127.0.0.1:${port}`);
  const method: RpcMethod<Buffer, number> = { path: PATH, encode: identity, decode: (bytes) => bytes.length };
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      let messages = 0;
      let firstAt = 0;
      const options = { timeoutMs: undefined, metadata: [] };
      channel.stream(method, request, options, {
        begun() {},
        message() {
          if (messages++ === 0) firstAt = performance.now();
        },
        end: () => resolve({ messages, firstAt }),
        failed: (failure) => reject(new Error(failure.message)),
      });
    });
  return { ask, close: () => pool.close() };
}

const CLIENTS = { library: askLibrary, channel: askChannel };

async function run(job: Job): Promise<JobResult> {
  const tally = new Tally();
  const request = requestBytes(job.stream, job.tokens);
  const clients = job.ports.map((port) => CLIENTS[name](port, request));
  // The tokens and a Complete, or that alone.
  const expected = job.stream ? job.tokens + 1 : 1;
  const state = { isStopping: false };
  const lane = async (ask: Ask) => {
    while (!state.isStopping) {
      const sentAt = performance.now();
      try {
        const { messages, firstAt } = await ask();
        if (messages === expected) tally.answered(performance.now() - sentAt, firstAt - sentAt);
        else tally.failed(`${messages} messages instead of ${expected}`);
      } catch (error) {
        tally.failed(String(error));
      }
    }
  };
  const lanes = Array.from({ length: job.connections }, (_, at) => {
    const client = clients[at % clients.length];
    if (!client) throw new Error('a job needs a port');
    return lane(client.ask);
  });
  const window = await measure(job, tally);
  state.isStopping = true;
  await Promise.all(lanes);
  for (const client of clients) client.close();
  return resultOf(job, tally, window);
}

const { values } = parseArgs({ options: { client: { type: 'string', default: 'library' } } });
const name = values.client === 'channel' ? 'channel' : 'library';

process.on('disconnect', () => process.exit(0));
process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.({ isReady: true });
