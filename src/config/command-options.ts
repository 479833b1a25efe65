/**
 * Options of the commands themselves: where the configuration file is, and how `smg serve` starts its engines. They
 * are read like the gateway's options, but the gateway never sees them.
 */
import { choice, host, seconds, text, wholeNumber } from './kinds.ts';
import { type OptionTable, optional, single, toggle, type ValuesOf } from './option.ts';

/** Options of every command that reads a configuration. */
export const commonOptions = {
  config: optional(text('file', 'the path of a file'), {
    group: 'General',
    doc: 'Configuration file, YAML or JSON.',
  }),
} as const satisfies OptionTable;

/** What `smg serve` can start. */
const engineNames = ['sim', 'sglang', 'vllm'] as const;
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
  connectionMode: single(choice(['http'], 'gRPC engines are not available yet in this version'), {
    group: 'Engines',
    default: 'http',
    doc: 'How the gateway talks to the engines.',
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
