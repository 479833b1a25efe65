/** Bytes of images and documents as requests carry them: strict base64, data URLs, and what the bytes really are. */

/** The bytes of base64 text; undefined when it is empty or not base64 to the letter. */
export function decodeBase64(text: string): Buffer | undefined {
  if (text === '' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

/** The parts of a `data:` URL; undefined when it is none or its base64 is broken. */
export function readDataUrl(url: string): { readonly mediaType: string; readonly bytes: Buffer } | undefined {
  const match = /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(url);
  const bytes = match === null ? undefined : decodeBase64(match[2] ?? '');
  return bytes === undefined ? undefined : { mediaType: match?.[1] ?? '', bytes };
}

const SIGNATURES: readonly (readonly [type: string, start: string, at?: number])[] = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF8'],
  ['image/webp', 'WEBP', 8],
  ['application/pdf', '%PDF-'],
];

/** What the bytes are, told from how they begin; undefined for anything else. */
export function sniffMedia(bytes: Buffer): string | undefined {
  return SIGNATURES.find(([, start, at = 0]) => bytes.toString('latin1', at, at + start.length) === start)?.[0];
}
