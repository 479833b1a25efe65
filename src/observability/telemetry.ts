/** What is told about calls and workers: the log lines and the counters, all views of the records. */
import type { BreakerName, FleetEvent, FleetTelemetry, Telemetry } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import type { Worker, WorkerState } from '../domain/worker.ts';
import type { LogFields, Logger, LogLevel } from './logging.ts';
import type { Metrics } from './metrics.ts';

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** The one line of a call: ids, timings, counts; never a prompt, an answer or a key. */
export function lineOf(record: CallRecord): LogFields {
  const { startedAt, usage, attempts } = record;
  return {
    request_id: record.requestId,
    // Inference is always POST.
    method: record.isInference ? undefined : record.method,
    path: record.route,
    tenant: record.tenant === '' ? undefined : record.tenant,
    status: record.status,
    outcome: record.outcome,
    error: record.error,
    model: record.model === '' ? undefined : record.model.slice(0, 128),
    worker: record.workerId === '' ? undefined : record.workerId,
    policy: record.policy === '' ? undefined : record.policy,
    decision: record.decision === '' ? undefined : record.decision,
    translation: record.translation === '' ? undefined : record.translation,
    translation_warnings: record.warnings.length === 0 ? undefined : record.warnings.length,
    stream: record.isInference ? record.streaming : undefined,
    retries: attempts.length > 0 ? attempts.length - 1 : undefined,
    tried:
      attempts.length > 1
        ? attempts.map((attempt) => `${attempt.workerId}:${attempt.error ?? 'ok'}`).join(',')
        : undefined,
    answer_model: record.answerModel === '' ? undefined : record.answerModel,
    chain: record.chain.length === 0 ? undefined : record.chain.map(({ model, why }) => `${model}:${why}`).join(','),
    duration_ms: tenths(record.endedAt - startedAt),
    class: record.priorityClass === '' ? undefined : record.priorityClass,
    queue_ms: record.queuedAt > 0 ? tenths((record.admittedAt || record.endedAt) - record.queuedAt) : undefined,
    held_ms: record.heldMs > 0 ? tenths(record.heldMs) : undefined,
    head_ms: record.headAt > 0 ? tenths(record.headAt - startedAt) : undefined,
    ttft_ms: record.streaming && record.firstContentAt > 0 ? tenths(record.firstContentAt - startedAt) : undefined,
    bytes_in: record.bodyBytes,
    bytes_out: record.sentBytes,
    input_tokens: usage?.inputTokens,
    output_tokens: usage?.outputTokens,
    cached_tokens: usage?.cachedInputTokens,
  };
}

const MAX_WARNINGS = 50;
const MAX_WARNINGS_TEXT = 8_192;

function levelOf(record: CallRecord): LogLevel {
  if (record.error === 'internal_error') return 'error';
  if (!record.isInference) return 'debug';
  return record.outcome === 'broken' || (record.outcome === 'failed' && record.status >= 500) ? 'warn' : 'info';
}

/** `metrics` is undefined when they are switched off. */
export class GatewayTelemetry implements Telemetry, FleetTelemetry {
  readonly #logger: Logger;
  readonly #metrics: Metrics | undefined;

  constructor(logger: Logger, metrics: Metrics | undefined) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  callStarted(record: CallRecord): void {
    this.#metrics?.callStarted(record);
  }

  callEnded(record: CallRecord): void {
    this.#metrics?.callEnded(record);
    const level = levelOf(record);
    if (this.#logger.isOn(level)) this.#logger.log(level, record.isInference ? 'call' : 'request', lineOf(record));
    if (record.warnings.length > 0 && this.#logger.isOn('debug')) this.#logWarnings(record);
    if (record.fault !== undefined)
      this.#logger.log('error', 'fault', { request_id: record.requestId, fault: describe(record.fault) });
  }

  /** Fields and reasons; never a value. */
  #logWarnings({ requestId, translation, warnings }: CallRecord): void {
    const shown = warnings.slice(0, MAX_WARNINGS).map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`);
    this.#logger.log('debug', 'translation', {
      request_id: requestId,
      translation: translation === '' ? undefined : translation,
      warnings: shown.join('; ').slice(0, MAX_WARNINGS_TEXT),
      left_out: warnings.length > shown.length ? warnings.length - shown.length : undefined,
    });
  }

  stateChanged(worker: Worker, from: WorkerState): void {
    const level = worker.state === 'unhealthy' || worker.state === 'failed' ? 'warn' : 'info';
    this.#logger.log(level, 'worker', {
      worker: worker.id,
      url: worker.spec.url,
      from,
      state: worker.state,
      engine: worker.facts?.engine,
      models: worker.facts?.models.slice(0, 8).join(','),
      error: worker.progress.lastError,
    });
  }

  /** Coming and going; what changes in between is told by `stateChanged`. */
  fleetChanged({ type, worker }: FleetEvent): void {
    if (type === 'worker_changed') return;
    this.#logger.log('info', type === 'worker_added' ? 'worker added' : 'worker removed', {
      worker: worker.id,
      url: worker.spec.url,
    });
  }

  breakerChanged(workerId: string, from: BreakerName, to: BreakerName): void {
    this.#logger.log(to === 'open' ? 'warn' : 'info', 'circuit breaker', { worker: workerId, from, to });
    const counter = this.#metrics?.counter('smg_worker_cb_transitions_total');
    if (counter) counter.with(workerId, from, to).value += 1;
  }

  healthChecked(workerId: string, isHealthy: boolean): void {
    const result = isHealthy ? 'success' : 'failure';
    this.#logger.log('debug', 'health check', { worker: workerId, result });
    const counter = this.#metrics?.counter('smg_worker_health_checks_total');
    if (counter) counter.with('regular', result).value += 1;
  }
}

function describe(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}
