/**
 * The header block of a call, as a flat list of names and values.
 * Shapes  new RequestHeaders(scheme, authority, userAgent).of(path, timeoutMs, metadata) → list
 * Source  gRPC over HTTP/2, "Requests"
 */
import { sensitiveHeaders } from 'node:http2';
import type { Metadata } from '../rpc.ts';

/** Keys of different clients share a connection: none of them may end up in its compression table. */
const SENSITIVE = { [sensitiveHeaders]: ['authorization'] };
const MAX_TIMEOUT_DIGITS = 99_999_999;
const NOT_SENDABLE = /[^\x20-\x7e]/;

export class RequestHeaders {
  readonly #beforePath: readonly string[];
  readonly #afterPath: readonly string[];

  constructor(scheme: 'http' | 'https', authority: string, userAgent: string) {
    this.#beforePath = [':method', 'POST', ':scheme', scheme, ':authority', authority, ':path'];
    const fixed = ['te', 'trailers', 'content-type', 'application/grpc', 'grpc-accept-encoding', 'identity'];
    this.#afterPath = [...fixed, 'user-agent', userAgent];
  }

  of(path: string, timeoutMs: number | undefined, metadata: Metadata): string[] {
    const block = [...this.#beforePath, path];
    if (timeoutMs !== undefined) block.push('grpc-timeout', encodeTimeout(timeoutMs));
    block.push(...this.#afterPath);
    for (const [name, value] of metadata) {
      block.push(name, value);
      if (name === 'authorization') Object.assign(block, SENSITIVE);
    }
    return block;
  }
}

/** The name of the first header whose value is not printable ASCII; undefined: all can be sent. */
export function unsendable(metadata: Metadata): string | undefined {
  for (const [name, value] of metadata) if (NOT_SENDABLE.test(value)) return name;
  return undefined;
}

/** At most eight digits with a unit: whole milliseconds as long as they fit, seconds above that, never less than 1 ms. */
export function encodeTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  if (ms <= MAX_TIMEOUT_DIGITS) return `${ms}m`;
  return `${Math.min(MAX_TIMEOUT_DIGITS, Math.ceil(ms / 1_000))}S`;
}
