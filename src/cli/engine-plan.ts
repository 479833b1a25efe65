/**
 * Plans the engines of `smg serve`: the command line, the GPUs and the URL of each, and how a command line is shown.
 * Pure; starting them is engines.ts.
 */
import { isIPv6 } from 'node:net';
import type { EngineName, ServeOptions } from '../config/command-options.ts';

/** One engine process to be. */
export interface EnginePlan {
  /** In messages: `sglang 1`. */
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Variables on top of the environment that it inherits. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it will answer. */
  readonly url: string;
  /** What to do when the program, or the Python module behind it, is not there. */
  readonly install: string;
}

/** The model that simulated engines serve when none is named. */
export const SIM_MODEL = 'sim-model';

type Arguments = (model: string, host: string, port: string) => readonly string[];

interface Recipe {
  readonly command: string;
  /** Over HTTP; undefined: it has no such server. */
  readonly args: Arguments | undefined;
  /** Over gRPC; the last argument of `args` and these, or a command line of its own. */
  readonly grpc: readonly string[] | Arguments;
  readonly tensorParallelFlag: string | undefined;
  readonly install: string;
}

/** Engines whose gRPC server is a module of smg-grpc-servicer. Source: that package's page, "Usage". */
const servicer =
  (engine: string): Arguments =>
  (model, host, port) => ['-m', `smg_grpc_servicer.${engine}`, '--model', model, '--host', host, '--port', port];

/**
 * How each engine is started, as their own guides say. gRPC: SGLang's `--grpc-mode` and vLLM's `--grpc` (page of
 * smg-grpc-servicer), TensorRT-LLM's `--grpc` (its pull request 11037).
 */
function recipes(simMain: string): Readonly<Record<EngineName, Recipe>> {
  return {
    sim: {
      command: process.execPath,
      args: (model, host, port) => [simMain, '--engines', '1', '--host', host, '--port', port, '--model', model],
      grpc: ['--connection-mode', 'grpc'],
      tensorParallelFlag: undefined,
      install: 'the simulated engines are missing from this installation of smg',
    },
    sglang: {
      command: 'python3',
      args: (model, host, port) =>
        ['-m', 'sglang.launch_server', '--model-path', model].concat('--host', host, '--port', port),
      grpc: ['--grpc-mode'],
      tensorParallelFlag: '--tp-size',
      install: 'install SGLang for python3: pip install "sglang[all]"',
    },
    vllm: {
      command: 'vllm',
      args: (model, host, port) => ['serve', model, '--host', host, '--port', port],
      grpc: ['--grpc'],
      tensorParallelFlag: '--tensor-parallel-size',
      install: 'install vLLM: pip install vllm',
    },
    trtllm: {
      command: 'trtllm-serve',
      args: (model, host, port) => [model, '--host', host, '--port', port],
      grpc: ['--grpc'],
      tensorParallelFlag: '--tp_size',
      install: 'install TensorRT-LLM: pip install tensorrt_llm',
    },
    mlx: {
      command: 'python3',
      args: undefined,
      grpc: servicer('mlx'),
      tensorParallelFlag: undefined,
      install: 'install its gRPC server for python3: pip install "smg-grpc-servicer[mlx]"',
    },
    tokenspeed: {
      command: 'python3',
      args: undefined,
      grpc: servicer('tokenspeed'),
      tensorParallelFlag: undefined,
      install: 'install TokenSpeed and its gRPC server for python3: pip install smg-grpc-servicer',
    },
  };
}

/**
 * Divides the visible GPUs: engine i gets `perEngine` of them from i x perEngine on. `visible` is the value of
 * CUDA_VISIBLE_DEVICES; without one the GPUs are numbered from 0. Undefined when there are too few.
 */
