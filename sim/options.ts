/**
 * What can be configured on a simulated engine: names, defaults, bounds and one line of help each.
 * The in-process API, the command line and their error messages all derive from this file.
 */

import { DEFAULT_COST } from './core/cost.ts';

/** Which engine is imitated. */
export type EngineKind = 'sglang' | 'vllm' | 'trtllm' | 'mlx' | 'llama_cpp' | 'ollama' | 'generic';

/** The kinds, in the order they are listed to users. `generic` is a server with OpenAI's API and nothing else. */
export const ENGINE_KINDS: readonly EngineKind[] = [
  'sglang',
  'vllm',
  'trtllm',
  'mlx',
  'llama_cpp',
  'ollama',
  'generic',
];

/** Options that are numbers, with their bounds; `whole` ones take integers only. */
export const NUMBER_OPTIONS = {
  port: { fallback: 0, least: 0, most: 65_535, whole: true, help: 'port to listen on; 0 lets the system choose' },
  speed: {
    fallback: 1,
    least: 1e-6,
    most: Infinity,
    whole: false,
    help: 'virtual ms per real ms; Infinity never waits',
  },
  prefillTokensPerSecond: {
    fallback: DEFAULT_COST.prefillTokensPerSecond,
    least: 1e-3,
    most: Infinity,
    whole: false,
    help: 'prompt tokens computed per second',
  },
  prefillChunkTokens: {
    fallback: DEFAULT_COST.prefillChunkTokens,
    least: 1,
    most: 1e9,
    whole: true,
    help: 'prompt tokens computed in one step at most',
  },
  decodeBaseMs: {
    fallback: DEFAULT_COST.decodeBaseMs,
    least: 0,
    most: 1e9,
    whole: false,
    help: 'fixed time of a decode step in ms',
  },
  decodePerSequenceMs: {
    fallback: DEFAULT_COST.decodePerSequenceMs,
    least: 0,
    most: 1e9,
    whole: false,
    help: 'time per decoding sequence in a step, in ms',
  },
  maxRunning: { fallback: DEFAULT_COST.maxRunning, least: 1, most: 1e9, whole: true, help: 'sequences in the batch' },
  kvTokens: { fallback: DEFAULT_COST.kvTokens, least: 1, most: 1e12, whole: true, help: 'KV cache size in tokens' },
  blockSize: { fallback: DEFAULT_COST.blockSize, least: 1, most: 1e6, whole: true, help: 'tokens per KV block' },
  maxModelTokens: { fallback: 131_072, least: 1, most: 1e12, whole: true, help: 'context length of the model' },
  outputTokens: { fallback: 16, least: 1, most: 1e6, whole: true, help: 'answer length when the request sets none' },
  embeddingDimensions: { fallback: 64, least: 1, most: 65_536, whole: true, help: 'length of embedding vectors' },
  dataParallelSize: { fallback: 1, least: 1, most: 1024, whole: true, help: 'data-parallel ranks that it says it has' },
  keepAliveMs: { fallback: 5000, least: 0, most: 1e9, whole: true, help: 'idle connections are closed after this' },
  seed: { fallback: 0, least: 0, most: 4_294_967_295, whole: true, help: 'seed of answers and of random faults' },
} as const;

/** Name of a numeric option. */
export type NumberOption = keyof typeof NUMBER_OPTIONS;

/** All options of one engine, resolved. */
export interface EngineOptions extends Record<NumberOption, number> {
  readonly kind: EngineKind;
  readonly host: string;
  /** The base model, then its adapters. At least one name. */
  readonly models: readonly string[];
  /** When set, requests need `Authorization: Bearer <apiKey>`. */
  readonly apiKey: string | undefined;
  /** Health paths need the key as well. */
  readonly healthNeedsKey: boolean;
  /** Port of a second listener for `/_sim/*` that survives `refuse`; 0 lets the system choose, undefined means none. */
  readonly controlPort: number | undefined;
  /** Called when a `kill_after` fault (or `kill()`) ends the engine; a process of its own exits here. */
  readonly onKill: (() => void) | undefined;
}

/** Fills in defaults. Throws RangeError naming every bad value, one per line. */
export function resolveOptions(given: Partial<EngineOptions>): EngineOptions {
  const problems = findProblems(given);
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  return {
    ...defaultNumbers(),
    kind: 'sglang',
    host: '127.0.0.1',
    models: ['sim-model'],
    apiKey: undefined,
    healthNeedsKey: false,
    controlPort: undefined,
    onKill: undefined,
    ...given,
  };
}

/** What is wrong with a numeric option's value, or undefined. */
export function numberProblem(name: NumberOption, value: number): string | undefined {
  const { least, most, whole } = NUMBER_OPTIONS[name];
  if (Number.isNaN(value) || value < least || value > most) return `must be between ${least} and ${most}`;
  return whole && !Number.isInteger(value) ? 'must be a whole number' : undefined;
}

function defaultNumbers(): Record<NumberOption, number> {
  const entries = Object.entries(NUMBER_OPTIONS).map(([name, option]) => [name, option.fallback]);
  return Object.fromEntries(entries) as Record<NumberOption, number>;
}

function findProblems(given: Partial<EngineOptions>): readonly string[] {
  const problems: string[] = [];
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOption[]) {
    const value = given[name];
    const problem = value === undefined ? undefined : numberProblem(name, value);
    if (problem !== undefined) problems.push(`${name} ${problem}`);
  }
  if (given.kind !== undefined && !ENGINE_KINDS.includes(given.kind)) {
    problems.push(`kind must be one of ${ENGINE_KINDS.join(', ')}`);
  }
  if (given.models !== undefined && (given.models.length === 0 || given.models.includes(''))) {
    problems.push('models must be names, at least one');
  }
  return problems;
}
