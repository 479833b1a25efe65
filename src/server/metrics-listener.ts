/** The listener of the metrics port: `GET /metrics` and nothing else. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ClientHeaders } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import { openaiDialect } from '../protocols/dialect.ts';
import { newRequestId } from './request-id.ts';
import { CHALLENGE } from './write-reply.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricsSource {
  /** Throws the error that a caller gets who may not read metrics. */
  check(headers: ClientHeaders): void;
  render(): string;
}

export function createMetricsListener(source: MetricsSource): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics.\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET' }).end();
    } else {
      answer(source, request, response);
    }
  };
}

function answer(source: MetricsSource, request: IncomingMessage, response: ServerResponse): void {
  try {
    source.check(request.headers);
    response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(source.render());
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    const challenge = error.status === 401 ? { 'www-authenticate': CHALLENGE } : {};
    const headers = { 'content-type': 'application/json', 'x-smg-error-code': error.code, ...challenge };
    response.writeHead(error.status, headers).end(openaiDialect.encodeError(error, newRequestId('req-')));
  }
}
