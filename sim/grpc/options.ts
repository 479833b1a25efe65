/**
 * What can be configured on a simulated gRPC engine. Numbers and their bounds are those of the HTTP engines; the rest is
 * about tokens.
 */

import { type EngineOptions, NUMBER_OPTIONS, type NumberOption, numberProblem } from '../options.ts';
import { DEFAULT_TOKENIZER_PATH } from './assets.ts';

/** Which engine is imitated. */
export type GrpcEngineKind = 'sglang' | 'vllm' | 'trtllm' | 'mlx' | 'tokenspeed';

/** The kinds, in the order they are listed to users. */
export const GRPC_ENGINE_KINDS: readonly GrpcEngineKind[] = ['sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'];

/** What GetTokenizer sends: the model's folder, nothing (FAILED_PRECONDITION), or something broken. */
export type BundleKind =
  | 'good'
  | 'none'
  | 'wrong_sha'
  | 'missing_sha'
  | 'truncated'
  | 'traversal'
  | 'many'
  | 'huge'
  | 'empty';

/** The kinds of bundles, for help texts. */
export const BUNDLE_KINDS: readonly BundleKind[] = [
  'good',
  'none',
  'wrong_sha',
  'missing_sha',
  'truncated',
  'traversal',
  'many',
  'huge',
  'empty',
];

/** All options of one gRPC engine, resolved. */
export interface GrpcEngineOptions extends Omit<EngineOptions, 'kind'> {
  readonly kind: GrpcEngineKind;
  /** A folder with tokenizer.json and what belongs to it. */
  readonly tokenizerPath: string;
  /** GetModelInfo tells the folder's path; without it a gateway has to ask for the bundle. */
  readonly reportsTokenizerPath: boolean;
  readonly bundle: BundleKind;
  /** Tokens in one message of a stream, as an engine with multi-step decoding sends them. */
  readonly tokensPerChunk: number;
  /** A caller that leaves does not stop its generation: only Abort does. */
  readonly ignoresCancel: boolean;
  /** Calls at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS). */
  readonly maxStreams: number;
  /** Makes it a `grpcs://` server: PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

/** As good as no limit. */
export const MOST_STREAMS = 100_000;

const MOST_TOKENS_PER_CHUNK = 10_000;

/** Fills in defaults. Throws RangeError naming every bad value, one per line. */
export function resolveGrpcOptions(given: Partial<GrpcEngineOptions>): GrpcEngineOptions {
  const problems = findProblems(given);
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  const numbers = Object.entries(NUMBER_OPTIONS).map(([name, option]) => [name, option.fallback]);
  return {
    ...(Object.fromEntries(numbers) as Record<NumberOption, number>),
    // Enough for a piece of every script of the vocabulary.
    outputTokens: 32,
    kind: 'sglang',
    host: '127.0.0.1',
    models: ['sim-model'],
    apiKey: undefined,
    healthNeedsKey: false,
    controlPort: undefined,
    onKill: undefined,
    tokenizerPath: DEFAULT_TOKENIZER_PATH,
    reportsTokenizerPath: true,
    bundle: 'good',
    tokensPerChunk: 1,
    ignoresCancel: false,
    maxStreams: MOST_STREAMS,
    tls: undefined,
    ...given,
  };
}

/** What is wrong with a number of tokens per chunk, or undefined. */
export function tokensPerChunkProblem(value: number): string | undefined {
  const isGood = Number.isInteger(value) && value >= 1 && value <= MOST_TOKENS_PER_CHUNK;
  return isGood ? undefined : `must be a whole number from 1 to ${MOST_TOKENS_PER_CHUNK}`;
}

function findProblems(given: Partial<GrpcEngineOptions>): readonly string[] {
  const problems: string[] = [];
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOption[]) {
    const value = given[name];
    const problem = value === undefined ? undefined : numberProblem(name, value);
    if (problem !== undefined) problems.push(`${name} ${problem}`);
  }
  const { kind, bundle, tokensPerChunk, models } = given;
  if (kind !== undefined && !GRPC_ENGINE_KINDS.includes(kind)) {
    problems.push(`kind must be one of ${GRPC_ENGINE_KINDS.join(', ')}`);
  }
  if (bundle !== undefined && !BUNDLE_KINDS.includes(bundle)) {
    problems.push(`bundle must be one of ${BUNDLE_KINDS.join(', ')}`);
  }
  const perChunk = tokensPerChunk === undefined ? undefined : tokensPerChunkProblem(tokensPerChunk);
  if (perChunk !== undefined) problems.push(`tokensPerChunk ${perChunk}`);
  if (models !== undefined && (models.length === 0 || models.includes(''))) {
    problems.push('models must be names, at least one');
  }
  return problems;
}
