/** What the gateway's loop and its encoding threads say to each other. */

/** Files of a tokenizer, each packed with gzip. */
export type PackedFiles = readonly (readonly [name: string, bytes: Uint8Array])[];

export type ToThread =
  | { readonly kind: 'load'; readonly key: string; readonly files: PackedFiles }
  | { readonly kind: 'forget'; readonly key: string }
  | { readonly kind: 'encode'; readonly key: string; readonly text: string; readonly addSpecialTokens: boolean };

/** The answer to an `encode`; they come in their order. */
export type FromThread = { readonly kind: 'ids'; readonly ids: Uint32Array<ArrayBuffer> } | { readonly kind: 'failed' };
