/** Parts of messages that several engines have in the same form. */
import type { OutputLogprobs, PromptLogprobs, Sampling, TokenOrder } from '../../../domain/token-generation.ts';
import type { GetTokenizerChunk, ProfileResponse } from '../gen/common_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import type { Outcome, ProfileOrder } from './token-engine.ts';
import { between } from '../rpc-methods.ts';
import type { FlushCacheRequestSchema, StartProfileRequestSchema } from '../gen/common_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';

interface WireTop {
  readonly values: readonly number[];
  readonly tokenIds: readonly number[];
}

interface WireOutputLogprobs {
  readonly tokenLogprobs: readonly number[];
  readonly topLogprobs: readonly WireTop[];
}

interface WireInputLogprobs {
  readonly tokenLogprobs: readonly { readonly value?: number | undefined }[];
  readonly tokenIds: readonly number[];
  readonly topLogprobs: readonly WireTop[];
}

export function outputLogprobs(wire: WireOutputLogprobs | undefined): OutputLogprobs | undefined {
  if (!wire || wire.tokenLogprobs.length === 0) return undefined;
  return { logprobs: wire.tokenLogprobs, ...topsOf(wire.topLogprobs) };
}

export function promptLogprobs(wire: WireInputLogprobs | undefined): PromptLogprobs | undefined {
  if (!wire || wire.tokenIds.length === 0) return undefined;
  return {
    ids: wire.tokenIds,
    logprobs: wire.tokenLogprobs.map(({ value }) => value),
    ...topsOf(wire.topLogprobs),
  };
}

function topsOf(tops: readonly WireTop[]): Pick<OutputLogprobs, 'topIds' | 'topLogprobs'> {
  return { topIds: tops.map(({ tokenIds }) => tokenIds), topLogprobs: tops.map(({ values }) => values) };
}

/** A oneof of a token's id and a string. */
export function matchedStopOf(stop: {
  readonly case: string | undefined;
  readonly value?: string | number | undefined;
}): string | number | undefined {
  return stop.case === undefined ? undefined : stop.value;
}

const INT32 = 0x7fff_ffff;

/** Larger ones become the largest there is: it is the same one every time, and that is what a seed is for. */
export function clampedSeed(seed: number): number {
  return Math.trunc(Math.min(INT32, Math.max(-INT32 - 1, seed)));
}

/** 0 is off. */
export function topKOrZero(topK: number | undefined): number {
  return topK === undefined || topK < 0 ? 0 : topK;
}

/** −1 is off. */
export function topKOrMinusOne(topK: number | undefined): number {
  return topK === undefined || topK <= 0 ? -1 : topK;
}

export function biasById({ logitBias }: Sampling): Record<number, number> {
  return Object.fromEntries(logitBias ?? []);
}

/** What an engine without adapters says to an order for one; it must not be served by the base model in silence. */
export function adapterRefusal({ adapter }: TokenOrder): string | undefined {
  return adapter === undefined ? undefined : `cannot be asked for an adapter over gRPC`;
}

/** The data is copied: it is kept until the archive is whole. */
export function tokenizerMethod(
  method: RpcMethod<object, GetTokenizerChunk>,
): RpcMethod<undefined, Pick<GetTokenizerChunk, 'data' | 'sha256'>> {
  return between(
    method,
    () => ({}),
    ({ data, sha256 }) => ({ data: new Uint8Array(data), sha256 }),
  );
}

function outcomeOf({ success, message }: Pick<ProfileResponse, 'success' | 'message'>): Outcome {
  return { isDone: success, message };
}

export function flushMethod(
  method: RpcMethod<MessageInitShape<typeof FlushCacheRequestSchema>, Pick<ProfileResponse, 'success' | 'message'>>,
): RpcMethod<{ readonly timeoutSeconds: number }, Outcome> {
  return between(method, ({ timeoutSeconds }) => ({ timeoutS: timeoutSeconds }), outcomeOf);
}

export function stopProfileMethod(method: RpcMethod<object, ProfileResponse>): RpcMethod<undefined, Outcome> {
  return between(method, () => ({}), outcomeOf);
}

export function startProfileMethod(
  method: RpcMethod<MessageInitShape<typeof StartProfileRequestSchema>, ProfileResponse>,
): RpcMethod<ProfileOrder, Outcome> {
  return between(method, profileOf, outcomeOf);
}

/** The members of SGLang's `POST /start_profile`; those of another type are not sent. */
function profileOf(order: ProfileOrder): MessageInitShape<typeof StartProfileRequestSchema> {
  const { output_dir: outputDir, start_step: startStep, num_steps: numSteps, activities } = order;
  const { with_stack: withStack, record_shapes: recordShapes, profile_by_stage: profileByStage } = order;
  return {
    ...(typeof outputDir === 'string' && { outputDir }),
    ...(isCount(startStep) && { startStep }),
    ...(isCount(numSteps) && { numSteps }),
    ...(typeof withStack === 'boolean' && { withStack }),
    ...(typeof recordShapes === 'boolean' && { recordShapes }),
    activities: Array.isArray(activities) ? activities.filter((each) => typeof each === 'string') : [],
    profileByStage: profileByStage === true,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= INT32;
}
