/** The headers of a worker's answer when the body is not the worker's own any more. */
import type { HeaderList } from '../../domain/headers.ts';

/** What is true of the worker's bytes only. */
const OF_THE_BODY = new Set(['content-type', 'content-length', 'content-encoding', 'etag', 'content-md5', 'digest']);

export function translatedHeaders(headers: HeaderList, contentType: string): HeaderList {
  const list: HeaderList = ['content-type', contentType];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!OF_THE_BODY.has(name)) list.push(name, headers[i + 1] as string);
  }
  return list;
}

export const JSON_TYPE = 'application/json';
