/** Faults that replace the answer altogether: the endpoint never sees the request. */

import { engineError } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fault } from './fault.ts';

const HTML = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n';

/** Commits the fault when it is of this sort; false when the request should go on. */
export function strikeBefore(exchange: Exchange, fault: Fault): boolean {
  switch (fault.kind) {
    case 'refuse':
      exchange.fired(fault.kind);
      exchange.host.refuse();
      exchange.reset();
      return true;
    case 'reset_before_headers':
      exchange.fired(fault.kind);
      exchange.reset();
      return true;
    case 'hang_before_headers':
      exchange.fired(fault.kind);
      return true;
    case 'status':
      exchange.fired(fault.kind);
      answerStatus(exchange, fault);
      return true;
    case 'html':
      exchange.fired(fault.kind);
      exchange.answer(200, { 'content-type': 'text/html; charset=utf-8' }, Buffer.from(HTML));
      return true;
    case 'empty':
      exchange.fired(fault.kind);
      exchange.answer(200, { 'content-type': 'application/json' }, Buffer.alloc(0));
      return true;
    default:
      return false;
  }
}

function answerStatus(exchange: Exchange, fault: Extract<Fault, { kind: 'status' }>): void {
  const message = `This answers ${fault.status} on purpose.`;
  const usual = exchange.host.wordError(exchange.path, engineError(fault.status, message));
  const body = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? usual);
  const headers = {
    'content-type': body === fault.body ? 'text/plain; charset=utf-8' : 'application/json',
    ...(fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }),
    ...fault.headers,
  };
  exchange.answer(fault.status, headers, Buffer.from(body));
}
