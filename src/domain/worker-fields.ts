/**
 * Every field of a worker as JSON has it: in the bodies of `POST` and `PUT /workers` and under `workers` in the
 * configuration file. The table says what is accepted and what it means; making a spec of it is worker-spec.ts.
 */
import type { Field } from './fields.ts';
import {
  anything,
  custom,
  decimal,
  flag,
  group,
  isObject,
  joinPath,
  oneOf,
  readFields,
  refused,
  text,
  whole,
} from './fields.ts';
import type { ModelCard, Runtime } from './worker.ts';
import { readWorkerUrl } from './worker-url.ts';

export const MAX_LABELS = 64;
const MAX_LABEL_NAME = 128;
const MAX_LABEL_TEXT = 1_024;
const MAX_MODELS = 10_000;
const MAX_MODEL_ID = 512;
/** Policies divide by costs and add the results up: beyond these bounds sums lose the others, or are no numbers. */
const MIN_COST = 0.000001;
const MAX_COST = 1_000_000;
/** Timers hold at most 2^31 - 1 ms, a little more than this many seconds. */
const MAX_SECONDS = 2_000_000;

const url: Field<string> = custom(
  'a URL with http, https, grpc or grpcs, or host:port',
  { doc: 'Where the worker is. A trailing `/v1` and trailing slashes do not count.' },
  (value, path, { problems }) => {
    const reading = readWorkerUrl(typeof value === 'string' ? value : '');
    if (reading.ok) return reading.url;
    problems.push({ path, text: reading.problem });
    return undefined;
  },
);

const runtimes: readonly Runtime[] = [
  'sglang',
  'vllm',
  'trtllm',
  'mlx',
  'llama_cpp',
  'ollama',
  'tokenspeed',
  'external',
];
const NAMED_ENGINE = 'What runs there; found out when it is not given. `external` is an API of somebody else.';

function seconds(doc: string): Field<number> {
  return decimal({ min: 0, max: MAX_SECONDS, isAboveMin: true }, { doc });
}

const modelId = text('a model id', /^[^\p{Cc}]+$/u, MAX_MODEL_ID, { doc: 'Id of the model, as calls name it.' });

/** Known to the original's cards and of no use here yet. */
const keptForNobody = { doc: 'Accepted, without effect.' };

export const cardFields = {
  id: modelId,
  display_name: text('text', /^[^\p{Cc}]+$/u, MAX_MODEL_ID, { doc: 'Name for people.' }),
  aliases: custom(
    'a list of model ids',
    { doc: 'Further names by which the worker knows the model.' },
    (value, path, reader) => listOf(value, path, reader, (item, at) => modelId.read(item, at, reader)),
  ),
  context_length: whole({ min: 1 }, { doc: 'Tokens that fit into one call.' }),
  model_type: anything('anything', keptForNobody),
  hf_model_type: anything('anything', keptForNobody),
  architectures: anything('anything', keptForNobody),
  provider: anything('anything', keptForNobody),
  tokenizer_path: anything('anything', keptForNobody),
  chat_template: anything('anything', keptForNobody),
  reasoning_parser: anything('anything', keptForNobody),
  tool_parser: anything('anything', keptForNobody),
  metadata: anything('anything', keptForNobody),
  id2label: anything('anything', keptForNobody),
  num_labels: anything('anything', keptForNobody),
};

/** Fields of a card that somebody uses; the others are accepted without effect. */
export const usedCardFields: ReadonlySet<string> = new Set(['id', 'display_name', 'aliases', 'context_length']);

function listOf<T>(
  value: unknown,
  path: string,
  reader: Parameters<Field<T>['read']>[2],
  read: (item: unknown, at: string) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_MODELS) {
    reader.problems.push({ path, text: `must be a list of at most ${MAX_MODELS}` });
    return undefined;
  }
  return value.map((item: unknown, at) => read(item, `${path}[${at}]`)).filter((item) => item !== undefined);
}

const readModels: Field<readonly ModelCard[]> = custom(
  'a list of model ids or of cards',
  { default: 'what the worker lists', doc: 'What the worker serves, where it shall not be asked.' },
  (value, path, reader) =>
    listOf(value, path, reader, (item, at) => {
      if (!isObject(item)) {
        const id = modelId.read(item, at, reader);
        return id === undefined ? undefined : { id, displayName: undefined, aliases: [], contextLength: undefined };
      }
      const card = readFields(cardFields, item, at, reader);
      if (card && card.id === undefined && !('id' in item))
        reader.problems.push({ path: `${at}.id`, text: 'is missing' });
      if (card?.id === undefined) return undefined;
      const { id, display_name: displayName, aliases = [], context_length: contextLength } = card;
      return { id, displayName, aliases, contextLength };
    }),
);

const models: Field<readonly ModelCard[]> = { ...readModels, inner: cardFields };

/** Labels by name; `null`, which removes one, only where `canRemove`. */
function labelsField<Value extends string | null>(canRemove: boolean): Field<Readonly<Record<string, Value>>> {
  const accepts = 'an object of text values';
  const facts = { default: '`{}`', doc: 'Anything that you want to know a worker by.' };
  return custom(accepts, facts, (value, path, { problems }) => {
    if (!isObject(value) || Object.keys(value).length > MAX_LABELS) {
      problems.push({ path, text: `must be ${accepts}, at most ${MAX_LABELS}` });
      return undefined;
    }
    const labels: Record<string, Value> = {};
    for (const [name, label] of Object.entries(value)) {
      const isGood = typeof label === 'string' ? label.length <= MAX_LABEL_TEXT : canRemove && label === null;
      if (!isGood || name.length > MAX_LABEL_NAME) {
        const what = `text of at most ${MAX_LABEL_TEXT} characters under a name of at most ${MAX_LABEL_NAME}`;
        problems.push({ path: joinPath(path, name), text: `must be ${what}${canRemove ? ', or null' : ''}` });
      } else {
        Object.defineProperty(labels, name, { value: label, enumerable: true, configurable: true, writable: true });
      }
    }
    return labels;
  });
}

