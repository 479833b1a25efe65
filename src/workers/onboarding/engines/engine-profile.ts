/** What onboarding knows of one engine: how it shows itself, and where it says what it is. */
import type { ProbeReply } from '../../../domain/ports.ts';
import type { Engine } from '../../../domain/worker.ts';
import type { Labels } from '../labels.ts';
import type { Questions } from '../questions.ts';

export interface EngineProfile {
  readonly engine: Engine;
  /** `owned_by` of the models that it lists. */
  readonly owners: readonly string[];
  /** Answers that only this engine gives. */
  readonly signs: readonly Sign[];
  /** For an engine without signs: does what is known of the worker look like it? Asked when no sign was shown. */
  looksLike?(looks: Looks): boolean;
  /** Never rejects: a question without an answer leaves its facts open. */
  readMetadata(questions: Questions): Promise<Metadata>;
  /** Further model ids, from a place of its own. */
  listModels?(questions: Questions): Promise<readonly string[]>;
}

export interface Sign {
  readonly path: string;
  isShownBy(reply: ProbeReply): boolean;
}

export interface Looks {
  readonly hasModels: boolean;
  readonly owner: string | undefined;
  readonly health: ProbeReply | undefined;
}

export interface Metadata {
  readonly version: string | undefined;
  readonly contextLength: number | undefined;
  readonly maxRunning: number | undefined;
  readonly capacityTokens: number | undefined;
  readonly dataParallelSize: number;
  readonly instance: string | undefined;
  readonly labels: Labels;
}

export const NO_METADATA: Metadata = {
  version: undefined,
  contextLength: undefined,
  maxRunning: undefined,
  capacityTokens: undefined,
  dataParallelSize: 1,
  instance: undefined,
  labels: {},
};

const MAX_RANKS = 1_024;

/** A number of ranks as an engine says it, within reason. */
export function ranksWithin(size: number | undefined): number {
  return size !== undefined && size <= MAX_RANKS ? size : 1;
}

const MAX_VERSION = 64;

export function versionWithin(version: string | undefined): string | undefined {
  return version?.slice(0, MAX_VERSION);
}
