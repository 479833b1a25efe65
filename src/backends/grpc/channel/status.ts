/**
 * What an ended stream means as a gRPC status.
 * Source  gRPC over HTTP/2 ("Responses", "Errors"), HTTP to gRPC status code mapping, status codes of grpc.io
 */
import { constants } from 'node:http2';
import type { RpcFailure } from '../rpc.ts';

/** The statuses that this side gives by itself; all 17 are numbers 0 to 16. */
export const grpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

const LAST_STATUS = 16;

/** A failure before any header, of a request that may have been worked on unless it is said otherwise. */
export function failure(status: number, message: string, more: Partial<RpcFailure> = {}): RpcFailure {
  return { status, message, isBeforeHeaders: true, isUnprocessed: false, ...more };
}

/** The request was certainly not worked on. */
export function unprocessed(message: string, cause?: unknown): RpcFailure {
  const more = { isUnprocessed: true, ...(cause === undefined ? {} : { cause }) };
  return failure(grpcStatus.UNAVAILABLE, message, more);
}

/** Of a header as Node gives it: `:status` is a number, a repeated one a list. */
export type HeaderValue = string | number | readonly string[] | undefined;

/** `grpc-status` as a number; undefined when it is absent; what is no status is UNKNOWN. */
export function parseStatus(value: HeaderValue): number | undefined {
  if (value === undefined) return undefined;
  const text = textOf(value);
  if (!/^\d{1,3}$/.test(text)) return grpcStatus.UNKNOWN;
  const status = Number(text);
  return status <= LAST_STATUS ? status : grpcStatus.UNKNOWN;
}

function textOf(value: string | number | readonly string[]): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : (value[0] ?? '');
}

/** `grpc-message` is percent-encoded UTF-8; broken escapes stay as they are, as the specification demands. */
export function decodeMessage(value: HeaderValue): string {
  if (value === undefined) return '';
  const text = textOf(value);
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** For an answer without `grpc-status`; also for a 200 whose content is not gRPC. */
export function statusOfHttp(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return grpcStatus.INTERNAL;
    case 401:
      return grpcStatus.UNAUTHENTICATED;
    case 403:
      return grpcStatus.PERMISSION_DENIED;
    case 404:
      return grpcStatus.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcStatus.UNAVAILABLE;
    default:
      return grpcStatus.UNKNOWN;
  }
}

/** For a stream that the peer ended with RST_STREAM. */
export function statusOfReset(code: number): number {
  switch (code) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return grpcStatus.UNAVAILABLE;
    case constants.NGHTTP2_CANCEL:
      return grpcStatus.CANCELLED;
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return grpcStatus.RESOURCE_EXHAUSTED;
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return grpcStatus.PERMISSION_DENIED;
    case constants.NGHTTP2_STREAM_CLOSED:
    case constants.NGHTTP2_HTTP_1_1_REQUIRED:
      return grpcStatus.UNKNOWN;
    default:
      return code >= 0 && code <= constants.NGHTTP2_HTTP_1_1_REQUIRED ? grpcStatus.INTERNAL : grpcStatus.UNKNOWN;
  }
}

/** RFC 9113, section 7, in order of their numbers. */
const RESET_NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

export function resetName(code: number): string {
  return RESET_NAMES[code] ?? `error ${code}`;
}
