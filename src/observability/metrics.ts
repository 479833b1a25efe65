/** The metrics as a view of records and of the fleet. Children of one kind of call are looked up once and kept together. */
import { LiveList } from '../base/live-list.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { AttemptRecord, CallRecord } from '../domain/record.ts';
import type { AdmissionView, BreakerName, FleetSnapshot } from '../domain/ports.ts';
import { AGE_BOUNDS, metricTable } from './metric-table.ts';
import type { MetricName } from './metric-table.ts';
import type { CounterChild, CounterFamily, GaugeFamily, HistogramChild, HistogramFamily } from './registry.ts';
import { MetricRegistry } from './registry.ts';

type NamesOf<Type> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** What is read from the fleet at each scrape. */
export interface FleetView {
  snapshot(): FleetSnapshot;
  breaker(
    memberId: string,
  ): { readonly state: BreakerName; readonly failures: number; readonly successes: number } | undefined;
  openConnections(): number;
  /** Undefined: admission is off. */
  admission(): AdmissionView | undefined;
}

/** Of one level of the tokenizer cache, over all tokenizers. */
interface CacheLevel {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

export interface TokenizersView {
  readonly loaded: number;
  /** A level that is off is undefined. */
  readonly caches: Readonly<Record<'l0' | 'l1', CacheLevel | undefined>>;
}

/** The ways to workers behind gRPC. */
export interface GrpcView {
  readonly channels: { readonly connections: number; readonly streams: number; readonly waiting: number };
  /** By engine, since the start. */
  readonly aborts: ReadonlyMap<string, { readonly sent: number; readonly failed: number }>;
}

const WORKER_TYPE = 'regular';
const MODE = 'http';
const ROUTER = ['http', 'regular', MODE] as const;
const BREAKER_VALUE: Readonly<Record<BreakerName, number>> = { closed: 0, open: 1, half_open: 2 };
/** Bundles kept; labels come from known routes, models and codes, so this is a guard, not a working limit. */
const MAX_BUNDLES = 4_096;
const MAX_RECENT = 8;

/** The children that calls of one kind write. */
interface Bundle {
  readonly requests: CounterChild;
  readonly duration: HistogramChild;
  readonly responses: CounterChild;
  readonly inference: InferenceBundle | undefined;
}

interface InferenceBundle {
  readonly requests: CounterChild;
  readonly duration: HistogramChild;
  readonly errors: CounterChild | undefined;
  readonly ttft: HistogramChild;
  readonly tpot: HistogramChild;
  readonly generation: HistogramChild;
  readonly input: CounterChild;
  readonly output: CounterChild;
  readonly cached: CounterChild;
  readonly selection: CounterChild;
}

export class Metrics {
  readonly registry = new MetricRegistry();
  readonly #counters = new Map<string, CounterFamily>();
  readonly #gauges = new Map<string, GaugeFamily>();
  readonly #histograms = new Map<string, HistogramFamily>();
  readonly #bundles = new Map<string, Bundle>();
  /** The kinds of call seen last: comparing a few fields is cheaper than making a key of them. */
  readonly #recent: RecentKind[] = [];
  readonly #attemptChildren = new Map<string, readonly CounterChild[]>();
  /** The same for attempts: by worker, the kind that its attempts were last of. */
  readonly #recentAttempts = new Map<string, RecentAttempt>();
  readonly #inFlight = new LiveList<CallRecord>();

  constructor(buckets: readonly number[]) {
    for (const [name, row] of Object.entries(metricTable)) {
      const spec = { name, help: row.help, labels: row.labels };
      if (row.type === 'counter') this.#counters.set(name, this.registry.counter(spec));
      else if (row.type === 'gauge') this.#gauges.set(name, this.registry.gauge(spec));
      else this.#histograms.set(name, this.registry.histogram(spec, buckets));
    }
  }

  counter(name: NamesOf<'counter'>): CounterFamily {
    return this.#counters.get(name) as CounterFamily;
  }

  histogram(name: NamesOf<'histogram'>): HistogramFamily {
    return this.#histograms.get(name) as HistogramFamily;
  }

  #gauge(name: NamesOf<'gauge'>): GaugeFamily {
    return this.#gauges.get(name) as GaugeFamily;
  }

  callStarted(record: CallRecord): void {
    this.#inFlight.add(record);
  }

  callEnded(record: CallRecord): void {
    this.#inFlight.delete(record);
    const bundle = this.#bundleOf(record);
    bundle.requests.value += 1;
    bundle.responses.value += 1;
    const head = record.headAt > 0 ? record.headAt : record.endedAt;
    this.histogram('smg_http_request_duration_seconds').observe(bundle.duration, (head - record.startedAt) / 1_000);
    if (bundle.inference) this.#inferenceEnded(record, bundle.inference);
    if (record.admission !== '') this.#admissionEnded(record);
  }

