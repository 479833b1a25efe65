/** Every metric in one table: name, type, labels, meaning. docs/reference/metrics.md is generated from it. */

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const ROUTER = ['router_type', 'backend_type', 'connection_mode', 'model', 'endpoint'] as const;

export const metricTable = {
  smg_http_requests_total: { type: 'counter', labels: ['method', 'path'], help: 'Requests received.' },
  smg_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['method', 'path'],
    help: 'From the arrival of a request to the head of its answer.',
  },
  smg_http_responses_total: {
    type: 'counter',
    labels: ['path', 'status_code', 'error_code'],
    help: 'Answers sent; error_code is empty for good ones, status 499 means that the client left first.',
  },
  smg_http_connections_active: { type: 'gauge', labels: [], help: 'Client connections open now.' },
  smg_http_inflight_request_age_count: {
    type: 'gauge',
    labels: ['gt', 'le'],
    help: 'Requests in flight now by their age in seconds: older than gt, at most le.',
  },
  smg_router_requests_total: { type: 'counter', labels: [...ROUTER, 'streaming'], help: 'Inference calls.' },
  smg_router_request_duration_seconds: {
    type: 'histogram',
    labels: ROUTER,
    help: 'From the arrival of a successful inference call to the end of its answer.',
  },
  smg_router_request_errors_total: {
    type: 'counter',
    labels: [...ROUTER, 'error_type'],
    help: 'Inference calls that did not succeed, by error code.',
  },
  smg_router_upstream_responses_total: {
    type: 'counter',
    labels: ['router_type', 'status_code', 'error_code'],
    help: 'Attempts by the status that the worker gave (0 = none) and the error that the attempt ended with.',
  },
  smg_router_ttft_seconds: {
    type: 'histogram',
    labels: ROUTER,
    help: 'From the arrival of a streaming call to its first content.',
  },
  smg_router_tpot_seconds: {
    type: 'histogram',
    labels: ROUTER,
    help: 'Mean time between the output tokens of a streaming call after the first.',
  },
  smg_router_generation_duration_seconds: {
    type: 'histogram',
    labels: ROUTER,
    help: 'From the sending of the attempt that served the call to the end of its answer.',
  },
  smg_router_tokens_total: {
    type: 'counter',
    labels: [...ROUTER, 'token_type'],
    help: 'Tokens as the workers reported them: input, output, and cached (part of input).',
  },
  smg_translations_total: {
    type: 'counter',
    labels: ['from', 'to'],
    help: 'Calls that were asked in another API (to) than the client used (from).',
  },
  smg_translation_warnings_total: {
    type: 'counter',
    labels: ['from', 'to', 'kind'],
    help: 'What the translation of a call lost or changed, by kind; from and to are empty when bytes passed but for fields that the provider refuses.',
  },
  smg_router_fallbacks_total: {
    type: 'counter',
    labels: ['model', 'reason'],
    help: 'Models of chains that did not answer a call: no_worker, no_key, rate_limited, quota, context, unknown, failed.',
  },
  smg_worker_pool_size: {
    type: 'gauge',
    labels: ['worker_type', 'connection_mode', 'model'],
    help: 'Ready workers that serve the model; an empty model means any.',
  },
  smg_worker_requests_active: { type: 'gauge', labels: ['worker'], help: 'Calls in flight on the worker.' },
  smg_worker_engine_running: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Calls that the engine runs, as it reports them; absent without a current report.',
  },
  smg_worker_engine_waiting: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Calls that wait in the engine, as it reports them; absent without a current report.',
  },
  smg_worker_engine_kv_usage: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Share of its KV cache that the engine uses, 0 to 1; absent when it does not report it.',
  },
  smg_worker_health: { type: 'gauge', labels: ['worker'], help: '1 when the worker is ready, else 0.' },
  smg_worker_health_checks_total: { type: 'counter', labels: ['worker_type', 'result'], help: 'Health probes made.' },
  smg_worker_selection_total: {
    type: 'counter',
    labels: ['worker_type', 'connection_mode', 'model', 'policy'],
    help: 'Attempts placed by the policy.',
  },
  smg_worker_errors_total: {
    type: 'counter',
    labels: ['worker_type', 'connection_mode', 'error_type'],
    help: 'Attempts that failed through a fault of the worker.',
  },
  smg_worker_cb_state: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Circuit breaker of the worker: 0 closed, 1 open, 2 half-open.',
  },
  smg_worker_cb_transitions_total: {
    type: 'counter',
    labels: ['worker', 'from', 'to'],
    help: 'Changes of the circuit breaker.',
  },
  smg_worker_cb_outcomes_total: {
    type: 'counter',
    labels: ['worker', 'outcome'],
    help: 'Attempts by what they told the breaker: success, failure, rate_limited, neutral.',
  },
  smg_worker_cb_consecutive_failures: { type: 'gauge', labels: ['worker'], help: 'Failures in a row.' },
  smg_worker_cb_consecutive_successes: { type: 'gauge', labels: ['worker'], help: 'Successes in a row.' },
  smg_worker_retries_total: {
    type: 'counter',
    labels: ['worker_type', 'endpoint'],
    help: 'Attempts after the first one of a call.',
  },
  smg_worker_retries_exhausted_total: {
    type: 'counter',
    labels: ['worker_type', 'endpoint'],
    help: 'Calls that failed after every permitted attempt.',
  },
  smg_worker_retry_backoff_seconds: { type: 'histogram', labels: ['attempt'], help: 'Waits before retries.' },
  smg_grpc_connections: {
    type: 'gauge',
    labels: [],
    help: 'Connections to workers behind gRPC, those being made included.',
  },
  smg_grpc_streams: { type: 'gauge', labels: [], help: 'RPCs under way to workers behind gRPC.' },
  smg_grpc_waiting: {
    type: 'gauge',
    labels: [],
    help: 'RPCs that wait for a connection to a worker behind gRPC, or for a free stream of one.',
  },
  smg_engine_aborts_total: {
    type: 'counter',
    labels: ['engine', 'result'],
    help: 'Requests that engines behind gRPC were told to drop (sent), and those of them whose engine did not take it in time (failed).',
  },
  smg_tokenizers_loaded: { type: 'gauge', labels: [], help: 'Tokenizers that are ready for use.' },
  smg_tokenizer_cache_hits_total: {
    type: 'counter',
    labels: ['level'],
    help: 'Look-ups in the tokenizer cache that found tokens: whole prompts (l0), parts of prompts (l1).',
  },
  smg_tokenizer_cache_misses_total: {
    type: 'counter',
    labels: ['level'],
    help: 'Look-ups in the tokenizer cache that found nothing.',
  },
  smg_tokenizer_cache_entries: { type: 'gauge', labels: ['level'], help: 'Entries of the tokenizer cache.' },
  smg_tokenizer_cache_bytes: { type: 'gauge', labels: ['level'], help: 'Memory that the entries take.' },
  smg_scheduler_capacity: { type: 'gauge', labels: [], help: 'Calls that may run at once; absent without a cap.' },
  smg_scheduler_running: { type: 'gauge', labels: ['class'], help: 'Admitted calls that run now.' },
  smg_scheduler_queue_length: { type: 'gauge', labels: ['class'], help: 'Calls that wait for admission now.' },
  smg_scheduler_admitted_total: {
    type: 'counter',
    labels: ['class'],
    help: 'Calls that were let in, counted at their end.',
  },
  smg_scheduler_refused_total: {
    type: 'counter',
    labels: ['class', 'reason'],
    help: 'Calls that were not let in: queue_full, queue_timeout, shutting_down, client_closed_request (left the queue).',
  },
  smg_scheduler_preempted_total: {
    type: 'counter',
    labels: ['class'],
    help: 'Calls whose place was taken by a higher class before their answer began.',
  },
  smg_scheduler_wait_seconds: {
    type: 'histogram',
    labels: ['class'],
    help: 'Waits for admission that ended with a place; calls that need not wait are not among them.',
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;

/** Seconds; from a cache hit on loopback to a long generation. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1800,
  3600, 7200,
];

/** Upper bounds, seconds, of the age classes of requests in flight. */
export const AGE_BOUNDS: readonly number[] = [30, 60, 180, 300, 600, 1200, 3600, 7200];
