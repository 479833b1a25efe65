/** HTTP request to Call: is it JSON, what does the body ask for, whose key is it? Reading the bytes is read-body.ts. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Call } from '../domain/call.ts';
import { callerKeyOf } from '../domain/credentials.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Principal } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import { checkObject, peek } from '../protocols/peek.ts';
import type { Peek } from '../protocols/peek.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { InferenceRoute } from './route-table.ts';

/** Throws the GatewayError that says why the body cannot be read, before it is read. */
export function checkMediaType(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'A body with a content encoding is not accepted; send it plain.');
  }
  const type = headers['content-type'];
  // Engines and the original take a body without a content type for JSON, and so do the clients that send none.
  if (type === undefined || isJson(type)) return;
  throw new GatewayError('unsupported_media_type', 'The body must be JSON (content-type: application/json).');
}

function isJson(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return false;
  // curl's -d without a header says form-urlencoded; its body is JSON all the same and is checked as such.
  return /^(application\/([a-z0-9.+-]*\+)?json|application\/x-www-form-urlencoded|text\/json)$/.test(type.trim());
}

export interface CallParts {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly route: InferenceRoute;
  /** Of a path that names it. */
  readonly model: string | undefined;
  readonly protocol: Protocol;
  readonly principal: Principal;
  readonly record: CallRecord;
}

/** What is to be done, from a request and its whole body. Throws `invalid_json` or `invalid_request`. */
export function makeCall(parts: CallParts): Call {
  const { request, body, route, protocol, principal, record } = parts;
  const { model, stream, modelSpans } = route.isStream === undefined ? peek(body) : peekPath(parts, route.isStream);
  record.bodyBytes = body.length;
  record.model = model ?? '';
  record.streaming = stream;
  const url = request.url ?? '';
  const query = url.indexOf('?');
  return {
    requestId: record.requestId,
    protocol: route.protocol,
    upstreamPath: query < 0 ? route.upstreamPath : route.upstreamPath + url.slice(query),
    model,
    modelOptional: protocol.modelOptional,
    stream,
    body,
    modelSpans,
    headers: request.headers,
    callerKey: callerKeyOf(request.headers, principal.usedGatewayKey),
    record,
  };
}

/** What the path says already; the body has to be JSON all the same. */
function peekPath({ body, model }: CallParts, stream: boolean): Peek {
  checkObject(body);
  return { model, stream, modelSpans: [] };
}
