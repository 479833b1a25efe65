/**
 * What the metrics of a call cost, and what a scrape costs, beside prom-client with children bound once.
 * Shapes  metricContests() → one for a call, one for a scrape
 * Source  decision 0003; a unary call with one attempt writes 9 counters and 3 histograms, here in both
 */
import { Counter, Histogram, Registry } from 'prom-client';
import { CallRecord } from '../../src/domain/record.ts';
import { DEFAULT_BUCKETS, metricTable } from '../../src/observability/metric-table.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { MetricRegistry } from '../../src/observability/registry.ts';
import type { Contest } from './race.ts';

export const METRICS_OF_A_CALL = 'metrics of one call';
export const SCRAPE = 'scrape of 600 histograms';
export const OURS = 'src/observability';

const THEIRS = 'prom-client, bound children';
const ROUTE = '/v1/chat/completions';
const MODELS = ['llama-3.1-8b', 'llama-3.1-70b', 'qwen-2.5-32b', 'deepseek-v3'];
const RECORDS = 64;
const SERIES = 600;
const BUCKETS = [...DEFAULT_BUCKETS];

export function metricContests(): Contest[] {
  return [callContest(), scrapeContest()];
}

/** Calls of four kinds with durations of 20 ms to 1.3 s, as `dispatch` leaves them. */
export function records(): CallRecord[] {
  return Array.from({ length: RECORDS }, (_, index) => {
    const record = new CallRecord(`chatcmpl-${index}`, 'POST', ROUTE, 1_000 + index);
    const model = modelOf(index);
    const endedAt = record.startedAt + 20 * (index + 1);
    const usage = { inputTokens: 212, outputTokens: 64, cachedInputTokens: 128 };
    record.attempts.push({ workerId: '3f2a91c0', status: 200, error: undefined, verdict: 'success', backoffMs: 0 });
    return Object.assign(record, {
      ...{ model, canonicalModel: model, isInference: true, policy: 'power_of_two', workerId: '3f2a91c0', status: 200 },
      ...{ bodyBytes: 1_024, sentBytes: 480, upstreamStartedAt: record.startedAt + 1, usage },
      ...{ headAt: endedAt - 1, firstContentAt: endedAt - 1, endedAt },
    });
  });
}

function modelOf(index: number): string {
  return MODELS[index % MODELS.length] ?? '';
}

function callContest(): Contest {
  const calls = records();
  const ours = new Metrics(BUCKETS);
  const bundles = bindAll();
  return {
    name: METRICS_OF_A_CALL,
    contenders: [
      {
        name: THEIRS,
        run(times) {
          for (let i = 0; i < times; i++) {
            writeBound(bundles[i % MODELS.length] as Bundle, calls[i % RECORDS] as CallRecord);
          }
          return times;
        },
      },
      {
        name: OURS,
        run(times) {
          for (let i = 0; i < times; i++) {
            const call = calls[i % RECORDS] as CallRecord;
            ours.callStarted(call);
            ours.callEnded(call);
          }
          return times;
        },
      },
    ],
  };
}

type BoundCounter = Counter.Internal;
type BoundHistogram = Histogram.Internal<string>;

/** What src/observability/metrics.ts writes of one unary call, by name. */
interface Bundle {
  readonly ones: readonly BoundCounter[];
  readonly input: BoundCounter;
  readonly output: BoundCounter;
  readonly cached: BoundCounter;
  readonly head: BoundHistogram;
  readonly duration: BoundHistogram;
  readonly generation: BoundHistogram;
}

function bindAll(): Bundle[] {
  const registers = [new Registry()];
  const common = (name: keyof typeof metricTable) => {
    const { help, labels } = metricTable[name];
    return { name, help, labelNames: [...labels] as string[], registers };
  };
  const counter = (name: keyof typeof metricTable) => new Counter(common(name));
  const histogram = (name: keyof typeof metricTable) => new Histogram({ ...common(name), buckets: BUCKETS });
  const requests = counter('smg_http_requests_total');
  const responses = counter('smg_http_responses_total');
  const calls = counter('smg_router_requests_total');
  const selections = counter('smg_worker_selection_total');
  const upstream = counter('smg_router_upstream_responses_total');
  const outcomes = counter('smg_worker_cb_outcomes_total');
  const tokens = counter('smg_router_tokens_total');
  const head = histogram('smg_http_request_duration_seconds');
  const duration = histogram('smg_router_request_duration_seconds');
  const generation = histogram('smg_router_generation_duration_seconds');
  return MODELS.map((model) => {
    const router = ['http', 'regular', 'http', model, ROUTE];
    return {
      ones: [
        requests.labels('POST', ROUTE),
        responses.labels(ROUTE, '200', ''),
        calls.labels(...router, 'false'),
        selections.labels('regular', 'http', model, 'power_of_two'),
        upstream.labels('http', '200', ''),
        outcomes.labels('3f2a91c0', 'success'),
      ],
      input: tokens.labels(...router, 'input'),
      output: tokens.labels(...router, 'output'),
      cached: tokens.labels(...router, 'cached'),
      head: head.labels('POST', ROUTE),
      duration: duration.labels(...router),
      generation: generation.labels(...router),
    };
  });
}

function writeBound(bundle: Bundle, call: CallRecord): void {
  for (const one of bundle.ones) one.inc(1);
  bundle.input.inc(call.usage?.inputTokens ?? 0);
  bundle.output.inc(call.usage?.outputTokens ?? 0);
  bundle.cached.inc(call.usage?.cachedInputTokens ?? 0);
  bundle.head.observe((call.headAt - call.startedAt) / 1_000);
  bundle.duration.observe((call.endedAt - call.startedAt) / 1_000);
  bundle.generation.observe((call.endedAt - call.upstreamStartedAt) / 1_000);
}

function scrapeContest(): Contest {
  const theirs = new Registry();
  const ours = new MetricRegistry();
  const { help, labels } = metricTable.smg_router_request_duration_seconds;
  const name = 'smg_router_request_duration_seconds';
  const their = new Histogram({
    name,
    help,
    labelNames: [...labels] as string[],
    buckets: BUCKETS,
    registers: [theirs],
  });
  const our = ours.histogram({ name, help, labels }, BUCKETS);
  for (let i = 0; i < SERIES; i++) {
    const values = ['http', 'regular', 'http', `model-${i}`, ROUTE];
    their.labels(...values).observe(i / 100);
    our.observe(our.with(...values), i / 100);
  }
  return {
    name: SCRAPE,
    contenders: [
      {
        name: 'prom-client',
        async run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += (await theirs.metrics()).length;
          return length;
        },
      },
      {
        name: OURS,
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += ours.render().length;
          return length;
        },
      },
    ],
  };
}
