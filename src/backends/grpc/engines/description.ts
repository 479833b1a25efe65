/**
 * What engines say of themselves, made one: their messages as flat labels, and the facts among them. Names as the
 * original's labels have them, so that whoever filters by them finds them here.
 */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { GatewayError } from '../../../domain/errors.ts';
import type { EngineDescription } from '../../../domain/engine-prober.ts';
import type { SamplingDefaults } from '../../../domain/token-model.ts';
import type { RpcMethod, RpcOptions, Channel } from '../rpc.ts';

export type Labels = Record<string, string>;

const MAX_TEXT = 1_024;
const MAX_RANKS = 1_024;

/** One word for what engines call by two. */
const RENAMED: Readonly<Record<string, string>> = {
  tensor_parallel_size: 'tp_size',
  pipeline_parallel_size: 'pp_size',
  context_parallel_size: 'cp_size',
  data_parallel_size: 'dp_size',
};

/** What changes from moment to moment, or says nothing of the model. */
const DROPPED: ReadonlySet<string> = new Set([
  'active_requests',
  'is_paused',
  'last_receive_timestamp',
  'uptime_seconds',
  'server_type',
  'default_sampling_params_json',
]);

const MODEL_NAMES = ['served_model_name', 'model_id', 'model_path', 'model'];
const CONTEXT_NAMES = ['context_length', 'max_context_length', 'max_model_len', 'max_total_tokens', 'max_seq_len'];

/** Plain members of a message by their names on the wire: what is empty or 0 has not been said. */
export function labelsOfMessage<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Labels {
  const values: Record<string, unknown> = { ...message };
  return labelsOf(desc.fields.map(({ name, localName }) => [name, values[localName]] as const));
}

/** The named members of a JSON object, such as an engine's start-up arguments. */
export function labelsOfObject(
  object: Readonly<Record<string, unknown>> | undefined,
  names: readonly string[],
): Labels {
  return object ? labelsOf(names.map((name) => [name, object[name]] as const)) : {};
}

function labelsOf(entries: readonly (readonly [string, unknown])[]): Labels {
  const labels: Labels = {};
  for (const [name, value] of entries) {
    const text = DROPPED.has(name) ? undefined : labelText(value);
    if (text !== undefined) labels[RENAMED[name] ?? name] = text;
  }
  return labels;
}

function labelText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return value === 0 || !Number.isFinite(value) ? undefined : String(value);
  const isPlainList =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((each) => typeof each !== 'object' && typeof each !== 'bigint');
  const text = isPlainList ? JSON.stringify(value) : value;
  if (typeof text !== 'string') return undefined;
  // Shown in terminals and on pages.
  const shown = text.replace(/\p{Cc}/gu, '');
  return shown === '' || shown.length > MAX_TEXT ? undefined : shown;
}

/** With what becomes a part of `instance` when it is known when it was said. */
export interface TimedDescription extends EngineDescription {
  readonly uptimeSeconds: number | undefined;
}

/** What is not to be read from labels. */
export interface FurtherFacts {
  readonly version: string | undefined;
  readonly samplingDefaultsJson: string;
  readonly capacityTokens: number | undefined;
  /** Seconds that the engine runs, where it does not tell its start. */
  readonly uptimeSeconds?: number | undefined;
  readonly instance: string | undefined;
}

export function descriptionOf(labels: Labels, facts: FurtherFacts): TimedDescription {
  const samplingDefaults = samplingDefaultsOf(facts.samplingDefaultsJson);
  const ranks = countIn(labels, 'dp_size');
  const version = facts.version === '' ? undefined : facts.version;
  return {
    version: version?.slice(0, 64),
    model: MODEL_NAMES.map((name) => labels[name]).find((name) => name !== undefined),
    contextLength: CONTEXT_NAMES.map((name) => countIn(labels, name)).find((count) => count !== undefined),
    maxRunning: countIn(labels, 'max_running_requests') ?? countIn(labels, 'max_batch_size'),
    capacityTokens:
      facts.capacityTokens || countIn(labels, 'max_total_num_tokens') || countIn(labels, 'max_total_tokens'),
    dataParallelSize: ranks !== undefined && ranks <= MAX_RANKS ? ranks : undefined,
    instance: facts.instance,
    samplingDefaults,
    uptimeSeconds: facts.uptimeSeconds,
    labels: {
      ...labels,
      ...(version !== undefined && { version }),
      ...(samplingDefaults && { default_sampling_params_json: defaultsText(samplingDefaults) }),
    },
  };
}

function countIn(labels: Labels, name: string): number | undefined {
  const count = Number(labels[name] ?? '');
  return Number.isSafeInteger(count) && count >= 1 ? count : undefined;
}

const DEFAULT_NAMES: readonly (readonly [keyof SamplingDefaults, string])[] = [
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['minP', 'min_p'],
  ['repetitionPenalty', 'repetition_penalty'],
];

/** The five that are known, where they are numbers; undefined when none is. */
export function samplingDefaultsOf(json: string): SamplingDefaults | undefined {
  if (json === '' || json.length > 65_536) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // An engine that says it in another form has said nothing that we could use.
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const told: Readonly<Record<string, unknown>> = { ...parsed };
  const known = DEFAULT_NAMES.flatMap(([key, name]) => {
    const value = told[name];
    return typeof value === 'number' && Number.isFinite(value) ? [[key, value] as const] : [];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

function defaultsText(defaults: SamplingDefaults): string {
  return JSON.stringify(Object.fromEntries(DEFAULT_NAMES.map(([key, name]) => [name, defaults[key]])));
}

/** `start=…` of a time that an engine tells; undefined when it does not. */
export function startOf(time: { readonly seconds: bigint } | undefined): string | undefined {
  return time && time.seconds > 0n ? `start=${time.seconds}` : undefined;
}

/** Both of two answers as far as they come. Rejects when neither does, with what the first said. */
export async function bothOf<A, B>(
  channel: Channel,
  options: RpcOptions,
  methods: readonly [RpcMethod<object, A>, RpcMethod<object, B>],
): Promise<readonly [A | undefined, B | undefined]> {
  const [model, server] = await Promise.allSettled([
    channel.unary(methods[0], {}, options),
    channel.unary(methods[1], {}, options),
  ]);
  if (model.status === 'rejected' && server.status === 'rejected')
    throw model.reason instanceof Error ? model.reason : new GatewayError('internal_error', 'Nothing was answered.');
  return [
    model.status === 'fulfilled' ? model.value : undefined,
    server.status === 'fulfilled' ? server.value : undefined,
  ];
}
