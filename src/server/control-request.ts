/** One request of the control plane, as its route sees it. */
import type { IncomingMessage } from 'node:http';
import type { ClientHeaders } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Principal } from '../domain/ports.ts';
import { readBody } from './read-body.ts';
import { checkMediaType } from './read-call.ts';

export interface ControlRequest {
  /** What stands for `{id}` in the path, or empty. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** Names are lower-case. */
  readonly headers: ClientHeaders;
  readonly principal: Principal;
  readonly requestId: string;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  /** The body as a JSON value; undefined when there is none. `maxBytes` in place of 1 MiB. Rejects with `invalid_json`, `payload_too_large` …. */
  readJson(maxBytes?: number): Promise<unknown>;
}

/** No control body is larger than this unless its route says so, whatever calls may be. */
const MAX_CONTROL_BYTES = 1024 * 1024;

export async function readControlJson(
  request: IncomingMessage,
  maxPayloadBytes: number,
  maxBytes = MAX_CONTROL_BYTES,
): Promise<unknown> {
  checkMediaType(request.headers);
  const body = await readBody(request, Math.min(maxPayloadBytes, maxBytes));
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (thrown) {
    // The parser's text may quote the body, and a body may hold a key.
    const why = thrown instanceof SyntaxError ? 'it is not valid JSON' : 'it is not valid UTF-8';
    throw new GatewayError('invalid_json', `The body cannot be read: ${why}.`);
  }
}