  #admissionEnded(record: CallRecord): void {
    const name = classLabel(record.priorityClass);
    if (record.admission === 'refused' || record.admission === 'left') {
      this.counter('smg_scheduler_refused_total').with(name, record.error ?? '').value += 1;
      return;
    }
    this.counter('smg_scheduler_admitted_total').with(name).value += 1;
    if (record.admission === 'preempted') this.counter('smg_scheduler_preempted_total').with(name).value += 1;
    if (record.admittedAt === 0) return;
    const waits = this.histogram('smg_scheduler_wait_seconds');
    waits.observe(waits.with(name), (record.admittedAt - record.queuedAt) / 1_000);
  }

  #inferenceEnded(record: CallRecord, bundle: InferenceBundle): void {
    bundle.requests.value += 1;
    if (bundle.errors) bundle.errors.value += 1;
    bundle.selection.value += record.attempts.length;
    for (let i = 0; i < record.attempts.length; i += 1) this.#attemptEnded(record, i);
    if (record.retriesExhausted)
      this.counter('smg_worker_retries_exhausted_total').with(WORKER_TYPE, record.route).value += 1;
    if (record.translation !== '' || record.warnings.length > 0) this.#translated(record);
    for (const { model, why } of record.chain) this.counter('smg_router_fallbacks_total').with(model, why).value += 1;
    const { usage } = record;
    if (usage) {
      bundle.input.value += usage.inputTokens;
      bundle.output.value += usage.outputTokens;
      bundle.cached.value += usage.cachedInputTokens;
    }
    if (record.outcome === 'answered') this.#observeTimes(record, bundle);
  }

  #translated({ translation, warnings }: CallRecord): void {
    const [from = '', to = ''] = translation.split('>');
    if (translation !== '') this.counter('smg_translations_total').with(from, to).value += 1;
    const counter = this.counter('smg_translation_warnings_total');
    for (const { kind } of warnings) counter.with(from, to, kind).value += 1;
  }

  #observeTimes(record: CallRecord, bundle: InferenceBundle): void {
    const { startedAt, firstContentAt, endedAt, usage } = record;
    this.histogram('smg_router_request_duration_seconds').observe(bundle.duration, (endedAt - startedAt) / 1_000);
    const generation = (endedAt - record.upstreamStartedAt) / 1_000;
    this.histogram('smg_router_generation_duration_seconds').observe(bundle.generation, generation);
    if (!record.streaming || firstContentAt === 0) return;
    this.histogram('smg_router_ttft_seconds').observe(bundle.ttft, (firstContentAt - startedAt) / 1_000);
    if (!usage || usage.outputTokens < 2) return;
    const perToken = (endedAt - firstContentAt) / 1_000 / (usage.outputTokens - 1);
    this.histogram('smg_router_tpot_seconds').observe(bundle.tpot, perToken);
  }

  #attemptEnded(record: CallRecord, index: number): void {
    const attempt = record.attempts[index];
    if (!attempt) return;
    for (const child of this.#childrenOf(attempt)) child.value += 1;
    if (index === 0) return;
    this.counter('smg_worker_retries_total').with(WORKER_TYPE, record.route).value += 1;
    const backoff = this.histogram('smg_worker_retry_backoff_seconds');
    backoff.observe(backoff.with(String(index)), attempt.backoffMs / 1_000);
  }

  #childrenOf(attempt: AttemptRecord): readonly CounterChild[] {
    const { workerId, verdict, status, error } = attempt;
    const recent = this.#recentAttempts.get(workerId);
    if (recent?.status === status && recent.verdict === verdict && recent.error === error) return recent.children;
    const children = this.#findChildren(attempt);
    if (this.#recentAttempts.size >= MAX_BUNDLES) this.#recentAttempts.clear();
    this.#recentAttempts.set(workerId, { status, verdict, error, children });
    return children;
  }

  #findChildren(attempt: AttemptRecord): readonly CounterChild[] {
    const { workerId, verdict, status } = attempt;
    const error = attempt.error ?? '';
    const key = `${workerId}|${verdict}|${status}|${error}`;
    const known = this.#attemptChildren.get(key);
    if (known) return known;
    const children = [
      this.counter('smg_router_upstream_responses_total').with('http', String(status), error),
      this.counter('smg_worker_cb_outcomes_total').with(workerId, verdict),
    ];
    if (verdict === 'failure') children.push(this.counter('smg_worker_errors_total').with(WORKER_TYPE, MODE, error));
    if (this.#attemptChildren.size >= MAX_BUNDLES) this.#attemptChildren.clear();
    this.#attemptChildren.set(key, children);
    return children;
  }

  #bundleOf(record: CallRecord): Bundle {
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i += 1) {
      const one = recent[i] as RecentKind;
      if (isSameKind(one.kind, record)) return one.bundle;
    }
    const kind = record.isInference ? `${record.streaming}|${record.policy}` : '';
    const key = `${record.method}|${record.route}|${record.status}|${record.error ?? ''}|${record.canonicalModel}|${kind}`;
    let bundle = this.#bundles.get(key);
    if (!bundle) {
      if (this.#bundles.size >= MAX_BUNDLES) this.#bundles.clear();
      bundle = this.#makeBundle(record);
      this.#bundles.set(key, bundle);
    }
    this.#recent.unshift({ kind: kindOf(record), bundle });
    this.#recent.length = Math.min(this.#recent.length, MAX_RECENT);
    return bundle;
  }

  #makeBundle(record: CallRecord): Bundle {
    const method = METHODS.has(record.method) ? record.method : 'other';
    return {
      requests: this.counter('smg_http_requests_total').with(method, record.route),
      duration: this.histogram('smg_http_request_duration_seconds').with(method, record.route),
      responses: this.counter('smg_http_responses_total').with(record.route, String(record.status), record.error ?? ''),
      inference: record.isInference ? this.#makeInferenceBundle(record) : undefined,
    };
  }

  #makeInferenceBundle(record: CallRecord): InferenceBundle {
    const labels = [...ROUTER, record.canonicalModel, record.route];
    const tokens = this.counter('smg_router_tokens_total');
    return {
      requests: this.counter('smg_router_requests_total').with(...labels, String(record.streaming)),
      duration: this.histogram('smg_router_request_duration_seconds').with(...labels),
      errors: record.error && this.counter('smg_router_request_errors_total').with(...labels, record.error),
      ttft: this.histogram('smg_router_ttft_seconds').with(...labels),
      tpot: this.histogram('smg_router_tpot_seconds').with(...labels),
      generation: this.histogram('smg_router_generation_duration_seconds').with(...labels),
      input: tokens.with(...labels, 'input'),
      output: tokens.with(...labels, 'output'),
      cached: tokens.with(...labels, 'cached'),
      selection: this.counter('smg_worker_selection_total').with(
        WORKER_TYPE,
        MODE,
        record.canonicalModel,
        record.policy,
      ),
    };
  }

  /** Gauges are read from their owners when somebody looks, so that they cost a call nothing. */
  watch(fleet: FleetView, now: () => number): void {
    this.registry.onScrape(() => {
      this.#gauge('smg_http_connections_active').with().value = fleet.openConnections();
      this.#collectAges(now());
      this.#collectAdmission(fleet.admission());
      this.#collectFleet(fleet);
    });
  }

  /** Tokenizers and their caches, whose counters are kept by the caches themselves. */
  watchTokenizers(view: () => TokenizersView): void {
    this.registry.onScrape(() => {
      const { loaded, caches } = view();
      this.#gauge('smg_tokenizers_loaded').with().value = loaded;
      for (const [level, counts] of Object.entries(caches)) {
        if (!counts) continue;
        this.counter('smg_tokenizer_cache_hits_total').with(level).value = counts.hits;
        this.counter('smg_tokenizer_cache_misses_total').with(level).value = counts.misses;
        this.#gauge('smg_tokenizer_cache_entries').with(level).value = counts.entries;
        this.#gauge('smg_tokenizer_cache_bytes').with(level).value = counts.bytes;
      }
    });
  }

  /** Counted by the channels and by those who tell engines to stop. */
  watchGrpc(view: () => GrpcView): void {
    this.registry.onScrape(() => {
      const { channels, aborts } = view();
      this.#gauge('smg_grpc_connections').with().value = channels.connections;
      this.#gauge('smg_grpc_streams').with().value = channels.streams;
      this.#gauge('smg_grpc_waiting').with().value = channels.waiting;
      for (const [engine, { sent, failed }] of aborts) {
        this.counter('smg_engine_aborts_total').with(engine, 'sent').value = sent;
        this.counter('smg_engine_aborts_total').with(engine, 'failed').value = failed;
      }
    });
  }

  #collectAges(now: number): void {
    const gauge = this.#gauge('smg_http_inflight_request_age_count');
    const bounds = [0, ...AGE_BOUNDS];
    const cells = bounds.map((gt, i) => gauge.with(String(gt), String(bounds[i + 1] ?? '+Inf')));
    for (const cell of cells) cell.value = 0;
    this.#inFlight.forEach((record) => {
      const age = (now - record.startedAt) / 1_000;
      const at = AGE_BOUNDS.findIndex((bound) => age <= bound);
      const cell = cells[at < 0 ? AGE_BOUNDS.length : at];
      if (cell) cell.value += 1;
    });
  }

  #collectAdmission(view: AdmissionView | undefined): void {
    if (!view) return;
    if (Number.isFinite(view.capacity)) this.#gauge('smg_scheduler_capacity').with().value = view.capacity;
    for (const { name, waiting, running } of view.classes) {
      this.#gauge('smg_scheduler_queue_length').with(classLabel(name)).value = waiting;
      this.#gauge('smg_scheduler_running').with(classLabel(name)).value = running;
    }
  }

  /** Here and not when a worker leaves: the calls that ran on it then end, and are counted, a moment later. */
  #forgetWorkers(fleet: FleetView): void {
    const ids = new Set(fleet.snapshot().members.flatMap(({ id, worker }) => [id, worker.id]));
    for (const family of this.#counters.values()) family.prune('worker', (id) => ids.has(id));
    // Its children may be among those that have just been pruned.
    this.#recentAttempts.clear();
    for (const key of this.#attemptChildren.keys()) {
      if (!ids.has(key.slice(0, key.indexOf('|')))) this.#attemptChildren.delete(key);
    }
  }

  /** One series for each member: a worker, or one rank of it as `id@rank`. */
  #collectFleet(fleet: FleetView): void {
    for (const name of PER_MEMBER) this.#gauge(name).clear();
    this.#gauge('smg_worker_pool_size').clear();
    this.#forgetWorkers(fleet);
    for (const member of fleet.snapshot().members) {
      const { id, worker, rank, candidate } = member;
      const isReady = worker.state === 'ready';
      this.#gauge('smg_worker_requests_active').with(id).value = candidate.inFlight;
      this.#gauge('smg_worker_health').with(id).value = isReady ? 1 : 0;
      const breaker = fleet.breaker(id);
      if (breaker) {
        this.#gauge('smg_worker_cb_state').with(id).value = BREAKER_VALUE[breaker.state];
        this.#gauge('smg_worker_cb_consecutive_failures').with(id).value = breaker.failures;
        this.#gauge('smg_worker_cb_consecutive_successes').with(id).value = breaker.successes;
      }
      this.#collectReport(member);
      // The pool counts workers, not their ranks.
      if (!isReady || !worker.facts || (rank ?? 0) > 0) continue;
      const models = worker.facts.models.length > 0 ? worker.facts.models : [''];
      for (const model of models) this.#gauge('smg_worker_pool_size').with(WORKER_TYPE, MODE, model).value += 1;
    }
  }

  #collectReport({ id, candidate }: PoolMember): void {
    const { report } = candidate;
    if (!report) return;
    this.#gauge('smg_worker_engine_running').with(id).value = report.running;
    this.#gauge('smg_worker_engine_waiting').with(id).value = report.waiting;
    const { usedTokens, capacityTokens } = report;
    if (usedTokens !== undefined && capacityTokens !== undefined && capacityTokens > 0)
      this.#gauge('smg_worker_engine_kv_usage').with(id).value = Math.min(1, usedTokens / capacityTokens);
  }
}

