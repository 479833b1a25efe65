/** Is this an answer at all? What a worker may send with a good status and what no client should get as success. */

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

function firstByte(body: Buffer): number | undefined {
  let at = 0;
  while (at < body.length && (body[at] as number) <= 0x20) at += 1;
  return body[at];
}

function lastByte(body: Buffer): number | undefined {
  let at = body.length - 1;
  while (at >= 0 && (body[at] as number) <= 0x20) at -= 1;
  return body[at];
}

/** A page under another content type: what a proxy in between says when it has lost the worker. */
function isHtml(body: Buffer): boolean {
  return /^\s*<(!doctype html|html)/i.test(body.toString('latin1', 0, 64));
}

/** The rest of a sentence that begins with the worker, or undefined when the answer is fit to pass. */
export function invalidAnswer(status: number, contentType: string | undefined, body: Buffer): string | undefined {
  if (status < 200 || status >= 300) return undefined;
  const last = lastByte(body);
  if (last === undefined) return `answered ${status} with an empty body.`;
  const type = contentType?.toLowerCase();
  const first = firstByte(body);
  const isPage = type?.startsWith('text/html') || (first === LESS_THAN && isHtml(body));
  if (isPage) return `answered ${status} with an HTML page.`;
  const isJson = type === undefined || type.includes('json');
  if (isJson && first === OPEN_BRACE && last !== 0x7d) return `answered ${status} with JSON that is cut off.`;
  if (isJson && first === OPEN_BRACKET && last !== 0x5d) return `answered ${status} with JSON that is cut off.`;
  return undefined;
}

const EVENT_STARTS = ['data:', 'event:', ':', 'id:', 'retry:'];

/** An event stream under a wrong content type gives itself away by its first bytes. */
export function looksLikeEvents(chunk: Buffer): boolean {
  const start = chunk.toString('latin1', 0, 8).trimStart();
  return EVENT_STARTS.some((text) => start.startsWith(text));
}
