/** Small questions to a worker, outside of any call: health, models, metadata. Each has a time and a size limit. */
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import { headerOf } from '../../domain/headers.ts';
import type { Backend, Exchange, ProbeReply, Prober, Question, UpstreamRequest } from '../../domain/ports.ts';
import type { WorkerAddress } from '../../domain/worker.ts';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export class HttpProber implements Prober {
  readonly #backend: Backend;
  readonly #clock: Clock;

  constructor(backend: Backend, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
  }

  ask(worker: WorkerAddress, question: Question, timeoutMs: number): Promise<ProbeReply> {
    const { method, path, body } = question;
    const request: UpstreamRequest = {
      method,
      path,
      clientHeaders: { accept: '*/*' },
      requestId: undefined,
      key: worker.apiKey,
      body: body === undefined ? undefined : Buffer.from(body),
    };
    return new Promise((resolve, reject) => {
      let exchange: Exchange | undefined;
      let status = 0;
      let contentType: string | undefined;
      let size = 0;
      const chunks: Buffer[] = [];
      const fail = (error: GatewayError) => {
        this.#clock.clearTimer(timer);
        exchange?.abort();
        reject(error);
      };
      const timer = this.#clock.setTimer(() => {
        fail(new GatewayError('upstream_timeout', `${method} ${path} had no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      exchange = this.#backend.send(worker, request, {
        head: (answered, headers) => {
          status = answered;
          contentType = headerOf(headers, 'content-type');
        },
        data: (chunk) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES)
            fail(new GatewayError('upstream_invalid_answer', `${method} ${path} answered too much`));
          else chunks.push(chunk);
        },
        end: () => {
          this.#clock.clearTimer(timer);
          resolve({ status, contentType, text: Buffer.concat(chunks).toString('utf8') });
        },
        error: fail,
      });
    });
  }
}
