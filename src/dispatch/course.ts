/**
 * How far a call has come: through the models of its chain, among the workers of each, and what they have answered. The
 * dispatcher's memory of one call; it decides nothing.
 */
import type { Call } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import { workerOfMember } from '../domain/ids.ts';
import type { PassedModel, PassReason } from '../domain/record.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { RetryOptions } from '../resilience/retry.ts';
import type { CallKey } from './call-key.ts';
import type { Failed } from './failure.ts';
import { passReasonOf } from './failure.ts';
import { CallHints } from './hints.ts';
import type { Held } from './recovery-line.ts';

/** A failed attempt, with who made it. */
export interface FailedTry {
  readonly failed: Failed;
  readonly workerId: string;
  readonly answerModel: string;
}

/** Where a call turns to next. */
export interface Move {
  readonly at: number;
  readonly tried: string[];
  readonly passed: readonly PassedModel[];
}

export class Course {
  readonly call: Call;
  /** At least one. */
  readonly models: readonly string[];
  readonly key: CallKey;
  /** Which of them the call is at. */
  at = 0;
  /** Workers that are not to be asked for this model now. */
  tried: string[] = [];
  /** Attempts on this model. */
  attempts = 0;
  /** Limits of the worker of the first attempt on this model. */
  retry: RetryOptions | undefined = undefined;
  /** Why the last attempt on this model failed. */
  why: PassReason | undefined = undefined;
  /** Why a worker of this model could not be asked at all. */
  unfit: GatewayError | undefined = undefined;
  backoffMs = 0;
  /** Its place in the line of those who wait for a worker. */
  held: Held | undefined = undefined;
  /** The last attempt that brought an answer, else the last one. */
  last: FailedTry | undefined = undefined;
  /** Models from the present one on that could not do it: for the record, if it stays at that. */
  left: readonly PassedModel[] = [];
  #hints: CallHints | undefined = undefined;
  #refusal: GatewayError | undefined = undefined;

  constructor(call: Call, models: readonly string[], key: CallKey) {
    this.call = call;
    this.models = models;
    this.key = key;
  }

  get isChain(): boolean {
    return this.models.length > 1;
  }

  get hasNext(): boolean {
    return this.at + 1 < this.models.length;
  }

  get model(): string {
    return this.models[this.at] ?? '';
  }

  /** The routing inputs for the present model. */
  hints(protocol: Protocol): CallHints {
    if (this.#hints?.model !== this.model) this.#hints = new CallHints(this.call, this.model, protocol);
    return this.#hints;
  }

  moveTo({ at, tried, passed }: Move): void {
    const { record } = this.call;
    record.chain = [...record.chain, ...passed];
    this.at = at;
    this.tried = tried;
    this.attempts = 0;
    this.retry = undefined;
    this.why = undefined;
    this.unfit = undefined;
    this.left = [];
  }

  /** This worker cannot be asked such a call; another may. */
  unfitted(workerId: string, error: GatewayError): void {
    this.tried.push(workerId);
    this.unfit = error;
  }

  /** From the first model again; only for a call that has not been sent anywhere. */
  restart(): void {
    if (!this.isChain) return;
    if (this.at > 0) this.moveTo({ at: 0, tried: [], passed: [] });
    this.call.record.chain = [];
    this.#refusal = undefined;
  }

  /** It stays at that: the models that are left have not answered either. */
  end(): void {
    const { record } = this.call;
    if (this.isChain) record.chain = [...record.chain, ...this.left];
  }

  /** Workers that have failed this call, for whatever model. */
  failedWorkers(): string[] {
    const { attempts } = this.call.record;
    return attempts.filter(({ verdict }) => verdict === 'failure').map(({ workerId }) => workerOfMember(workerId));
  }

  failed(failed: Failed, workerId: string): void {
    const { answerModel } = this.call.record;
    this.why = passReasonOf(failed);
    if (failed.answer || !this.last?.failed.answer) this.last = { failed, workerId, answerModel };
  }

  /** Why a model of a chain could not be asked. Throws what is no such reason, and for a chain of one every reason. */
  refused(thrown: unknown, why: PassReason = 'no_worker'): PassReason {
    const error = GatewayError.from(thrown);
    const rank = rankOf(error);
    if (!this.isChain || rank < 0) throw thrown;
    if (!this.#refusal || rank < rankOf(this.#refusal)) this.#refusal = error;
    if (error.code === 'context_length_exceeded') return 'context';
    return error.code === 'model_not_found' ? 'unknown' : why;
  }

  /** What the client is told when no model of its chain could be asked. */
  get refusal(): GatewayError | undefined {
    if (!this.#refusal) return undefined;
    const { code, message, retryAfterSeconds, param } = this.#refusal;
    const models = this.call.record.chain.map(({ model, why }) => `${model} (${why})`).join(', ');
    return new GatewayError(code, `No model of the chain can take the call: ${models}. ${message}`, {
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(param === undefined ? {} : { param }),
    });
  }
}

/** The most telling reason first: when it makes sense to try again. Below 0: a fault that is no reason. */
function rankOf({ code, origin }: GatewayError): number {
  const last = TELLING.length;
  if (code === 'model_not_found') return last + 1;
  const rank = TELLING.findIndex((each) => each === code);
  // What this client's call cannot be for that model's workers, another model may take.
  return rank < 0 && origin === 'client' ? last : rank;
}

const TELLING = [
  'rate_limited',
  'no_available_workers',
  'worker_not_found',
  'tokenizer_unavailable',
  'template_unusable',
  'template_limit',
] as const;
