/**
 * Files that were uploaded to Gemini: nobody else can read them. The hub knows an uploaded file by its id alone, so the
 * type that Gemini is told beside the address stands in the id, where an address has a fragment.
 * Source: Gemini API reference, files.
 */

/** Is it an address of the Files API? */
export function isUploaded(uri: string): boolean {
  return /^(https:\/\/generativelanguage\.googleapis\.com\/[^/]+\/)?files\//.test(uri);
}

/** The file as the hub knows it. */
export function uploadedId(uri: string, mediaType: string | undefined): string {
  return mediaType === undefined ? uri : `${uri}#${mediaType}`;
}

/** The file as Gemini knows it. */
export interface UploadedFile {
  readonly mimeType: string | undefined;
  readonly fileUri: string;
}

/** The opposite of `uploadedId`. */
export function uploadedFile(id: string): UploadedFile {
  const mark = id.lastIndexOf('#');
  return mark < 0 ? { mimeType: undefined, fileUri: id } : { mimeType: id.slice(mark + 1), fileUri: id.slice(0, mark) };
}
