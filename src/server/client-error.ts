/** Requests that never became one: broken HTTP, headers without end, a body that never came. Answered, then closed. */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../domain/errors.ts';
import { openaiDialect } from '../protocols/dialect.ts';
import { newRequestId } from './request-id.ts';

function errorOf(code: string | undefined): GatewayError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new GatewayError('request_timeout', 'The request did not arrive in time.');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new GatewayError('headers_too_large', 'The request headers are too large.');
  return new GatewayError('invalid_http', 'The request is not valid HTTP.');
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export function answerClientErrors(server: Server): void {
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Duplex) => {
    // An answer that has begun cannot become another one.
    const current = (socket as { _httpMessage?: { readonly headersSent: boolean } })._httpMessage;
    if (cause.code === 'ECONNRESET' || !socket.writable || current?.headersSent) return socket.destroy();
    const error = errorOf(cause.code);
    const requestId = newRequestId('req-');
    const body = openaiDialect.encodeError(error, requestId);
    const head = [
      `HTTP/1.1 ${error.status} ${REASONS[error.status]}`,
      'content-type: application/json',
      `content-length: ${body.length}`,
      `x-request-id: ${requestId}`,
      `x-smg-error-code: ${error.code}`,
      'connection: close',
    ];
    return socket.end(`${head.join('\r\n')}\r\n\r\n${body.toString()}`);
  });
}
