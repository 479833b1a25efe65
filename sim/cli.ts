/**
 * The simulator's command line: flags to options, with every problem reported at once. No I/O.
 * Number flags derive from the option table; the rest is spelled out.
 */

import { Command, CommanderError } from 'commander';
import {
  BUNDLE_KINDS,
  type BundleKind,
  GRPC_ENGINE_KINDS,
  type GrpcEngineKind,
  type GrpcEngineOptions,
  MOST_STREAMS,
  tokensPerChunkProblem,
} from './grpc/options.ts';
import {
  ENGINE_KINDS,
  type EngineKind,
  type EngineOptions,
  NUMBER_OPTIONS,
  type NumberOption,
  numberProblem,
} from './options.ts';
import { PRESETS, PROVIDER_KINDS, type PresetName, type ProviderKind, type ProviderSpec } from './providers/options.ts';

/** A command line as understood. */
export type CommandLine =
  | {
      readonly kind: 'run';
      /** Over HTTP, or, with `--connection-mode grpc`, none of these but `grpcEngines`. */
      readonly engines: readonly Partial<EngineOptions>[];
      readonly grpcEngines: readonly Partial<GrpcEngineOptions>[];
      readonly providers: readonly ProviderSpec[];
    }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'bad'; readonly problems: readonly string[] };

const FIRST_PORT = 31_000;
const MOST_ENGINES = 1000;
const PROVIDER_WORDS: readonly string[] = [...PROVIDER_KINDS, ...Object.keys(PRESETS)];

/** Reads the arguments behind the script's name. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const command = createCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help', text: command.helpInformation() };
    return { kind: 'bad', problems: [error.message.replace(/^error: /, '')] };
  }
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  return plan(command.opts<Flags>(), isGiven);
}

type Flags = Readonly<Record<string, string | string[] | boolean | undefined>>;

function createCommand(): Command {
  const command = new Command('sim')
    .description(
      'Simulated inference engines and cloud providers: the shapes of SGLang, vLLM, OpenAI, Anthropic and others over ' +
        'HTTP, five engines over gRPC, faults on demand.',
    )
    .option('--engines <n>', 'how many engines, on consecutive ports', '1')
    .option('--provider <name...>', `cloud providers instead of engines: ${PROVIDER_WORDS.join(', ')}`)
    .option('--key <key...>', 'keys that the providers know (default: any key in the right form)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--connection-mode <mode>', 'how the engines are talked to: http, grpc', 'http')
    .option('--kind <kind>', `which engine to imitate: ${ENGINE_KINDS.join(', ')}; tokenspeed over gRPC`, 'sglang')
    .option('--model <name...>', 'the model served, then its adapters (default: "sim-model")')
    .option('--api-key <key>', 'require this bearer token')
    .option('--health-needs-key', 'require it on health paths too')
    .option('--tokenizer-path <folder>', 'gRPC: a model folder with tokenizer.json (default: a small one of its own)')
    .option('--hide-tokenizer-path', 'gRPC: do not report that folder; gateways have to ask for the bundle')
    .option('--tokens-per-chunk <n>', 'gRPC: tokens in one message of a stream', '1')
    .option('--max-streams <n>', 'gRPC: calls at once on one connection', String(MOST_STREAMS))
    .option('--bundle <kind>', `gRPC: the tokenizer bundle that is sent: ${BUNDLE_KINDS.join(', ')}`, 'good')
    .option('--control-port <port>', 'second listener for /_sim/*, which survives "refuse"; consecutive like --port');
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOption[]) {
    const fallback = name === 'port' ? FIRST_PORT : NUMBER_OPTIONS[name].fallback;
    command.option(`--${flagOf(name)} <n>`, NUMBER_OPTIONS[name].help, String(fallback));
  }
  return command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .allowExcessArguments(false);
}

/** With providers, engines are started only when their number is given; providers take the first ports. */
function plan(flags: Flags, isGiven: (name: string) => boolean): CommandLine {
  const problems: string[] = [];
  const numbers: Partial<Record<NumberOption, number>> = {};
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOption[]) {
    const value = readNumber(flags[name]);
    const problem = numberProblem(name, value);
    if (problem !== undefined) problems.push(`--${flagOf(name)} ${problem}, not "${String(flags[name])}"`);
    numbers[name] = value;
  }
  const count = readNumber(flags['engines']);
  if (!Number.isInteger(count) || count < 1 || count > MOST_ENGINES) {
    problems.push(`--engines must be a whole number from 1 to ${MOST_ENGINES}, not "${String(flags['engines'])}"`);
  }
  const isGrpc = flags['connectionMode'] === 'grpc';
  if (!isGrpc && flags['connectionMode'] !== 'http') {
    problems.push(`--connection-mode must be one of http, grpc, not "${String(flags['connectionMode'])}"`);
  }
  const kinds: readonly string[] = isGrpc ? GRPC_ENGINE_KINDS : ENGINE_KINDS;
  const kind = String(flags['kind']);
  if (!kinds.includes(kind)) problems.push(`--kind must be one of ${kinds.join(', ')}, not "${kind}"`);
  const grpc = readGrpcFlags(flags, isGrpc, problems);
  // Engines that send tokens have a default of their own.
  if (isGrpc && !isGiven('outputTokens')) delete numbers.outputTokens;
  const controlPort = flags['controlPort'] === undefined ? undefined : readNumber(flags['controlPort']);
  const controlProblem = controlPort === undefined ? undefined : numberProblem('port', controlPort);
  if (controlProblem !== undefined) problems.push(`--control-port ${controlProblem}`);
  const names = Array.isArray(flags['provider']) ? flags['provider'] : [];
  const unknown = names.filter((name) => !PROVIDER_WORDS.includes(name));
  if (unknown.length > 0) {
    problems.push(`--provider must be one of ${PROVIDER_WORDS.join(', ')}, not "${unknown.join(' ')}"`);
  }
  if (problems.length > 0) return { kind: 'bad', problems };
  const firstPort = numbers.port ?? FIRST_PORT;
  const engineCount = names.length > 0 && !isGiven('engines') ? 0 : count;
  const engines = Array.from({ length: engineCount }, (_unused, index) => ({
    ...numbers,
    port: offset(firstPort, names.length + index),
    host: String(flags['host']),
    models: Array.isArray(flags['model']) ? flags['model'] : ['sim-model'],
    healthNeedsKey: flags['healthNeedsKey'] === true,
    apiKey: flags['apiKey'] === undefined ? undefined : String(flags['apiKey']),
    controlPort: controlPort === undefined ? undefined : offset(controlPort, index),
  }));
  const providers = names.map((name, index) => readProvider(name, offset(firstPort, index), flags));
  return {
    kind: 'run',
    engines: isGrpc ? [] : engines.map((engine) => ({ ...engine, kind: kind as EngineKind })),
    grpcEngines: isGrpc ? engines.map((engine) => ({ ...engine, ...grpc, kind: kind as GrpcEngineKind })) : [],
    providers,
  };
}