export const labelsPatch: Field<Readonly<Record<string, string | null>>> = labelsField(true);

export const healthFields = {
  timeout_secs: seconds('How long it may take to answer one check.'),
  check_interval_secs: seconds('Pause between two checks.'),
  success_threshold: whole({ min: 1 }, { doc: 'Passed checks in a row that bring it back.' }),
  failure_threshold: whole({ min: 1 }, { doc: 'Failed checks in a row that take it out of service.' }),
  disable_health_check: flag({ doc: 'Do not check it while it is ready.' }),
  drain_settle_secs: decimal(
    { min: 0, max: MAX_SECONDS },
    { default: '`0`', doc: 'How long it stays at least in state `draining` when it is removed.' },
  ),
};

const RETRIES_ARE_SHARED = 'is not set for single workers; retries wait as --retry-initial-backoff-ms and the like say';

const resilienceFields = {
  cb_failure_threshold: whole({ min: 1 }, { doc: 'Failed calls in a row that open its circuit breaker.' }),
  cb_success_threshold: whole({ min: 1 }, { doc: 'Successful calls in a row that close it again.' }),
  cb_timeout_secs: seconds('How long it is left alone before a call is tried again.'),
  cb_window_secs: seconds('Failures older than this do not count towards the row.'),
  disable_circuit_breaker: flag({ doc: 'Never take it out of service for failed calls.' }),
  max_retries: whole(
    { min: 1, max: 100 },
    { doc: 'Attempts of a call whose first attempt went to this worker, that one included.' },
  ),
  disable_retry: flag({ doc: 'A call whose first attempt went to this worker has no other.' }),
  initial_backoff_ms: refused(RETRIES_ARE_SHARED),
  max_backoff_ms: refused(RETRIES_ARE_SHARED),
  backoff_multiplier: refused(RETRIES_ARE_SHARED),
  jitter_factor: refused(RETRIES_ARE_SHARED),
  retryable_status_codes: refused('is not set for single workers; which answers are retried is fixed'),
};

const PD_LATER = 'is not available yet: workers for prefill or decode alone come later; accepted is regular';
const FOUND_OUT = 'is not accepted; the ranks of a worker are found out (--dp-aware)';
const KV_LATER = 'is not available yet; it belongs to prefill and decode workers';

export const workerFields = {
  url,
  api_key: text('printable ASCII text without spaces', /^[\x21-\x7e]+$/, 8_192, {
    doc: 'Key sent to this worker, in the form of its provider, when the caller brings none. Never shown.',
  }),
  runtime: oneOf(runtimes, { doc: NAMED_ENGINE }),
  runtime_type: oneOf(runtimes, { doc: 'Another name of `runtime`.' }),
  worker_type: custom<'regular'>(
    'regular',
    { default: '`regular`', doc: '`prefill` and `decode` are not available yet.' },
    (value, path, { problems }) => {
      if (value === 'regular') return value;
      const isLater = value === 'prefill' || value === 'decode' || value === 'encode';
      problems.push({ path, text: isLater ? PD_LATER : 'must be regular' });
      return undefined;
    },
  ),
  connection_mode: oneOf<'http' | 'grpc'>(['http', 'grpc'], {
    default: 'as the URL says',
    doc: 'Has to agree with the URL; `grpc` makes `grpc://host:port` of a URL without a scheme.',
  }),
  provider: text('a name of letters, digits, - and _', /^[a-z0-9][a-z0-9_-]*$/i, 64, {
    default: 'as the host of the URL says',
    doc: 'Whose API it is, such as `openai` or `anthropic`; any other name is that of an OpenAI-compatible cloud.',
  }),
  models,
  priority: whole({ min: 0, max: 100 }, { default: '`50`', doc: 'Tier: workers with a higher one serve first.' }),
  cost: decimal(
    { min: MIN_COST, max: MAX_COST },
    { default: '`1.0`', doc: 'Weight of load: a worker of cost 2 is given half of what one of cost 1 is given.' },
  ),
  labels: labelsField<string>(false),
  max_in_flight: whole(
    { min: 0 },
    { default: '`--max-in-flight-per-worker`', doc: 'Calls that it may serve at the same time; 0 is no limit.' },
  ),
  bootstrap_port: whole({ min: 1, max: 65_535 }, { doc: 'Kept and shown; it has an effect for prefill workers only.' }),
  health: group(healthFields, { doc: 'Its own health checks; what is not named is as for all.' }),
  resilience: group(resilienceFields, { doc: 'Its own circuit breaker and retries; what is not named is as for all.' }),
  http_pool: refused('is not set for single workers; --connect-timeout-secs counts for all'),
  max_connection_attempts: refused('is not accepted; a worker that does not answer is asked again without an end'),
  load_monitor_interval_secs: refused('is not set for single workers'),
  dp_base_url: refused(FOUND_OUT),
  dp_rank: refused(FOUND_OUT),
  dp_size: refused(FOUND_OUT),
  kv_connector: refused(KV_LATER),
  kv_role: refused(KV_LATER),
  kv_engine_id: refused(KV_LATER),
  kv_block_size: refused(KV_LATER),
};
