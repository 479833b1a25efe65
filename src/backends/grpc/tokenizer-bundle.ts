/** A worker's own tokenizer: a ZIP archive that it streams, taken whole, within limits, and as its checksum says. */
import { createHash } from 'node:crypto';
import { GatewayError } from '../../domain/errors.ts';
import type { TokenizerBundles } from '../../domain/engine-prober.ts';
import type { TokenWorker } from '../../domain/token-generation.ts';
import { metadataOf } from './call-metadata.ts';
import type { ChannelPool, RpcSink, RpcStream } from './rpc.ts';
import { engineNamed } from './send.ts';
import { failedOf } from './status.ts';

const TIMEOUT_MS = 120_000;
const MAX_BYTES = 200 * 1024 * 1024;
/** Engines send pieces of 64 KiB to 512 KiB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

interface Piece {
  readonly data: Uint8Array;
  readonly sha256: string;
}

export interface BundleLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export class GrpcTokenizerBundles implements TokenizerBundles {
  readonly #channels: Pick<ChannelPool, 'channelTo'>;
  readonly #limits: BundleLimits;

  constructor(
    channels: Pick<ChannelPool, 'channelTo'>,
    limits: BundleLimits = { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS },
  ) {
    this.#channels = channels;
    this.#limits = limits;
  }

  async fetch({ address, engine }: TokenWorker, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let stream: RpcStream | undefined;
    const end = (error: unknown) => {
      isOver = true;
      stream?.cancel();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    let isOver = false;
    const archive = new Archive(this.#limits.maxBytes);
    const sink: RpcSink<Piece> = {
      begun: () => undefined,
      message: (piece) => {
        const problem = isOver ? undefined : archive.add(piece);
        if (problem !== undefined) end(unavailable(address.id, problem));
      },
      end: () => {
        if (isOver) return;
        const problem = archive.problem();
        if (problem === undefined) resolve(archive.bytes());
        else reject(unavailable(address.id, problem));
      },
      failed: (failure) => {
        if (isOver) return;
        const { error } = failedOf(address.id, failure, false);
        reject(new GatewayError('tokenizer_unavailable', `${error.message} (GetTokenizer)`, { cause: error }));
      },
    };
    const options = {
      timeoutMs: this.#limits.timeoutMs,
      metadata: metadataOf({ key: address.apiKey }),
      maxMessageBytes: MAX_MESSAGE_BYTES,
    };
    const aborted = () => end(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      stream = this.#channels.channelTo(address.url).stream(engineNamed(engine).tokenizer, undefined, options, sink);
      if (isOver) stream.cancel();
      return await promise;
    } finally {
      signal.removeEventListener('abort', aborted);
    }
  }
}

function unavailable(workerId: string, problem: string): GatewayError {
  return new GatewayError('tokenizer_unavailable', `The tokenizer that worker ${workerId} sent ${problem}.`);
}

/** What has come of an archive. */
class Archive {
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');
  #pieces: Uint8Array[] = [];
  #size = 0;
  #sha256 = '';

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What is wrong with it. */
  add({ data, sha256 }: Piece): string | undefined {
    if (this.#sha256 !== '') return 'goes on behind its checksum';
    this.#size += data.length;
    if (this.#size > this.#maxBytes) {
      this.#pieces = [];
      return `is larger than ${this.#maxBytes} bytes`;
    }
    this.#pieces.push(data);
    this.#hash.update(data);
    this.#sha256 = sha256.toLowerCase();
    return undefined;
  }

  problem(): string | undefined {
    if (this.#size === 0) return 'is empty';
    if (this.#sha256 === '') return 'has no checksum';
    return this.#hash.digest('hex') === this.#sha256 ? undefined : 'is not what its checksum says';
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces, this.#size);
  }
}
