/** Where a worker's URL leads: `grpc://host:port` in the clear, `grpcs://host:port` over TLS. */

export interface Target {
  readonly isSecure: boolean;
  /** Without brackets, as sockets take it. */
  readonly host: string;
  readonly port: number;
  /** `:authority` of the calls; a port that the scheme has anyway stands in it too. */
  readonly authority: string;
}

const DEFAULT_PORTS = new Map([
  ['grpc:', 80],
  ['grpcs:', 443],
]);

/** Throws a TypeError when it is no such URL; a path in it has no meaning and is left out. */
export function parseTarget(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const defaultPort = parsed && DEFAULT_PORTS.get(parsed.protocol);
  if (parsed === undefined || defaultPort === undefined || parsed.hostname === '') {
    throw new TypeError('not a URL of a gRPC worker: grpc://host:port or grpcs://host:port');
  }
  const port = parsed.port === '' ? defaultPort : Number(parsed.port);
  return {
    isSecure: parsed.protocol === 'grpcs:',
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    authority: `${parsed.hostname}:${port}`,
  };
}
