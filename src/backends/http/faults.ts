/** What a failed exchange means: undici's and the system's error codes as one of ours. */
import type { ErrorCode } from '../../domain/errors.ts';
import { GatewayError } from '../../domain/errors.ts';

/** Nothing was sent: another worker can take the call as if this one had never been asked. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The gateway closed the connection itself: its worker was removed by force, or its drain was over. */
const CLOSED_HERE = 'UND_ERR_DESTROYED';

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

function classify(code: string, wasSent: boolean): ErrorCode {
  if (!wasSent || NOT_CONNECTED.has(code)) return 'upstream_unreachable';
  // The parser's own error has no code where a server of another protocol speaks first.
  if (code.startsWith('HPE_') || code === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return 'upstream_invalid_answer';
  return 'upstream_broken';
}

const TEXT: Partial<Record<ErrorCode, string>> = {
  upstream_unreachable: 'could not be reached',
  upstream_invalid_answer: 'sent broken HTTP',
  upstream_broken: 'closed the connection before its answer was complete',
};

/** `wasSent`: the request had been written to a connection. The message names the worker's id and the code, no address. */
export function exchangeError(workerId: string, error: Error, wasSent: boolean): GatewayError {
  const systemCode = codeOf(error);
  const code = classify(systemCode, wasSent);
  if (systemCode === CLOSED_HERE) {
    return new GatewayError(code, `Worker ${workerId} was removed before its answer was complete.`, { cause: error });
  }
  return new GatewayError(code, `Worker ${workerId} ${TEXT[code]} (${systemCode}).`, { cause: error });
}

/** True when a warm connection had died unnoticed: the worker closed it while it was idle, so it saw no request. */
export function isStaleConnection(error: Error): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}
