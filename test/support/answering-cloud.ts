/** A server that poses as any cloud: it notes what it is sent, byte for byte, and answers with the bytes it was given. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface CloudAnswer {
  readonly contentType: string;
  readonly bytes: Buffer;
  /** Sent in pieces of so many bytes, one for each turn of the event loop; undefined: at once. */
  readonly pieceBytes?: number;
}

export interface CloudCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly sha256: string;
}

export interface AnsweringCloud {
  readonly url: string;
  /** What the next calls are answered with. */
  answer(answer: CloudAnswer): void;
  /** The last call. */
  seen(): CloudCall | undefined;
}

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

export async function answeringCloudFor(t: TestContext): Promise<AnsweringCloud> {
  let next: CloudAnswer = { contentType: 'application/json', bytes: Buffer.from('{}') };
  let last: CloudCall | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url = '', headers } = request;
      if (method !== 'POST') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      const body = Buffer.concat(chunks);
      last = { path: url, headers, body: body.toString(), sha256: sha256(body) };
      response.writeHead(200, { 'content-type': next.contentType, 'x-of-the-cloud': 'yes' });
      if (next.pieceBytes === undefined) return void response.end(next.bytes);
      sendPieces(response, next.bytes, next.pieceBytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    answer: (answer) => {
      next = answer;
    },
    seen: () => last,
  };
}

function sendPieces(response: ServerResponse, bytes: Buffer, pieceBytes: number, from = 0): void {
  if (response.destroyed) return;
  if (from >= bytes.length) return void response.end();
  response.write(bytes.subarray(from, from + pieceBytes));
  setImmediate(() => sendPieces(response, bytes, pieceBytes, from + pieceBytes));
}
