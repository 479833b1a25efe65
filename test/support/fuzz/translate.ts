/** One conversation of a client for one target, as the spine does it: read, files fetched that are needed, written. */
import { GatewayError } from '../../../src/domain/errors.ts';
import type { FetchedMedia } from '../../../src/domain/ports.ts';
import { mediaKey, namedMedia, withBytes } from '../../../src/dispatch/translation/media-parts.ts';
import { completeResults } from '../../../src/protocols/hub/complete-results.ts';
import type { FuzzClient } from './clients.ts';
import type { Json } from './marks.ts';
import type { Translated } from './silent-losses.ts';
import type { FuzzTarget } from './targets.ts';

export type Outcome =
  | { readonly kind: 'sent'; readonly translated: Translated }
  | { readonly kind: 'refused'; readonly error: GatewayError };

/** Throws what must not be thrown. */
export function translate(client: FuzzClient, body: Json, target: FuzzTarget): Outcome {
  const bytes = Buffer.from(JSON.stringify(body));
  const isGemini = client.name === 'gemini';
  const facts = { model: isGemini ? 'asked-model' : undefined, isStream: isGemini ? false : undefined, headers: {} };
  const { provider, model, codec } = target;
  const to = { provider, model, maxOutputTokens: undefined };
  try {
    const { request: read, warnings: ofClient } = client.codec.decodeRequest(bytes, facts);
    const { request, warnings: ofHub } = completeResults(read);
    const media = new Map<string, FetchedMedia>();
    for (const each of namedMedia(request, (source, kind) => codec.needsBytes(source, kind, to)))
      media.set(mediaKey(each), fetchedFor(each.url));
    const { body: sent, warnings: encoded } = codec.encodeRequest(withBytes(request, media), to);
    const fetched = (url: string) => (/^https?:/.test(url) ? fetchedFor(url).base64 : undefined);
    const warnings = { decoded: ofClient, encoded: [...ofHub, ...encoded] };
    const written: unknown = JSON.parse(bytes.toString());
    return { kind: 'sent', translated: { client: written, request, ...warnings, body: sent, fetched } };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.origin !== 'client') throw thrown;
    return { kind: 'refused', error: thrown };
  }
}

/** Bytes that hold the name under which they were found. */
function fetchedFor(url: string): FetchedMedia {
  const isPdf = url.endsWith('.pdf');
  const head = isPdf ? '%PDF-1.4 ' : '\x89PNG\r\n\x1a\n';
  return {
    mediaType: isPdf ? 'application/pdf' : 'image/png',
    base64: Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(url)]).toString('base64'),
  };
}
