/**
 * Options of the commands themselves: where the configuration file is, how `smg serve` starts its engines, what
 * `smg simulate` plays. They are read like the gateway's options, but the gateway never sees them.
 */
import { choice, decimal, host, seconds, text, wholeNumber } from './kinds.ts';
import { kind, list, type OptionTable, optional, single, toggle, type ValuesOf } from './option.ts';

/** Options of every command that reads a configuration. */
export const commonOptions = {
  config: optional(text('file', 'the path of a file'), {
    group: 'General',
    doc: 'Configuration file, YAML or JSON.',
  }),
} as const satisfies OptionTable;

/** What `smg serve` can start. */
const engineNames = ['sim', 'sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'] as const;
export type EngineName = (typeof engineNames)[number];

/** Options of `smg serve`. */
export const serveOptions = {
  backend: single(choice(engineNames), {
    group: 'Engines',
    default: 'sglang',
    doc: 'Engine to start; sim is a simulated one that needs no GPU and no model.',
  }),
  model: optional(text('model', 'the name or the path of a model'), {
    group: 'Engines',
    doc: 'Model to serve; sim-model when the engine is simulated, required otherwise.',
  }),
  dataParallelSize: single(wholeNumber({ min: 1, max: 64 }), {
    group: 'Engines',
    default: 1,
    doc: 'Engines to start, each a process of its own.',
    aliases: ['dp-size'],
  }),
  tensorParallelSize: single(wholeNumber({ min: 1, max: 64 }), {
    group: 'Engines',
    default: 1,
    doc: 'GPUs for each engine; several engines divide the visible GPUs among them.',
    aliases: ['tp-size'],
  }),
  connectionMode: single(choice(['http', 'grpc']), {
    group: 'Engines',
    default: 'http',
    doc: 'How the gateway talks to the engines; mlx and tokenspeed are served over grpc only.',
  }),
  workerHost: single(host, { group: 'Engines', default: '127.0.0.1', doc: 'Address that the engines listen on.' }),
  workerBasePort: single(wholeNumber({ min: 0, max: 65_000, placeholder: 'port', note: '0 takes any free ports' }), {
    group: 'Engines',
    default: 31_000,
    doc: "First engine's port; the others take the next free ones.",
  }),
  engineStartupTimeoutSecs: single(seconds(), {
    group: 'Engines',
    default: 300,
    doc: 'How long the engines may take until they answer.',
  }),
  dryRun: toggle({
    group: 'Engines',
    doc: 'Print the command lines of the engines and start nothing.',
    flagOnly: true,
  }),
} as const satisfies OptionTable;

export type ServeOptions = ValuesOf<typeof serveOptions>;

const svgPath = kind({ accepts: 'the path of a file that ends with .svg', placeholder: 'file.svg' }, (raw) =>
  typeof raw === 'string' && /\.svg$/i.test(raw) && !raw.includes('\0') ? raw : undefined,
);

/** Options of `smg simulate`. Flags only: they are about one run, not about a gateway. */
export const simulateOptions = {
  trace: optional(text('file', 'the path of a file'), {
    group: 'Load',
    doc: 'Trace to replay: one call a line.',
    flagOnly: true,
  }),
  format: single(choice(['auto', 'mooncake', 'azure']), {
    group: 'Load',
    default: 'auto',
    doc: 'Form of the trace: JSON lines with hash_ids, or CSV with TIMESTAMP,ContextTokens,GeneratedTokens.',
    flagOnly: true,
  }),
  load: optional(choice(['multi_turn', 'shared_system_prompt']), {
    group: 'Load',
    doc: 'Generated conversations instead of a trace; in the second all begin with the same 4,000 tokens.',
    flagOnly: true,
  }),
  speed: single(decimal({ min: 0.001, max: 1000 }), {
    group: 'Load',
    default: 1,
    doc: 'Makes the calls arrive this many times as fast.',
    flagOnly: true,
  }),
  seed: single(wholeNumber({ min: 0, max: 0xffff_ffff }), {
    group: 'Load',
    default: 1,
    doc: 'Of generated loads and of policies that draw lots; the same seed gives the same numbers.',
    flagOnly: true,
  }),
  policy: list(text('names', 'the name of a policy, or name:option=value,option=value'), {
    group: 'Policies',
    default: [],
    doc: 'Policies to compare; every one when none is named.',
    flagOnly: true,
  }),
  usage: single(choice(['cached', 'counts', 'none']), {
    group: 'Policies',
    default: 'cached',
    doc: 'What answers tell of tokens: counts and cached ones, counts alone, or nothing.',
    flagOnly: true,
  }),
  reportIntervalSecs: single(seconds({ min: 0, note: '0: never' }), {
    group: 'Policies',
    default: 10,
    doc: 'How often the gateway hears of the load of each engine.',
    flagOnly: true,
  }),
  routingKeys: toggle({
    group: 'Policies',
    doc: 'Calls of generated loads name their conversation as routing key.',
    flagOnly: true,
  }),
  workers: single(wholeNumber({ min: 1, max: 1024 }), {
    group: 'Engines',
    default: 8,
    doc: 'Simulated engines.',
    flagOnly: true,
  }),
  kvTokens: optional(wholeNumber({ min: 1, max: 1e12, unit: 'tokens' }), {
    group: 'Engines',
    doc: 'KV cache of each engine; when unset it is never full.',
    flagOnly: true,
  }),
  prefillTokensPerSecond: single(wholeNumber({ min: 1, max: 1e9, unit: 'tokens' }), {
    group: 'Engines',
    default: 8000,
    doc: 'How fast an engine computes prompts.',
    flagOnly: true,
  }),
  out: optional(svgPath, {
    group: 'Output',
    doc: 'Draws waiting times and loads over time into this file.',
    flagOnly: true,
  }),
  json: toggle({ group: 'Output', doc: 'Prints JSON instead of a table.', flagOnly: true }),
} as const satisfies OptionTable;

/** What `smg simulate` hands to the laboratory. */
export type SimulateOptions = ValuesOf<typeof simulateOptions>;
