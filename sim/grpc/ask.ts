/** What a caller asks of a simulated engine, read from whichever of the five request messages it came in. */

import { type JsonRecord, listOf, numberOf, recordOf, stringOf } from '../json.ts';
import type { Constraint } from './constraint.ts';
import { invalid } from './status.ts';

/** One Generate request. Undefined numbers: not asked for. */
export interface Ask {
  readonly requestId: string;
  readonly promptIds: readonly number[];
  readonly isStream: boolean;
  /** Answers to the prompt. */
  readonly choices: number;
  readonly maxTokens: number | undefined;
  readonly minTokens: number;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  readonly seed: number;
  readonly constraint: Constraint | undefined;
  /** The constraint is for what comes behind the thought. */
  readonly thinksFirst: boolean;
  /** Logprobs of the output, of so many likeliest tokens besides the chosen one. */
  readonly logprobs: number | undefined;
  /** The same for the prompt. */
  readonly promptLogprobs: number | undefined;
  /** A token that stopped the answer is not sent (TokenSpeed, TensorRT-LLM). */
  readonly dropsStopToken: boolean;
  /** Data-parallel rank asked for. */
  readonly rank: number | undefined;
  /** Keeps the cached prefixes of adapters apart. */
  readonly adapter: string;
}

/** Members of a message that proto3 gives a zero when nobody set them. */
export class Fields {
  readonly record: JsonRecord;

  constructor(value: unknown) {
    this.record = recordOf(value);
  }

  inner(name: string): Fields {
    return new Fields(this.record[name]);
  }

  has(name: string): boolean {
    return this.record[name] !== undefined && this.record[name] !== null;
  }

  text(name: string): string {
    return stringOf(this.record[name]) ?? '';
  }

  flag(name: string): boolean {
    return this.record[name] === true;
  }

  number(name: string): number {
    return numberOf(this.record[name]) ?? 0;
  }

  optional(name: string): number | undefined {
    return numberOf(this.record[name]);
  }

  numbers(name: string): readonly number[] {
    return listOf(this.record[name]).filter((one) => typeof one === 'number');
  }

  texts(name: string): readonly string[] {
    return listOf(this.record[name]).filter((one) => typeof one === 'string');
  }
}

/** Limits of sampling parameters that all engines share; undefined is not looked at. */
export interface SamplingLimits {
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly minP: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  readonly frequencyPenalty: number | undefined;
}

/** Throws RpcRefusal for a value that engines refuse. Source: the engines' own checks of their sampling parameters. */
export function checkSampling(limits: SamplingLimits): void {
  const { temperature, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty } = limits;
  if (temperature !== undefined && !(temperature >= 0)) {
    throw invalid(`temperature must be non-negative, got ${temperature}.`);
  }
  if (topP !== undefined && !(topP > 0 && topP <= 1)) throw invalid(`top_p must be in (0, 1], got ${topP}.`);
  if (minP !== undefined && !(minP >= 0 && minP <= 1)) throw invalid(`min_p must be in [0, 1], got ${minP}.`);
  if (repetitionPenalty !== undefined && !(repetitionPenalty > 0 && repetitionPenalty <= 2)) {
    throw invalid(`repetition_penalty must be in (0, 2], got ${repetitionPenalty}.`);
  }
  for (const [name, value] of [
    ['presence_penalty', presencePenalty],
    ['frequency_penalty', frequencyPenalty],
  ] as const) {
    if (value !== undefined && !(value >= -2 && value <= 2)) throw invalid(`${name} must be in [-2, 2], got ${value}.`);
  }
}

/** The constraint in a oneof, by the names that an engine gives its members. */
export function constraintOf(
  fields: Fields,
  names: Readonly<Record<string, Constraint['kind']>>,
): Constraint | undefined {
  for (const [name, kind] of Object.entries(names)) {
    const text = fields.has(name) ? fields.text(name) : '';
    if (text !== '') return { kind, text };
  }
  return undefined;
}
