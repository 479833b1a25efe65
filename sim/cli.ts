/**
 * The simulator's command line: flags to options, with every problem reported at once. No I/O.
 * Number flags derive from the option table; the rest is spelled out.
 */

import { Command, CommanderError } from 'commander';
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
      readonly engines: readonly Partial<EngineOptions>[];
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
  const hasEngines = command.getOptionValueSource('engines') === 'cli';
  return plan(command.opts<Flags>(), hasEngines);
}

type Flags = Readonly<Record<string, string | string[] | boolean | undefined>>;

function createCommand(): Command {
  const command = new Command('sim')
    .description(
      'Simulated inference engines and cloud providers over HTTP: the shapes of SGLang, vLLM, OpenAI, Anthropic and others, ' +
        'faults on demand.',
    )
    .option('--engines <n>', 'how many engines, on consecutive ports', '1')
    .option('--provider <name...>', `cloud providers instead of engines: ${PROVIDER_WORDS.join(', ')}`)
    .option('--key <key...>', 'keys that the providers know (default: any key in the right form)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--kind <kind>', `which engine to imitate: ${ENGINE_KINDS.join(', ')}`, 'sglang')
    .option('--model <name...>', 'the model served, then its adapters (default: "sim-model")')
    .option('--api-key <key>', 'require this bearer token')
    .option('--health-needs-key', 'require it on health paths too')
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
function plan(flags: Flags, hasEngines: boolean): CommandLine {
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
  const kind = flags['kind'] as EngineKind;
  if (!ENGINE_KINDS.includes(kind)) problems.push(`--kind must be one of ${ENGINE_KINDS.join(', ')}, not "${kind}"`);
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
  const engineCount = names.length > 0 && !hasEngines ? 0 : count;
  const engines = Array.from({ length: engineCount }, (_unused, index) => ({
    ...numbers,
    kind,
    port: offset(firstPort, names.length + index),
    host: String(flags['host']),
    models: Array.isArray(flags['model']) ? flags['model'] : ['sim-model'],
    healthNeedsKey: flags['healthNeedsKey'] === true,
    apiKey: flags['apiKey'] === undefined ? undefined : String(flags['apiKey']),
    controlPort: controlPort === undefined ? undefined : offset(controlPort, index),
  }));
  const providers = names.map((name, index) => readProvider(name, offset(firstPort, index), flags));
  return { kind: 'run', engines, providers };
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
