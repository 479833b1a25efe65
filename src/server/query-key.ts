/**
 * Gemini's clients may give their key in the query. It becomes the header that says the same, and leaves the URL, so
 * that nothing that shows or sends a URL can show or send it.
 * Source: Gemini API reference, API keys.
 */
import type { IncomingMessage } from 'node:http';

const HEADER = 'x-goog-api-key';
const PATHS = /^\/v1(beta)?\/models(\/|\?)/;

/** Changes the request in place; costs other requests one search of their URL. */
export function adoptQueryKey(request: IncomingMessage): void {
  const url = request.url ?? '';
  const start = url.indexOf('?');
  if (start < 0 || !PATHS.test(url)) return;
  const parameters = url.slice(start + 1).split('&');
  const rest = parameters.filter((parameter) => !new URLSearchParams(parameter).has('key'));
  if (rest.length === parameters.length) return;
  request.url = url.slice(0, start) + (rest.length > 0 ? `?${rest.join('&')}` : '');
  const key = new URLSearchParams(url.slice(start + 1)).get('key');
  if (key !== null && key !== '') request.headers[HEADER] ??= key;
}