export function splitDevices(visible: string | undefined, engines: number, perEngine: number): string[] | undefined {
  const needed = engines * perEngine;
  const named = visible
    ?.split(',')
    .map((device) => device.trim())
    .filter((device) => device !== '');
  const devices = named ?? Array.from({ length: needed }, (_, index) => String(index));
  if (devices.length < needed) return undefined;
  return Array.from({ length: engines }, (_, rank) =>
    devices.slice(rank * perEngine, (rank + 1) * perEngine).join(','),
  );
}

/** The problem line for too few GPUs, or none. Simulated engines and a single engine take what there is. */
export function deviceProblems(options: ServeOptions, visible: string | undefined): string[] {
  const { backend, dataParallelSize, tensorParallelSize } = options;
  if (backend === 'sim' || dataParallelSize === 1) return [];
  if (splitDevices(visible, dataParallelSize, tensorParallelSize) !== undefined) return [];
  const needed = `${dataParallelSize} engines with ${tensorParallelSize} GPU(s) each`;
  return [`environment variable CUDA_VISIBLE_DEVICES: "${visible}" names too few GPUs for ${needed}`];
}

/** Problem lines for what an engine does not have: a server of that kind, a known flag for several GPUs. */
export function modeProblems({ backend, connectionMode, tensorParallelSize }: ServeOptions): string[] {
  const { args, tensorParallelFlag } = recipes('')[backend];
  const isMissing = connectionMode === 'http' && args === undefined;
  const isUnknown = backend !== 'sim' && tensorParallelSize > 1 && tensorParallelFlag === undefined;
  return [
    ...(isMissing ? [`flag --connection-mode: ${backend} is served over grpc only`] : []),
    ...(isUnknown ? [`flag --tensor-parallel-size: not known for ${backend}; give its own flag behind --`] : []),
  ];
}

/** The arguments of one engine in that mode. */
function argumentsOf({ args, grpc }: Recipe, mode: ServeOptions['connectionMode']): Arguments {
  if (mode === 'grpc' && typeof grpc === 'function') return grpc;
  const added = mode === 'grpc' && typeof grpc !== 'function' ? grpc : [];
  return (model, host, port) => [...(args?.(model, host, port) ?? []), ...added];
}

/** One plan for each port. `extra` arguments go to every engine, last, so that they win. */
export function planEngines(
  options: ServeOptions,
  ports: readonly number[],
  given: { readonly extra: readonly string[]; readonly visibleDevices: string | undefined; readonly simMain: string },
): EnginePlan[] {
  const { backend, workerHost, connectionMode, tensorParallelSize, model = SIM_MODEL } = options;
  const recipe = recipes(given.simMain)[backend];
  const { command, tensorParallelFlag, install } = recipe;
  const args = argumentsOf(recipe, connectionMode);
  const isSplit = backend !== 'sim' && ports.length > 1;
  const devices = isSplit ? splitDevices(given.visibleDevices, ports.length, tensorParallelSize) : undefined;
  const parallel =
    tensorParallelFlag !== undefined && tensorParallelSize > 1 ? [tensorParallelFlag, String(tensorParallelSize)] : [];
  const host = isIPv6(workerHost) ? `[${workerHost}]` : workerHost;
  return ports.map((port, rank) => ({
    label: `${backend} ${rank + 1}`,
    command,
    args: [...args(model, workerHost, String(port)), ...parallel, ...given.extra],
    env: devices?.[rank] === undefined ? {} : { CUDA_VISIBLE_DEVICES: devices[rank] },
    url: `${connectionMode}://${reachable(host)}:${port}`,
    install,
  }));
}

/** An address to connect to, for an address to listen on. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '[::]' ? 'localhost' : host;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command line as a person would type it into a shell. */
export function commandLineOf(plan: EnginePlan): string {
  const variables = Object.entries(plan.env).map(([name, value]) => `${name}=${quote(value)}`);
  return [...variables, quote(plan.command), ...plan.args.map(quote)].join(' ');
}

/** A first call to copy, against the gateway at `url`. */
export function firstCall(url: string, model: string): string {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] });
  return [
    `curl http://${reachable(hostname)}:${port}/v1/chat/completions \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quote(body)}`,
  ].join('\n');
}
