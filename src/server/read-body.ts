/** Reads a request body with a size limit, and never more of it than the limit. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../domain/errors.ts';

/** Up to this announced size the body is read into its final place; beyond it an announcement alone must cost nothing. */
const PREALLOCATE_BYTES = 1024 * 1024;

/** Rejects with `payload_too_large`, `invalid_request` (cut off) or `client_closed_request`. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const sink = announced <= PREALLOCATE_BYTES ? new FixedBody(announced) : new GrowingBody();
    request.on('data', (chunk: Buffer) => {
      if (sink.size + chunk.length > limit) {
        request.removeAllListeners('data');
        request.pause();
        reject(tooLarge(limit));
      } else {
        sink.add(chunk);
      }
    });
    request.on('end', () => resolve(sink.take()));
    // An aborted request has no `error` event unless somebody listens for it; `close` tells all there is to tell.
    request.on('close', () => {
      if (!request.complete) reject(new GatewayError('client_closed_request', 'The client left.'));
    });
  });
}

function tooLarge(limit: number): GatewayError {
  return new GatewayError('payload_too_large', `The body is larger than the limit of ${limit} bytes.`);
}

/** A body of known size: one chunk is taken as it is, more are copied and let go, so that bodies cost what they hold. */
class FixedBody {
  readonly #length: number;
  #bytes: Buffer | undefined;
  size = 0;

  constructor(length: number) {
    this.#length = length;
  }

  add(chunk: Buffer): void {
    if (chunk.length === this.#length) {
      this.#bytes = chunk;
    } else {
      this.#bytes ??= Buffer.allocUnsafeSlow(this.#length);
      chunk.copy(this.#bytes, this.size);
    }
    this.size += chunk.length;
  }

  take(): Buffer {
    return this.#bytes ?? EMPTY;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

class GrowingBody {
  readonly #chunks: Buffer[] = [];
  size = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.size += chunk.length;
  }

  take(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.size);
  }
}