/** The flags that only gRPC engines have; adds to `problems`. */
function readGrpcFlags(flags: Flags, isGrpc: boolean, problems: string[]): Partial<GrpcEngineOptions> {
  const tokensPerChunk = readNumber(flags['tokensPerChunk']);
  const problem = tokensPerChunkProblem(tokensPerChunk);
  if (problem !== undefined) problems.push(`--tokens-per-chunk ${problem}, not "${String(flags['tokensPerChunk'])}"`);
  const maxStreams = readNumber(flags['maxStreams']);
  if (!(Number.isInteger(maxStreams) && maxStreams >= 1 && maxStreams <= MOST_STREAMS)) {
    problems.push(`--max-streams must be a whole number from 1 to ${MOST_STREAMS}`);
  }
  const bundle = flags['bundle'] as BundleKind;
  if (!BUNDLE_KINDS.includes(bundle)) problems.push(`--bundle must be one of ${BUNDLE_KINDS.join(', ')}`);
  const isAsked = flags['tokenizerPath'] !== undefined || flags['hideTokenizerPath'] === true;
  if (isAsked && !isGrpc) problems.push('--tokenizer-path and --hide-tokenizer-path need --connection-mode grpc');
  return {
    tokensPerChunk,
    maxStreams,
    bundle,
    reportsTokenizerPath: flags['hideTokenizerPath'] !== true,
    ...(flags['tokenizerPath'] === undefined ? {} : { tokenizerPath: String(flags['tokenizerPath']) }),
  };
}

function readProvider(name: string, port: number, flags: Flags): ProviderSpec {
  const isKind = PROVIDER_KINDS.includes(name as ProviderKind);
  return {
    ...(isKind ? { kind: name as ProviderKind } : { kind: 'compatible', preset: name as PresetName }),
    port,
    host: String(flags['host']),
    keys: Array.isArray(flags['key']) ? flags['key'] : [],
    ...(Array.isArray(flags['model']) ? { models: flags['model'] } : {}),
  };
}

/** Port 0 stays 0: each engine then gets a free port of its own. */
function offset(port: number, index: number): number {
  return port === 0 ? 0 : port + index;
}

function readNumber(text: unknown): number {
  if (typeof text !== 'string' || text.trim() === '') return Number.NaN;
  return Number(text);
}

function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
