/** gRPC statuses: their numbers, and which one stands for an HTTP status. Source: grpc.io, status codes. */

/** The statuses that the engines use. */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that ends with a status other than OK. */
export class RpcRefusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'RpcRefusal';
    this.code = code;
  }
}

/** A request that an engine cannot take. */
export function invalid(message: string): RpcRefusal {
  return new RpcRefusal(STATUS.invalidArgument, message);
}

const BY_HTTP: Readonly<Record<number, number>> = {
  400: STATUS.invalidArgument,
  401: STATUS.unauthenticated,
  403: STATUS.permissionDenied,
  404: STATUS.notFound,
  408: STATUS.deadlineExceeded,
  422: STATUS.invalidArgument,
  429: STATUS.resourceExhausted,
  499: STATUS.cancelled,
  500: STATUS.internal,
  501: STATUS.unimplemented,
  503: STATUS.unavailable,
  504: STATUS.deadlineExceeded,
};

/** What a gRPC server says instead of an HTTP status; numbers up to 16 are gRPC statuses already. */
export function statusOfHttp(status: number): number {
  if (status <= 16) return status;
  return BY_HTTP[status] ?? STATUS.unknown;
}
