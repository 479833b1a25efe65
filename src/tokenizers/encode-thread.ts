/** The thread's side of encoding: keeps the tokenizers that it was given, and encodes one text after the other. */
import { gunzipSync } from 'node:zlib';
import type { MessagePort } from 'node:worker_threads';
import type { Tokenizer } from '../domain/tokenizer.ts';
import type { FromThread, PackedFiles, ToThread } from './encode-messages.ts';
import type { ModelFiles } from './model-files.ts';

export type CreateTokenizer = (files: ModelFiles) => Tokenizer | Promise<Tokenizer>;

export function serveEncoding(port: MessagePort, create: CreateTokenizer): void {
  const tokenizers = new Map<string, Promise<Tokenizer>>();
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToThread) => {
    if (message.kind === 'load') {
      const tokenizer = Promise.resolve().then(() => create(unpacked(message.files)));
      // Told to whoever wants to encode with it.
      tokenizer.catch(() => undefined);
      tokenizers.set(message.key, tokenizer);
    } else if (message.kind === 'forget') {
      tokenizers.delete(message.key);
    } else {
      last = last.then(() => answer(port, tokenizers.get(message.key), message));
    }
  });
}

async function answer(
  port: MessagePort,
  tokenizer: Promise<Tokenizer> | undefined,
  { text, addSpecialTokens }: Extract<ToThread, { kind: 'encode' }>,
): Promise<void> {
  let reply: FromThread = { kind: 'failed' };
  try {
    const ids = await (await tokenizer)?.encode(text, addSpecialTokens);
    // A copy of its own length: what is handed over leaves this thread whole.
    if (ids) reply = { kind: 'ids', ids: Uint32Array.from(ids) };
  } catch {
    // The reason may quote a prompt or a file; that it failed is all that the other side can use.
  }
  port.postMessage(reply, reply.kind === 'ids' ? [reply.ids.buffer] : []);
}

function unpacked(files: PackedFiles): ModelFiles {
  return new Map(files.map(([name, bytes]) => [name, gunzipSync(bytes)]));
}
