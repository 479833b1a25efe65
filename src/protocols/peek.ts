/** What routing needs of a body, read without parsing it: the model and whether a stream is wanted. */
import type { Span } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import { decodeString, findMembers, JsonScanError, skipSpace } from './json-scan.ts';

export interface Peek {
  /** Undefined when the body names none (absent or null). */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Where the model's value stands, once for each time that the key occurs. */
  readonly modelSpans: readonly Span[];
}

const NAMES = ['model', 'stream'] as const;

/** Of a key given twice the last one counts, as in the JSON readers of the engines. Throws `invalid_json` or `invalid_request`. */
export function peek(body: Buffer): Peek {
  try {
    const [modelSpans = [], streamSpans = []] = findMembers(body, NAMES);
    return { model: readModel(body, modelSpans.at(-1)), stream: readFlag(body, streamSpans.at(-1)), modelSpans };
  } catch (thrown) {
    throw asInvalidJson(thrown);
  }
}

/** For a body of which nothing need be known. Throws `invalid_json` when it is no JSON object. */
export function checkObject(body: Buffer): void {
  try {
    findMembers(body, []);
  } catch (thrown) {
    throw asInvalidJson(thrown);
  }
}

function asInvalidJson(thrown: unknown): unknown {
  if (!(thrown instanceof JsonScanError)) return thrown;
  return new GatewayError('invalid_json', `The body is not valid JSON: ${thrown.message}.`);
}

function readModel(body: Buffer, span: Span | undefined): string | undefined {
  if (!span) return undefined;
  if (body[span.start] === 0x22) return decodeString(body, span);
  if (body.toString('latin1', span.start, span.end) === 'null') return undefined;
  throw new GatewayError('invalid_request', '`model` must be a string.', { param: 'model' });
}

function readFlag(body: Buffer, span: Span | undefined): boolean {
  if (!span) return false;
  const text = body.toString('latin1', span.start, Math.min(span.end, span.start + 8));
  if (text === 'true') return true;
  if (text === 'false' || text === 'null') return false;
  throw new GatewayError('invalid_request', '`stream` must be true or false.', { param: 'stream' });
}

/** The body with every top-level model value replaced and every other byte as it was. Cost one copy. */
export function replaceModel(body: Buffer, spans: readonly Span[], model: string): Buffer {
  return replaceSpans(body, spans, Buffer.from(JSON.stringify(model)));
}

/**
 * The body with the top-level member `name` set to `json`, in place where it stands already, else as the first
 * member; every other byte as it was. `body` is a JSON object that has been peeked at. Cost one scan and one copy.
 */
export function setMember(body: Buffer, name: string, json: string): Buffer {
  const [spans = []] = findMembers(body, [name]);
  if (spans.length > 0) return replaceSpans(body, spans, Buffer.from(json));
  const inside = body.indexOf('{') + 1;
  const isEmpty = body[skipSpace(body, inside)] === CLOSE_BRACE;
  const member = Buffer.from(`${JSON.stringify(name)}:${json}${isEmpty ? '' : ','}`);
  return Buffer.concat([body.subarray(0, inside), member, body.subarray(inside)]);
}

const CLOSE_BRACE = 0x7d;

function replaceSpans(body: Buffer, spans: readonly Span[], value: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const span of spans) {
    parts.push(body.subarray(from, span.start), value);
    from = span.end;
  }
  parts.push(body.subarray(from));
  return Buffer.concat(parts);
}
