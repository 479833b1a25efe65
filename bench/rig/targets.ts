/**
 * The rows of the table: what the client talks to, started as its users would start it.
 * Shapes  startTarget(name, place) → Target | Missing
 * Errors  Missing carries the reason in words (not installed, not written yet, the tail of its log)
 * Owner   each target's processes belong to the rig
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ask, freePort } from './http.ts';
import { OutputFile } from './output-file.ts';
import type { Cores } from './pinning.ts';
import { processTree } from './proc.ts';
import type { Rig, Started } from './processes.ts';
import { nginxPath, writeNginxConfig } from './nginx.ts';

export const TARGET_NAMES = ['direct', 'bare', 'nginx', 'gateway'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

export interface Target {
  readonly name: TargetName;
  readonly ports: readonly number[];
  /** The proxy's processes; empty for direct. */
  readonly pids: readonly number[];
  readonly process: Started | undefined;
  readonly output: OutputFile | undefined;
}

export interface Missing {
  readonly name: TargetName;
  readonly reason: string;
  /** False when it is simply not there: that is worth a note, not an exit code. */
  readonly isFailure: boolean;
}

/** What every target needs to know about its surroundings. */
export interface Place {
  readonly rig: Rig;
  readonly cores: Cores;
  readonly root: string;
  readonly temp: string;
  readonly enginePorts: readonly number[];
  /** Of the engines' addresses; http by default. */
  readonly scheme?: 'http' | 'grpc';
  readonly gatewayArgs: readonly string[];
  /** Folder for V8 CPU profiles of bare and gateway. */
  readonly profileDir: string | undefined;
}

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

export function isMissing(target: Target | Missing): target is Missing {
  return 'reason' in target;
}

export function startTarget(name: TargetName, place: Place): Promise<Target | Missing> {
  const starters = { direct: startDirect, bare: startBare, nginx: startNginx, gateway: startGateway };
  return starters[name](place);
}

async function startDirect(place: Place): Promise<Target> {
  return { name: 'direct', ports: place.enginePorts, pids: [], process: undefined, output: undefined };
}

async function startBare(place: Place): Promise<Target> {
  const process = await place.rig.start({
    name: 'bare proxy',
    command: [
      ...nodeCommand(place),
      join(place.root, 'bench/bare-proxy.ts'),
      ...upstreamUrls(place).flatMap((url) => ['--upstream', url]),
    ],
    core: place.cores.proxy,
    ipc: true,
  });
  const { port } = await process.ask<{ port: number }>(undefined, READY_TIMEOUT_MS);
  return { name: 'bare', ports: [port], pids: processTree(process.pid), process, output: undefined };
}

async function startNginx(place: Place): Promise<Target | Missing> {
  const path = nginxPath();
  if (path === undefined) return { name: 'nginx', reason: 'no nginx row: it is not installed', isFailure: false };
  const port = await freePort();
  const config = writeNginxConfig({ folder: place.temp, port, enginePorts: place.enginePorts });
  const command = [path, '-c', config, '-p', place.temp];
  return startForeign('nginx', { command, port, readyPath: '/health' }, place);
}

async function startGateway(place: Place): Promise<Target | Missing> {
  const main = join(place.root, 'src/main.ts');
  if (!existsSync(main))
    return { name: 'gateway', reason: 'no gateway row: src/main.ts does not exist', isFailure: false };
  const port = await freePort();
  const metricsPort = await freePort();
  const command = [
    ...[
      ...nodeCommand(place),
      ...GATEWAY_FLAGS,
      main,
      'launch',
      '--worker-urls',
      ...upstreamUrls(place),
      '--policy',
      'round_robin',
    ],
    ...['--port', String(port), '--prometheus-port', String(metricsPort), ...place.gatewayArgs],
  ];
  return startForeign('gateway', { command, port, readyPath: '/readiness' }, place);
}

interface Foreign {
  readonly command: readonly string[];
  readonly port: number;
  readonly readyPath: string;
}

async function startForeign(name: TargetName, foreign: Foreign, place: Place): Promise<Target | Missing> {
  const output = new OutputFile(join(place.temp, `${name}.log`));
  const spec = { name, command: foreign.command, core: place.cores.proxy, ipc: false, output: output.descriptor };
  const process = await place.rig.start(spec);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!process.hasEnded && Date.now() < deadline) {
    const status = await ask(foreign.port, foreign.readyPath);
    if (status === 200) return { name, ports: [foreign.port], pids: processTree(process.pid), process, output };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const state = process.hasEnded ? 'ended' : `did not answer 200 on ${foreign.readyPath} within 30 s`;
  await process.stop();
  return { name, reason: `${name} ${state}; the end of its output:\n${output.tail()}`, isFailure: true };
}

function nodeCommand(place: Place): string[] {
  const profiling = place.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${place.profileDir}`];
  return [process.execPath, ...profiling];
}

/** What bin/smg.cjs and `npm start` give to the Node that runs the gateway. */
const GATEWAY_FLAGS = ['--max-semi-space-size=4'];

function upstreamUrls(place: Place): string[] {
  const { scheme = 'http' } = place;
  return place.enginePorts.map((port) => `${scheme}://127.0.0.1:${port}`);
}