const PER_MEMBER = [
  'smg_worker_requests_active',
  'smg_worker_engine_running',
  'smg_worker_engine_waiting',
  'smg_worker_engine_kv_usage',
  'smg_worker_health',
  'smg_worker_cb_state',
  'smg_worker_cb_consecutive_failures',
  'smg_worker_cb_consecutive_successes',
] as const;

type CallKind = Pick<
  CallRecord,
  'status' | 'route' | 'method' | 'error' | 'streaming' | 'policy' | 'canonicalModel' | 'isInference'
>;

interface RecentAttempt extends Pick<AttemptRecord, 'status' | 'verdict' | 'error'> {
  readonly children: readonly CounterChild[];
}

interface RecentKind {
  readonly kind: CallKind;
  readonly bundle: Bundle;
}

function kindOf({
  status,
  route,
  method,
  error,
  streaming,
  policy,
  canonicalModel,
  isInference,
}: CallRecord): CallKind {
  return { status, route, method, error, streaming, policy, canonicalModel, isInference };
}

function isSameKind(kind: CallKind, record: CallRecord): boolean {
  return (
    kind.status === record.status &&
    kind.streaming === record.streaming &&
    kind.isInference === record.isInference &&
    kind.route === record.route &&
    kind.method === record.method &&
    kind.error === record.error &&
    kind.policy === record.policy &&
    kind.canonicalModel === record.canonicalModel
  );
}

/** A gateway without classes has one all the same. */
function classLabel(name: string): string {
  return name === '' ? 'default' : name;
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);
